"""Perturbations of an episode: `reset(options={"perturb": {...}})`.

Each key draws from a generator of its own, so that keys do not influence each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from gensim_envs.envs.paraphrases import paraphrased
from gensim_envs.errors import TaskError
from gensim_envs.sim.cameras import CAMERAS, DEFAULT_VIEW, Light, ViewConditions
from gensim_envs.task import assets
from gensim_envs.task.assets import SPLIT_COLORS, Asset, Block
from gensim_envs.task.checks.sentences import NOUNS, plural
from gensim_envs.task.free_space import FreeSpace
from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import Goal
from gensim_envs.task.spec import MAX_SENTENCE, ItemSpec, TaskSpec

DISTRACTORS: tuple[type[Asset], ...] = (Block, assets.Box, assets.Cylinder, assets.Ball)
"""Kinds of distractors: simple, movable, of one size each."""
_RANGES: dict[str, tuple[Any, float]] = {  # type and largest value
    "camera": (Real, 0.1), "light": (Real, 1), "distractors": (Integral, 8),
}  # fmt: skip
_WORDS = {"instruction": ("wrong", "blank", "paraphrased"), "colors": tuple(SPLIT_COLORS)}
_ROTATION = 0.5  # radians of a camera's rotation for each metre of its shift
_SWING = 0.6  # change of the light's direction, whose z is 1
_BRIGHTNESS = 0.5  # relative change of the light's brightness
_WARMTH = 0.25  # relative change of red, and the reverse change of blue


@dataclass(frozen=True)
class Perturbation:
    """The changes of one episode, compared with the one that its seed gives.

    Attributes:
        camera: largest shift (0..0.1 m) of each camera along each of its axes. Each camera is also
            rotated about each axis, by at most half a radian for each metre.
        light: strength (0..1) of the change of direction, brightness and colour.
        distractors: number (0..8) of items that are added at free places.
        instruction: "wrong" for instructions about other things, "blank" for empty ones,
            "paraphrased" for the same in other words; None for the true ones. Success depends on
            the true goals.
        colors: "train" or "test": the split from which a new colour is drawn for each colour of the
            scene and its instructions; None keeps the colours.
    """

    camera: float = 0.0
    light: float = 0.0
    distractors: int = 0
    instruction: str | None = None
    colors: str | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any] | None) -> Perturbation:
        """The perturbation in the options of a reset.

        Raises:
            ValueError: an option is unknown or not in its range.
        """
        unknown = [key for key in options or {} if key != "perturb"]
        if unknown:
            raise ValueError(f"unknown reset option {unknown[0]!r}; the only one is 'perturb'")
        values = (options or {}).get("perturb", {})
        keys = [f.name for f in fields(cls)]
        if not isinstance(values, Mapping):
            raise ValueError(f"perturb is {values!r:.60}; pass a dict with keys {', '.join(keys)}")
        for key, value in values.items():
            if key not in keys:
                raise ValueError(f"perturb has no key {key!r:.60}; use {', '.join(keys)}")
            _check(key, value)
        return cls(**values)

    def apply(self, spec: TaskSpec, number: int) -> TaskSpec:
        """The perturbed task.

        Args:
            spec: the task as drawn.
            number: equal numbers give equal results.

        Raises:
            TaskError: the split has too few colours, or there is no room for a distractor.
        """
        if self.colors is not None:
            spec = _recolored(spec, self.colors, _generator(number, "colors"))
        if self.distractors:
            colors = SPLIT_COLORS[self.colors or spec.split]
            spec = _distracted(spec, self.distractors, colors, _generator(number, "distractors"))
        if self.instruction == "blank":
            spec = _with_instructions(spec, [""] * len(spec.goals))
        elif self.instruction == "wrong":
            rng = _generator(number, "instruction")
            spec = _with_instructions(spec, [_wrong(spec, goal, rng) for goal in spec.goals])
        elif self.instruction == "paraphrased":
            rng = _generator(number, "instruction")
            spec = _with_instructions(
                spec, [paraphrased(goal.instruction, rng) for goal in spec.goals]
            )
        return spec

    def view(self, number: int) -> ViewConditions:
        """Light and camera errors; equal numbers give equal results."""
        light, errors = DEFAULT_VIEW.light, {}
        if self.light:
            light = _changed_light(self.light, _generator(number, "light"))
        if self.camera:
            rng = _generator(number, "camera")
            errors = {name: _camera_error(self.camera, rng) for name in ("above", *CAMERAS)}
        return ViewConditions(light, errors)


def _check(key: str, value: Any) -> None:
    if key in _WORDS:
        good = isinstance(value, str) and value in _WORDS[key]
        allowed = " or ".join(map(repr, _WORDS[key]))
    else:
        kind, most = _RANGES[key]
        good = isinstance(value, kind) and not isinstance(value, bool) and 0 <= value <= most
        allowed = f"a {'whole ' if kind is Integral else ''}number from 0 to {most}"
    if not good:
        raise ValueError(f"perturb's {key} is {value!r:.60}; use {allowed}")


def _generator(number: int, key: str) -> np.random.Generator:
    return np.random.default_rng([number, *key.encode()])


# Camera and light.


def _camera_error(shift: float, rng: np.random.Generator) -> Array:
    """(4, 4) pose of a camera in the frame of its nominal pose."""
    from scipy.spatial.transform import Rotation  # takes long to load

    pose = np.eye(4)
    rotation = rng.uniform(-_ROTATION * shift, _ROTATION * shift, 3)
    pose[:3, :3] = Rotation.from_rotvec(rotation).as_matrix()
    pose[:3, 3] = rng.uniform(-shift, shift, 3)
    return pose


def _changed_light(strength: float, rng: np.random.Generator) -> Light:
    x, y, z = DEFAULT_VIEW.light.direction
    swing = strength * rng.uniform(-_SWING, _SWING, 2)
    bright = (1 + _BRIGHTNESS) ** (strength * rng.uniform(-1, 1))
    warm = strength * rng.uniform(-_WARMTH, _WARMTH)
    return Light(
        (x + float(swing[0]), y + float(swing[1]), z),
        (float(bright * (1 + warm)), float(bright), float(bright * (1 - warm))),
    )


# Colours.


def _recolored(spec: TaskSpec, split: str, rng: np.random.Generator) -> TaskSpec:
    """The task with each colour replaced by another one of a split."""
    old = list(dict.fromkeys(item.asset.color for item in spec.items))
    palette = SPLIT_COLORS[split]
    if len(old) > len(palette):
        raise TaskError(
            f"this draw of {spec.name} has {len(old)} colors, the {split} split {len(palette)}",
            "Do not perturb its colors",
        )
    new = [palette[k] for k in rng.permutation(len(palette))[: len(old)]]
    renamed = dict(zip(old, new, strict=True))
    items = tuple(
        replace(item, asset=replace(item.asset, color=renamed[item.asset.color]))
        for item in spec.items
    )
    instructions = [_replace_words(goal.instruction, renamed) for goal in spec.goals]
    return _with_instructions(replace(spec, items=items), instructions)


def _replace_words(instruction: str, words: Mapping[str, str]) -> str:
    """Return an instruction with words replaced, all at once."""
    longest_first = sorted(words, key=len, reverse=True)
    plain = re.sub(r"\bgrey\b", "gray", instruction, flags=re.IGNORECASE)
    if not words:
        return plain
    pattern = rf"\b({'|'.join(map(re.escape, longest_first))})\b"
    return re.sub(pattern, lambda m: words[m.group().lower()], plain, flags=re.IGNORECASE)


def _with_instructions(spec: TaskSpec, instructions: Sequence[str]) -> TaskSpec:
    """The task with other instructions."""
    for number, instruction in enumerate(instructions, 1):
        if len(instruction.encode()) > MAX_SENTENCE:
            raise TaskError(
                f"its perturbed instruction has more than {MAX_SENTENCE} bytes",
                "Shorten the task's instruction",
                goal=number,
            )
    goals = (
        replace(goal, instruction=instruction)
        for goal, instruction in zip(spec.goals, instructions, strict=True)
    )
    return replace(spec, goals=tuple(goals))


# Distractors.


def _goal_assets(spec: TaskSpec, goal: Goal) -> list[Asset]:
    """The assets of a goal's items and targets."""
    bases = (place.base for place in goal.places if place.base is not None)
    return [spec.items[k].asset for k in dict.fromkeys((*goal.items, *bases))]


