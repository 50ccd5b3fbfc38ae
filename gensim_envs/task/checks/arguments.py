"""Checks of single values that a program passes: numbers, counts, poses."""

from __future__ import annotations

import operator
from typing import Any

from gensim_envs.errors import TaskError
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import MAX_POSE


def check_number(name: str, value: Any, low: float, high: float) -> None:
    """Check that a value is a plain finite number from `low` to `high`."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not low <= value <= high:
        allowed = f"Give a number from {low:.4g} to {high:.4g}"
        raise TaskError(f"{name} is {value!r:.60}", allowed)


def check_count(name: str, value: Any) -> int:
    """Return a whole number of at least 1; NumPy's are accepted, True is not."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise TaskError(f"{name} is {value!r:.60}", "Give a whole number of at least 1")
    return count


def check_pose(name: str, pose: Any) -> None:
    """Check that a pose has finite numbers within the limits of a spec."""
    if not isinstance(pose, Pose):
        raise TaskError(f"{name} got {pose!r:.60}", "Give a Pose")
    for axis in ("x", "y", "z", "yaw"):
        value = getattr(pose, axis)
        check_number(f"{axis} of a pose in {name}", value, -MAX_POSE, MAX_POSE)
