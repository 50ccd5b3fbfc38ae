"""How things are moved: carried to a place, cleared out of the way, laid and swept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import shapely

from gensim_envs.errors import OracleError
from gensim_envs.oracle.foresight import foresight
from gensim_envs.oracle.laying import lay
from gensim_envs.oracle.planning import back_on_plan, next_waypoint, pattern_sites
from gensim_envs.oracle.sweeping import good_pushes
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import TABLE, Array, in_workspace
from gensim_envs.task.goals import GROUPS, REGION_REACH, REGIONS, Goal, Place, Snapshot, Waypoint
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import WORKSPACE, Pose, wrap
from gensim_envs.task.relations import (
    is_leaning,
    movable,
    outline,
    outlines,
    span,
    standing,
    target_of,
)
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.spots import corners_at, group_targets, lies, spots

_ASIDE_GRID = 0.02  # metres between places that are tried for something in the way
_ASIDE_GAP, _TIGHT_GAP = 0.02, 0.005
_AWAY = 0.06  # metres that something in the way moves at least, if its own place counts as free
_TIPS = 0.006  # metres between points at which a grasp is tried
_DROPS = 96  # places that are tried for setting something upright
_STRAIGHT = 0.02  # radians by which what was set upright may lean
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

    @cached_property
    def _carriers(self) -> set[int]:
        """The kinds of items on or in which goals put something, which stays if they stand."""
        goals = [goal for goal in self._spec.goals if goal.relation in ("on", "inside")]
        bases = {base for goal in goals for base in goal.bases}
        return {self._judge.kinds[base] for base in bases if not self._spec.items[base].fixed}

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
        stand for one another. A choice of pushes is one push.

        Raises:
            OracleError: there is none; the message says why.
        """
        if self._spec.goals[number].items[0] not in now.bodies:
            yield from self._placings(number, now)
            return
        goal = self._judge.soft_goal(number, now)
        if goal.relation == "along":
            actions = lay(self._world, goal, now)[None]
        else:
            actions = self._sweep(number, goal, now)
        for action in actions:
            yield np.append(action, 0)[None]

    def _placings(self, number: int, now: Snapshot) -> Iterator[Array]:
        """Put one of the lowest misplaced items in place, or clear what is in the way first."""
        goal = self._spec.goals[number]
        for intruder in sorted(self._judge.intruders(number, now)):
            yield self._clear(intruder, now)
            return
        for base in sorted(goal.bases) if goal.relation == "inside" else ():
            if not self._spec.items[base].fixed and now.has(base) and lies(now, base):
                action = self._open(base, now)
                if action is not None:
                    yield action
                    return
        why, level = "", math.inf
        for item, target in self._targets(number, goal, now):
            name = self._spec.items[item].asset
            must_stand = goal.relation == "at" or _stays(now.poses[item], target)
            carries = self._judge.kinds[item] in self._carriers
            if lies(now, item) and (must_stand or carries or is_leaning(item, now)):
                action = self._set_upright(item, now)
                if action is not None:
                    if level == math.inf:
                        yield action
                    return
                if must_stand:
                    why = f"the {name} lies on its side, and nothing sets it upright"
                    continue
            if target is None:
                why = f"there is no room for the {name}"
                continue
            if target.z > level:
                continue
            try:
                answers = self.bring(item, target, now)
            except OracleError:
                if level == math.inf:
                    raise
                continue
            if answers is not None and not _does_nothing(answers):
                level = min(level, target.z + _LEVEL)
                yield answers
            why = f"the {name} is out of reach" if answers is None else f"the {name} cannot stay"
        if level == math.inf:
            blocker = self._obstruction(number, now)
            if blocker is not None:
                yield self._clear(blocker, now)
            elif why:
                raise OracleError(why)
            else:
                yield self._wait(now)

    def _wait(self, now: Snapshot) -> Array:
        """An answer (1, 7) that touches the empty table, for what has not come to rest yet."""
        corners = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)]) * _TIPS
        free = self._free_spots(corners, outlines(self._spec, now), _ASIDE_GAP)
        if not len(free):
            raise OracleError("nothing is left to move")
        x, y = free[0]
        return np.array([[x, y, 0.0, x, y, 0.0, 1.0]])

    def _obstruction(self, number: int, now: Snapshot) -> int | None:
        """The nearest item that takes up room a goal needs and is itself in place for no goal.

        It is in, on or near one of the things that the goal's places refer to, or beside one and
        higher, where what is put on that juts out.
        """
        goal = self._spec.goals[number]
        placed = set(self._judge.assign(number, now).placed) | set(goal.items) | goal.bases
        beside = goal.relation not in ("on", "inside", "at")
        over = max(self._spec.items[goal.items[0]].asset.size[:2]) / 2
        near = []
        for base in goal.bases:
            area, top = outline(self._spec, base, now), span(self._spec, base, now)[1]
            for item in set(movable(self._spec, now)) - placed:
                juts = goal.relation == "on" and span(self._spec, item, now)[1] > top
                reach = REGION_REACH if beside else over if juts else 0.0
                gap = outline(self._spec, item, now).distance(area)
                if gap <= reach:
                    near.append((gap, item))
        return min(near)[1] if near else None

    def _set_upright(self, item: int, now: Snapshot) -> Array | None:
        """Answers (k, 7) after which an item stands upright, as a copy of the world shows."""
        here = now.poses[item]
        free = self._free_spot(item, now)
        drops = [] if free is None else [free]
        for other in standing(self._spec, now):
            if other == item or self._spec.geometry(other).flat:
                continue
            middle, reach = now.poses[other], max(self._spec.items[other].asset.size[:2]) / 2
            drops += [
                Pose(
                    middle.x + reach * math.cos(angle), middle.y + reach * math.sin(angle), 0.0,
                    here.yaw + turn,
                )
                for angle in np.arange(4) * math.tau / 4 for turn in (0.0, math.pi / 2)
            ]  # fmt: skip
        others = [k for k in movable(self._spec, now) if k != item]
        with foresight(self._world) as after:
            for drop in drops[:_DROPS]:
                action = self._carry(item, drop, now)
                if action is None or isinstance(action, int):
                    continue
                then = after(action[0, :6])
                end = then.poses[item]
                if (
                    then.tilts[item] < _STRAIGHT
                    and in_workspace(end.x, end.y)
                    and all(
                        now.poses[k].distance(then.poses[k]) < 0.01
                        and lies(now, k) == lies(then, k)
                        for k in others
                    )
                ):
                    return action
        return None

    def _open(self, base: int, now: Snapshot) -> Array | None:
        """Answers (k, 7) that set a container upright, or first clear what lies on it."""
        cover = self._carry(base, now.poses[base], now)
        return self._clear(cover, now) if isinstance(cover, int) else self._set_upright(base, now)

    def bring(self, item: int, target: Pose, now: Snapshot) -> Array | None:
        """The answers (k, 7) that move an item to a pose, or first clear what is in the way.

        Returns:
            Equal answers, see `Oracle.answers`; None if the item or the pose is out of reach.

        Raises:
            OracleError: what is in the way cannot be cleared.
        """
        for blocker in self._blockers(item, target, now):
            # What is only too high because it stands on its side would be put back in the same way.
            upright = self._set_upright(blocker, now) if lies(now, blocker) else None
            return self._clear(blocker, now) if upright is None else upright
        answers = self._carry(item, target, now)
        return self._clear(answers, now) if isinstance(answers, int) else answers

    def _targets(self, number: int, goal: Goal, now: Snapshot) -> Iterator[tuple[int, Pose | None]]:
        """The items that may be moved next, each with where to put it; None where there is no room.

        Those of the judge's assignment come first, then other places that are as good, then equal
        items in their stead.
        """
        judge = self._judge
        step = next_waypoint(self._spec, now)
        if step is None:
            step = back_on_plan(self._spec, now, judge.assign(number, now).placed.keys())
        if step is not None:
            yield step.item, self._waypoint(step, goal, now)
            return
        pairs: Sequence[tuple[int, Pose | Place]]
        if goal.relation in GROUPS:
            pairs = group_targets(self._spec, goal, now)
            placed = set(goal.items) - {item for item, _ in pairs}
        else:
            motions = pattern_sites(self._spec, judge, number, now)
            assigned = judge.assign(number, now, motions)
            pairs, placed = (*assigned.todo, *assigned.spare), set(assigned.placed)
        done = set()
        for item, where in pairs:
            if (item, where) not in done:
                done.add((item, where))
                for pose in self._poses(goal, where, item, now):
                    yield item, pose
        for item, where in pairs:
            for other in range(len(self._spec.items)):
                equal = other not in placed and judge.kinds[other] == judge.kinds[item]
                if equal and (other, where) not in done:
                    done.add((other, where))
                    for pose in self._poses(goal, where, other, now) if now.has(other) else [None]:
                        yield other, pose

    def _poses(
        self, goal: Goal, where: Pose | Place, item: int, now: Snapshot
    ) -> Iterator[Pose | None]:
        """Where an item may go, given its pose or place; None where there is no room."""
        if isinstance(where, Pose):
            yield where
        elif where.pattern is None:
            yield from spots(self._spec, goal, where, item, now)
        else:
            yield None

    def _waypoint(self, step: Waypoint, goal: Goal, now: Snapshot) -> Pose:
        """Where a step of the plan puts its item; on a movable base at the height of its top."""
        place = step.place
        target = target_of(self._spec, replace(goal, relation="at"), place, now)
        asset = self._spec.items[place.bases[0]].asset if place.bases else None
        if asset is None or asset.opening is not None or target.z > 0 or asset.hollow:
            return target
        return target.up(asset.height)

    def _blockers(self, item: int, target: Pose, now: Snapshot) -> Iterator[int]:
        """Items at the target of `item`, highest first.

        What is in place may reach over its edge a little, as neighbours in a wall do. Anything else
        there would tip the item over.
        """
        corners = corners_at(self._spec, item, target.yaw, now)
        shape = shapely.Polygon(corners + (target.x, target.y))
        inner = shape.buffer(-0.002, join_style="mitre")
        spans = {k: span(self._spec, k, now) for k in movable(self._spec, now)}
        for k, (low, top) in sorted(spans.items(), key=lambda entry: -entry[1][0]):
            if k == item or top < target.z + 0.002:
                continue
            goes_in = any(item in g.items and k in g.bases for g in self._spec.goals)
            if self._spec.items[k].asset.hollow and (goes_in or low < target.z - 0.001):
                continue  # it holds the item, or what the item goes into
            other = outline(self._spec, k, now)
            if other.intersects(inner) or (
                other.intersects(shape) and k not in self._judge.placed(now)
            ):
                yield k

    def _carry(self, item: int, target: Pose, now: Snapshot) -> Array | int | None:
        """The answers (k, 7) that move an item to a pose, the item that covers it, or None."""
        pose, asset = now.poses[item], self._spec.items[item].asset
        period = math.tau if lies(now, item) else asset.symmetry
        rotation = wrap(target.yaw - pose.yaw, period)
        covered_by: int | None = None
        for x, y in self._tips(item, now):
            answers = _turned(pose, target, (x, y), rotation, period)
            if not (in_workspace(x, y) and in_workspace(*answers[0, 3:5])):
                continue
            touched = self._world.item_of(first_touch(self._world, x, y).body)
            if touched == item:
                return answers[[in_workspace(*end) for end in answers[:, 3:5]]]
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
        area = outline(self._spec, item, now).intersection(TABLE)
        if area.is_empty:
            return
        x0, y0, x1, y1 = area.bounds
        spots = [
            (math.hypot(x - pose.x, y - pose.y), float(x), float(y))
            for x in np.arange(x0 + 0.002, x1, _TIPS) for y in np.arange(y0 + 0.002, y1, _TIPS)
            if shapely.contains_xy(area, x, y)
        ]  # fmt: skip
        for _, x, y in sorted(spots):
            yield x, y

    def _clear(self, item: int, now: Snapshot, depth: int = 0) -> Array:
        """The answers (k, 7) that move an item out of the way to the nearest free spot."""
        if self._spec.items[item].bodies:
            raise OracleError(f"the {self._spec.items[item].asset} is in the way")
        for least in (0.0, _AWAY):  # where it stands may count as free, for another arrangement
            free = self._free_spot(item, now, least)
            if free is None:
                raise OracleError(f"there is no free spot for the {self._spec.items[item].asset}")
            action = self._carry(item, free, now)
            if isinstance(action, int) and depth < len(self._spec.items):
                return self._clear(action, now, depth + 1)
            if action is None or isinstance(action, int):
                raise OracleError(f"the {self._spec.items[item].asset} is out of reach")
            if not _does_nothing(action):
                return action
        raise OracleError(f"the {self._spec.items[item].asset} has nowhere to go")

    def _free_spot(self, item: int, now: Snapshot, least: float = 0.0) -> Pose | None:
        """The nearest pose on the table with room around it, if need be where goals put things.

        It is `least` metres away or more.
        """
        taken = outlines(self._spec, now, but=(item,))
        taken += [shapely.MultiPoint(points[:, :2]) for points in now.bodies.values()]
        for others, gap in ((taken + self._reserved(now), _ASIDE_GAP), (taken, _TIGHT_GAP)):
            for turn in (0.0, math.pi / 2):
                pose = now.poses[item].turned(turn)
                free = self._free_spots(corners_at(self._spec, item, pose.yaw, now), others, gap)
                free = free[np.hypot(*(free - (pose.x, pose.y)).T) >= least]
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
                found.append(self._spec.footprint(goal.item_for(k), pose))
        return found

    def _sweep(self, number: int, goal: Goal, now: Snapshot) -> Array:
        """Pushes (k, 6) of the pile into its zones, and of what does not belong out of them."""
        items = self._spec.items
        for intruder in sorted(self._judge.intruders(number, now)):
            if intruder not in now.bodies:
                raise OracleError(f"the {items[intruder].asset} is in the way of the blade")
        strangers = [
            k for k in now.bodies if k not in goal.items and (items[k].distractor or goal.only)
        ]
        actions = good_pushes(self._world, self._spec, goal, now, strangers)
        if actions is None:
            raise OracleError("the blade cannot get behind the crumbs")
        return actions


def _stays(pose: Pose, target: Pose | None) -> bool:
    """Whether a target is where something is already."""
    return target is None or pose.distance(target) < 0.002


def _does_nothing(answers: Array) -> bool:
    """Whether the first of some answers (k, 7) puts things down where it picks them up."""
    return float(np.abs(answers[0, 3:6] - answers[0, :3]).max()) < 1e-4


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
