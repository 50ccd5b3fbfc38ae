"""What an action does: pick and place with the suction cup, push with the spatula.

Free space is crossed at once; only the stretches where something can touch something are
simulated, or searched for the first contact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pybullet as p

from gensim_envs.sim.arm.robot import BLADE_SIZE, CUP_RADIUS, Tool
from gensim_envs.sim.world import STEP, World
from gensim_envs.task.assets import Rope
from gensim_envs.task.goals import Array

_RAY_TOP = 0.8
_RIM = np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)]) * CUP_RADIUS
_CONTACT = 0.0002  # metres at which a descending thing is taken to touch
_CLEAR = 0.03  # metres above everything at which things are carried
_CARRY_SPEED = 0.25  # m/s of something that carries something else
_DRAG_SPEED = 0.15  # m/s of a rope's bead: faster, the rest of the rope swings
_DRAG_LIFT = 0.03  # metres to which a bead is lifted: higher, it pulls the other end along
_PUSH_SPEED = 0.5  # m/s


@dataclass(frozen=True)
class Touch:
    """What a cup that comes straight down meets first.

    Attributes:
        body: pybullet's id; the table's where nothing else is there.
        height: of the meeting point, metres.
    """

    body: int
    height: float


def first_touch(world: World, x: float, y: float) -> Touch:
    """The first thing under the cup's rim or middle at (x, y)."""
    ends = _RIM + (x, y)
    hits = p.rayTestBatch(
        [(a, b, _RAY_TOP) for a, b in ends], [(a, b, -0.01) for a, b in ends],
        physicsClientId=world.client,
    )  # fmt: skip
    best = max(
        (hit for hit in hits if hit[0] >= 0), key=lambda hit: round(hit[3][2], 5), default=None
    )
    return Touch(world.table, 0.0) if best is None else Touch(best[0], best[3][2])


def pick_and_place(world: World, action: Array) -> bool:
    """Pick at one point, place at another; (6,) as in the env's action space.

    The cup grasps what it first touches. The thing keeps its offset from the cup, turns by place
    yaw minus pick yaw, goes down at the place until it first touches something, and is let go.

    Returns:
        Whether everything is at rest.
    """
    pick, place = action[:2], action[3:5]
    touch = first_touch(world, *pick)
    _descend(world, np.array([*pick, touch.height, action[2]]))
    item = world.item_of(touch.body)
    if item is None or world.spec.items[item].fixed:
        return True
    if isinstance(world.spec.items[item].asset, Rope):
        _drag(world, touch.body, pick, place)
    elif _carries(world, touch.body):
        _carry(world, touch.body, action, touch.height)
    else:
        _move(world, touch.body, action, touch.height)
    return world.settle()


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
    tops = [p.getAABB(b, physicsClientId=world.client)[1][2] for b in world.movable()]
    return float(min(0.25, max([0.1, *tops]) + 0.08))


def _turned(world: World, body: int, action: Array) -> tuple[Array, Array]:
    """Middle (3,) and orientation (4,) of a held body above its place, at its present height."""
    position, turn = world.body_pose(body)
    angle = float(action[5] - action[2])
    c, s = math.cos(angle), math.sin(angle)
    x, y = position[:2] - action[:2]
    target = np.array([action[3] + c * x - s * y, action[4] + s * x + c * y, position[2]])
    spin = (0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2))
    _, turned = p.multiplyTransforms((0, 0, 0), spin, (0, 0, 0), turn)
    return target, np.array(turned)


def _carries(world: World, body: int) -> bool:
    """Whether another movable thing rests on or in this one."""
    for contact in p.getContactPoints(body, physicsClientId=world.client):
        other = world.item_of(contact[2])
        if other is None or world.spec.items[other].fixed:
            continue
        # The normal points from the other body to this one: down means it lies on this one.
        if contact[7][2] < -0.3:
            return True
    return False


