"""Draw free places on the table, where things start."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np
import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Pile, Rope, asset_geometry
from gensim_envs.task.geometry import HIGH, LOW, TABLE, Array, footprint, transform
from gensim_envs.task.goals import GROUPS, REGIONS, Goal, Place
from gensim_envs.task.patterns import Pattern
from gensim_envs.task.pose import Pose
from gensim_envs.task.sites import find_site, pattern_places
from gensim_envs.task.spec import ItemSpec, TaskSpec
from gensim_envs.task.spots import group_targets, moved, spot

CLEARANCE = 0.015
"""Free space round everything at the start, metres: room for a suction cup."""
_TRIES = 200

Bodies = tuple[tuple[float, float, float], ...]
"""(x, y, yaw) of each bead or crumb."""


class FreeSpace:
    """The part of the table that is still free.

    Args:
        rng: draws the places.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._taken: list[shapely.Geometry] = []

    def take(self, shape: shapely.Geometry) -> None:
        """Keep a region free of everything that is placed from now on."""
        self._taken.append(shape)

    def take_asset(self, asset: Asset, pose: Pose) -> None:
        """Keep an asset's footprint free."""
        self._taken.append(footprint(asset_geometry(asset).outline, pose))

    def take_targets(self, items: Sequence[ItemSpec], goals: Iterable[Goal]) -> None:
        """Keep the targets of goals free."""
        for goal in goals:
            fixed = [p for p in goal.places if p.pattern is None and _is_fixed(items, p)]
            poses = [items[p.bases[0]].start @ p.pose if p.bases else p.pose for p in fixed]
            if goal.relation == "along" and len(poses) > 1:
                way = shapely.LineString([(pose.x, pose.y) for pose in poses])
                self.take(way.buffer(Rope.BEAD))
            elif goal.relation == "at":
                for k, place in enumerate(goal.places):
                    if place in fixed:
                        self.take_asset(items[goal.item_for(k)].asset, poses[fixed.index(place)])

    def take_sites(
        self,
        items: Sequence[ItemSpec],
        goals: Sequence[Goal],
        patterns: Sequence[Pattern],
        known: Collection[int],
    ) -> None:
        """Keep a site for each pattern free, whose anchor is `known` to have its place.

        Raises:
            TaskError: where there is none.
        """
        for number, pattern in enumerate(patterns):
            anchor = None if pattern.anchor is None else items[pattern.anchor]
            places = pattern_places(items, goals, number)
            if not places or not {pattern.anchor} <= {None, *known}:
                continue
            taken = self._taken
            if anchor is not None:
                own = footprint(asset_geometry(anchor.asset).outline, anchor.start)
                taken = [shape for shape in taken if not shapely.equals(shape, own)]
            site = find_site(places, taken, None if anchor is None else anchor.start)
            if site is None:
                raise TaskError(
                    "there is no room for a pattern", "Use fewer or smaller things", redraw=True
                )
            for place, outline in places:
                self.take(footprint(outline, site(place.pose)))

    def take_regions(
        self, items: Sequence[ItemSpec], goals: Sequence[Goal], known: Collection[int]
    ) -> None:
        """Keep room free where goals put things beside others.

        Args:
            items: everything on the table.
            goals: of the task.
            known: indices of the items that have their places already.

        Raises:
            TaskError: where there is no room.
        """
        spec = TaskSpec("", "", tuple(items), tuple(goals))
        start = spec.start_snapshot
        gone = Pose(0.0, 0.0, -1.0)
        poses = [item.start if k in known else gone for k, item in enumerate(items)]
        now = replace(start, poses=tuple(poses), bodies={})
        for goal in goals:
            if goal.relation not in (*REGIONS, *GROUPS) or not goal.bases <= set(known):
                continue
            targets = (
                group_targets(spec, goal, now)
                if goal.relation in GROUPS
                else [(item, spot(spec, goal, goal.places[0], item, now)) for item in goal.items]
            )
            free = [(item, pose) for item, pose in targets if pose is not None]
            if len(free) < len(goal.items):
                raise TaskError(
                    f"there is no room {goal.relation} what a goal names",
                    "Use fewer or smaller things",
                    redraw=True,
                )
            for item, pose in free:
                now = moved(spec, now, item, pose)
                self.take_asset(items[item].asset, pose)

    def take_starts(self, items: Iterable[ItemSpec]) -> None:
        """Keep the places of things free."""
        for item in items:
            if isinstance(item.asset, Rope):
                beads = shapely.LineString([(x, y) for x, y, _ in item.bodies])
                self.take(beads.buffer(Rope.BEAD / 2))
            else:
                self.take_asset(item.asset, item.start)

    def free_pose(self, outline: Array, name: str, margin: float = 0.0) -> Pose:
        """A random pose at which `outline` keeps clear of the edge and of all that is taken.

        Args:
            outline: corners (n, 2), metres.
            name: of what is placed, for the error.
            margin: further distance from the edge, metres.

        Raises:
            TaskError: where 200 tries find no place.
        """
        taken = np.array(self._taken, dtype=object)
        for _ in range(_TRIES):
            yaw = self._rng.uniform(-math.pi, math.pi)
            turned = transform(outline, Pose(0, 0, 0, yaw))
            low, high = LOW - (turned.min(axis=0) - margin), HIGH - (turned.max(axis=0) + margin)
            if (low >= high).any():
                continue
            x, y = self._rng.uniform(low, high).tolist()
            shape = shapely.polygons(turned + (x, y))
            if not shapely.dwithin(taken, shape, CLEARANCE).any():
                return Pose(x, y, 0.0, yaw)
        raise TaskError(f"there is no room for {name}", "Use fewer or smaller things", redraw=True)

    def lay_rope(self, rope: Rope) -> tuple[Pose, Bodies]:
        """A smooth random curve that keeps clear of everything and of itself."""
        gaps = rope.bodies - 1
        step = rope.length / gaps
        taken = np.array(self._taken, dtype=object)
        for _ in range(_TRIES):
            bend = np.cumsum(self._rng.normal(0.0, 0.08, gaps))
            heading = self._rng.uniform(-math.pi, math.pi) + np.cumsum(bend - bend.mean() / 2)
            walk = np.c_[np.cos(heading), np.sin(heading)] * step
            points = np.vstack([np.zeros(2), np.cumsum(walk, axis=0)])
            points += self._rng.uniform(LOW, HIGH) - points.mean(axis=0)
            curve = shapely.LineString(points)
            gap = np.linalg.norm(points[:, None] - points[None], axis=-1)
            apart = gap[np.triu_indices(len(points), 3)].min() > 2 * rope.BEAD
            room = TABLE.buffer(-2 * rope.BEAD)
            if (
                apart
                and room.contains(curve)
                and not shapely.dwithin(taken, curve, CLEARANCE).any()
            ):
                self._taken.append(curve.buffer(rope.BEAD / 2))
                beads = np.column_stack([points, [*heading, heading[-1]]])
                return Pose(*points.mean(axis=0).tolist()), tuple(map(tuple, beads.tolist()))
        raise TaskError("there is no room for the rope", "Use fewer things", redraw=True)

    def heap(self, pile: Pile, at: Pose) -> Bodies:
        """Crumbs side by side on a hexagonal lattice, each slightly rotated."""
        pitch = 1.25 * pile.CRUMB
        rows, columns = np.mgrid[-8:9, -8:9]
        lattice = np.c_[(columns + rows % 2 / 2).ravel(), (rows * math.sqrt(3) / 2).ravel()]
        near = np.argsort(np.linalg.norm(lattice, axis=1), kind="stable")[: pile.bodies]
        points = transform(lattice[near] * pitch, at)
        turns = at.yaw + self._rng.uniform(-0.25, 0.25, pile.bodies)
        return tuple(map(tuple, np.column_stack([points, turns]).tolist()))


def _is_fixed(items: Sequence[ItemSpec], place: Place) -> bool:
    """Whether it is known at the start where a place is."""
    return all(items[base].fixed for base in place.bases)
