"""Actions with the arm: the whole motion is simulated, joint by joint.

These are the same actions as in `primitives.py`, which moves things without an arm.
"""

from __future__ import annotations

import math

import numpy as np

from gensim_envs.sim import bodies
from gensim_envs.sim.arm.dynamics import HOME, Arm
from gensim_envs.sim.arm.robot import LIMITS, Tool, highest, inverse
from gensim_envs.sim.arm.trajectory import Path, arc, line, plan, rounded
from gensim_envs.sim.client import STEP
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Rope
from gensim_envs.task.geometry import Array
from gensim_envs.task.pose import wrap

_GAP = 0.001  # metres that the cup's soft lip bridges, so that the stiff part presses on nothing
_CARRY_ACCELERATION = 1.0  # m/s^2 of a body that carries others
# Metres to which a bead is lifted, at least and at most: a rope that hangs from it curls up when it
# is put down.
_DRAG_LIFT = (0.006, 0.012)
_DRAG_ROUND = 0.004  # metres of rounding of the path's corners: if it stopped, a rope would curl up
_DRAG_FORCE = 2.0  # N with which the cup holds a bead: more would press beads on each other
_LOOK = 0.05  # metres around a descending body within which others are considered
_CREEP, _BRAKE = 0.02, 8.0  # m/s at contact, and 1/s: gain of speed with distance
_STRAIN = 0.01  # rad: in free motion the joints miss their targets by a thousandth of that
_UNDER = 0.005  # metres below the table at which a descent ends if nothing is touched


class _Stopped(Exception):
    """An immovable obstacle stops the arm, as a real arm's safety system would."""


def pick_and_place(world: World, action: Array) -> bool:
    """Pick at one point, place at another; (6,) as in the env's action space.

    The cup grasps what it first touches, and lets go where that, or what it carries, first meets
    something.

    Returns:
        Whether everything is at rest.
    """
    arm = _arm(world, "suction")
    touch = bodies.first_touch(world, *action[:2])
    item = world.item_of(touch.body)
    angle = wrap(float(action[5] - action[2]))
    yaw = _unwrapped_yaw((*action[:2], action[2]), (*action[3:5], action[2] + angle), math.tau)
    place = np.array([*action[3:5], 0.0, yaw + angle])
    arm.may_touch = {touch.body} if item is None else set(world.bodies[item])
    try:
        _approach(world, arm, np.array([*action[:2], touch.height + _GAP, yaw]))
        if item is not None and world.is_movable(touch.body):
            rope = isinstance(world.spec.items[item].asset, Rope)
            (_drag if rope else _carry)(world, arm, touch.body, place)
    except _Stopped:
        arm.release()
    return _retreat(world, arm)


def push(world: World, action: Array) -> bool:
    """Push with the spatula's blade, square to its path, from (x, y) to (x, y).

    Returns:
        Whether everything is at rest.
    """
    arm = _arm(world, "spatula")
    start, end = action[:2], action[3:5]
    if float(np.linalg.norm(end - start)) < 1e-6:
        return True
    yaw = math.atan2(end[1] - start[1], end[0] - start[0])
    yaw = _unwrapped_yaw((*start, yaw), (*end, yaw), math.pi)
    arm.may_touch = set(world.movable())
    try:
        _approach(world, arm, np.array([*start, _clear_height(world, set()), yaw]))
        _lower(world, arm, set())
        a = arm.tip + (0, 0, 0.001, 0)  # clear of the table, whose friction would hold it back
        _go(world, arm, line(arm.tip, a))
        _go(world, arm, line(a, (*end, a[2], yaw)), bodies.PUSH_SPEED)
    except _Stopped:
        pass  # the arm leaves the obstacle there
    return _retreat(world, arm)


def _arm(world: World, tool: Tool) -> Arm:
    """The arm, with this tool.

    Raises:
        RuntimeError: the world has no arm.
    """
    if world.arm is None:
        raise RuntimeError("this world has no arm; create it with World(with_arm=True)")
    world.arm.begin(tool)
    return world.arm


def _unwrapped_yaw(a: tuple[float, ...], b: tuple[float, ...], period: float) -> float:
    """The yaw at `a` from which the last joint can rotate to `b`; both are (x, y, yaw).

    Equivalent yaws are a whole number of periods apart. This is the one nearest to the home yaw for
    which the last joint stays within its limits.
    """
    without_yaw = np.array([inverse((x, y, 0.1), 0.0)[5] for x, y, _ in (a, b)])
    yaws = np.array([a[2], b[2]]) + np.arange(-4, 5)[:, None] * period
    possible = yaws[(np.abs(without_yaw - yaws) <= LIMITS.position[5]).all(axis=1), 0]
    return float(min(possible, key=abs))


def _go(
    world: World, arm: Arm, path: Path, speed: float = math.inf, acceleration: float = math.inf
) -> None:
    """Follow a whole path, which starts at the tip.

    Raises:
        _Stopped: an obstacle stops the arm.
    """
    for tip in plan(path, arm.target, speed, acceleration):
        _move(world, arm, tip)
        if arm.strain > _STRAIN:
            raise _Stopped


def _move(world: World, arm: Arm, tip: Array) -> None:
    """Move the tip for one simulation step."""
    arm.command(tip)
    world.step()