class _Grip:
    """Holds a body by a joint to an anchor that is led along; the body is simulated.

    Args:
        joint: pybullet's joint type: a point lets the body swing, a fixed joint does not.
    """

    def __init__(self, world: World, body: int, joint: int) -> None:
        self._client = world.client
        position, turn = p.getBasePositionAndOrientation(body, physicsClientId=self._client)
        shape = p.createCollisionShape(p.GEOM_SPHERE, radius=0.001, physicsClientId=self._client)
        self._anchor = p.createMultiBody(
            0, shape, world.unseen, position, turn, useMaximalCoordinates=True,
            physicsClientId=self._client,
        )  # fmt: skip
        p.setCollisionFilterGroupMask(self._anchor, -1, 0, 0, physicsClientId=self._client)
        self._joint = p.createConstraint(
            body, -1, self._anchor, -1, joint, [0, 0, 0], [0, 0, 0], [0, 0, 0],
            physicsClientId=self._client,
        )  # fmt: skip

    def lead(self, position: Array, turn: Array) -> None:
        """Move the anchor."""
        p.resetBasePositionAndOrientation(
            self._anchor, position, turn, physicsClientId=self._client
        )

    def release(self) -> None:
        """Let go."""
        p.removeConstraint(self._joint, physicsClientId=self._client)
        p.removeBody(self._anchor, physicsClientId=self._client)


def _set(world: World, body: int, position: Array, turn: Array) -> None:
    p.resetBasePositionAndOrientation(body, position, turn, physicsClientId=world.client)
    p.resetBaseVelocity(body, (0, 0, 0), (0, 0, 0), physicsClientId=world.client)


def _move(world: World, body: int, action: Array, touch_height: float) -> None:
    """Carry a single thing through free space and lower it to the first contact."""
    (px, py, pick_yaw), (qx, qy, place_yaw) = action[:3], action[3:]
    tip_above = touch_height - world.body_pose(body)[0][2]
    target, turn = _turned(world, body, action)
    watcher = world.watcher
    high = 0.0 if watcher is None else _travel_height(world)
    if watcher is not None:
        watcher.grasp(body)
        watcher.glide(np.array([px, py, high, pick_yaw]), "suction")
    if _touches_movable(world, body):
        # What leaned on it falls before it is put down somewhere else.
        _set(world, body, np.array([target[0], target[1], 2.0]), turn)
        grip = _Grip(world, body, p.JOINT_FIXED)
        world.settle()
        grip.release()
    end = lower(world, body, target, turn)
    if watcher is not None:
        low = np.array([qx, qy, end[2] + tip_above, place_yaw])
        watcher.glide(np.array([qx, qy, high, place_yaw]), "suction")
        watcher.glide(low, "suction")
        watcher.release()
        _rise(world, low)


def _touches_movable(world: World, body: int) -> bool:
    touching = {c[2] for c in p.getContactPoints(body, physicsClientId=world.client)}
    items = (world.item_of(other) for other in touching)
    return any(item is not None and not world.spec.items[item].fixed for item in items)


def lower(world: World, body: int, target: Array, turn: Array) -> Array:
    """Put a body straight down at (x, y) of `target` (3,) until it first touches something.

    Returns:
        Where its middle is then, (3,).
    """
    _set(world, body, np.array([target[0], target[1], 1.0]), turn)
    low, high = p.getAABB(body, physicsClientId=world.client)
    below = 1.0 - low[2]  # from the body's middle to its lowest point
    found = p.getOverlappingObjects(
        (low[0], low[1], -0.02), (high[0], high[1], 0.9), physicsClientId=world.client
    )
    others = sorted({b for b, _ in found or ()} - {body, world.table})
    tops = [p.getAABB(b, physicsClientId=world.client)[1][2] for b in others]
    z = below + max([0.0, *tops]) + 0.001
    while z > below + _CONTACT:
        _set(world, body, np.array([target[0], target[1], z]), turn)
        gaps = [z - below]
        for other in others:
            near = p.getClosestPoints(body, other, z - below, physicsClientId=world.client)
            gaps += [point[8] for point in near]
        gap = min(gaps)
        if gap <= _CONTACT:
            break
        z -= max(gap - _CONTACT / 2, _CONTACT)
    end = np.array([target[0], target[1], max(z, below)])
    _set(world, body, end, turn)
    return end


def _drag(world: World, bead: int, pick: Array, place: Array) -> None:
    """Lift one bead a little, draw it to the place and let it go; the rope follows."""
    start, turn = world.body_pose(bead)
    grip = _Grip(world, bead, p.JOINT_POINT2POINT)
    end = np.array([*(start[:2] + place - pick), start[2]])
    way = float(np.linalg.norm(end - start))
    up = np.array([0, 0, min(_DRAG_LIFT, 0.008 + 0.3 * way)])
    tip = np.array([*(pick - start[:2]), 0.006, 0.0])  # of the cup, from the bead's middle
    for a, b in ((start, start + up), (start + up, end + up), (end + up, end)):
        count = max(1, math.ceil(float(np.linalg.norm(b - a)) / (_DRAG_SPEED * STEP)))
        for k in range(1, count + 1):
            pivot = a + (b - a) * k / count
            grip.lead(pivot, turn)
            world.step(tip=np.array([*pivot, 0.0]) + tip)
    grip.release()
    _rise(world, np.array([*place, 0.0, 0.0]))


