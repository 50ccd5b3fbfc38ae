"""The demonstrator: the next action toward the current goal, derived from the goal itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.env import TabletopEnv
from gensim_envs.sim.primitives import first_touch
from gensim_envs.sim.robot import BLADE_SIZE
from gensim_envs.task.assets import Pile
from gensim_envs.task.goals import (
    Array,
    Goal,
    Place,
    Snapshot,
    bead_targets,
    crumbs_inside,
    target_of,
    transform,
    unmet,
)
from gensim_envs.task.pose import WORKSPACE, Pose, wrap

_GAP = 0.004  # metres between things that are put side by side into a container
_ASIDE_GRID = 0.02  # metres between places that are tried for something in the way
_ASIDE_GAP = 0.02
_LANE = 0.0115  # metres: a crumb and a little air
_OVERSHOOT = 0.004  # metres
_LAID = 3  # beads between one that is in place and the one that is moved next
_SHORT = (0.0, 0.15, 0.3, 0.4, 0.45)  # zone widths before its middle at which a push may end


class OracleError(Exception):
    """The oracle knows no action toward the current goal; the message names the goal."""


class Oracle:
    """Solves an env from any state that it can solve, so it can label a learner's states too.

    Args:
        env: an env of this suite, through any wrappers.

    Raises:
        TypeError: where the env is not one of this suite.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv):
            raise TypeError(f"the oracle solves gensim environments, not {type(inner).__name__}")
        self._env = inner

    def act(self) -> NDArray[np.float32]:
        """The next action, (6,), in the units of the unwrapped env.

        Raises:
            OracleError: naming the goal for which there is no action.
        """
        goal = self._env.goal
        if goal is None:
            raise OracleError("the task is solved; reset the env")
        now = self._env.world.snapshot()
        if goal.relation == "along":
            action = self._lay(goal, now)
        elif goal.items[0] in now.bodies:
            action = self._sweep(goal, now)
        else:
            action = self._place(goal, now)
        return np.asarray(action, dtype=np.float32)

    def _fail(self, goal: Goal, why: str) -> OracleError:
        return OracleError(f"goal {goal.instruction!r}: {why}")

    # Rigid items.

    def _place(self, goal: Goal, now: Snapshot) -> Array:
        """Put the lowest item that is not in place there, or first clear what is in the way."""
        spec = self._env.spec_drawn
        waiting = [pair for pair in unmet(spec, goal, now) if now.poses[pair[0]].z > -0.5]
        why = "nothing is left to move"
        for item, place in waiting:
            target = self._target(goal, place, item, now)
            if target is None:
                why = f"there is no room for the {spec.items[item].asset}"
                continue
            for blocker in self._in_the_way(item, target, now):
                return self._clear(goal, blocker, now, depth=0)
            action = self._carry(item, target, now)
            if isinstance(action, int):
                return self._clear(goal, action, now, depth=0)
            if action is not None:
                return action
            why = f"the {spec.items[item].asset} is out of reach"
        raise self._fail(goal, why)

    def _target(self, goal: Goal, place: Place, item: int, now: Snapshot) -> Pose | None:
        spec = self._env.spec_drawn
        if goal.relation != "inside" or place.base is None:
            return target_of(spec, goal, place, item, now)
        if place.pose != Pose(0, 0):
            return now.poses[place.base] @ place.pose
        return self._spot_inside(goal, place.base, item, now)

    def _spot_inside(self, goal: Goal, base: int, item: int, now: Snapshot) -> Pose | None:
        """A free pose in a bowl, container or zone, from one corner on; alone, in the middle."""
        spec = self._env.spec_drawn
        opening = spec.items[base].asset.opening
        assert opening is not None  # checked when the goal was declared
        outline = spec.geometry(item).outline
        inverse = now.poses[base].inverse()
        others = [
            shapely.Polygon(transform(spec.geometry(k).outline, inverse @ now.poses[k]))
            for k in self._movable(now)
            if k not in (item, base) and self._near(base, k, now)
        ]
        room = opening.buffer(-_GAP / 2)
        x0, y0, x1, y1 = room.bounds
        alone = len(goal.items) == 1 or not goal.shared
        for yaw in (0.0, math.pi / 2):
            turned = transform(outline, Pose(0, 0, 0, yaw))
            low, high = turned.min(axis=0), turned.max(axis=0)
            spots = itertools.product(
                _span(x0 - low[0], x1 - high[0]), _span(y0 - low[1], y1 - high[1])
            )
            for x, y in sorted(spots, key=lambda xy: math.hypot(*xy) if alone else xy[0]):
                shape = shapely.Polygon(turned + (x, y))
                if room.contains(shape) and not any(o.distance(shape) < _GAP for o in others):
                    return now.poses[base] @ Pose(float(x), float(y), 0.0, yaw)
        return None

    def _near(self, base: int, item: int, now: Snapshot) -> bool:
        spec = self._env.spec_drawn
        reach = max(spec.items[base].asset.size[:2]) + max(spec.items[item].asset.size[:2])
        return now.poses[base].distance(now.poses[item]) < reach

    def _movable(self, now: Snapshot) -> list[int]:
        """Rigid items that can be moved and are there."""
        spec = self._env.spec_drawn
        return [
            k
            for k, item in enumerate(spec.items)
            if not (item.fixed or item.bodies) and now.poses[k].z > -0.5
        ]

    def _in_the_way(self, item: int, target: Pose, now: Snapshot) -> Iterator[int]:
        """Items that stand where `item` is to go, highest first."""
        spec = self._env.spec_drawn
        shape = shapely.Polygon(transform(spec.geometry(item).outline, target))
        inner = shape.buffer(-0.002, join_style="mitre")
        for k in sorted(self._movable(now), key=lambda k: -now.poses[k].z):
            top = now.poses[k].z + spec.items[k].asset.height
            if k == item or top < target.z + 0.002:
                continue
            if spec.items[k].asset.hollow and self._goes_into(k, item):
                continue
            if shapely.Polygon(transform(spec.geometry(k).outline, now.poses[k])).intersects(inner):
                yield k

    def _goes_into(self, base: int, item: int) -> bool:
        """Whether some goal wants `item` in or on `base`."""
        return any(
            item in goal.items and any(place.base == base for place in goal.places)
            for goal in self._env.spec_drawn.goals
        )

    def _carry(self, item: int, target: Pose, now: Snapshot) -> Array | int | None:
        """The action that brings an item to a pose; else who covers it, else None."""
        spec, pose = self._env.spec_drawn, now.poses[item]
        asset = spec.items[item].asset
        turn = wrap(target.yaw - pose.yaw, asset.symmetry)
        covered_by: int | None = None
        for grasp in asset.grasps:
            tip = pose @ Pose(*grasp)
            touched = self._env.world.item_of(first_touch(self._env.world, tip.x, tip.y).body)
            if touched != item:
                if touched is not None and not spec.items[touched].fixed:
                    covered_by = touched if covered_by is None else covered_by
                continue
            c, s = math.cos(turn), math.sin(turn)
            dx, dy = tip.x - pose.x, tip.y - pose.y
            end = (target.x + c * dx - s * dy, target.y + s * dx + c * dy)
            if _within(tip.x, tip.y) and _within(*end):
                return np.array([tip.x, tip.y, 0.0, *end, turn])
        return covered_by

    def _clear(self, goal: Goal, item: int, now: Snapshot, depth: int) -> Array:
        """Put something that is in the way on a free spot of the table, nearest first."""
        spec = self._env.spec_drawn
        if spec.items[item].bodies:
            raise self._fail(goal, f"the {spec.items[item].asset} is in the way")
        free = self._free_spot(item, now)
        if free is None:
            raise self._fail(goal, f"there is no free spot for the {spec.items[item].asset}")
        action = self._carry(item, free, now)
        if isinstance(action, int) and depth < len(spec.items):
            return self._clear(goal, action, now, depth + 1)
        if action is None or isinstance(action, int):
            raise self._fail(goal, f"the {spec.items[item].asset} is out of reach")
        return action

    def _free_spot(self, item: int, now: Snapshot) -> Pose | None:
        spec = self._env.spec_drawn
        taken: list[shapely.Geometry] = [
            shapely.Polygon(transform(spec.geometry(k).outline, now.poses[k]))
            for k in range(len(spec.items))
            if k != item and not spec.items[k].bodies and now.poses[k].z > -0.5
        ]
        taken += [shapely.MultiPoint(points[:, :2]) for points in now.bodies.values()]
        for goal in spec.goals:
            if goal.relation == "at":
                for k, place in enumerate(goal.places):
                    outline = spec.geometry(goal.items[min(k, len(goal.items) - 1)]).outline
                    taken.append(shapely.Polygon(transform(outline, place.pose)))
        pose = now.poses[item]
        turned = transform(spec.geometry(item).outline, Pose(0, 0, 0, pose.yaw))
        low, high = turned.min(axis=0), turned.max(axis=0)
        (x0, x1), (y0, y1) = WORKSPACE
        spots = [
            (math.hypot(x - pose.x, y - pose.y), x, y)
            for x in np.arange(x0 - low[0], x1 - high[0], _ASIDE_GRID)
            for y in np.arange(y0 - low[1], y1 - high[1], _ASIDE_GRID)
        ]
        everything = np.array(taken, dtype=object)
        for _, x, y in sorted(spots):
            if not shapely.dwithin(everything, shapely.Polygon(turned + (x, y)), _ASIDE_GAP).any():
                return Pose(float(x), float(y), 0.0, pose.yaw)
        return None

    # Ropes and piles.

    def _lay(self, goal: Goal, now: Snapshot) -> Array:
        """Along a straight path draw an end into place, then whichever bead is farthest off; a
        curved one is laid from one end, a few beads at a time.
        """
        beads = now.bodies[goal.items[0]]
        targets = bead_targets(goal, beads)
        error = np.linalg.norm(beads[:, :2] - targets, axis=1)
        last = len(beads) - 1
        if len(goal.places) == 2:
            ends = [k for k in (0, last) if error[k] > goal.position_tolerance / 2]
            bead = max(ends or range(last + 1), key=lambda k: float(error[k]))
        else:
            wrong = int(np.argmax(error > 0.8 * goal.position_tolerance))
            bead = 0 if wrong == 0 else min(wrong + _LAID, last)
        pick, place = beads[bead, :2], targets[bead]
        if 0 < bead < last:
            # Its neighbours draw it back a little.
            place = place + _OVERSHOOT * (place - pick) / max(1e-9, float(error[bead]))
        if not _within(*pick):
            raise self._fail(goal, "the rope is out of reach")
        return np.array([*pick, 0.0, *place, 0.0])

    def _sweep(self, goal: Goal, now: Snapshot) -> Array:
        """The push that leaves most crumbs inside, as far as a simple model of pushing tells."""
        spec = self._env.spec_drawn
        crumbs, base = now.bodies[goal.items[0]], goal.places[0].base
        assert base is not None  # checked when the goal was declared
        outside = crumbs[~crumbs_inside(spec, base, crumbs, now)][:, :2]
        middle = np.array([now.poses[base].x, now.poses[base].y])
        obstacles = self._obstacles(now)
        corner = _detour(outside.mean(axis=0), middle, obstacles)
        aim = middle if corner is None else corner

        def gain(moved: Array) -> float:
            if corner is None:
                return float(crumbs_inside(spec, base, moved, now).sum())
            return nearness(moved)

        def nearness(moved: Array) -> float:
            return -float(np.linalg.norm(moved[:, :2] - aim, axis=1).mean())

        width = spec.items[base].asset.size[0] if corner is None else 0.0
        best = _best_push(_toward(outside, aim, width), crumbs, obstacles, gain)
        if best is None:
            # No room behind them: push them out of their corner first.
            best = _best_push(_sideways(outside), crumbs, obstacles, nearness)
        if best is None:
            raise self._fail(goal, "the blade fits behind no crumb")
        return best

    def _obstacles(self, now: Snapshot) -> shapely.Geometry:
        """What a blade cannot pass, as one shape."""
        spec = self._env.spec_drawn
        return shapely.union_all(
            [
                shapely.Polygon(transform(spec.geometry(k).outline, now.poses[k]))
                for k, item in enumerate(spec.items)
                if not (spec.geometry(k).flat or item.bodies) and now.poses[k].z > -0.5
            ]
        )