def _distracted(
    spec: TaskSpec, count: int, colors: Sequence[str], rng: np.random.Generator
) -> TaskSpec:
    """The task with `count` more items at free places, which no instruction could refer to."""
    taken: set[tuple[str, str]] = set()  # (noun, colour) of the goals' assets
    for goal in spec.goals:
        for asset in _goal_assets(spec, goal):
            named = re.search(rf"\b{asset.color}\b", _replace_words(goal.instruction, {}).lower())
            taken |= {
                (noun, color)
                for noun in asset.called
                for color in ([asset.color] if named else colors)
            }
    free = [
        (kind, color)
        for kind in DISTRACTORS
        for color in colors
        if not any((noun, color) in taken for noun in kind.nouns)
    ]
    if not free:
        raise TaskError(
            f"no distractor can be told apart from the items of the goals of {spec.name}",
            "Do not add distractors to it",
        )
    room = FreeSpace(rng)
    room.take_starts(spec.items)
    room.take_targets(spec.items, spec.goals)
    items = list(spec.items)
    for _ in range(count):
        kind, color = free[int(rng.integers(len(free)))]
        asset = kind(color)
        start = room.free_pose(assets.asset_geometry(asset).outline, f"the distractor {asset}")
        room.take_asset(asset, start)
        items.append(ItemSpec(asset, start, distractor=True))
    return replace(spec, items=tuple(items))


