"""How things are moved: carried to a place, cleared out of the way, laid and swept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import shapely

from gensim_envs.errors import OracleError
from gensim_envs.oracle.foresight import after
from gensim_envs.oracle.laying import lay
from gensim_envs.oracle.planning import next_waypoint, pattern_sites
from gensim_envs.oracle.sweeping import best_push, footprint
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import GROUPS, REGION_REACH, REGIONS, Goal, Place, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import WORKSPACE, Pose, wrap
from gensim_envs.task.relations import outline, target_of
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.spots import corners_at, group_targets, lies, spot

_ASIDE_GRID = 0.02  # metres between places that are tried for something in the way
_ASIDE_GAP, _TIGHT_GAP = 0.02, 0.005
_TIPS = 0.006  # metres between points at which a grasp is tried
_DROPS = 24  # places that are tried for setting something upright


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
            name = self._spec.items[item].asset
            if lies(now, item) and (goal.relation == "at" or _stays(now.poses[item], target)):
                action = self._set_upright(item, now)
                if action is not None:
                    return action
                why = f"the {name} lies on its side, and nothing sets it upright"
                continue
            if target is None:
                why = f"there is no room for the {name}"
                continue
            action = self.bring(item, target, now)
            if action is not None and not _does_nothing(action):
                return action
            why = f"the {name} is out of reach" if action is None else f"the {name} cannot stay"
        blocker = self._squatter(number, now)
        if blocker is None:
            raise OracleError(why)
        return self._clear(blocker, now)

    def _squatter(self, number: int, now: Snapshot) -> int | None:
        """What takes the room of a goal's items without being in place for any goal, the nearest.

        It is in, on or near one of the things that the goal's places refer to.
        """
        goal = self._spec.goals[number]
        placed = set(self._judge.assign(number, now).placed) | set(goal.items) | goal.bases
        near = []
        for base in goal.bases:
            area = footprint(self._spec, base, now.poses[base])
            reach = 0.0 if goal.relation in ("on", "inside", "at") else REGION_REACH
            for item in set(self._movable(now)) - placed:
                gap = footprint(self._spec, item, now.poses[item]).distance(area)
                if gap <= reach:
                    near.append((gap, item))
        return min(near)[1] if near else None

    def _set_upright(self, item: int, now: Snapshot) -> Array | None:
        """An action (6,) after which an item stands upright, as a copy of the world shows."""
        here = now.poses[item]
        free = self._free_spot(item, now)
        drops = [] if free is None else [free]
        for other, data in enumerate(self._spec.items):
            stands = other != item and now.has(other) and not data.bodies
            if not stands or self._spec.geometry(other).flat:
                continue
            middle, reach = now.poses[other], max(data.asset.size[:2]) / 2
            drops += [
                Pose(
                    middle.x + reach * math.cos(angle), middle.y + reach * math.sin(angle), 0.0,
                    here.yaw + turn,
                )
                for angle in np.arange(4) * math.tau / 4 for turn in (0.0, math.pi / 2)
            ]  # fmt: skip
        for drop in drops[:_DROPS]:
            action = self._carry(item, drop, now)
            if action is None or isinstance(action, int):
                continue
            then = after(self._world, action)
            others = (k for k in self._movable(now) if k != item)
            if not lies(then, item) and all(
                now.poses[k].distance(then.poses[k]) < 0.01 and lies(now, k) == lies(then, k)
                for k in others
            ):
                return action
        return None

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
        corners = corners_at(self._spec, item, target.yaw, now)
        shape = shapely.Polygon(corners + (target.x, target.y))
        inner = shape.buffer(-0.002, join_style="mitre")
        for k in sorted(self._movable(now), key=lambda k: -now.poses[k].z):
            top = now.poses[k].z + self._spec.items[k].asset.height
            if k == item or top < target.z + 0.002:
                continue
            if self._spec.items[k].asset.hollow and (
                self._goes_into(k, item) or now.poses[k].z < target.z - 0.001
            ):
                continue  # it holds the item, or what the item goes into
            if outline(self._spec, k, now).intersects(inner):
                yield k

    def _goes_into(self, base: int, item: int) -> bool:
        """Whether a goal puts `item` in or on `base`."""
        return any(item in goal.items and base in goal.bases for goal in self._spec.goals)

    def _carry(self, item: int, target: Pose, now: Snapshot) -> Array | int | None:
        """The action that moves an item to a pose, the item that covers it, or None."""
        pose, asset = now.poses[item], self._spec.items[item].asset
        rotation = wrap(target.yaw - pose.yaw, math.tau if lies(now, item) else asset.symmetry)
        covered_by: int | None = None
        for x, y in self._tips(item, now):
            c, s = math.cos(rotation), math.sin(rotation)
            dx, dy = x - pose.x, y - pose.y
            end = (target.x + c * dx - s * dy, target.y + s * dx + c * dy)
            if not (_within(x, y) and _within(*end)):
                continue
            touched = self._world.item_of(first_touch(self._world, x, y).body)
            if touched == item:
                return np.array([x, y, 0.0, *end, rotation])
            if covered_by is None and touched is not None and not self._spec.items[touched].fixed:
                covered_by = touched
        return covered_by

    def _tips(self, item: int, now: Snapshot) -> Iterator[tuple[float, float]]:
        """Points at which to grasp an item: where its asset says, then all over it."""
        pose = now.poses[item]
        if not lies(now, item):
            for grasp in self._spec.items[item].asset.grasps:
                tip = pose @ Pose(*grasp)
                yield tip.x, tip.y
        area = outline(self._spec, item, now)
        x0, y0, x1, y1 = area.bounds
        spots = [
            (math.hypot(x - pose.x, y - pose.y), float(x), float(y))
            for x in np.arange(x0 + 0.002, x1, _TIPS) for y in np.arange(y0 + 0.002, y1, _TIPS)
            if shapely.contains_xy(area, x, y)
        ]  # fmt: skip
        for _, x, y in sorted(spots):
            yield x, y

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
        if _does_nothing(action):
            raise OracleError(f"the {self._spec.items[item].asset} has nowhere to go")
        return action

    def _free_spot(self, item: int, now: Snapshot) -> Pose | None:
        """The nearest pose on the table with room around it, if need be where goals put things."""
        taken: list[shapely.Geometry] = [
            outline(self._spec, k, now)
            for k in range(len(self._spec.items))
            if k != item and not self._spec.items[k].bodies and now.has(k)
        ]
        taken += [shapely.MultiPoint(points[:, :2]) for points in now.bodies.values()]
        for others, gap in ((taken + self._reserved(now), _ASIDE_GAP), (taken, _TIGHT_GAP)):
            for turn in (0.0, math.pi / 2):
                pose = now.poses[item].turned(turn)
                free = self._free_spots(corners_at(self._spec, item, pose.yaw, now), others, gap)
                if len(free):
                    x, y = min(free, key=lambda at: math.hypot(at[0] - pose.x, at[1] - pose.y))
                    return Pose(float(x), float(y), 0.0, pose.yaw)
        return None

    def _free_spots(self, corners: Array, taken: list[shapely.Geometry], gap: float) -> Array:
        """The points (n, 2) of a grid at which an outline (k, 2) keeps a gap from what is taken."""
        low, high = corners.min(axis=0), corners.max(axis=0)
        (x0, x1), (y0, y1) = WORKSPACE
        xs, ys = np.meshgrid(
            np.arange(x0 - low[0], x1 - high[0], _ASIDE_GRID),
            np.arange(y0 - low[1], y1 - high[1], _ASIDE_GRID),
        )
        points = np.stack([xs.ravel(), ys.ravel()], axis=1)
        if not len(points):
            return points
        shapes = shapely.polygons(corners + points[:, None])
        everything = shapely.union_all(taken)
        shapely.prepare(everything)
        return np.asarray(points[~np.asarray(shapely.dwithin(everything, shapes, gap))])

    def _reserved(self, now: Snapshot) -> list[shapely.Polygon]:
        """The areas where goals put things on the table."""
        last = len(self._spec.goals) - 1
        motions = pattern_sites(self._spec, self._judge, last, now)
        found = []
        for goal in self._spec.goals:
            if goal.relation in (*REGIONS, *GROUPS):
                found += [
                    outline(self._spec, base, now).buffer(REGION_REACH)
                    for base in goal.bases
                    if now.has(base)
                ]
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
            raise OracleError("the blade cannot get behind the crumbs")
        return action

    def _strangers(self, goal: Goal, now: Snapshot) -> list[int]:
        """The piles and ropes that do not belong where a goal's pile does."""
        items = self._spec.items
        return [k for k in now.bodies if k not in goal.items and (items[k].distractor or goal.only)]


def _stays(pose: Pose, target: Pose | None) -> bool:
    """Whether a target is where something is already."""
    return target is None or pose.distance(target) < 0.002


def _does_nothing(action: Array) -> bool:
    """Whether an action (6,) puts things down where it picks them up."""
    return float(np.abs(action[3:] - action[:3]).max()) < 1e-4


def _within(x: float, y: float) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    return bool(x0 <= x <= x1 and y0 <= y <= y1)
