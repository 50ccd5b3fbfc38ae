"""How things are moved: carried to a place, cleared out of the way, laid and swept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import shapely

from gensim_envs.errors import OracleError
from gensim_envs.oracle.planning import next_waypoint, pattern_sites
from gensim_envs.oracle.sweeping import best_push, footprint
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array, transform
from gensim_envs.task.goals import GROUPS, Goal, Place, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import WORKSPACE, Pose, wrap
from gensim_envs.task.relations import bead_targets, target_of
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.spots import group_targets, spot

_ASIDE_GRID = 0.02  # metres between places that are tried for something in the way
_ASIDE_GAP = 0.02
_OVERSHOOT = 0.004  # metres
_LEVEL = 0.002  # metres by which the targets of items differ that may be placed in any order
_CENTRAL = 1e-4  # metres from its centre at which an item is held there
_ROUND = 12  # yaws that stand for all yaws of a round item which is held off its centre


class Mover:
    """Actions that bring a task closer to one of its goals.

    Args:
        world: where things are.
        spec: the goals. Its items are those of the world.
        judge: of these goals.
    """

    def __init__(self, world: World, spec: TaskSpec, judge: Judge) -> None:
        self._world, self._spec, self._judge = world, spec, judge

    def toward(self, number: int, now: Snapshot) -> Array:
        """The next action (6,) toward a goal, given its number.

        Raises:
            OracleError: there is none; the message says why.
        """
        return np.asarray(next(self.choices(number, now))[0, :6])

    def choices(self, number: int, now: Snapshot) -> Iterator[Array]:
        """The next actions toward a goal that are equally good, at least one.

        Each choice moves an item to a place, and has (k, 7) answers: see `Oracle.answers`. Which
        item goes first is open among those whose places are equally high, and equal items may
        stand for one another.

        Raises:
            OracleError: there is none; the message says why.
        """
        goal = self._spec.goals[number]
        if goal.relation == "along":
            yield np.append(self._lay(goal, now), 0)[None]
        elif goal.items[0] in now.bodies:
            yield np.append(self._sweep(goal, now), 0)[None]
        else:
            yield from self._placings(number, now)

    def _placings(self, number: int, now: Snapshot) -> Iterator[Array]:
        """Put one of the lowest misplaced items in place, or clear what is in the way first."""
        goal = self._spec.goals[number]
        for intruder in sorted(self._judge.intruders(number, now)):
            yield self._clear(intruder, now)
            return
        why, level = "nothing is left to move", math.inf
        for item, target in self._targets(number, goal, now):
            if target is None:
                why = f"there is no room for the {self._spec.items[item].asset}"
                continue
            if target.z > level:
                continue
            try:
                answers = self.bring(item, target, now)
            except OracleError:
                if level == math.inf:
                    raise
                continue
            if answers is not None:
                level = min(level, target.z + _LEVEL)
                yield answers
            why = f"the {self._spec.items[item].asset} is out of reach"
        if level == math.inf:
            raise OracleError(why)

    def bring(self, item: int, target: Pose, now: Snapshot) -> Array | None:
        """The answers (k, 7) that move an item to a pose, or first clear what is in the way.

        Returns:
            Equal answers, see `Oracle.answers`; None if the item or the pose is out of reach.

        Raises:
            OracleError: what is in the way cannot be cleared.
        """
        for blocker in self._blockers(item, target, now):
            return self._clear(blocker, now)
        answers = self._carry(item, target, now)
        return self._clear(answers, now) if isinstance(answers, int) else answers

    def _targets(self, number: int, goal: Goal, now: Snapshot) -> Iterator[tuple[int, Pose | None]]:
        """The items that may be moved next, each with where to put it; None where there is no room.

        Those of the judge's assignment come first, then equal items in their stead.
        """
        step = next_waypoint(self._spec, now)
        if step is not None:
            target = target_of(self._spec, replace(goal, relation="at"), step.place, now)
            yield step.item, self._on_top(step.place, target, now)
            return
        judge, placed = self._judge, set[int]()
        pairs: list[tuple[int, Callable[[int], Pose | None]]] = []
        if goal.relation in GROUPS:
            for item, pose in group_targets(self._spec, goal, now):
                pairs.append((item, partial(_same, pose)))
            placed = set(goal.items) - {item for item, _ in pairs}
        else:
            motions = pattern_sites(self._spec, judge, number, now)
            assigned = judge.assign(number, now, motions)
            placed = set(assigned.placed)
            for item, place in assigned.todo:
                free = place.pattern is None
                where = (
                    partial(_spot, self._spec, goal, place, now) if free else partial(_same, None)
                )
                pairs.append((item, where))
        for item, target_for in pairs:
            yield item, target_for(item)
        for item, target_for in pairs:
            for other in range(len(self._spec.items)):
                if other not in (item, *placed) and judge.kind(other) == judge.kind(item):
                    yield other, target_for(other) if now.has(other) else None

    def _on_top(self, place: Place, target: Pose, now: Snapshot) -> Pose:
        """A waypoint on a movable base, at the height of its top."""
        asset = self._spec.items[place.bases[0]].asset if place.bases else None
        if asset is None or asset.opening is not None or target.z > 0 or asset.hollow:
            return target
        return target.up(asset.height)

    def _movable(self, now: Snapshot) -> list[int]:
        """Rigid items that can be moved and are there."""
        items = enumerate(self._spec.items)
        return [k for k, item in items if not (item.fixed or item.bodies) and now.has(k)]

    def _blockers(self, item: int, target: Pose, now: Snapshot) -> Iterator[int]:
        """Items at the target of `item`, highest first."""
        shape = footprint(self._spec, item, target)
        inner = shape.buffer(-0.002, join_style="mitre")
        for k in sorted(self._movable(now), key=lambda k: -now.poses[k].z):
            top = now.poses[k].z + self._spec.items[k].asset.height
            if k == item or top < target.z + 0.002:
                continue
            if self._spec.items[k].asset.hollow and (
                self._goes_into(k, item) or now.poses[k].z < target.z - 0.001
            ):
                continue  # it holds the item, or what the item goes into
            if footprint(self._spec, k, now.poses[k]).intersects(inner):
                yield k

    def _goes_into(self, base: int, item: int) -> bool:
        """Whether a goal puts `item` in or on `base`."""
        return any(item in goal.items and base in goal.bases for goal in self._spec.goals)

    def _carry(self, item: int, target: Pose, now: Snapshot) -> Array | int | None:
        """The answers (k, 7) that move an item to a pose, the item that covers it, or None."""
        pose = now.poses[item]
        asset = self._spec.items[item].asset
        rotation = wrap(target.yaw - pose.yaw, asset.symmetry)
        covered_by: int | None = None
        for grasp in asset.grasps:
            tip = pose @ Pose(*grasp)
            touched = self._world.item_of(first_touch(self._world, tip.x, tip.y).body)
            if touched != item:
                if touched is not None and not self._spec.items[touched].fixed:
                    covered_by = touched if covered_by is None else covered_by
                continue
            answers = _turned(pose, target, (tip.x, tip.y), rotation, asset.symmetry)
            if _within(tip.x, tip.y) and _within(*answers[0, 3:5]):
                return answers[[_within(*end) for end in answers[:, 3:5]]]
        return covered_by

    def _clear(self, item: int, now: Snapshot, depth: int = 0) -> Array:
        """The answers (k, 7) that move an item out of the way to the nearest free spot."""
        if self._spec.items[item].bodies:
            raise OracleError(f"the {self._spec.items[item].asset} is in the way")
        free = self._free_spot(item, now)
        if free is None:
            raise OracleError(f"there is no free spot for the {self._spec.items[item].asset}")
        action = self._carry(item, free, now)
        if isinstance(action, int) and depth < len(self._spec.items):
            return self._clear(action, now, depth + 1)
        if action is None or isinstance(action, int):
            raise OracleError(f"the {self._spec.items[item].asset} is out of reach")
        return action

    def _free_spot(self, item: int, now: Snapshot) -> Pose | None:
        taken: list[shapely.Geometry] = [
            footprint(self._spec, k, now.poses[k])
            for k in range(len(self._spec.items))
            if k != item and not self._spec.items[k].bodies and now.has(k)
        ]
        taken += [shapely.MultiPoint(points[:, :2]) for points in now.bodies.values()]
        taken += self._reserved(now)
        pose = now.poses[item]
        rotated = transform(self._spec.geometry(item).outline, Pose(0, 0, 0, pose.yaw))
        low, high = rotated.min(axis=0), rotated.max(axis=0)
        (x0, x1), (y0, y1) = WORKSPACE
        spots = [
            (math.hypot(x - pose.x, y - pose.y), x, y)
            for x in np.arange(x0 - low[0], x1 - high[0], _ASIDE_GRID)
            for y in np.arange(y0 - low[1], y1 - high[1], _ASIDE_GRID)
        ]
        everything = np.array(taken, dtype=object)
        for _, x, y in sorted(spots):
            if not shapely.dwithin(everything, shapely.Polygon(rotated + (x, y)), _ASIDE_GAP).any():
                return Pose(float(x), float(y), 0.0, pose.yaw)
        return None

    def _reserved(self, now: Snapshot) -> list[shapely.Polygon]:
        """The areas where `at` goals put things."""
        last = len(self._spec.goals) - 1
        motions = pattern_sites(self._spec, self._judge, last, now)
        found = []
        for goal in self._spec.goals:
            for k, place in enumerate(goal.places if goal.relation == "at" else ()):
                if place.pattern is None:
                    pose = target_of(self._spec, goal, place, now)
                elif (motion := motions.get(place.pattern)) is not None:
                    pose = motion(place.pose)
                else:
                    continue
                found.append(footprint(self._spec, goal.item_for(k), pose))
        return found

    def _lay(self, goal: Goal, now: Snapshot) -> Array:
        """Drag an end of a rope to its place, then the bead that is farthest from its own."""
        beads = now.bodies[goal.items[0]]
        targets = bead_targets(self._spec, goal, now)
        error = np.linalg.norm(beads[:, :2] - targets, axis=1)
        last = len(beads) - 1
        ends = [k for k in (0, last) if error[k] > goal.position_tolerance / 2]
        bead = max(ends or range(last + 1), key=lambda k: float(error[k]))
        pick, place = beads[bead, :2], targets[bead]
        if 0 < bead < last:
            # Its neighbours pull it back a little.
            place = place + _OVERSHOOT * (place - pick) / max(1e-9, float(error[bead]))
        if not _within(*pick):
            raise OracleError("the rope is out of reach")
        place = np.clip(place, *np.transpose(WORKSPACE))
        return np.array([*pick, 0.0, *place, 0.0])

    def _sweep(self, goal: Goal, now: Snapshot) -> Array:
        action = best_push(self._spec, goal, now)
        if action is None:
            raise OracleError("the blade fits behind no crumb")
        return action


def _spot(spec: TaskSpec, goal: Goal, place: Place, now: Snapshot, item: int) -> Pose | None:
    return spot(spec, goal, place, item, now)


def _same(pose: Pose | None, item: int) -> Pose | None:
    return pose


def _turned(
    pose: Pose, target: Pose, tip: tuple[float, float], rotation: float, symmetry: float
) -> Array:
    """The answers (k, 7) that take an item from a pose to a target which looks the same.

    An item that is held off its centre at `tip` is put down elsewhere at each yaw.
    """
    held = complex(tip[0] - pose.x, tip[1] - pose.y)
    central = abs(held) < _CENTRAL
    count = (1 if central else _ROUND) if symmetry == 0 else round(math.tau / symmetry)
    yaws = rotation + np.arange(count) * math.tau / count
    ends = complex(target.x, target.y) + held * np.exp(1j * yaws)
    free = float(symmetry == 0 and central)
    wrapped = (yaws + math.pi) % math.tau - math.pi
    wrapped[0] = rotation
    rows = [
        (*tip, 0.0, end.real, end.imag, yaw, free) for end, yaw in zip(ends, wrapped, strict=True)
    ]
    return np.array(rows)


def _within(x: float, y: float) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    return bool(x0 <= x <= x1 and y0 <= y <= y1)
