"""Sight: whether the things and places of each goal can be seen in the view from above."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import SightError
from gensim_envs.sandbox.program import Program
from gensim_envs.seeds import SURVEY
from gensim_envs.sim.cameras import TopDown
from gensim_envs.sim.views import PIXEL, SHAPE
from gensim_envs.sim.world import World
from gensim_envs.task.assets import KitBoard
from gensim_envs.task.colors import LEAST_DIFFERENCE, lab
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import Goal
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.relations import target_of
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.visibility import Problem, alike, same_color

STARTS = SURVEY[:20]
"""Seeds of the survey, in each split, whose starts are rendered."""
LEAST_PIXELS = 40
LEAST_WIDTH = 3
LEAST_HEIGHT = 0.01
"""Metres of difference in height that make up for a lack of contrast."""
_RING = 3  # pixels around a thing that show what it lies on

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sight:
    """What can be seen of a task.

    Attributes:
        pixels: of the smallest thing or place of a goal when the goal becomes current.
        contrast: smallest CIE76 difference between an item and its place; 100 without places.
        problems: what cannot be seen.
    """

    pixels: int
    contrast: float
    problems: tuple[Problem, ...]


class Looker:
    """Looks at each goal of an episode when it becomes current.

    Attributes:
        found: what was seen so far.
    """

    def __init__(self) -> None:
        self.found: list[Sight] = []
        self._last: Goal | None = None

    def look(self, env: TabletopEnv) -> None:
        """Look at the current goal, unless it was looked at before. Call it before each step."""
        if env.goal is not None and env.goal is not self._last:
            self._last = env.goal
            self.found.append(look_at_goal(env.world, env.task_spec.goals.index(env.goal)))


def look_at_starts(program: Program, bounds: Mapping[str, int], split: str) -> list[Sight]:
    """Look at the first goal at the start of some episodes of the survey.

    Args:
        program: the task's program.
        bounds: bounds in the task's record.
        split: "train" or "test".
    """
    looker = Looker()
    with TabletopEnv(program, bounds, split=split) as env:  # type: ignore[arg-type]
        for seed in STARTS:
            env.reset(seed=seed)
            looker.look(env)
    return looker.found


def together(seen: Sequence[Sight]) -> Sight:
    """The least that was seen, with all problems."""
    problems = tuple(dict.fromkeys(problem for sight in seen for problem in sight.problems))
    return Sight(min(s.pixels for s in seen), min(s.contrast for s in seen), problems)


def check(sight: Sight) -> None:
    """Check that everything was seen.

    Raises:
        SightError: naming the goal, the thing and the remedy.
    """
    for problem in sight.problems:
        raise SightError(problem.text, problem.remedy, cause="oracle", goal=problem.goal + 1)


def look_at_goal(world: World, number: int) -> Sight:
    """What can be seen of one goal now.

    Args:
        world: is rendered.
        number: of the goal, from 0.
    """
    spec, image = world.spec, world.top_down()
    goal, colors = spec.goals[number], lab(image.color)
    masks = _seen(world, image, {*goal.items, *goal.bases})
    places = {
        k: masks[k] & mask if isinstance(spec.items[k].asset, KitBoard) else masks[k]
        for k, mask in _places(world, goal)
        if k in masks
    }
    problems = list(alike(spec, number))
    for k, mask in (masks | places).items():
        problems += _visible(spec, number, k, mask, image, colors)
    contrast = 100.0
    for item in goal.items:
        for base, mask in places.items():
            if item in masks and masks[item].any() and mask.any() and item != base:
                value = math.dist(
                    _median(colors, masks[item]), _median(colors, mask & ~masks[item])
                )
                contrast = min(contrast, value)
                if value < LEAST_DIFFERENCE:
                    things = (spec.items[k].asset for k in (item, base))
                    problems.append(same_color(number, *things))
    pixels = min((int(mask.sum()) for mask in (masks | places).values()), default=0)
    return Sight(pixels, round(contrast, 1), tuple(dict.fromkeys(problems)))


def _seen(world: World, image: TopDown, wanted: set[int]) -> dict[int, Mask]:
    """For each wanted thing the pixels (160, 320) of it, or of one that equals it.

    Equal movable things are exchangeable, so of each kind those count that are seen best.
    """
    items = world.spec.items
    kinds: dict[object, list[int]] = {}
    for k in range(len(items)):
        if world.bodies[k]:
            kinds.setdefault(k if items[k].fixed else items[k].asset, []).append(k)
    masks: dict[int, Mask] = {}
    for members in kinds.values():
        if wanted.isdisjoint(members):
            continue
        found = [np.isin(image.body, world.bodies[k]) for k in members]
        found.sort(key=lambda mask: -int(mask.sum()))
        masks |= zip(sorted(wanted.intersection(members)), found, strict=False)
    return dict(sorted(masks.items()))


def _places(world: World, goal: Goal) -> Iterator[tuple[int, Mask]]:
    """The bases of a goal, each with the pixels (160, 320) of the first place on it."""
    spec, now = world.spec, world.snapshot()
    for k, place in enumerate(goal.places):
        if place.base is None:
            continue
        area = footprint(spec.geometry(goal.item_for(k)).outline, target_of(spec, goal, place, now))
        yield place.base, _inside(area)


def _inside(area: shapely.Polygon) -> Mask:
    """The pixels (160, 320) whose middles are in an area of the table."""
    x, y = np.meshgrid(
        *(WORKSPACE[axis][0] + (np.arange(SHAPE[axis]) + 0.5) * PIXEL for axis in (0, 1)),
        indexing="ij",
    )
    return np.asarray(shapely.contains_xy(area, x, y), bool)


def _visible(
    spec: TaskSpec, number: int, k: int, mask: Mask, image: TopDown, colors: NDArray[np.float64]
) -> Iterator[Problem]:
    """Problems of one thing or place: too small, or like what it lies on."""
    asset, count = spec.items[k].asset, int(mask.sum())
    width = min(int(mask.any(axis=axis).sum()) for axis in (0, 1))
    if count < LEAST_PIXELS or width < LEAST_WIDTH:
        yield Problem(
            "size", number, f"the {asset} covers {count} pixels and is {width} wide",
            f"Make it larger, or let nothing hide it: {LEAST_PIXELS} pixels, {LEAST_WIDTH} wide",
        )  # fmt: skip
        return
    from scipy import ndimage  # takes long to load

    around = ndimage.binary_dilation(mask, iterations=_RING) & ~mask
    if not around.any():
        return
    rise = abs(float(np.median(image.height[mask]) - np.median(image.height[around])))
    value = math.dist(_median(colors, mask), _median(colors, around))
    if value < LEAST_DIFFERENCE and rise < LEAST_HEIGHT:
        yield Problem(
            "background", number, f"the {asset} does not stand out from what it lies on",
            "Give it another colour",
        )  # fmt: skip


def _median(colors: NDArray[np.float64], mask: Mask) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.median(colors[mask], axis=0) if mask.any() else np.full(3, 1e3)
    return found
