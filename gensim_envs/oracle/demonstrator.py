"""The oracle: the next action toward the current goal, derived from the goal itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import OracleError
from gensim_envs.oracle.sweeping import best_push, footprint
from gensim_envs.sim import Uncopyable
from gensim_envs.sim.bodies import first_touch
from gensim_envs.task.geometry import Array, transform
from gensim_envs.task.goals import Goal, Place, Snapshot
from gensim_envs.task.pose import WORKSPACE, Pose, wrap
from gensim_envs.task.progress import unmet
from gensim_envs.task.relations import bead_targets, target_of
from gensim_envs.task.spec import TaskSpec

_GAP = 0.004  # metres between things that are put side by side into a container
_ASIDE_GRID = 0.02  # metres between places that are tried for something in the way
_ASIDE_GAP = 0.02
_OVERSHOOT = 0.004  # metres


class Oracle(Uncopyable):
    """Demonstrates a task, from the states of other policies too.

    Args:
        env: an env of this suite, with any wrappers.

    Raises:
        TypeError: the env is not one of this suite.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv):
            raise TypeError(f"the oracle solves gensim environments, not {type(inner).__name__}")
        self._env = inner

    def __call__(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """The next action, as a policy for `gensim_envs.rollout`; see `act`."""
        return self.act()

    def act(self) -> NDArray[np.float32]:
        """The next action, (6,), in the units of the unwrapped env.

        Raises:
            OracleError: there is no action toward the goal, which the message names.
            gymnasium.error.ResetNeeded: the env has not been reset yet.
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

    @property
    def _spec(self) -> TaskSpec:
        """The task of this episode."""
        return self._env.task_spec

    def _fail(self, goal: Goal, why: str) -> OracleError:
        return OracleError(f"goal {goal.instruction!r}: {why}")

    def _place(self, goal: Goal, now: Snapshot) -> Array:
        """Put the lowest misplaced item in place, or clear what is in the way first."""
        waiting = [pair for pair in unmet(self._spec, goal, now) if now.has(pair[0])]
        why = "nothing is left to move"
        for item, place in waiting:
            target = self._target(goal, place, item, now)
            if target is None:
                why = f"there is no room for the {self._spec.items[item].asset}"
                continue
            for blocker in self._blockers(item, target, now):
                return self._clear(goal, blocker, now, depth=0)
            action = self._carry(item, target, now)
            if isinstance(action, int):
                return self._clear(goal, action, now, depth=0)
            if action is not None:
                return action
            why = f"the {self._spec.items[item].asset} is out of reach"
        raise self._fail(goal, why)

    def _target(self, goal: Goal, place: Place, item: int, now: Snapshot) -> Pose | None:
        if goal.relation != "inside" or place.base is None:
            return target_of(self._spec, goal, place, now)
        if place.pose != Pose(0, 0):
            return now.poses[place.base] @ place.pose
        return self._spot_inside(goal, place.base, item, now)

    def _spot_inside(self, goal: Goal, base: int, item: int, now: Snapshot) -> Pose | None:
        """A free pose in a bowl, container or zone: the middle for a single item, else packed."""
        opening = self._spec.items[base].asset.opening
        assert opening is not None  # checked when the goal was declared
        inverse = now.poses[base].inverse()
        others = [
            footprint(self._spec, k, inverse @ now.poses[k])
            for k in self._movable(now)
            if k not in (item, base)
            and self._near(base, k, now)
            # An item that stands lower than the base holds it, as a tray does.
            and now.poses[k].z > now.poses[base].z - 0.001
        ]
        room = opening.buffer(-_GAP / 2)
        x0, y0, x1, y1 = room.bounds
        takers = sum(len(g.items) for g in self._spec.goals if base in {p.base for p in g.places})
        alone = takers == 1 or not goal.shared
        for yaw in (0.0, math.pi / 2):
            rotated = transform(self._spec.geometry(item).outline, Pose(0, 0, 0, yaw))
            low, high = rotated.min(axis=0), rotated.max(axis=0)
            spots = itertools.product(
                _span(x0 - low[0], x1 - high[0]), _span(y0 - low[1], y1 - high[1])
            )
            for x, y in sorted(spots, key=lambda xy: math.hypot(*xy) if alone else xy[0]):
                shape = shapely.Polygon(rotated + (x, y))
                if room.contains(shape) and not any(o.distance(shape) < _GAP for o in others):
                    return now.poses[base] @ Pose(float(x), float(y), 0.0, yaw)
        return None

    def _near(self, base: int, item: int, now: Snapshot) -> bool:
        reach = sum(max(self._spec.items[k].asset.size[:2]) for k in (base, item))
        return now.poses[base].distance(now.poses[item]) < reach

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
        return any(
            item in goal.items and any(place.base == base for place in goal.places)
            for goal in self._spec.goals
        )

    def _carry(self, item: int, target: Pose, now: Snapshot) -> Array | int | None:
        """The action that moves an item to a pose, the item that covers it, or None."""
        pose = now.poses[item]
        asset = self._spec.items[item].asset
        rotation = wrap(target.yaw - pose.yaw, asset.symmetry)
        covered_by: int | None = None
        for grasp in asset.grasps:
            tip = pose @ Pose(*grasp)
            touched = self._env.world.item_of(first_touch(self._env.world, tip.x, tip.y).body)
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

    def _clear(self, goal: Goal, item: int, now: Snapshot, depth: int) -> Array:
        """Move an item that is in the way to the nearest free spot of the table."""
        if self._spec.items[item].bodies:
            raise self._fail(goal, f"the {self._spec.items[item].asset} is in the way")
        free = self._free_spot(item, now)
        if free is None:
            raise self._fail(goal, f"there is no free spot for the {self._spec.items[item].asset}")
        action = self._carry(item, free, now)
        if isinstance(action, int) and depth < len(self._spec.items):
            return self._clear(goal, action, now, depth + 1)
        if action is None or isinstance(action, int):
            raise self._fail(goal, f"the {self._spec.items[item].asset} is out of reach")
        return action

    def _free_spot(self, item: int, now: Snapshot) -> Pose | None:
        taken: list[shapely.Geometry] = [
            footprint(self._spec, k, now.poses[k])
            for k in range(len(self._spec.items))
            if k != item and not self._spec.items[k].bodies and now.has(k)
        ]
        taken += [shapely.MultiPoint(points[:, :2]) for points in now.bodies.values()]
        for goal in self._spec.goals:
            if goal.relation == "at":
                for k, place in enumerate(goal.places):
                    placed = goal.items[min(k, len(goal.items) - 1)]
                    taken.append(footprint(self._spec, placed, place.pose))
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

    def _lay(self, goal: Goal, now: Snapshot) -> Array:
        """Drag an end of a rope to its place, then the bead that is farthest from its own."""
        beads = now.bodies[goal.items[0]]
        targets = bead_targets(goal, beads)
        error = np.linalg.norm(beads[:, :2] - targets, axis=1)
        last = len(beads) - 1
        ends = [k for k in (0, last) if error[k] > goal.position_tolerance / 2]
        bead = max(ends or range(last + 1), key=lambda k: float(error[k]))
        pick, place = beads[bead, :2], targets[bead]
        if 0 < bead < last:
            # Its neighbours pull it back a little.
            place = place + _OVERSHOOT * (place - pick) / max(1e-9, float(error[bead]))
        if not _within(*pick):
            raise self._fail(goal, "the rope is out of reach")
        return np.array([*pick, 0.0, *place, 0.0])

    def _sweep(self, goal: Goal, now: Snapshot) -> Array:
        action = best_push(self._spec, goal, now)
        if action is None:
            raise self._fail(goal, "the blade fits behind no crumb")
        return action


def _span(low: float, high: float) -> Iterator[float]:
    """Values 5 mm apart from low to high, or only the middle where there is hardly any room."""
    if high < low:
        return
    count = max(1, round((high - low) / 0.005) + 1)
    yield from np.linspace(low, high, count) if count > 1 else [(low + high) / 2]


def _within(x: float, y: float) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    return bool(x0 <= x <= x1 and y0 <= y <= y1)
