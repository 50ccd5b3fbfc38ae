"""Hand-made end states, and whether a person who sees them would call the task done.

Each case is a small program, the places of things on the table, and the verdict of a person who
reads the instruction and looks at the picture. `docs/judging.md` shows them all.

Lengths are in centimetres from the table's middle and angles in degrees. The first coordinate
points down in the view from above, the second one to the right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybullet

from gensim_envs.api import Pose, Scene
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.task.spec import ItemSpec, TaskSpec

MIDDLE = Pose(0.5, 0.0)
Build = Callable[[Scene], None]
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Put:
    """Where a rigid thing is put, from which it settles.

    Attributes:
        x: of its middle.
        y: of its middle.
        z: height of the lowest point of its bounding box.
        yaw: rotation about the vertical, after the others.
        roll: rotation about its own x axis.
        pitch: rotation about its own y axis, after the roll.
    """

    x: float
    y: float
    z: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
    pitch: float = 0.0

    def bodies(self, item: ItemSpec) -> list[list[float]]:
        """Its only body, as in the state of an episode."""
        turn = pybullet.getQuaternionFromEuler(np.radians([self.roll, self.pitch, self.yaw]))
        down = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))[2]
        half = float(np.abs(down) @ np.array(item.asset.size)) / 2
        if item.asset.tumbles == "ball":
            half = item.asset.height / 2
        x, y = in_metres(self.x, self.y)
        return [[x, y, self.z / 100 + half, *turn]]


@dataclass(frozen=True)
class Lie:
    """Where the beads of a rope or the crumbs of a pile are put.

    Attributes:
        points: (x, y) of each.
        layers: how many lie on one another; the first points are at the bottom.
    """

    points: tuple[tuple[float, float], ...]
    layers: int = 1

    def bodies(self, item: ItemSpec) -> list[list[float]]:
        """Its bodies, as in the state of an episode; each faces the next one."""
        points = np.array([in_metres(*point) for point in self.points])
        ahead = np.diff(points, axis=0, append=2 * points[-1:] - points[-2:-1])
        per_layer = math.ceil(len(points) / self.layers)
        rows = []
        for k, ((x, y), (dx, dy)) in enumerate(zip(points.tolist(), ahead.tolist(), strict=True)):
            half = math.atan2(dy, dx) / 2 if item.asset.spread == 0 else 0.0
            z = item.asset.height * (0.5 + k // per_layer)
            rows.append([x, y, z, 0, 0, math.sin(half), math.cos(half)])
        return rows


State = Mapping[str, Put | Lie]
"""Where things are, by colour and name; the second of two equal things is "red block 2"."""


@dataclass(frozen=True)
class Case:
    """An end state.

    Attributes:
        name: what it shows.
        build: the program.
        states: what was on the table after each step that counts; what is not named stays where it
            is, or lies at the far edge of the table from the start on.
        done: whether a person would call the task done.
        violation: words that `info["violation"]` holds.
    """

    name: str
    build: Build
    states: tuple[State, ...]
    done: bool
    violation: str = ""


def done(name: str, build: Build, *states: State) -> Case:
    """A case that a person calls done."""
    return Case(name, build, states, True)


def not_done(name: str, build: Build, *states: State, violation: str = "") -> Case:
    """A case that a person does not call done."""
    return Case(name, build, states, False, violation)


def in_metres(x: float, y: float) -> tuple[float, float]:
    """World coordinates."""
    return MIDDLE.x + x / 100, MIDDLE.y + y / 100


def pose(x: float, y: float, yaw: float = 0.0) -> Pose:
    """A pose on the table, for programs."""
    return Pose(*in_metres(x, y), 0.0, math.radians(yaw))


def names(spec: TaskSpec) -> list[str]:
    """The key in a `State` of each item."""
    seen: Counter[str] = Counter()
    found = []
    for item in spec.items:
        name = str(item.asset)
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found


def play(env: TabletopEnv, case: Case) -> dict[str, Any]:
    """Build a case's states one after the other; returns the last `info`."""
    _, info = env.reset(seed=0)
    for number, state in enumerate(case.states):
        saved = env.get_state()
        _edit(saved, env.task_spec, state, aside=not number)
        _, info = env.set_state(saved)
    return info


def _edit(saved: dict[str, Any], spec: TaskSpec, state: State, aside: bool) -> None:
    """Move things in a saved state, those that are not named `aside`."""
    known = names(spec)
    unknown = set(state) - set(known)
    assert not unknown, f"{unknown} are not among {known}"
    spots = iter(Put(-21, -44 + 11 * k) for k in range(9))
    for k, (name, item) in enumerate(zip(known, spec.items, strict=True)):
        if name in state:
            saved["bodies"][k] = state[name].bodies(item)
        elif aside and not item.fixed and not item.bodies:
            saved["bodies"][k] = next(spots).bodies(item)


def straight(
    start: tuple[float, float], heading: float, count: int = 20, gap: float = 1.2
) -> list[tuple[float, float]]:
    """Points in a line, the first one `gap` after `start`."""
    c, s = math.cos(math.radians(heading)), math.sin(math.radians(heading))
    return [(start[0] + gap * k * c, start[1] + gap * k * s) for k in range(1, count + 1)]


def lines(start: tuple[float, float], *legs: tuple[float, int]) -> Lie:
    """A rope of straight legs, each a heading and a number of beads."""
    points = [start]
    for heading, count in legs:
        points += straight(points[-1], heading, count)
    return Lie(tuple(points))


def heap(x: float, y: float, *astray: tuple[float, float]) -> Lie:
    """Fifty crumbs: those `astray`, and the others in rows about a point."""
    grid = [(x + 1.3 * (k // 8 - 3), y + 1.3 * (k % 8 - 3.5)) for k in range(50)]
    return Lie((*astray, *grid[len(astray) :]))
