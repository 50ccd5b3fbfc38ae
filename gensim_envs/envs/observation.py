"""Observations: the table from above, images of three cameras, or a state vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.envs.depth_noise import add_noise
from gensim_envs.envs.state_layout import StateLayout
from gensim_envs.sim.cameras import CAMERAS, VIEW_SHAPE, ViewConditions, render_camera
from gensim_envs.sim.views import SHAPE
from gensim_envs.sim.world import World
from gensim_envs.task.assets import ASSETS, COLORS
from gensim_envs.task.goals import RELATIONS, Goal, Snapshot
from gensim_envs.task.pose import Pose
from gensim_envs.task.progress import GoalStatus
from gensim_envs.task.relations import bead_targets, target_of
from gensim_envs.task.spec import TaskSpec

ObsMode = Literal["rgbd", "cameras", "state"]

_STATE_LIMIT = 2.0


def space(obs_mode: ObsMode, bounds: Mapping[str, int]) -> spaces.Space[Any]:
    """The observation space of a task whose specs have these upper bounds."""
    if obs_mode == "state":
        shape = (StateLayout.of(bounds).size,)
        return spaces.Box(-_STATE_LIMIT, _STATE_LIMIT, shape, np.float32)
    if obs_mode == "cameras":
        views = (len(CAMERAS), *VIEW_SHAPE)
        return spaces.Dict(
            {
                "color": spaces.Box(0, 255, (*views, 3), np.uint8),
                "depth": spaces.Box(0.0, 4.0, views, np.float32),
            }
        )
    return spaces.Dict(
        {
            "color": spaces.Box(0, 255, (*SHAPE, 3), np.uint8),
            "height": spaces.Box(-0.2, 1.0, SHAPE, np.float32),
        }
    )


def rgbd_observation(world: World, view: ViewConditions) -> dict[str, NDArray[Any]]:
    """The table from above: color (160, 320, 3) and height (160, 320)."""
    image = world.top_down(view)
    return {"color": image.color, "height": image.height}


def camera_observation(
    world: World, view: ViewConditions, noise: np.random.Generator | None
) -> dict[str, NDArray[Any]]:
    """The images of all cameras: color (3, 480, 640, 3) and depth (3, 480, 640).

    Args:
        world: the scene.
        view: light and camera errors.
        noise: draws the noise of the cameras; None for perfect cameras.
    """
    images = [render_camera(world.client, name, view) for name in CAMERAS]
    color, depth = (np.stack(parts) for parts in zip(*images, strict=True))
    if noise is not None:
        color, depth = add_noise(color, depth, noise)
    return {"color": color, "depth": depth}


def calibration() -> dict[str, dict[str, NDArray[np.float64]]]:
    """The value of `info["cameras"]`: each camera's nominal intrinsics (3, 3) and pose (4, 4)."""
    return {
        name: {"intrinsics": camera.intrinsics, "world_from_camera": camera.world_from_camera}
        for name, camera in CAMERAS.items()
    }


def state_observation(
    spec: TaskSpec, now: Snapshot, verdict: GoalStatus, pushes: bool, layout: StateLayout
) -> NDArray[np.float32]:
    """The state vector (n,): every body and every place of the current goal, padded with zeros.

    Args:
        spec: the task as drawn.
        now: where everything is.
        verdict: how far the episode has come.
        pushes: whether the tool is the spatula.
        layout: of the vector.
    """
    goal = None if verdict.current is None else spec.goals[verdict.current]
    vector = np.zeros(layout.size)
    layout.episode.fill(
        vector, 0, 1, unsolved=goal is not None,
        goals_met=1 - verdict.goals_left / len(spec.goals), spatula=pushes,
        progress=verdict.progress,
    )  # fmt: skip
    row = 0
    for index, item in enumerate(spec.items):
        asset, pose = item.asset, now.poses[index]
        positions, yaw = np.array([[pose.x, pose.y, pose.z]]), pose.yaw
        if index in now.bodies:
            positions, yaw = now.bodies[index] - (0.0, 0.0, asset.height / 2), 0.0
        layout.items.fill(
            vector, row, len(positions), present=1.0,
            in_goal=goal is not None and index in goal.items,
            kind=list(ASSETS).index(type(asset).__name__) / 100,
            color=[channel / 255 for channel in COLORS[asset.color]], position=positions,
            yaw=(math.sin(yaw), math.cos(yaw)), size=asset.size, variant=asset.variant / 100,
        )  # fmt: skip
        row += len(positions)
    for number, target in enumerate([] if goal is None else _targets(spec, goal, now)):
        layout.targets.fill(
            vector, number, 1, present=1.0,
            relation=[goal is not None and goal.relation == name for name in RELATIONS],
            position=(target.x, target.y, target.z),
            yaw=(math.sin(target.yaw), math.cos(target.yaw)),
        )  # fmt: skip
    return np.clip(vector, -_STATE_LIMIT, _STATE_LIMIT).astype(np.float32)


def _targets(spec: TaskSpec, goal: Goal, now: Snapshot) -> list[Pose]:
    """The places of a goal."""
    if goal.relation == "along":
        path = bead_targets(spec, goal, now)
        return [Pose(float(x), float(y)) for x, y in path]
    return [target_of(spec, goal, place, now) for place in goal.places]
