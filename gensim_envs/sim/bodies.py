"""Operations on single bodies that direct and arm motion share: find, place, lower, hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pybullet as p

from gensim_envs.sim.arm.robot import CUP_RADIUS
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array

CONTACT = 0.0002
"""Metres below which two bodies are taken to touch while one of them is lowered."""
CLEARANCE = 0.03
"""Metres above everything else at which a loaded body is carried."""
CARRY_SPEED = 0.25
"""m/s of a body that carries others."""
DRAG_SPEED = 0.15
"""m/s of a rope's bead: faster, the rest of the rope swings."""
PUSH_SPEED = 0.5
"""m/s of the spatula."""
_RAY_TOP = 0.8
_RIM = np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)]) * CUP_RADIUS


@dataclass(frozen=True)
class Touch:
    """The first contact of a suction cup that moves straight down.

    Attributes:
        body: pybullet's id; the table's where there is nothing else.
        height: of the contact, metres.
    """

    body: int
    height: float


def first_touch(world: World, x: float, y: float) -> Touch:
    """The first body under the rim or the middle of a cup at (x, y)."""
    ends = _RIM + (x, y)
    hits = world.client.rayTestBatch(
        [(a, b, _RAY_TOP) for a, b in ends], [(a, b, -0.01) for a, b in ends]
    )
    best = max(
        (hit for hit in hits if hit[0] >= 0), key=lambda hit: round(hit[3][2], 5), default=None
    )
    return Touch(world.table, 0.0) if best is None else Touch(best[0], best[3][2])


def with_load(world: World, body: int) -> set[int]:
    """A body and all movable bodies that rest on or in it, directly or not."""
    found, new = {body}, [body]
    while new:
        for contact in world.client.getContactPoints(new.pop()):
            # The normal points from the other body to this one: down means it lies on this one.
            rests = contact[7][2] < -0.3 and world.is_movable(contact[2])
            if rests and contact[2] not in found:
                found.add(contact[2])
                new.append(contact[2])
    return found


def touches_movable(world: World, body: int) -> bool:
    """Whether a body touches another movable one."""
    contacts = world.client.getContactPoints(body)
    return any(world.is_movable(contact[2]) for contact in contacts)


def is_supported(world: World, body: int) -> bool:
    """Whether something under a body holds it up."""
    contacts = world.client.getContactPoints(body)
    return any(contact[7][2] > 0.3 and contact[8] <= 0 for contact in contacts)


def set_pose(world: World, body: int, position: Array, orientation: Array) -> None:
    """Put a body somewhere (3,), with an orientation (4,) xyzw, at rest."""
    world.client.resetBasePositionAndOrientation(body, position, orientation)
    world.client.resetBaseVelocity(body, (0, 0, 0), (0, 0, 0))


def lower(world: World, body: int, target: Array, orientation: Array) -> Array:
    """Put a body straight down at (x, y) of `target` (3,) until it first touches something.

    Returns:
        Its position then, (3,).
    """
    set_pose(world, body, np.array([target[0], target[1], 1.0]), orientation)
    low, high = world.client.getAABB(body)
    below = 1.0 - low[2]  # from the body's middle to its lowest point
    found = world.client.getOverlappingObjects((low[0], low[1], -0.02), (high[0], high[1], 0.9))
    others = sorted({b for b, _ in found or ()} - {body, world.table})
    tops = [world.client.getAABB(b)[1][2] for b in others]
    z = below + max([0.0, *tops]) + 0.001
    while z > below + CONTACT:
        set_pose(world, body, np.array([target[0], target[1], z]), orientation)
        gaps = [z - below]
        for other in others:
            gaps += [point[8] for point in world.client.getClosestPoints(body, other, z - below)]
        gap = min(gaps)
        if gap <= CONTACT:
            break
        z -= max(gap - CONTACT / 2, CONTACT)
    end = np.array([target[0], target[1], max(z, below)])
    set_pose(world, body, end, orientation)
    return end


class Grip:
    """Holds a simulated body by a joint to an anchor, and moves it along with the anchor.

    Args:
        world: where the body is.
        body: pybullet's id.
        joint: pybullet's joint type: the body swings on a point, but not on a fixed joint.
    """

    def __init__(self, world: World, body: int, joint: int) -> None:
        self._client = world.client
        position, orientation = self._client.getBasePositionAndOrientation(body)
        shape = self._client.createCollisionShape(p.GEOM_SPHERE, radius=0.001)
        self._anchor = self._client.createMultiBody(
            0, shape, world.invisible, position, orientation, useMaximalCoordinates=True
        )
        self._client.setCollisionFilterGroupMask(self._anchor, -1, 0, 0)
        self._joint = self._client.createConstraint(
            body, -1, self._anchor, -1, joint, [0, 0, 0], [0, 0, 0], [0, 0, 0]
        )

    def move(self, position: Array | list[float], orientation: Array | list[float]) -> None:
        """Move the anchor."""
        self._client.resetBasePositionAndOrientation(self._anchor, position, orientation)

    def release(self) -> None:
        """Let the body go."""
        self._client.removeConstraint(self._joint)
        self._client.removeBody(self._anchor)
