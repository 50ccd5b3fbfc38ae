"""What an agent observes: the table from above, views from its sides, or a vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.envs.depth_noise import sense
from gensim_envs.sim.cameras import CAMERAS, VIEW_SHAPE, Sight, look
from gensim_envs.sim.views import SHAPE
from gensim_envs.sim.world import World
from gensim_envs.task.assets import ASSETS, COLORS
from gensim_envs.task.goals import Goal, Snapshot, Verdict, bead_targets, target_of
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import TaskSpec

ObsMode = Literal["rgbd", "cameras", "state"]

_ITEM_ROW, _TARGET_ROW, _GLOBALS = 15, 10, 4
_RELATIONS = ("at", "on", "inside", "along")
_STATE_LIMIT = 2.0


def space(obs_mode: ObsMode, bounds: Mapping[str, int]) -> spaces.Space[Any]:
    """The observation space of a task whose specs have these upper bounds."""
    if obs_mode == "state":
        size = _GLOBALS + bounds["items"] * _ITEM_ROW + bounds["targets"] * _TARGET_ROW
        return spaces.Box(-_STATE_LIMIT, _STATE_LIMIT, (size,), np.float32)
    if obs_mode == "cameras":
        shape = (len(CAMERAS), *VIEW_SHAPE)
        return spaces.Dict(
            {
                "color": spaces.Box(0, 255, (*shape, 3), np.uint8),
                "depth": spaces.Box(0.0, 4.0, shape, np.float32),
            }
        )
    return spaces.Dict(
        {
            "color": spaces.Box(0, 255, (*SHAPE, 3), np.uint8),
            "height": spaces.Box(-0.2, 1.0, SHAPE, np.float32),
        }
    )


def from_above(world: World, sight: Sight) -> dict[str, NDArray[Any]]:
    """The table from above: color (160, 320, 3) and height (160, 320)."""
    view = world.top_down(sight)
    return {"color": view.color, "height": view.height}


def from_the_sides(
    world: World, sight: Sight, noise: np.random.Generator | None
) -> dict[str, NDArray[Any]]:
    """The views of all cameras: color (3, 480, 640, 3) and depth (3, 480, 640).

    Args:
        world: what is looked at.
        sight: how it is seen.
        noise: draws the noise of the sensors; None for perfect ones.
    """
    views = [look(world.client, name, sight) for name in CAMERAS]
    color, depth = (np.stack(parts) for parts in zip(*views, strict=True))
    if noise is not None:
        color, depth = sense(color, depth, noise)
    return {"color": color, "depth": depth}


def calibration() -> dict[str, dict[str, NDArray[np.float64]]]:
    """What `info["cameras"]` says of each: "intrinsics" (3, 3), "world_from_camera" (4, 4)."""
    return {
        name: {"intrinsics": camera.intrinsics, "world_from_camera": camera.world_from_camera}
        for name, camera in CAMERAS.items()
    }


def state(
    spec: TaskSpec, now: Snapshot, verdict: Verdict, pushes: bool, bounds: Mapping[str, int]
) -> NDArray[np.float32]:
    """Every body and every place of the current goal, padded; see docs/environments.md.

    Args:
        spec: the task as drawn.
        now: where everything is.
        verdict: how far the episode has come.
        pushes: whether the tool is the spatula.
        bounds: upper bounds, as for `space`.
    """
    goal = None if verdict.current is None else spec.goals[verdict.current]
    done = 1 - verdict.goals_left / len(spec.goals)
    rows = [[float(goal is not None), done, float(pushes), verdict.progress]]
    for index, item in enumerate(spec.items):
        mine = float(goal is not None and index in goal.items)
        kind = list(ASSETS).index(type(item.asset).__name__) / 100
        hue = [c / 255 for c in COLORS[item.asset.color]]
        pose = now.poses[index]
        places = [(pose.x, pose.y, pose.z, pose.yaw)]
        if index in now.bodies:
            low = item.asset.height / 2
            places = [(x, y, z - low, 0.0) for x, y, z in now.bodies[index]]
        for x, y, z, yaw in places:
            rows.append([1.0, mine, kind, *hue, x, y, z, math.sin(yaw), math.cos(yaw),
                         *item.asset.size, item.asset.variant / 100])  # fmt: skip
    targets = np.zeros((0, _TARGET_ROW)) if goal is None else _targets(spec, goal, now)
    at = _GLOBALS + bounds["items"] * _ITEM_ROW
    vector = np.zeros(at + bounds["targets"] * _TARGET_ROW)
    flat = [value for row in rows for value in row]
    vector[: len(flat)] = flat
    vector[at : at + targets.size] = targets.ravel()
    return np.clip(vector, -_STATE_LIMIT, _STATE_LIMIT).astype(np.float32)


def _targets(spec: TaskSpec, goal: Goal, now: Snapshot) -> NDArray[np.float64]:
    """Places of the current goal, (k, 10)."""
    relation = [float(goal.relation == name) for name in _RELATIONS]
    if goal.relation == "along":
        ways = bead_targets(goal, now.bodies[goal.items[0]])
        poses = [Pose(float(x), float(y)) for x, y in ways]
    else:
        poses = [target_of(spec, goal, place, now) for place in goal.places]
    return np.array(
        [[1.0, *relation, q.x, q.y, q.z, math.sin(q.yaw), math.cos(q.yaw)] for q in poses]
    )
