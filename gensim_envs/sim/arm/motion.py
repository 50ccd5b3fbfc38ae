"""What an action does when the arm does it: all of the motion simulated, joint by joint.

The same pick and place and the same push as in `primitives.py`, which moves things without an
arm.
"""

from __future__ import annotations

import math

import numpy as np
import pybullet as p

from gensim_envs.sim.arm.dynamics import HOME, Arm
from gensim_envs.sim.arm.robot import LIMITS, Tool, highest, inverse
from gensim_envs.sim.arm.trajectory import Way, arc, line, plan, rounded
from gensim_envs.sim.primitives import first_touch
from gensim_envs.sim.world import STEP, World
from gensim_envs.task.assets import Rope
from gensim_envs.task.goals import Array
from gensim_envs.task.pose import wrap

_GAP = 0.001  # metres that a cup's soft lip bridges: the stiff rest does not press on things
_CLEAR = 0.03  # metres above everything at which the lowest thing travels
_CARRY_SPEED, _CARRY_ACCELERATION = 0.25, 1.0  # m/s, m/s^2 of what carries something else
_DRAG_SPEED = 0.15  # m/s of a rope's bead: faster, the rest of the rope swings
# Metres to which a bead is lifted, at least and at most: the rope that hangs from it curls up when
# it is put down.
_DRAG_LIFT = (0.006, 0.012)
_DRAG_ROUND = 0.004  # metres: where it stopped to turn, a rope would curl up
_DRAG_FORCE = 2.0  # N with which the cup holds a bead: stronger, it presses beads on each other
_PUSH_SPEED = 0.5  # m/s
_CONTACT = 0.0002  # metres at which a descending thing is taken to touch
_LOOK = 0.05  # metres to which a descending thing looks out for others
_CREEP, _BRAKE = 0.02, 8.0  # m/s at contact, and 1/s by which it may be faster before
_STRAIN = 0.01  # rad: free, the joints miss their targets by a thousandth of that
_UNDER = 0.005  # metres below the table to which a descent would go if nothing were met


class _Stopped(Exception):
    """The arm cannot go on: something does not give way, as a real one's safety would notice."""


def pick_and_place(world: World, action: Array) -> bool:
    """Pick at one point, place at another; (6,) as in the env's action space.

    The cup grasps what it first touches, and lets go where that, or what it carries, first meets
    something.

    Returns:
        Whether everything is at rest.
    """
    arm = _arm(world, "suction")
    touch = first_touch(world, *action[:2])
    item = world.item_of(touch.body)
    turn = wrap(float(action[5] - action[2]))
    yaw = _unwound((*action[:2], action[2]), (*action[3:5], action[2] + turn), math.tau)
    place = np.array([*action[3:5], 0.0, yaw + turn])
    arm.may_touch = {touch.body} if item is None else set(world.bodies[item])
    try:
        _approach(world, arm, np.array([*action[:2], touch.height + _GAP, yaw]))
        if item is not None and not world.spec.items[item].fixed:
            rope = isinstance(world.spec.items[item].asset, Rope)
            (_drag if rope else _carry)(world, arm, touch.body, place)
    except _Stopped:
        arm.release()
    return _retreat(world, arm)


def push(world: World, action: Array) -> bool:
    """Draw the spatula's blade, square to its path, from (x, y) to (x, y).

    Returns:
        Whether everything is at rest.
    """
    arm = _arm(world, "spatula")
    start, end = action[:2], action[3:5]
    if float(np.linalg.norm(end - start)) < 1e-6:
        return True
    yaw = math.atan2(end[1] - start[1], end[0] - start[0])
    yaw = _unwound((*start, yaw), (*end, yaw), math.pi)
    arm.may_touch = set(world.movable())
    try:
        _approach(world, arm, np.array([*start, _clear_height(world, set()), yaw]))
        _lower(world, arm, set())
        a = arm.tip + (0, 0, 0.001, 0)  # clear of the table, whose friction would hold it back
        _go(world, arm, line(arm.tip, a))
        _go(world, arm, line(a, (*end, a[2], yaw)), _PUSH_SPEED)
    except _Stopped:
        pass  # whatever it was, the arm leaves it there
    return _retreat(world, arm)


def _arm(world: World, tool: Tool) -> Arm:
    """The arm, with this tool.

    Raises:
        RuntimeError: there is none.
    """
    if world.arm is None:
        raise RuntimeError("this world has no arm; make it World(with_arm=True)")
    world.arm.begin(tool)
    return world.arm


# Ways.


def _unwound(a: tuple[float, ...], b: tuple[float, ...], period: float) -> float:
    """The yaw at `a` from which the last joint can turn to `b`; both are (x, y, yaw).

    Of the yaws that are as good, a whole number of periods apart, it is the one nearest to home's
    with which the last joint stays within its limits.
    """
    without_yaw = np.array([inverse((x, y, 0.1), 0.0)[5] for x, y, _ in (a, b)])
    yaws = np.array([a[2], b[2]]) + np.arange(-4, 5)[:, None] * period
    possible = yaws[(np.abs(without_yaw - yaws) <= LIMITS.position[5]).all(axis=1), 0]
    return float(min(possible, key=abs))