Push = tuple[Array, Array]
"""Start and end (x, y) of a push."""


def _toward(crumbs: Array, aim: Array, width: float) -> Iterator[Push]:
    """Pushes from behind each crumb (k, 2) to a point, or to as much as `width` short of it."""
    for crumb in crumbs:
        toward = (aim - crumb) / max(1e-9, float(np.linalg.norm(aim - crumb)))
        for behind, short in itertools.product((0.02, 0.05, 0.1), _SHORT if width else (0.0,)):
            yield _clipped(crumb - toward * behind), aim - toward * short * width


def _sideways(crumbs: Array) -> Iterator[Push]:
    """Short pushes of each crumb (k, 2) in every direction."""
    for crumb, angle in itertools.product(crumbs, np.arange(16) * math.tau / 16):
        toward = np.array([math.cos(angle), math.sin(angle)])
        yield _clipped(crumb - toward * 0.02), _clipped(crumb + toward * 0.06)


def _best_push(
    pushes: Iterator[Push],
    crumbs: Array,
    obstacles: shapely.Geometry,
    gain: Callable[[Array], float],
) -> Array | None:
    """The action (6,) of the push after which `gain` of the crumbs (k, 3) is largest."""
    best: tuple[float, Array] | None = None
    for start, end in pushes:
        if _lands_on(crumbs, start, end) or _blocked(start, end, obstacles):
            continue
        value = gain(_pushed(crumbs, start, end))
        if best is None or value > best[0]:
            best = value, np.array([*start, 0.0, *end, 0.0])
    return None if best is None else best[1]


