"""What the oracle works towards: the next step of a plan, and where patterns are built."""

from __future__ import annotations

from gensim_envs.task.goals import HEIGHT_TOLERANCE, POSITION_TOLERANCE, Goal, Snapshot, Waypoint
from gensim_envs.task.judge import Judge, Motions
from gensim_envs.task.patterns import Motion
from gensim_envs.task.pose import Pose
from gensim_envs.task.relations import frame_of, outline
from gensim_envs.task.sites import find_site, pattern_places
from gensim_envs.task.spec import TaskSpec


def next_waypoint(spec: TaskSpec, now: Snapshot) -> Waypoint | None:
    """The next step of the task's plan; None without a plan, or off it, or at its end.

    The state is where the plan's longest prefix leads that leaves each of its items where it is.
    """
    for done in range(len(spec.plan) - 1, -1, -1):
        where: dict[int, Pose] = {step.item: spec.items[step.item].start for step in spec.plan}
        for step in spec.plan[:done]:
            where[step.item] = frame_of(spec, step.place, now) @ step.place.pose
        if all(_is_at(now.poses[item], pose) for item, pose in where.items()):
            return spec.plan[done]
    return None


def _is_at(have: Pose, want: Pose) -> bool:
    level = abs(have.z - want.z) <= HEIGHT_TOLERANCE
    return level and have.distance(want) <= POSITION_TOLERANCE


def pattern_sites(spec: TaskSpec, judge: Judge, current: int, now: Snapshot) -> Motions:
    """Where to build each pattern: where two of its items fit together, else a free site."""
    motions = judge.motions(current, now)
    for number, motion in motions.items():
        if motion is None:
            motions[number] = _new_site(spec, judge, number, current, now)
    return motions


def _new_site(
    spec: TaskSpec, judge: Judge, number: int, current: int, now: Snapshot
) -> Motion | None:
    """The free site of a pattern; what stands in place for one site keeps it there."""
    places = pattern_places(spec.items, spec.goals, number)
    own = {item for goal in spec.goals for item in goal.items if _uses(goal, number)}
    anchor = spec.patterns[number].anchor
    others = [
        outline(spec, k, now)
        for k in range(len(spec.items))
        if k not in own and k != anchor and k not in now.bodies and now.has(k)
    ]
    keep = [
        (now.poses[item], k)
        for k, slot in enumerate(judge.slots(number, current))
        for item in slot.items
        if abs(now.poses[item].z - slot.pose.z) <= HEIGHT_TOLERANCE
    ]
    return find_site(places, others, None if anchor is None else now.poses[anchor], keep)


def _uses(goal: Goal, pattern: int) -> bool:
    return any(place.pattern == pattern for place in goal.places)
