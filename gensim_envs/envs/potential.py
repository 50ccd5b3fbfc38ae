"""The potential of the dense reward: how far the items of the goals are from their places.

A reward that adds the difference of a potential between two states keeps the order of policies (Ng,
Harada and Russell, "Policy invariance under reward transformations", 1999): whatever the way, an
episode earns the same difference between its end and its start.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike

from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import GROUPS, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.progress import GoalStatus
from gensim_envs.task.relations import bead_targets, crumbs_inside, outline, target_of
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.spots import group_targets

SHARE = 0.5
"""The potential of a state in which everything is infinitely far away, negated."""
_HALF = 0.1  # metres at which an item counts as half as far as can be


def potential(spec: TaskSpec, judge: Judge, status: GoalStatus, now: Snapshot) -> float:
    """The potential of a state at rest: 0 when solved, down to -SHARE.

    A goal weighs its items over the items of all goals. Goals that are met count 0, those that come
    later 1, and the current one the mean over its items of d / (d + 10 cm), where d is the distance
    of an item that is not in place to its nearest place, in the plane. A broken rule counts as if
    everything were infinitely far away.

    Args:
        spec: the task.
        judge: of the task.
        status: how far the episode has come.
        now: the state.
    """
    if status.current is None:
        return 0.0
    if status.violation:
        return -SHARE
    sizes = [len(goal.items) for goal in spec.goals]
    far = sum(sizes[status.current + 1 :]) + _far(spec, judge, status.current, now)
    return -SHARE * far / sum(sizes)


def _far(spec: TaskSpec, judge: Judge, number: int, now: Snapshot) -> float:
    """How far the items of a goal are, from 0 to their number; a pile or rope is one item."""
    goal = spec.goals[number]
    if goal.items[0] in now.bodies:
        goal = judge.soft_goal(number, now)
    first = goal.items[0]
    if goal.relation == "along":
        offset = now.bodies[first][:, :2] - bead_targets(spec, goal, now)
        return float(_scaled(np.linalg.norm(offset, axis=1)).mean())
    if first in now.bodies:
        base = goal.places[0].bases[0]
        crumbs = now.bodies[first]
        distance = shapely.distance(outline(spec, base, now), shapely.points(crumbs[:, :2]))
        return float(np.where(crumbs_inside(spec, base, crumbs, now), 0, _scaled(distance)).mean())
    if goal.relation in GROUPS:
        left = group_targets(spec, goal, now)
    else:
        todo = judge.assign(number, now).todo
        left = [(item, target_of(spec, goal, place, now)) for item, place in todo]
    distances = [now.poses[item].distance(target) for item, target in left if now.has(item)]
    return float(_scaled(np.array(distances)).sum())


def _scaled(distance: ArrayLike) -> Array:
    metres = np.asarray(distance, np.float64)
    return metres / (metres + _HALF)
