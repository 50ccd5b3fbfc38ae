"""Blind play: one random arrangement of the things on the table, by somebody who cannot read.

The player sees which things can be moved and which places they fit. It knows neither the program
nor the instruction, the reward or the progress.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.envs.rollout import rollout
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import OracleError
from gensim_envs.oracle import Oracle
from gensim_envs.oracle.moving import Mover
from gensim_envs.sandbox.program import Program
from gensim_envs.task import assets
from gensim_envs.task.assets import Asset, KitBoard, Mark, asset_geometry
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import REGIONS, Goal, Place, Relation, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import Pose
from gensim_envs.task.relations import beads_along, crumbs_inside, is_met, path_corners
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.spots import moved, spot

_OPEN_SIDES = ("open", "far", "left", "right")
_SOFT_TRIES = 10  # actions on a rope or pile before the next thing gets its turn
_GIVEN_UP = 1000

Target = tuple[Relation, tuple[Place, ...]]
"""Where one thing can be put: a relation and a place, or the corners of a rope's path."""


@dataclass(frozen=True)
class Attempt:
    """The outcome of one episode of blind play.

    Attributes:
        solved: whether the task was solved in as many actions as the oracle took.
        solved_late: whether it was solved within the step limit.
        choice: whether the scene allows more than one arrangement.
        rejected: whether the arrangement is wrong: it broke a rule, would not solve the task even
            if completed, or was completed in the oracle's number of actions without solving it.
    """

    solved: bool
    solved_late: bool
    choice: bool
    rejected: bool


class BlindPlayer:
    """Carries out one arrangement, drawn uniformly, as a policy for `rollout`.

    The count of things need not be drawn: an episode ends as soon as it is solved, so that each
    beginning of the arrangement is tried on the way.

    Args:
        env: has been reset.
        rng: draws the arrangement.
    """

    def __init__(self, env: TabletopEnv, rng: np.random.Generator) -> None:
        spec = env.task_spec
        options = fitting(spec)
        items = tuple(replace(item, distractor=False) for item in spec.items)
        self.goals = draw(spec, options, rng)
        self.choice = len(options) > 1 or any(len(targets) > 1 for targets in options.values())
        self._env = env
        self._spec = replace(spec, items=items, goals=self.goals, patterns=(), rules=(), plan=())
        self._judge = Judge(self._spec)
        self._tries = [0] * len(self.goals)

    def left(self) -> list[int]:
        """Numbers of the things, in their order, that are not where they are to go."""
        now = self._env.world.snapshot()
        return [n for n, goal in enumerate(self.goals) if not self._is_done(goal, now)]

    def _is_done(self, goal: Goal, now: Snapshot) -> bool:
        item, place = goal.items[0], goal.places[0]
        if goal.relation == "along":
            return beads_along(self._spec, goal, now) >= 1
        if item in now.bodies:
            return bool(crumbs_inside(self._spec, place.bases[0], now.bodies[item], now).all())
        return is_met(self._spec, goal, place, item, now)

    def completed(self) -> bool:
        """Whether all things that it has tried to move are where they are to go."""
        return not any(self._tries[number] for number in self.left())

    def act(self) -> np.ndarray[Any, Any] | None:
        """The next action, (6,); None if there is nothing left that can be done."""
        now, pushes = self._env.world.snapshot(), self._env.pushes
        for number in sorted(self.left(), key=lambda n: (self._tries[n], n)):
            item = self._spec.items[self.goals[number].items[0]]
            if self._tries[number] >= _GIVEN_UP or isinstance(item.asset, assets.Pile) != pushes:
                continue
            self._tries[number] += 1 if item.bodies else _SOFT_TRIES
            with contextlib.suppress(OracleError):
                if (action := self._toward(number, now)) is not None:
                    return np.asarray(action, dtype=np.float32)
            self._tries[number] = _GIVEN_UP
        return None

    def _toward(self, number: int, now: Snapshot) -> np.ndarray[Any, Any] | None:
        mover = Mover(self._env.world, self._spec, self._judge)
        goal = self.goals[number]
        item = goal.items[0]
        if item in now.bodies:
            return mover.toward(number, now)
        target = spot(self._spec, goal, goal.places[0], item, now) if now.has(item) else None
        answers = None if target is None else mover.bring(item, target, now)
        return None if answers is None else answers[0, :6]


