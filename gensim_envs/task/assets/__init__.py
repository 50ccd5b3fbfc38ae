"""Assets: typed things on the table with real dimensions, as plain data.

An asset defines its parts, size, yaw symmetry, whether it is fixed to the table, where a suction
cup can hold it, and by which nouns a sentence may call it. To add one, write a class and name it in
`ASSETS`; spawning, placing, success checks and the sandbox follow.
"""

from __future__ import annotations

from typing import Any

from gensim_envs.errors import TaskError
from gensim_envs.task.assets.base import (
    COLORS,
    SPLIT_COLORS,
    Asset,
    Geometry,
    Part,
    Slot,
    asset_geometry,
)
from gensim_envs.task.assets.holders import Bowl, Container, Fixture, Pallet, PegStand, Stand
from gensim_envs.task.assets.household import OBJECTS, SPLIT_OBJECTS, Household
from gensim_envs.task.assets.kit import KIT_SHAPES, SPLIT_SHAPES, KitBoard, KitPiece
from gensim_envs.task.assets.paint import Corner, Line, Mark, OpenSquare, Zone
from gensim_envs.task.assets.soft import Pile, Rope
from gensim_envs.task.assets.solids import Ball, Block, Box, Cylinder, Disk, Ell, Roof

ASSETS: dict[str, type[Asset]] = {
    cls.__name__: cls
    for cls in (
        Block, Box, Ball, Cylinder, Bowl, Container, Zone, Line, Corner, OpenSquare, Stand, Pallet,
        Disk, PegStand, Ell, Fixture, Rope, Pile, Roof, KitPiece, KitBoard, Household, Mark,
    )
}  # fmt: skip
"""Every asset by the name of its class; observations number them in this order."""

__all__ = [
    "ASSETS", "COLORS", "KIT_SHAPES", "OBJECTS", "SPLIT_COLORS", "SPLIT_OBJECTS", "SPLIT_SHAPES",
    "Asset", "Ball", "Block", "Bowl", "Box", "Container", "Corner", "Cylinder", "Disk", "Ell",
    "Fixture", "Geometry", "Household", "KitBoard", "KitPiece", "Line", "Mark", "OpenSquare",
    "Pallet", "Part", "PegStand", "Pile", "Roof", "Rope", "Slot", "Stand", "Zone",
    "asset_from_json", "asset_geometry",
]  # fmt: skip


def asset_from_json(data: Any) -> Asset:
    """The inverse of `Asset.to_json`.

    Raises:
        TaskError: on an unknown type or field, or a value out of range.
    """
    if not isinstance(data, dict) or data.get("type") not in ASSETS:
        raise TaskError(f"there is no asset {data!r:.80}", f"Use one of {', '.join(ASSETS)}")
    cls = ASSETS[data["type"]]
    values: dict[str, Any] = {k: _tuples(v) for k, v in data.items() if k != "type"}
    try:
        return cls(**values)
    except TypeError as error:
        raise TaskError(f"{data['type']} got wrong fields: {error}") from error


def _tuples(value: Any) -> Any:
    """Lists as tuples, at all depths."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
