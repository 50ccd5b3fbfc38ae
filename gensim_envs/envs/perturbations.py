"""Perturbations of an episode: `reset(options={"perturb": {...}})`.

Each key draws from a generator of its own, so that keys do not disturb each other and an episode
without a key is what it would be without perturbations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from gensim_envs.errors import TaskError
from gensim_envs.sim.cameras import CAMERAS, PLAIN, Light, Sight
from gensim_envs.task.assets import (
    COLORS,
    KIT_SHAPES,
    SPLIT_COLORS,
    Asset,
    Ball,
    Block,
    Box,
    Cylinder,
    asset_geometry,
)
from gensim_envs.task.checks import NOUNS, plural
from gensim_envs.task.goals import Array, Goal
from gensim_envs.task.placement import Room
from gensim_envs.task.spec import MAX_SENTENCE, ItemSpec, TaskSpec

DISTRACTORS: tuple[type[Asset], ...] = (Block, Box, Cylinder, Ball)
"""Kinds of things that are added: simple, movable, of one size each."""
_RANGES: dict[str, tuple[Any, float]] = {  # type and largest value
    "camera": (Real, 0.1), "light": (Real, 1), "distractors": (Integral, 8),
}  # fmt: skip
_WORDS = {"instruction": ("wrong", "blank"), "colors": tuple(SPLIT_COLORS)}
_TURN = 0.5  # radians by which a camera is turned for each metre by which it is shifted
_SWING = 0.6  # of the light's direction, whose z is 1
_BRIGHTNESS = 0.5  # share by which the light may be brighter or darker
_WARMTH = 0.25  # share by which it may have more red and less blue, or the reverse


@dataclass(frozen=True)
class Perturbation:
    """What an episode differs in from the one that its seed alone would give.

    Attributes:
        camera: metres (0..0.1) by which each camera may be shifted along each of its axes; it is
            also turned about each, by at most half a radian for each metre.
        light: strength (0..1) of changes of its direction, brightness and colour.
        distractors: how many things (0..8) are added at free places.
        instruction: "wrong" for sentences about other things, "blank" for empty ones; None for the
            true ones. Success is judged by the true goals.
        colors: "train" or "test": the split from which new colours are drawn, one for each colour
            in the scene, sentences included; None for those that were drawn.
    """

    camera: float = 0.0
    light: float = 0.0
    distractors: int = 0
    instruction: str | None = None
    colors: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> Perturbation:
        """What the options of a reset ask for.

        Raises:
            ValueError: naming the option that is unknown or not in its range.
        """
        unknown = [key for key in options or {} if key != "perturb"]
        if unknown:
            raise ValueError(f"unknown reset option {unknown[0]!r}; there is only 'perturb'")
        asked = (options or {}).get("perturb", {})
        keys = [f.name for f in fields(cls)]
        if not isinstance(asked, Mapping):
            raise ValueError(f"perturb is {asked!r:.60}; give a dict with keys {', '.join(keys)}")
        for key, value in asked.items():
            if key not in keys:
                raise ValueError(f"perturb has no key {key!r:.60}; use {', '.join(keys)}")
            _check(key, value)
        return cls(**asked)

    def scene(self, spec: TaskSpec, number: int) -> TaskSpec:
        """The scene that is to be put on the table.

        Args:
            spec: as drawn.
            number: equal numbers give equal scenes.

        Raises:
            TaskError: where the colours of the split do not suffice, or there is no room.
        """
        if self.colors is not None:
            spec = _recolored(spec, self.colors, _generator(number, "colors"))
        if self.distractors:
            colors = SPLIT_COLORS[self.colors or spec.split]
            spec = _distracted(spec, self.distractors, colors, _generator(number, "distractors"))
        if self.instruction == "blank":
            spec = _said(spec, [""] * len(spec.goals))
        elif self.instruction == "wrong":
            rng = _generator(number, "instruction")
            spec = _said(spec, [_wrong(spec, goal, rng) for goal in spec.goals])
        return spec

    def sight(self, number: int) -> Sight:
        """How the scene is seen; equal numbers give equal results."""
        light, nudges = PLAIN.light, {}
        if self.light:
            light = _changed_light(self.light, _generator(number, "light"))
        if self.camera:
            rng = _generator(number, "camera")
            nudges = {name: _nudge(self.camera, rng) for name in ("above", *CAMERAS)}
        return Sight(light, nudges)


def _check(key: str, value: Any) -> None:
    if key in _WORDS:
        good = isinstance(value, str) and value in _WORDS[key]
        allowed = " or ".join(map(repr, _WORDS[key]))
    else:
        kind, most = _RANGES[key]
        good = isinstance(value, kind) and not isinstance(value, bool) and 0 <= value <= most
        allowed = f"a {'whole ' if kind is Integral else ''}number from 0 to {most}"
    if not good:
        raise ValueError(f"perturb's {key} is {value!r:.60}; give {allowed}")


def _generator(number: int, key: str) -> np.random.Generator:
    return np.random.default_rng([number, *key.encode()])


# ----------------------------------------------------------------------------- camera and light


def _nudge(shift: float, rng: np.random.Generator) -> Array:
    """(4, 4) pose of a camera in the frame where it should be."""
    pose = np.eye(4)
    turn = rng.uniform(-_TURN * shift, _TURN * shift, 3)
    pose[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    pose[:3, 3] = rng.uniform(-shift, shift, 3)
    return pose


def _changed_light(strength: float, rng: np.random.Generator) -> Light:
    x, y, z = PLAIN.light.direction
    swing = strength * rng.uniform(-_SWING, _SWING, 2)
    bright = (1 + _BRIGHTNESS) ** (strength * rng.uniform(-1, 1))
    warm = strength * rng.uniform(-_WARMTH, _WARMTH)
    return Light(
        (x + float(swing[0]), y + float(swing[1]), z),
        (float(bright * (1 + warm)), float(bright), float(bright * (1 - warm))),
    )


# -------------------------------------------------------------------------------------- colours


def _recolored(spec: TaskSpec, split: str, rng: np.random.Generator) -> TaskSpec:
    """Every colour of the scene becomes another one of a split, consistently."""
    old = list(dict.fromkeys(item.asset.color for item in spec.items))
    palette = SPLIT_COLORS[split]
    if len(old) > len(palette):
        raise TaskError(
            f"this draw of {spec.name} has {len(old)} colors, the {split} split {len(palette)}",
            "Leave out the perturbation of colors for it",
        )
    new = [palette[k] for k in rng.permutation(len(palette))[: len(old)]]
    renamed = dict(zip(old, new, strict=True))
    items = tuple(
        replace(item, asset=replace(item.asset, color=renamed[item.asset.color]))
        for item in spec.items
    )
    sentences = [_exchange(goal.instruction, renamed) for goal in spec.goals]
    return _said(replace(spec, items=items), sentences)


def _exchange(sentence: str, words: Mapping[str, str]) -> str:
    """A sentence in which words have been replaced, all at once."""
    longest_first = sorted(words, key=len, reverse=True)
    pattern = rf"\b({'|'.join(map(re.escape, longest_first))})\b"
    plain = re.sub(r"\bgrey\b", "gray", sentence, flags=re.IGNORECASE)
    if not words:
        return plain
    return re.sub(pattern, lambda m: words[m.group().lower()], plain, flags=re.IGNORECASE)


def _said(spec: TaskSpec, sentences: Sequence[str]) -> TaskSpec:
    """The task with other sentences."""
    for number, sentence in enumerate(sentences, 1):
        if len(sentence.encode()) > MAX_SENTENCE:
            raise TaskError(
                f"its perturbed sentence has more than {MAX_SENTENCE} bytes",
                "Shorten the task's sentence",
                goal=number,
            )
    goals = (
        replace(goal, instruction=sentence)
        for goal, sentence in zip(spec.goals, sentences, strict=True)
    )
    return replace(spec, goals=tuple(goals))


# ----------------------------------------------------------------------------------- distractors


def _concerned(spec: TaskSpec, goal: Goal) -> list[Asset]:
    """What a goal is about: its items and targets."""
    bases = (place.base for place in goal.places if place.base is not None)
    return [spec.items[k].asset for k in dict.fromkeys((*goal.items, *bases))]


def _distracted(
    spec: TaskSpec, count: int, colors: Sequence[str], rng: np.random.Generator
) -> TaskSpec:
    """`count` more things at free places, none of which a sentence could be about."""
    meant: set[tuple[str, str]] = set()  # (noun, colour) of what the goals are about
    for goal in spec.goals:
        for asset in _concerned(spec, goal):
            said = re.search(rf"\b{asset.color}\b", _exchange(goal.instruction, {}).lower())
            named = [asset.color] if said else colors
            meant |= {(noun, color) for noun in asset.called for color in named}
    free = [
        (kind, color)
        for kind in DISTRACTORS
        for color in colors
        if not any((noun, color) in meant for noun in kind.nouns)
    ]
    if not free:
        raise TaskError(
            f"nothing can be told apart from what the goals of {spec.name} are about",
            "Leave out the perturbation of distractors for it",
        )
    room = Room(rng)
    room.take_starts(spec.items)
    room.take_targets(spec.items, spec.goals)
    items = list(spec.items)
    for _ in range(count):
        kind, color = free[int(rng.integers(len(free)))]
        asset = kind(color)
        start = room.free_pose(asset_geometry(asset).outline, f"the distractor {asset}")
        room.take_asset(asset, start)
        items.append(ItemSpec(asset, start, distractor=True))
    return replace(spec, items=tuple(items))


# --------------------------------------------------------------------------------- instructions


def _wrong(spec: TaskSpec, goal: Goal, rng: np.random.Generator) -> str:
    """A sentence about other things.

    Each colour that it names becomes one that the goal has nothing to do with, and so does each
    shape of kit piece and household object; where it names none of these, each kind does. Those
    that are in the scene come first. A sentence that names nothing is replaced as a whole.
    """
    concerned = _concerned(spec, goal)
    strange = [item.asset for item in spec.items if item.asset not in concerned]
    colors = _others(
        {asset.color for asset in concerned},
        ([asset.color for asset in strange], SPLIT_COLORS[spec.split], list(COLORS)),
        rng,
    )
    shown, anything = (
        [asset.called[0] for asset in strange],
        [kind.nouns[0] for kind in DISTRACTORS],
    )
    kinds = _others(_names(concerned), (shown, anything, NOUNS), rng)
    special = [asset.called[0] for asset in strange if asset.variant]
    objects = _others(
        {asset.called[0].lower() for asset in concerned if asset.variant},
        (special, KIT_SHAPES, NOUNS), rng,
    )  # fmt: skip
    for words in (colors | objects, kinds):
        words |= {plural(own): plural(other) for own, other in words.items() if own not in COLORS}
        changed = _exchange(goal.instruction, words)
        if changed != _exchange(goal.instruction, {}):
            return changed
    things = strange or [Block(color) for color in colors.values()]
    return f"pick up the {things[int(rng.integers(len(things)))]}"


def _names(assets: Iterable[Asset]) -> set[str]:
    """Everything that some assets may be called, in lower case."""
    return {noun.lower() for asset in assets for noun in asset.called}


def _others(
    own: set[str], ranks: Sequence[Sequence[str]], rng: np.random.Generator
) -> dict[str, str]:
    """For each of `own` a word that is not, at random, from the first ranks that have enough."""
    others: list[str] = []
    for rank in ranks:
        new = [w for w in dict.fromkeys(rank) if w.lower() not in own and w not in others]
        others += [new[k] for k in rng.permutation(len(new))]
    return dict(zip(sorted(own), others, strict=False))