def play(program: Program, bounds: Mapping[str, int], limit: int, seed: int) -> Attempt:
    """Play one episode blindly, up to the step limit.

    An arrangement is carried out only if the task would be solved once all of it, or the beginning
    of it, is in place; most are wrong, and moving a rope takes long.

    Args:
        program: the task's program.
        bounds: bounds in the task's record.
        limit: the task's step limit.
        seed: of the episode and of the arrangement.
    """
    with TabletopEnv(program, bounds, obs_mode="state") as env:
        env.reset(seed=seed)
        player = BlindPlayer(env, np.random.default_rng([seed, *b"blind"]))
        foreseen = foresee(env.task_spec, player.goals)
        if not foreseen.solves:
            return Attempt(False, False, player.choice, foreseen.rejected)
        steps, success, ended = 0, False, False
        rejected = foreseen.rejected
        completed: set[int] = set()
        while steps < limit and not ended and (action := player.act()) is not None:
            *_, ended, _, info = env.step(action)
            steps, success = steps + 1, bool(info["success"])
            rejected |= bool(info["violation"])
            if not success and player.completed():
                completed.add(steps)
        needed = _oracle_steps(env, seed, limit) if success or completed else 0
    rejected |= needed in completed
    return Attempt(success and steps <= needed, success, player.choice, rejected)


def _oracle_steps(env: TabletopEnv, seed: int, limit: int) -> int:
    """Actions that the oracle takes on a seed, or 0 where it fails."""
    try:
        episode = rollout(env, Oracle(env), seed=seed, max_steps=limit)
    except OracleError:
        return 0
    return episode.steps if episode.success else 0


@dataclass(frozen=True)
class Foreseen:
    """What geometry alone says of an arrangement.

    Attributes:
        solves: whether the task is solved once all of it, or its beginning, is in place.
        rejected: whether the task is not solved once all of it is in place. What finds no room
            stays where it is; then something must be where it does not belong.
    """

    solves: bool
    rejected: bool


def foresee(spec: TaskSpec, arrangement: Sequence[Goal]) -> Foreseen:
    """Put everything where an arrangement has it, without physics, and judge."""
    if any(_carries(spec, goal.items[0]) for goal in arrangement):
        return Foreseen(True, False)  # what lies on it goes along, as only physics tells
    judge, last = Judge(spec), len(spec.goals) - 1
    now = spec.start_snapshot
    todo, solved, room = list(arrangement), [False], True
    while todo:
        waiting = {goal.items[0] for goal in todo}
        goal = next((g for g in todo if waiting.isdisjoint(g.bases)), todo[0])
        todo.remove(goal)
        item = goal.items[0]
        if item in now.bodies:
            now = replace(now, bodies=now.bodies | {item: _laid(spec, goal, now)})
        elif target := spot(spec, goal, goal.places[0], item, now):
            now = moved(spec, now, item, target, goal.places[0].bases)
        else:
            room = False
        solved.append(all(fraction == 1 for fraction in judge.assign(last, now).fractions))
    misplaced = any(judge.intruders(number, now, last) for number in range(last + 1))
    return Foreseen(any(solved), not solved[-1] and (room or misplaced))


def _carries(spec: TaskSpec, item: int) -> bool:
    """Whether something loose starts on or in an item."""
    base = spec.items[item]
    area = footprint(spec.geometry(item).outline, base.start)
    return any(
        other.start.z > base.start.z and area.contains(shapely.Point(other.start.x, other.start.y))
        for other in spec.items
        if not other.fixed
    )


def _laid(spec: TaskSpec, goal: Goal, now: Snapshot) -> NDArray[np.float64]:
    """The bodies (n, 3) of a rope along its path, or of a pile in the middle of its zone."""
    bodies = now.bodies[goal.items[0]]
    if goal.relation == "along":
        way = shapely.LineString(path_corners(spec, goal, now))
        points = way.interpolate(np.linspace(0, 1, len(bodies)), normalized=True)
        return np.column_stack([shapely.get_coordinates(points), bodies[:, 2]])
    middle = now.poses[goal.places[0].bases[0]]
    return np.column_stack([np.tile((middle.x, middle.y), (len(bodies), 1)), bodies[:, 2]])


def draw(
    spec: TaskSpec, options: Mapping[int, list[Target]], rng: np.random.Generator
) -> tuple[Goal, ...]:
    """Draw an arrangement: an order of the things and a place for each, all equally likely.

    A place that takes one thing is given once, and nothing is put on what stands on it.
    """
    goals: list[Goal] = []
    taken: set[Target] = set()
    under: dict[int, int] = {}
    for item in rng.permutation(sorted(options)).tolist():
        free = [
            target for target in options[item]
            if target not in taken and not _is_circle(item, target, under)
        ]  # fmt: skip
        if not free:
            continue
        relation, places = free[int(rng.integers(len(free)))]
        if relation in ("at", "on", "along"):
            taken.add((relation, places))
        if relation == "on":
            under[item] = places[0].bases[0]
        name = f"blind play: {spec.items[item].asset}"
        goals.append(Goal(name, (item,), relation, places))
    return tuple(goals)


