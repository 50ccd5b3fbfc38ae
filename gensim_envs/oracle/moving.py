"""How things are moved: carried to a place, cleared out of the way, laid and swept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import shapely

from gensim_envs.errors import OracleError
from gensim_envs.oracle.laying import lay
from gensim_envs.oracle.planning import next_waypoint, pattern_sites
from gensim_envs.oracle.sweeping import best_push, footprint
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array, transform
from gensim_envs.task.goals import GROUPS, Goal, Place, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import WORKSPACE, Pose, wrap
from gensim_envs.task.relations import target_of
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.spots import group_targets, spot

_ASIDE_GRID = 0.02  # metres between places that are tried for something in the way
_ASIDE_GAP = 0.02


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
        goal = self._spec.goals[number]
        if goal.relation == "along":
            return lay(self._world, goal, now)
        if goal.items[0] in now.bodies:
            return self._sweep(number, now)
        return self._place(number, now)

    def _place(self, number: int, now: Snapshot) -> Array:
        """Put the lowest misplaced item in place, or clear what is in the way first."""
        goal = self._spec.goals[number]
        for intruder in sorted(self._judge.intruders(number, now)):
            return self._clear(intruder, now)
        why = "nothing is left to move"
        for item, target in self._targets(number, goal, now):
            if target is None:
                why = f"there is no room for the {self._spec.items[item].asset}"
                continue
            action = self.bring(item, target, now)
            if action is not None:
                return action
            why = f"the {self._spec.items[item].asset} is out of reach"
        raise OracleError(why)

    def bring(self, item: int, target: Pose, now: Snapshot) -> Array | None:
        """The action (6,) that moves an item to a pose, or first clears what is in the way.

        Returns:
            The action; None if the item or the pose is out of reach.

        Raises:
            OracleError: what is in the way cannot be cleared.
        """
        for blocker in self._blockers(item, target, now):
            return self._clear(blocker, now)
        action = self._carry(item, target, now)
        return self._clear(action, now) if isinstance(action, int) else action

    def _targets(self, number: int, goal: Goal, now: Snapshot) -> Iterator[tuple[int, Pose | None]]:
        """The items to move next, each with where to put it; None where there is no room."""
        step = next_waypoint(self._spec, now)
        if step is not None:
            target = target_of(self._spec, replace(goal, relation="at"), step.place, now)
            yield step.item, self._on_top(step.place, target, now)
            return
        if goal.relation in GROUPS:
            yield from group_targets(self._spec, goal, now)
            return
        judge = self._judge
        motions = pattern_sites(self._spec, judge, number, now)
        for item, place in judge.assign(number, now, motions).todo:
            if place.pattern is None:
                yield item, spot(self._spec, goal, place, item, now)
            else:
                yield item, None

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
        """The action that moves an item to a pose, the item that covers it, or None."""
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
            c, s = math.cos(rotation), math.sin(rotation)
            dx, dy = tip.x - pose.x, tip.y - pose.y
            end = (target.x + c * dx - s * dy, target.y + s * dx + c * dy)
            if _within(tip.x, tip.y) and _within(*end):
                return np.array([tip.x, tip.y, 0.0, *end, rotation])
        return covered_by

    def _clear(self, item: int, now: Snapshot, depth: int = 0) -> Array:
        """Move an item that is in the way to the nearest free spot of the table."""
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

    def _sweep(self, number: int, now: Snapshot) -> Array:
        """Push the pile into its zones, and out of them what does not belong there."""
        goal = self._spec.goals[number]
        for intruder in sorted(self._judge.intruders(number, now)):
            if intruder not in now.bodies:
                name = self._spec.items[intruder].asset
                raise OracleError(f"the {name} is in the way of the blade")
        action = best_push(self._spec, goal, now, self._strangers(goal, now))
        if action is None:
            raise OracleError("the blade fits behind no crumb")
        return action

    def _strangers(self, goal: Goal, now: Snapshot) -> list[int]:
        """The piles and ropes that do not belong where a goal's pile does."""
        items = self._spec.items
        return [
            k
            for k in now.bodies
            if k not in goal.items and (items[k].distractor or goal.only)
        ]


def _within(x: float, y: float) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    return bool(x0 <= x <= x1 and y0 <= y <= y1)