# Instructions.


def _wrong(spec: TaskSpec, goal: Goal, rng: np.random.Generator) -> str:
    """A wrong instruction, which refers to other objects.

    Each colour, kit shape and household object that the instruction names is replaced by one
    that is not part of the goal; where it names none of these, each kind is. Replacements that are
    in the scene come first. An instruction that names none of these
    is replaced entirely.
    """
    own = _goal_assets(spec, goal)
    seen = [item.asset for item in spec.items if not isinstance(item.asset, assets.Mark)]
    others = [asset for asset in seen if asset not in own]
    colors = _others(
        {asset.color for asset in own},
        ([asset.color for asset in others], SPLIT_COLORS[spec.split], list(assets.COLORS)),
        rng,
    )
    names = {noun.lower() for asset in own for noun in asset.called}
    shown = [asset.called[0] for asset in others]
    anything = [kind.nouns[0] for kind in DISTRACTORS]
    kinds = _others(names, (shown, anything, NOUNS), rng)
    special = [asset.called[0] for asset in others if asset.variant]
    objects = _others(
        {asset.called[0].lower() for asset in own if asset.variant},
        (special, assets.KIT_SHAPES, NOUNS), rng,
    )  # fmt: skip
    for words in (colors | objects, kinds):
        words |= {
            plural(old): plural(other) for old, other in words.items() if old not in assets.COLORS
        }
        changed = _replace_words(goal.instruction, words)
        if changed != _replace_words(goal.instruction, {}):
            return changed
    things = others or [Block(color) for color in colors.values()]
    return f"pick up the {things[int(rng.integers(len(things)))]}"


def _others(
    own: set[str], ranks: Sequence[Sequence[str]], rng: np.random.Generator
) -> dict[str, str]:
    """For each of `own` a random other word, from the first ranks that have enough."""
    others: list[str] = []
    for rank in ranks:
        new = [w for w in dict.fromkeys(rank) if w.lower() not in own and w not in others]
        others += [new[k] for k in rng.permutation(len(new))]
    return dict(zip(sorted(own), others, strict=False))