def _blocked(start: Array, end: Array, obstacles: shapely.Geometry) -> bool:
    """Whether the blade, with some room to spare, would meet an obstacle."""
    way = shapely.LineString([start, end])
    swept = way.buffer(BLADE_SIZE[1] / 2 + 0.005, cap_style="flat")
    return bool(shapely.intersects(swept, obstacles))


def _detour(start: Array, end: Array, obstacles: shapely.Geometry) -> Array | None:
    """None if the blade can go straight, else the corner (2,) of the shortest way round."""
    if not _blocked(start, end, obstacles):
        return None
    best: tuple[float, Array] | None = None
    (x0, x1), (y0, y1) = WORKSPACE
    for x, y in itertools.product(np.arange(x0 + 0.06, x1 - 0.05, 0.04), np.arange(y0, y1, 0.04)):
        corner = np.array([x, y])
        length = float(np.linalg.norm(corner - start) + np.linalg.norm(end - corner))
        if best is not None and length >= best[0]:
            continue
        if not (_blocked(start, corner, obstacles) or _blocked(corner, end, obstacles)):
            best = length, corner
    return None if best is None else best[1]


def _span(low: float, high: float) -> Iterator[float]:
    """Values 5 mm apart from low to high; the middle alone where there is hardly any room."""
    if high < low:
        return
    count = max(1, round((high - low) / 0.005) + 1)
    yield from np.linspace(low, high, count) if count > 1 else [(low + high) / 2]


