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
from gensim_envs.task.assets import ASSETS, COLORS, Asset, Slot
from gensim_envs.task.goals import RELATIONS, Goal, Snapshot
from gensim_envs.task.pose import Pose
from gensim_envs.task.progress import GoalStatus
from gensim_envs.task.relations import bead_targets, target_of
from gensim_envs.task.spec import ItemSpec, TaskSpec

ObsMode = Literal["rgbd", "cameras", "state"]

_STATE_LIMIT = 2.0


def space(
    obs_mode: ObsMode, bounds: Mapping[str, int], privileged: bool = False
) -> spaces.Space[Any]:
    """The observation space of a task whose specs have these upper bounds."""
    if obs_mode == "state":
        shape = (StateLayout.of(bounds, privileged).size,)
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
    """The state vector (n,): every item and every slot of one, padded with zeros.

    Rows are sorted by what shows at the start: kind, variant, colour and position. So their order
    tells nothing about the goal, and each item keeps its row during an episode.

    Args:
        spec: the task as drawn.
        now: where everything is.
        verdict: how far the episode has come.
        pushes: whether the tool is the spatula.
        layout: of the vector.
    """
    vector, row = np.zeros(layout.size), 0
    goal = None if verdict.current is None else spec.goals[verdict.current]
    layout.episode.fill(vector, 0, 1, spatula=pushes)
    layout.goal.fill(
        vector, 0, 1, unsolved=goal is not None,
        goals_met=1 - verdict.goals_left / len(spec.goals), progress=verdict.progress,
    )  # fmt: skip
    for index in sorted(range(len(spec.items)), key=lambda k: _order(spec.items[k])):
        item = spec.items[index]
        count = max(1, len(item.bodies))
        in_goal = goal is not None and index in goal.items
        layout.in_goal.fill(vector, row, count, in_goal=in_goal)
        if index in now.bodies or now.has(index):
            positions, yaw = _bodies(spec, index, now)
            layout.items.fill(
                vector, row, count, **_look(item.asset), present=1.0, position=positions,
                yaw=(math.sin(yaw), math.cos(yaw)), size=item.asset.size,
                variant=item.asset.variant / 100,
            )  # fmt: skip
        row += count
    for row, (index, slot) in enumerate(_slots(spec)):
        if now.has(index):
            asset, pose = spec.items[index].asset, now.poses[index] @ slot.pose
            layout.places.fill(
                vector, row, 1, **_look(asset), **_posed(pose), present=1.0,
                base_variant=asset.variant / 100, variant=slot.variant / 100,
            )  # fmt: skip
    if goal is not None and layout.targets.rows:
        relation = [goal.relation == name for name in RELATIONS]
        for row, target in enumerate(_targets(spec, goal, now)):
            layout.targets.fill(
                vector, row, 1, **_posed(target), present=1.0, relation=relation
            )  # fmt: skip
    return np.clip(vector, -_STATE_LIMIT, _STATE_LIMIT).astype(np.float32)


def _order(item: ItemSpec, slot: Slot | None = None) -> tuple[Any, ...]:
    """What the row of an item, or of a slot of it, is sorted by."""
    pose = item.start if slot is None else item.start @ slot.pose
    variants = item.asset.variant, 0 if slot is None else slot.variant
    return _kind(item.asset), *variants, item.asset.color, item.asset.size, pose.x, pose.y, pose.z


def _slots(spec: TaskSpec) -> list[tuple[int, Slot]]:
    """The slots of all items, each with the item's index, in the order of their rows."""
    slots = [(k, slot) for k, item in enumerate(spec.items) for slot in item.asset.slots]
    return sorted(slots, key=lambda pair: _order(spec.items[pair[0]], pair[1]))


def _kind(asset: Asset) -> int:
    return list(ASSETS).index(type(asset).__name__)


def _look(asset: Asset) -> dict[str, Any]:
    color = [channel / 255 for channel in COLORS[asset.color]]
    return {"kind": _kind(asset) / 100, "color": color}


def _posed(pose: Pose) -> dict[str, Any]:
    yaw = math.sin(pose.yaw), math.cos(pose.yaw)
    return {"position": (pose.x, pose.y, pose.z), "yaw": yaw}


def _bodies(spec: TaskSpec, index: int, now: Snapshot) -> tuple[NDArray[np.float64], float]:
    """Undersides (k, 3) of the bodies of an item, and their yaw; 0 for beads and crumbs."""
    if index in now.bodies:
        return now.bodies[index] - (0.0, 0.0, spec.items[index].asset.height / 2), 0.0
    pose = now.poses[index]
    return np.array([[pose.x, pose.y, pose.z]]), pose.yaw


def _targets(spec: TaskSpec, goal: Goal, now: Snapshot) -> list[Pose]:
    """The places of a goal."""
    if goal.relation == "along":
        path = bead_targets(spec, goal, now)
        return [Pose(float(x), float(y)) for x, y in path]
    return [target_of(spec, goal, place, now) for place in goal.places]
