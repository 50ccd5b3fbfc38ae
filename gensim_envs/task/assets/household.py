"""Household and toy objects, made of meshes that `scripts/models` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from gensim_envs.task.assets.base import Asset, Part

OBJECTS: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).parents[1].joinpath("objects.json").read_text(encoding="utf-8")
)
"""What `scripts/models` measured of each kind of object: see its docstring for the fields."""
SPLIT_OBJECTS: dict[str, tuple[str, ...]] = {
    split: tuple(kind for kind, data in OBJECTS.items() if data["split"] == split)
    for split in ("train", "test")
}
"""Seen and unseen kinds."""


@dataclass(frozen=True)
class Household(Asset):
    """A household or toy object of a `kind` such as "coffee_mug"; its main part has the colour,
    by default the usual one of its kind: `Household(kind="rubber_duck")` is yellow.

    `scene.objects(n)` draws some of the split, each in its usual colour.
    """

    color: str = ""
    kind: str = "coffee_mug"
    nouns = ("object", *(str(data["noun"]) for data in OBJECTS.values()))
    _choices: ClassVar = {"kind": OBJECTS}

    def __post_init__(self) -> None:
        if self.color == "" and isinstance(self.kind, str) and self.kind in OBJECTS:
            object.__setattr__(self, "color", OBJECTS[self.kind]["color"])
        super().__post_init__()

    @property
    def _data(self) -> dict[str, Any]:
        return OBJECTS[self.kind]

    @property
    def called(self) -> tuple[str, ...]:
        return (self._data["noun"], "object")

    @property
    def variant(self) -> int:
        return list(OBJECTS).index(self.kind) + 1

    @property
    def symmetry(self) -> float:
        return float(self._data["symmetry"])

    @property
    def mass(self) -> float:
        return float(self._data["mass"])

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        return tuple((x, y) for x, y in self._data["grasps"])

    def parts(self) -> tuple[Part, ...]:
        data = self._data
        size, corners = tuple(data["size"]), tuple((x, y) for x, y in data["outline"])

        def mesh(file: str, **how: Any) -> Part:
            name = f"{self.kind}/{file}"
            return Part("mesh", size, (0, 0, 0), mesh=name, corners=corners, **how)

        looks = (
            mesh(str(k), solid=False, paint=None if paint is None else tuple(paint))
            for k, paint in enumerate(data["paints"])
        )
        return (*looks, mesh("collision", seen=False))
