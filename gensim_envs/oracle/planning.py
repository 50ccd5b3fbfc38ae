"""What the oracle works towards: the next step of a plan, and where patterns are built."""

from __future__ import annotations

from collections.abc import Container

import shapely

from gensim_envs.task.goals import HEIGHT_TOLERANCE, POSITION_TOLERANCE, Snapshot, Waypoint
from gensim_envs.task.judge import Judge, Motions
from gensim_envs.task.patterns import Motion
from gensim_envs.task.pose import Pose
from gensim_envs.task.relations import frame_of, outlines
from gensim_envs.task.sites import find_site, is_site, pattern_places
from gensim_envs.task.spec import TaskSpec


def next_waypoint(spec: TaskSpec, now: Snapshot) -> Waypoint | None:
    """The next step of the task's plan; None without a plan, or off it, or at its end.

    The state is where the plan's longest prefix leads that leaves each of its items where it is.
    """
    for done in range(len(spec.plan) - 1, -1, -1):
        where: dict[int, Pose] = {step.item: spec.items[step.item].start for step in spec.plan}
        for step in spec.plan[:done]:
            where[step.item] = frame_of(step.place, now) @ step.place.pose
        if now.has(spec.plan[done].item) and all(
            _is_at(item, pose, now) for item, pose in where.items() if now.has(item)
        ):
            return spec.plan[done]
    return None


def back_on_plan(spec: TaskSpec, now: Snapshot, placed: Container[int]) -> Waypoint | None:
    """The first step of a plan whose item is elsewhere, and not `placed` in another way.

    A plan that moves an item twice is a puzzle, in which that step may be the wrong one: None.
    """
    if len({step.item for step in spec.plan}) < len(spec.plan):
        return None
    for step in spec.plan:
        pose = frame_of(step.place, now) @ step.place.pose
        if now.has(step.item) and step.item not in placed and not _is_at(step.item, pose, now):
            return step
    return None


def _is_at(item: int, pose: Pose, now: Snapshot) -> bool:
    have = now.poses[item]
    level = abs(have.z - pose.z) <= HEIGHT_TOLERANCE
    return level and have.distance(pose) <= POSITION_TOLERANCE


def pattern_sites(spec: TaskSpec, judge: Judge, current: int, now: Snapshot) -> Motions:
    """Where to build each pattern: where two of its items fit together, else a free site."""
    places = [pattern_places(spec.items, spec.goals, k) for k in range(len(spec.patterns))]
    others = [_others(spec, k, now) for k in range(len(spec.patterns))]

    def is_free(number: int, motion: Motion) -> bool:
        return is_site(places[number], others[number], motion, gap=0.001)

    motions = judge.motions(current, now, is_free)
    for number, motion in motions.items():
        if motion is None:
            anchor = spec.patterns[number].anchor
            origin = None if anchor is None else now.poses[anchor]
            keep = [
                (now.poses[item], k, period)
                for k, slot in enumerate(judge.slots(number, current))
                for item, period in slot.items.items()
                if abs(now.poses[item].z - slot.pose.z) <= HEIGHT_TOLERANCE
            ]
            motions[number] = find_site(places[number], others[number], origin, keep)
    return motions


def _others(spec: TaskSpec, number: int, now: Snapshot) -> list[shapely.Geometry]:
    """The areas of all things that are not part of a pattern."""
    users = [goal for goal in spec.goals if any(p.pattern == number for p in goal.places)]
    own = {spec.patterns[number].anchor, *(item for goal in users for item in goal.items)}
    soft = [
        shapely.MultiPoint(points[:, :2]).buffer(spec.items[k].asset.size[0] / 2)
        for k, points in now.bodies.items()
        if k not in own
    ]
    return [*outlines(spec, now, but=own), *soft]