def _is_circle(item: int, target: Target, under: Mapping[int, int]) -> bool:
    base = target[1][0].base
    while base is not None and base != item:
        base = under.get(base)
    return base == item


def fitting(spec: TaskSpec) -> dict[int, list[Target]]:
    """The places that each movable thing fits, by the thing's index.

    Places that are made for a thing come first: marks, silhouettes, fixtures, pegs, painted lines,
    holders and zones. Only what fits none of them goes on a flat top, and what fits no top beside
    something. What takes others is not itself moved, unless there is nothing else.
    """
    there = [k for k, item in enumerate(spec.items) if item.after is None]
    loose = [k for k in range(len(spec.items)) if not spec.items[k].fixed]
    rigid = [k for k in loose if not spec.items[k].bodies]
    for things, ways in ((loose, _made_for), (rigid, _tops), (rigid, _beside)):
        found = {k: targets for k in things if (targets := ways(spec, k, there))}
        places = [place for targets in found.values() for _, ps in targets for place in ps]
        bases = {base for place in places for base in place.bases}
        holders = {k for k in bases if spec.items[k].asset.opening is not None}
        if chosen := {k: targets for k, targets in found.items() if k not in holders}:
            return chosen
    return {}


def _made_for(spec: TaskSpec, item: int, there: list[int]) -> list[Target]:
    """Places that the picture shows as made for a thing."""
    asset = spec.items[item].asset
    bases = [k for k in there if k != item and not spec.items[k].bodies]
    if isinstance(asset, assets.Rope):
        return _paths(spec, bases)
    if isinstance(asset, assets.Pile):
        zones = [k for k in bases if spec.geometry(k).flat and spec.items[k].asset.opening]
        return [("inside", (Place(bases=(k,)),)) for k in zones]
    return [target for k in bases for target in _shown(k, spec.items[k].asset, asset)]


def _shown(k: int, base: Asset, asset: Asset) -> list[Target]:
    """Places that one base, with index `k`, has for a rigid thing."""
    if base.opening is not None and _fits(base, base.opening, asset):
        return [("inside", (Place(bases=(k,)),))]
    poses = [slot.pose for slot in base.slots]
    match base, asset:
        case Mark(), _ if _same_outline(base, Mark.of(asset)):
            pass
        case (assets.Fixture(), assets.Ell()) | (assets.PegStand(), assets.Disk()):
            pass
        case KitBoard(), assets.KitPiece():
            poses = [slot.pose for slot in base.slots if slot.variant == asset.variant]
        case assets.Corner(), _ if hasattr(asset, "extents"):
            poses = base.inner(asset.size)
        case _:
            return []
    return [("at", (Place(pose, (k,), heading=base.shows_heading),)) for pose in poses]


def _paths(spec: TaskSpec, bases: list[int]) -> list[Target]:
    """The painted lines that a rope can lie along; without any, from one thing to another."""
    found: list[Target] = []
    for k in bases:
        asset = spec.items[k].asset
        paths = [asset.path()] if isinstance(asset, assets.Line) else []
        if isinstance(asset, assets.OpenSquare):
            paths = [asset.edge(side) for side in _OPEN_SIDES]
        found += [("along", tuple(Place(pose, (k,)) for pose in path)) for path in paths]
    fixed = [k for k in bases if spec.items[k].fixed]
    return found or [
        ("along", (Place(bases=(a,)), Place(bases=(b,))))
        for a, b in itertools.combinations(fixed, 2)
    ]


def _tops(spec: TaskSpec, item: int, there: list[int]) -> list[Target]:
    tops = [k for k in there if k != item and spec.items[k].asset.flat_top]
    return [("on", (Place(bases=(k,)),)) for k in tops]


def _beside(spec: TaskSpec, item: int, there: list[int]) -> list[Target]:
    others = [k for k in there if k != item and not spec.items[k].bodies]
    sides = [relation for relation in REGIONS if relation != "between"]
    return [(relation, (Place(bases=(k,)),)) for k in others for relation in sides]


def _fits(base: Asset, opening: shapely.Polygon, asset: Asset) -> bool:
    """Whether a thing fits through an opening; what does not fit on a zone is put on its middle."""
    if isinstance(base, assets.Zone):
        return True
    outline, room = asset_geometry(asset).outline, opening.buffer(0.001)
    return any(
        room.contains(footprint(outline, Pose(0.0, 0.0, 0.0, yaw))) for yaw in (0.0, math.pi / 2)
    )


def _same_outline(mark: Mark, other: Mark) -> bool:
    own, wanted = shapely.Polygon(mark.corners), shapely.Polygon(other.corners)
    return bool(own.symmetric_difference(wanted).area < 0.05 * own.area)
