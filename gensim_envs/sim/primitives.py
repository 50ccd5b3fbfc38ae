"""Actions in direct motion: pick and place with the suction cup, push with the spatula.

Free space is crossed at once. Only the stretches where something can touch something are simulated,
or searched for the first contact.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pybullet as p

from gensim_envs.sim import bodies
from gensim_envs.sim.arm.robot import BLADE_SIZE, Tool
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Rope
from gensim_envs.task.geometry import Array

_DRAG_SPEED = 0.4  # m/s of a bead, up and along
_LOWER_SPEED = 0.2  # m/s: faster, a bead is let go while the rope still pulls at it
_DRAG_LIFT = 0.03  # metres to which a bead is lifted: higher, it pulls the other end along


def pick_and_place(world: World, action: Array) -> bool:
    """Pick at one point, place at another; (6,) as in the env's action space.

    The cup grasps what it first touches. The body keeps its offset from the cup, rotates by place
    yaw minus pick yaw, goes down at the place until it first touches something, and is let go.

    Returns:
        Whether everything is at rest.
    """
    world.sleep_soft()
    pick, place = action[:2], action[3:5]
    touch = bodies.first_touch(world, *pick)
    _descend(world, np.array([*pick, touch.height, action[2]]))
    item = world.item_of(touch.body)
    if item is None or not world.is_movable(touch.body):
        return True
    if isinstance(world.spec.items[item].asset, Rope):
        world.wake_soft(world.bodies[item])
        _drag(world, touch.body, pick, place)
    elif len(bodies.with_load(world, touch.body)) > 1:
        _carry(world, touch.body, action, touch.height)
    else:
        _move(world, touch.body, action, touch.height)
    return world.settle()


def push(world: World, action: Array) -> bool:
    """Push with the spatula's blade, square to its path, from (x, y) to (x, y).

    Returns:
        Whether everything is at rest.
    """
    start, end = action[:2], action[3:5]
    path = end - start
    length = float(np.linalg.norm(path))
    if length < 1e-6:
        return True
    world.sleep_soft()
    yaw = math.atan2(path[1], path[0])
    orientation = np.array(p.getQuaternionFromEuler((0, 0, yaw)))
    half = [side / 2 for side in BLADE_SIZE]
    shape = world.client.createCollisionShape(p.GEOM_BOX, halfExtents=half)
    blade = world.client.createMultiBody(
        1.0, shape, world.invisible, [0.5, 0, 1.5], useMaximalCoordinates=True
    )
    bodies.lower(world, blade, np.array([*start, 0.0]), orientation)
    a, _ = world.body_pose(blade)
    _descend(world, np.array([*start, a[2] - BLADE_SIZE[2] / 2, yaw]), "spatula")
    a[2] += 0.001  # clear of the table, whose friction would hold it back
    b = np.array([*end, a[2]])
    count = math.ceil(length / (bodies.PUSH_SPEED * world.time_step))
    first = _first_near(world, blade, a, b, count)
    bodies.set_pose(world, blade, a + (b - a) * (first - 1) / count, orientation)
    grip = bodies.Grip(world, blade, p.JOINT_FIXED)
    for k in range(first, count + 1):
        middle = a + (b - a) * k / count
        grip.move(middle, orientation)
        world.step(tip=np.array([*middle, yaw]) - (0, 0, BLADE_SIZE[2] / 2, 0), tool="spatula")
    grip.release()
    world.client.removeBody(blade)
    _rise(world, np.array([*end, 0.0, yaw]), "spatula")
    return world.settle()


def _first_near(world: World, blade: int, a: Array, b: Array, count: int) -> int:
    """The first of `count` steps from a to b at which the blade is near another body."""
    low, high = (np.array(corner) for corner in world.client.getAABB(blade))
    middle, _ = world.body_pose(blade)
    for k in range(1, count + 1):
        shift = a + (b - a) * k / count - middle
        found = world.client.getOverlappingObjects(
            (low + shift - 0.01).tolist(), (high + shift + 0.01).tolist()
        )
        if {body for body, _ in found or ()} - {blade, world.table}:
            return k
    return count


def _move(world: World, body: int, action: Array, touch_height: float) -> None:
    """Move a single body through free space and lower it to the first contact."""
    (px, py, pick_yaw), (qx, qy, place_yaw) = action[:3], action[3:]
    tip_above = touch_height - world.body_pose(body)[0][2]
    target, orientation = _target_pose(world, body, action)
    watcher = world.watcher
    high = 0.0 if watcher is None else _travel_height(world)
    if watcher is not None:
        watcher.grasp(body)
        watcher.glide(np.array([px, py, high, pick_yaw]), "suction")
    if bodies.touches_movable(world, body):
        world.wake_soft()
        # What leaned on it falls before it is put down somewhere else.
        bodies.set_pose(world, body, np.array([target[0], target[1], 2.0]), orientation)
        grip = bodies.Grip(world, body, p.JOINT_FIXED)
        world.settle()
        grip.release()
    end = bodies.lower(world, body, target, orientation)
    if watcher is not None:
        low = np.array([qx, qy, end[2] + tip_above, place_yaw])
        watcher.glide(np.array([qx, qy, high, place_yaw]), "suction")
        watcher.glide(low, "suction")
        watcher.release()
        _rise(world, low)


def _drag(world: World, bead: int, pick: Array, place: Array) -> None:
    """Lift a bead a little, drag it to the place and let it go; the rope follows."""
    start, rotation = world.body_pose(bead)
    orientation = rotation.tolist()  # pybullet reads lists faster than arrays
    grip = bodies.Grip(world, bead, p.JOINT_POINT2POINT)
    end = np.array([*(start[:2] + place - pick), start[2]])
    distance = float(np.linalg.norm(end - start))
    height = min(_DRAG_LIFT, 0.008 + 0.3 * distance)
    tip = np.array([*(pick - start[:2]), 0.006, 0.0])  # of the cup, from the bead's middle
    up = np.array([0, 0, height])
    corners = [start, start + up, end + up, end]
    speeds = (_DRAG_SPEED, _DRAG_SPEED, _LOWER_SPEED)
    for (a, b), speed in zip(itertools.pairwise(corners), speeds, strict=True):
        count = max(1, math.ceil(float(np.linalg.norm(b - a)) / (speed * world.time_step)))
        for pivot in a + (b - a) * np.arange(1, count + 1)[:, None] / count:
            grip.move(pivot.tolist(), orientation)
            world.step(tip=None if world.watcher is None else np.array([*pivot, 0.0]) + tip)
    grip.release()
    _rise(world, np.array([*place, 0.0, 0.0]))


def _carry(world: World, body: int, action: Array, touch_height: float) -> None:
    """Carry a body that carries others; all of the motion is simulated."""
    start, orientation = world.body_pose(body)
    end, end_orientation = _target_pose(world, body, action)
    up = np.array([0, 0, _top(world) + bodies.CLEARANCE])
    grip = bodies.Grip(world, body, p.JOINT_FIXED)
    lowest = start[2] - world.client.getAABB(body)[0][2]
    ground = np.array([end[0], end[1], lowest])
    legs = (
        (start, start + up, orientation, orientation),
        (start + up, end + up, orientation, end_orientation),
        (end + up, ground, end_orientation, end_orientation),
    )
    tips = np.array([action[:3], action[:3], action[3:], action[3:]])
    for number, (a, b, before, after) in enumerate(legs):
        count = max(
            1, math.ceil(float(np.linalg.norm(b - a)) / (bodies.CARRY_SPEED * world.time_step))
        )
        for k in range(1, count + 1):
            middle = a + (b - a) * k / count
            grip.move(middle, p.getQuaternionSlerp(before.tolist(), after.tolist(), k / count))
            x, y, yaw = tips[number] + (tips[number + 1] - tips[number]) * k / count
            z = touch_height - start[2] + middle[2]
            world.step(tip=np.array([x, y, z, yaw]))
            if number == 2 and bodies.is_supported(world, body):
                break
    grip.release()
    _rise(world, np.array([action[3], action[4], 0.0, action[5]]))


def _target_pose(world: World, body: int, action: Array) -> tuple[Array, Array]:
    """Position (3,) and orientation (4,) of a held body above its place, at its current height."""
    position, orientation = world.body_pose(body)
    angle = float(action[5] - action[2])
    c, s = math.cos(angle), math.sin(angle)
    x, y = position[:2] - action[:2]
    target = np.array([action[3] + c * x - s * y, action[4] + s * x + c * y, position[2]])
    rotation = (0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2))
    _, rotated = p.multiplyTransforms((0, 0, 0), rotation, (0, 0, 0), orientation)
    return target, np.array(rotated)


# What a watcher sees of the tool in free space, which is not simulated.


def _descend(world: World, tip: Array, tool: Tool = "suction") -> None:
    """Show a watcher how the empty tool comes down to `tip` (x, y, z, yaw) from above."""
    if world.watcher is not None:
        _rise(world, tip, tool)
        world.watcher.glide(tip, tool)


def _rise(world: World, tip: Array, tool: Tool = "suction") -> None:
    """Show a watcher the empty tool high above `tip` (x, y, z, yaw)."""
    if world.watcher is not None:
        above = np.array([tip[0], tip[1], _travel_height(world), tip[3]])
        world.watcher.glide(above, tool)


def _travel_height(world: World) -> float:
    """Above everything, as far as the arm reaches, metres."""
    return min(0.25, max(0.1, _top(world)) + 0.08)


def _top(world: World) -> float:
    """The highest point of all movable bodies, metres."""
    return max((float(world.client.getAABB(body)[1][2]) for body in world.movable()), default=0.0)