def _go(
    world: World, arm: Arm, way: Way, speed: float = math.inf, acceleration: float = math.inf
) -> None:
    """Go all of a way that starts where the tip is.

    Raises:
        _Stopped: something is in the way.
    """
    for tip in plan(way, arm.target, speed, acceleration):
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
        p.getAABB(body, physicsClientId=world.client)[1][2]
        for item, bodies in enumerate(world.bodies)
        if not world.spec.geometry(item).flat
        for body in bodies
        if body not in held
    ]
    return float(max([0.0, *tops])) + _CLEAR


def _at(tip: Array, height: float) -> Array:
    """A tip (4,) at this height, or as high as the arm reaches there."""
    return np.array([*tip[:2], min(height, highest(tip[0], tip[1])), tip[3]])


def _approach(world: World, arm: Arm, tip: Array) -> None:
    """From home to above a tip, and straight down to it.

    Raises:
        _Stopped: something is in the way, or the tip is too high to be reached.
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
    for way in (arc(above, aside), line(aside, HOME)):
        for tip in plan(way, arm.target):
            _move(world, arm, tip)
    return rested


# What is done with a thing.


def _carry(world: World, arm: Arm, body: int, place: Array) -> None:
    """Lift a body with all that it carries, and put it down at the tip (x, y, _, yaw)."""
    held = _with_load(world, body)
    limits = (_CARRY_SPEED, _CARRY_ACCELERATION) if len(held) > 1 else (math.inf, math.inf)
    lowest = min(p.getAABB(b, physicsClientId=world.client)[0][2] for b in held)
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


def _with_load(world: World, body: int) -> set[int]:
    """A body and the movable ones that rest on or in it, or on these."""
    found, new = {body}, [body]
    while new:
        for contact in p.getContactPoints(new.pop(), physicsClientId=world.client):
            item = world.item_of(contact[2])
            # The normal points from the other body to this one: down means it lies on this one.
            if item is None or world.spec.items[item].fixed or contact[7][2] > -0.3:
                continue
            if contact[2] not in found:
                found.add(contact[2])
                new.append(contact[2])
    return found


def _lower(world: World, arm: Arm, held: set[int]) -> None:
    """Straight down until what is held, or else the tool, meets something: slower when near."""
    bounds = _bounds(world, held) if held else [arm.tool_bounds()]
    lowest = min(low[2] for low, _ in bounds)
    ground = arm.tip - (0, 0, lowest + _UNDER, 0)
    below = sorted({world.table, *_within(world, bounds, down_to=0.0)} - held)
    if held:
        world.wake(set(below).intersection(world.movable()))
    way = np.array([arm.tip, *plan(line(arm.tip, ground), arm.target)])
    done = 0.0
    while done < len(way) - 1:
        gap = min(_gap(world, arm, held, other) for other in below)
        if gap <= _CONTACT:
            return
        number = int(done)
        step = way[number + 1] - way[number]
        done += min(1.0, (_CREEP + _BRAKE * gap) * STEP / float(np.linalg.norm(step[:3])))
        number = min(int(done), len(way) - 2)
        _move(world, arm, way[number] + (way[number + 1] - way[number]) * (done - number))


def _bounds(world: World, bodies: set[int]) -> list[tuple[Array, Array]]:
    """The lowest and the highest corner of a box around each body."""
    boxes = (p.getAABB(body, physicsClientId=world.client) for body in sorted(bodies))
    return [(np.array(low), np.array(high)) for low, high in boxes]


def _within(world: World, bounds: list[tuple[Array, Array]], down_to: float = math.inf) -> set[int]:
    """Bodies of items in or near boxes, or in the columns below them."""
    found: set[int] = set()
    for low, high in bounds:
        low[2] = min(low[2], down_to)
        near = p.getOverlappingObjects(
            (low - _LOOK).tolist(), (high + _LOOK).tolist(), physicsClientId=world.client
        )
        found |= {body for body, _ in near or () if world.item_of(body) is not None}
    return found


def _gap(world: World, arm: Arm, held: set[int], other: int) -> float:
    """From what is held, or else the tool, to another body, metres; `_LOOK` where it is more."""
    if not held:
        return arm.distance(other, _LOOK)
    points = [
        point
        for body in sorted(held)
        for point in p.getClosestPoints(body, other, _LOOK, physicsClientId=world.client) or ()
    ]
    return float(min([_LOOK, *(point[8] for point in points)]))


def _drag(world: World, arm: Arm, bead: int, place: Array) -> None:
    """Lift one bead a little, draw it to the place and let it go; the rope follows."""
    start = arm.tip
    end = np.array([*place[:2], start[2], place[3]])
    low, high = _DRAG_LIFT
    up = (0, 0, min(high, low + 0.1 * math.dist(start[:2], end[:2])), 0)
    world.wake(arm.may_touch)
    arm.grasp(bead, swings=True, force=_DRAG_FORCE)
    _go(world, arm, rounded([start, start + up, end + up, end], _DRAG_ROUND), _DRAG_SPEED)
    arm.release()