def _within(x: float, y: float) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def _clipped(point: Array) -> Array:
    (x0, x1), (y0, y1) = WORKSPACE
    return np.clip(point, (x0, y0), (x1, y1))


def _lands_on(crumbs: Array, start: Array, end: Array) -> bool:
    """Whether the blade would come down on a crumb (k, 3) at `start`."""
    ahead = (end - start) / max(1e-9, float(np.linalg.norm(end - start)))
    offset = crumbs[:, :2] - start
    along, across = offset @ ahead, offset @ np.array([-ahead[1], ahead[0]])
    near = (np.abs(along) < 0.014) & (np.abs(across) < BLADE_SIZE[1] / 2 + 0.008)
    return bool(near.any())


def _pushed(crumbs: Array, start: Array, end: Array) -> Array:
    """Where crumbs (k, 3) would be after a push, if each only moved straight ahead.

    In lanes of a crumb's width the blade pushes the first crumb, that the next, and so on.
    """
    length = float(np.linalg.norm(end - start))
    if length < 1e-6:
        return crumbs
    ahead = (end - start) / length
    side = np.array([-ahead[1], ahead[0]])
    along, across = (crumbs[:, :2] - start) @ ahead, (crumbs[:, :2] - start) @ side
    lanes = np.floor(across / _LANE).astype(int)
    face = length + BLADE_SIZE[0] / 2 + Pile.CRUMB / 2
    after = along.copy()
    swept = (np.abs(across) < (BLADE_SIZE[1] + Pile.CRUMB) / 2) & (along > 0)
    for lane in set(lanes[swept].tolist()):
        row = np.flatnonzero(swept & (lanes == lane))
        row = row[np.argsort(along[row], kind="stable")]
        steps = np.arange(len(row)) * _LANE
        after[row] = steps + np.maximum.accumulate(np.maximum(along[row] - steps, face))
    moved = crumbs.copy()
    moved[:, :2] += np.outer(after - along, ahead)
    return moved