def _clear_height(world: World, held: set[int]) -> float:
    """Above everything that is not held, metres."""
    tops = [
        world.client.getAABB(body)[1][2]
        for item, bodies in enumerate(world.bodies)
        if not world.spec.geometry(item).flat
        for body in bodies
        if body not in held
    ]
    return float(max([0.0, *tops])) + bodies.CLEARANCE


def _at(tip: Array, height: float) -> Array:
    """A tip (4,) at this height, or as high as the arm reaches there."""
    return np.array([*tip[:2], min(height, highest(tip[0], tip[1])), tip[3]])


def _approach(world: World, arm: Arm, tip: Array) -> None:
    """From home to above a tip, and straight down to it.

    Raises:
        _Stopped: an obstacle stops the arm, or the tip is too high to be reached.
    """
    if tip[2] > highest(tip[0], tip[1]):
        raise _Stopped
    above = _at(tip, max(tip[2], _clear_height(world, set())))
    aside = _at(HOME, max(HOME[2], above[2]))
    _go(world, arm, line(HOME, aside))
    _go(world, arm, arc(aside, above))
    _go(world, arm, line(above, tip))


def _retreat(world: World, arm: Arm) -> bool:
    """Straight up, and home; returns whether everything is at rest."""
    above = _at(arm.tip, max(arm.tip[2], _clear_height(world, set())))
    aside = _at(HOME, max(HOME[2], above[2]))
    for tip in plan(line(arm.tip, above), arm.target):
        _move(world, arm, tip)
    rested = world.settle()
    if rested:
        world.sleep()
    for path in (arc(above, aside), line(aside, HOME)):
        for tip in plan(path, arm.target):
            _move(world, arm, tip)
    return rested


def _carry(world: World, arm: Arm, body: int, place: Array) -> None:
    """Lift a body with everything on it, and put it down at the tip (x, y, _, yaw)."""
    held = bodies.with_load(world, body)
    limits = (bodies.CARRY_SPEED, _CARRY_ACCELERATION) if len(held) > 1 else (math.inf, math.inf)
    lowest = min(world.client.getAABB(b)[0][2] for b in held)
    height = _clear_height(world, held) + arm.tip[2] - lowest
    height = min(_at(arm.tip, height)[2], _at(place, height)[2])
    above = _at(place, height)
    world.wake(_within(world, _bounds(world, held)).intersection(world.movable()))
    arm.grasp(body)
    _go(world, arm, line(arm.tip, _at(arm.tip, height)), *limits)
    if world.settle():
        world.sleep(but=held)
    _go(world, arm, arc(arm.tip, above), *limits)
    _lower(world, arm, held)
    arm.release()


def _lower(world: World, arm: Arm, held: set[int]) -> None:
    """Move straight down, slower when near, until a held body (or the tool) touches something."""
    bounds = _bounds(world, held) if held else [arm.tool_bounds()]
    lowest = min(low[2] for low, _ in bounds)
    ground = arm.tip - (0, 0, lowest + _UNDER, 0)
    below = sorted({world.table, *_within(world, bounds, down_to=0.0)} - held)
    if held:
        world.wake(set(below).intersection(world.movable()))
    tips = np.array([arm.tip, *plan(line(arm.tip, ground), arm.target)])
    done = 0.0
    while done < len(tips) - 1:
        gap = min(_gap(world, arm, held, other) for other in below)
        if gap <= bodies.CONTACT:
            return
        number = int(done)
        step = tips[number + 1] - tips[number]
        done += min(1.0, (_CREEP + _BRAKE * gap) * STEP / float(np.linalg.norm(step[:3])))
        number = min(int(done), len(tips) - 2)
        _move(world, arm, tips[number] + (tips[number + 1] - tips[number]) * (done - number))


def _bounds(world: World, bodies: set[int]) -> list[tuple[Array, Array]]:
    """The lowest and the highest corner of a box around each body."""
    boxes = (world.client.getAABB(body) for body in sorted(bodies))
    return [(np.array(low), np.array(high)) for low, high in boxes]


def _within(world: World, bounds: list[tuple[Array, Array]], down_to: float = math.inf) -> set[int]:
    """Bodies of items in or near boxes, or in the columns below these."""
    found: set[int] = set()
    for low, high in bounds:
        low[2] = min(low[2], down_to)
        near = world.client.getOverlappingObjects((low - _LOOK).tolist(), (high + _LOOK).tolist())
        found |= {body for body, _ in near or () if world.item_of(body) is not None}
    return found


def _gap(world: World, arm: Arm, held: set[int], other: int) -> float:
    """Distance of the held bodies (or the tool) from another body, metres, at most `_LOOK`."""
    if not held:
        return arm.distance(other, _LOOK)
    points = [
        point
        for body in sorted(held)
        for point in world.client.getClosestPoints(body, other, _LOOK) or ()
    ]
    return float(min([_LOOK, *(point[8] for point in points)]))


def _drag(world: World, arm: Arm, bead: int, place: Array) -> None:
    """Lift a bead a little, drag it to the place and let it go; the rope follows."""
    start = arm.tip
    end = np.array([*place[:2], start[2], place[3]])
    low, high = _DRAG_LIFT
    up = (0, 0, min(high, low + 0.1 * math.dist(start[:2], end[:2])), 0)
    world.wake(arm.may_touch)
    arm.grasp(bead, swings=True, force=_DRAG_FORCE)
    _go(world, arm, rounded([start, start + up, end + up, end], _DRAG_ROUND), bodies.DRAG_SPEED)
    arm.release()