def _carry(world: World, body: int, action: Array, touch_height: float) -> None:
    """Carry something that carries something else, all of it simulated."""
    start, turn = world.body_pose(body)
    end, end_turn = _turned(world, body, action)
    tops = [p.getAABB(b, physicsClientId=world.client)[1][2] for b in world.movable()]
    up = np.array([0, 0, max(tops) + _CLEAR])
    grip = _Grip(world, body, p.JOINT_FIXED)
    lowest = start[2] - p.getAABB(body, physicsClientId=world.client)[0][2]
    ground = np.array([end[0], end[1], lowest])
    legs = ((start, start + up, turn, turn), (start + up, end + up, turn, end_turn),
            (end + up, ground, end_turn, end_turn))  # fmt: skip
    tips = np.array([action[:3], action[:3], action[3:], action[3:]])
    for number, (a, b, from_turn, to_turn) in enumerate(legs):
        count = max(1, math.ceil(float(np.linalg.norm(b - a)) / (_CARRY_SPEED * STEP)))
        for k in range(1, count + 1):
            orientation = p.getQuaternionSlerp(from_turn.tolist(), to_turn.tolist(), k / count)
            grip.lead(a + (b - a) * k / count, orientation)
            x, y, yaw = tips[number] + (tips[number + 1] - tips[number]) * k / count
            z = touch_height - start[2] + (a + (b - a) * k / count)[2]
            world.step(tip=np.array([x, y, z, yaw]))
            if number == 2 and _rests(world, body):
                break
    grip.release()
    _rise(world, np.array([action[3], action[4], 0.0, action[5]]))


def _rests(world: World, body: int) -> bool:
    """Whether something under a body holds it up."""
    contacts = p.getContactPoints(body, physicsClientId=world.client)
    return any(contact[7][2] > 0.3 and contact[8] <= 0 for contact in contacts)


def push(world: World, action: Array) -> bool:
    """Draw the spatula's blade, square to its path, from (x, y) to (x, y).

    Returns:
        Whether everything is at rest.
    """
    start, end = action[:2], action[3:5]
    path = end - start
    length = float(np.linalg.norm(path))
    if length < 1e-6:
        return True
    yaw = math.atan2(path[1], path[0])
    turn = np.array(p.getQuaternionFromEuler((0, 0, yaw)))
    shape = p.createCollisionShape(
        p.GEOM_BOX, halfExtents=[side / 2 for side in BLADE_SIZE], physicsClientId=world.client
    )
    blade = p.createMultiBody(
        1.0,
        shape,
        world.unseen,
        [0.5, 0, 1.5],
        useMaximalCoordinates=True,
        physicsClientId=world.client,
    )
    lower(world, blade, np.array([*start, 0.0]), turn)
    a, _ = world.body_pose(blade)
    _descend(world, np.array([*start, a[2] - BLADE_SIZE[2] / 2, yaw]), "spatula")
    a[2] += 0.001  # clear of the table, whose friction would hold it back
    b = np.array([*end, a[2]])
    count = math.ceil(length / (_PUSH_SPEED * STEP))
    first = _first_near(world, blade, a, b, count)
    _set(world, blade, a + (b - a) * (first - 1) / count, turn)
    grip = _Grip(world, blade, p.JOINT_FIXED)
    for k in range(first, count + 1):
        grip.lead(a + (b - a) * k / count, turn)
        tip = np.array([*(a + (b - a) * k / count), yaw]) - (0, 0, BLADE_SIZE[2] / 2, 0)
        world.step(tip=tip, tool="spatula")
    grip.release()
    p.removeBody(blade, physicsClientId=world.client)
    _rise(world, np.array([*end, 0.0, yaw]), "spatula")
    return world.settle()


def _first_near(world: World, blade: int, a: Array, b: Array, count: int) -> int:
    """The first of `count` steps from a to b on which the blade comes near anything."""
    low, high = (np.array(corner) for corner in p.getAABB(blade, physicsClientId=world.client))
    middle, _ = world.body_pose(blade)
    for k in range(1, count + 1):
        shift = a + (b - a) * k / count - middle
        found = p.getOverlappingObjects(
            (low + shift - 0.01).tolist(), (high + shift + 0.01).tolist(),
            physicsClientId=world.client,
        )  # fmt: skip
        if {body for body, _ in found or ()} - {blade, world.table}:
            return k
    return count
