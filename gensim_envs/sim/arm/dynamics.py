"""A UR5e of links and joints, simulated: what `robot.py` describes, with mass and motors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim.arm.robot import (
    BASE_POSITION,
    BLADE_SIZE,
    DH_A,
    DH_ALPHA,
    DH_D,
    LIMITS,
    LINK_CENTRE,
    LINK_MASS,
    PIECES,
    TIP,
    TOOL_LENGTH,
    TOOL_PIECES,
    Array,
    Tool,
    inverse,
)

HOME = np.array([0.0, 0.6, 0.25, 0.0])
"""The tip (x, y, z, yaw) between actions: nothing of the arm is over the workspace then."""
_TOOL_MASS = 0.2  # kg, an estimate
_GRAVITY = 9.81  # m/s^2
_JOINTS = range(6)  # pybullet's links 0 to 5 are the DH table's 1 to 6; 6 is the tool
_TOOL = 6
_LINKS = ("base", "shoulder", "upper arm", "forearm", "wrist 1", "wrist 2", "wrist 3", "tool")
_NO_TURN, _HALF_TURN = (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 0.0)
_Q = math.sqrt(0.5)
_Z_ONTO = ((0.0, _Q, 0.0, _Q), (-_Q, 0.0, 0.0, _Q), _NO_TURN)  # turns of the z axis onto x, y, z
_Pose = tuple[tuple[float, ...], tuple[float, ...]]
_ORIGIN: _Pose = ((0.0, 0.0, 0.0), _NO_TURN)
_FLANGE_FROM_TIP: _Pose = ((0.0, 0.0, TOOL_LENGTH), (0.0, 0.0, -_Q, _Q))


@dataclass(frozen=True)
class JointTrajectory:
    """What the arm did, a row for each simulation step, 240 a second.

    Attributes:
        time: (n,) seconds since the reset.
        position: (n, 6) rad, from the base to the last wrist.
        velocity: (n, 6) rad/s.
        torque: (n, 6) N m, what the motors applied.
        suction: (n,) bool, whether the cup held something.
        touched: what a link or the tool touched that it should not have; empty at best.
    """

    time: Array
    position: Array
    velocity: Array
    torque: Array
    suction: NDArray[np.bool_]
    touched: tuple[str, ...]


class Arm:
    """The arm in one pybullet client, which it shares with the table's bodies.

    Agents never see it: its links have nothing that could be drawn. Collision shapes are
    cylinders around the pieces that `ArmView` shows. Inertias are pybullet's for a box around
    these: an estimate.

    Attributes:
        tool: what it holds.
        tip: (4,) where the last command puts the tip: x, y, z, yaw, which may pass half a turn.
        body: pybullet's id of it; it changes with the tool.
        may_touch: bodies that the tool may touch.
        strain: rad by which the joints missed the last command, the worst of them.
    """

    def __init__(self, client: int, step: float) -> None:
        """Build it at home, with the suction cup; `step` is what a simulation step lasts."""
        self._client, self._step = client, step
        self.tool: Tool = "suction"
        self.may_touch: set[int] = set()
        self.strain = 0.0
        self._grip: int | None = None
        self._time = 0
        self._samples: list[tuple[float, ...]] = []
        self._touched: dict[tuple[int, int, int], None] = {}  # in order, each once
        self.tip, self._target = HOME, inverse(HOME[:3], float(HOME[3]))
        self.body = self._build()
        self._drive()

    def begin(self, tool: Tool) -> None:
        """Begin another action, with this tool, as from a tool changer that stands at home.

        What was done and touched before is forgotten.
        """
        self._samples, self._touched = [], {}
        if tool != self.tool:
            p.removeBody(self.body, physicsClientId=self._client)
            self.tool = tool
            self.body = self._build()
            self._drive()

    @property
    def target(self) -> Array:
        """(6,) rad, the joints that the last command asks for."""
        return self._target

    def command(self, tip: Array) -> None:
        """Let the motors move the tip to (x, y, z, yaw) within the next simulation step."""
        self.tip = np.array(tip)
        self._target = inverse(tip[:3], float(tip[3]), self._target)
        self._drive()

    def joints(self) -> Array:
        """Where the joints are, (6,) rad."""
        states = p.getJointStates(self.body, _JOINTS, physicsClientId=self._client)
        return np.array([state[0] for state in states])

    def distance(self, body: int, within: float) -> float:
        """From the tool to another body, metres; `within` where it is farther."""
        points = p.getClosestPoints(
            self.body, body, within, linkIndexA=_TOOL, physicsClientId=self._client
        )
        return float(min([within, *(point[8] for point in points)]))

    def tool_bounds(self) -> tuple[Array, Array]:
        """The lowest and the highest corner, (3,) each, of a box around the tool."""
        low, high = p.getAABB(self.body, _TOOL, physicsClientId=self._client)
        return np.array(low), np.array(high)

    # Holding.

    def grasp(self, body: int, *, swings: bool = False, force: float = math.inf) -> None:
        """Hold a body where it is, or let it swing about its middle, with so many newtons."""
        position, turn = p.getBasePositionAndOrientation(body, physicsClientId=self._client)
        link = p.getLinkState(
            self.body, _TOOL, computeForwardKinematics=1, physicsClientId=self._client
        )
        # Between a link and a plain rigid body pybullet's solver forgets the body's weight: it
        # falls freely for each step, of which the next corrects a fifth (its default `erp`).
        sag = _GRAVITY * self._step**2 / 0.2
        above = (position[0], position[1], position[2] + sag)
        tool_from_body = p.multiplyTransforms(*p.invertTransform(*link[:2]), above, turn)
        self._grip = p.createConstraint(
            self.body, _TOOL, body, -1, p.JOINT_POINT2POINT if swings else p.JOINT_FIXED,
            [0, 0, 0], tool_from_body[0], [0, 0, 0], tool_from_body[1],
            physicsClientId=self._client,
        )  # fmt: skip
        if force < math.inf:
            p.changeConstraint(self._grip, maxForce=force, physicsClientId=self._client)

    def release(self) -> None:
        """Let go, if it holds something."""
        if self._grip is not None:
            p.removeConstraint(self._grip, physicsClientId=self._client)
            self._grip = None

    # What it does and did.

    def _drive(self) -> None:
        """Let each motor close its whole error in one step, as far as its torque allows."""
        p.setJointMotorControlArray(
            self.body, _JOINTS, p.POSITION_CONTROL, targetPositions=self._target.tolist(),
            forces=LIMITS.torque, positionGains=[1.0] * 6, velocityGains=[1.0] * 6,
            physicsClientId=self._client,
        )  # fmt: skip

    def observe(self) -> None:
        """Take down how the joints are and what was touched, after a simulation step."""
        self._time += 1
        states = p.getJointStates(self.body, _JOINTS, physicsClientId=self._client)
        positions, velocities, _, torques = zip(*states, strict=True)
        self.strain = float(np.abs(self._target - positions).max())
        held = float(self._grip is not None)
        self._samples.append((self._time * self._step, *positions, *velocities, *torques, held))
        for contact in p.getContactPoints(self.body, physicsClientId=self._client):
            body, link, other, distance = contact[2], contact[3], contact[4], contact[8]
            if distance <= 0 and not (link == _TOOL and body in self.may_touch):
                self._touched[body, link, other] = None

    def trajectory(self, name_of: Callable[[int], str]) -> JointTrajectory:
        """What it did since the action began; `name_of` says what a pybullet body is."""
        rows = np.array(self._samples).reshape(-1, 20)
        touched = tuple(
            f"{_LINKS[link + 1]} and " + (_LINKS[other + 1] if body == self.body else name_of(body))
            for body, link, other in self._touched
        )
        return JointTrajectory(
            rows[:, 0], rows[:, 1:7], rows[:, 7:13], rows[:, 13:19], rows[:, 19] > 0, touched
        )

    # Building.

    def _build(self) -> int:
        """The body, its joints where they are to be."""
        # pybullet's links begin at their joint, the DH table's end at the next one.
        joint_from_link = [_ORIGIN, *map(_joint_from_link, _JOINTS), _ORIGIN]
        shapes = [self._shape(link, frame) for link, frame in enumerate(joint_from_link)]
        parent_from_joint = joint_from_link[:6]
        parent_from_joint.append(p.multiplyTransforms(*joint_from_link[6], *_FLANGE_FROM_TIP))
        centres = [
            p.multiplyTransforms(*frame, at, _NO_TURN)[0]
            for frame, at in zip(joint_from_link[1:7], LINK_CENTRE, strict=True)
        ]
        # A box of no size: without a visual shape the collision shape would be drawn.
        nothing = p.createVisualShape(
            p.GEOM_BOX, halfExtents=[1e-9] * 3, physicsClientId=self._client
        )
        body: int = p.createMultiBody(
            0.0, shapes[0], nothing, BASE_POSITION, _HALF_TURN,
            linkMasses=[*LINK_MASS, _TOOL_MASS],
            linkCollisionShapeIndices=shapes[1:],
            linkVisualShapeIndices=[nothing] * 7,
            linkPositions=[position for position, _ in parent_from_joint],
            linkOrientations=[turn for _, turn in parent_from_joint],
            linkInertialFramePositions=[*centres, (0, 0, -TOOL_LENGTH / 2)],
            linkInertialFrameOrientations=[_NO_TURN] * 7,
            linkParentIndices=list(range(7)),
            linkJointTypes=[p.JOINT_REVOLUTE] * 6 + [p.JOINT_FIXED],
            linkJointAxis=[(0, 0, 1)] * 7,
            flags=p.URDF_USE_SELF_COLLISION | p.URDF_USE_SELF_COLLISION_EXCLUDE_PARENT,
            physicsClientId=self._client,
        )  # fmt: skip
        # The tool is one piece with wrist 3, whose parent is wrist 2.
        p.setCollisionFilterPair(body, body, 4, _TOOL, 0, physicsClientId=self._client)
        for joint, angle in zip(_JOINTS, self._target, strict=True):
            p.resetJointState(body, joint, angle, physicsClientId=self._client)
        return body

    def _shape(self, link: int, frame: _Pose) -> int:
        """A link's pieces as cylinders around them, in a frame from which the link's is seen."""
        rows: list[tuple[Any, ...]] = []
        for piece in (*PIECES, *TOOL_PIECES[self.tool]):
            if piece.link == link:
                along, radii = zip(*piece.profile, strict=True)
                middle = np.array(piece.at)
                middle[piece.axis] += (along[0] + along[-1]) / 2
                pose = p.multiplyTransforms(*frame, middle.tolist(), _Z_ONTO[piece.axis])
                rows.append((p.GEOM_CYLINDER, [0, 0, 0], max(radii), along[-1] - along[0], *pose))
        if link == TIP and self.tool == "spatula":
            half = [side / 2 for side in BLADE_SIZE]
            rows.append((p.GEOM_BOX, half, 0.0, 0.0, (0, 0, -half[2]), _NO_TURN))
        columns = [list(column) for column in zip(*rows, strict=True)]
        kinds, halves, widths, lengths, positions, turns = columns
        return int(
            p.createCollisionShapeArray(
                shapeTypes=kinds, halfExtents=halves, radii=widths, lengths=lengths,
                collisionFramePositions=positions, collisionFrameOrientations=turns,
                physicsClientId=self._client,
            )
        )  # fmt: skip


def _joint_from_link(joint: int) -> _Pose:
    """A link's DH frame as seen from the joint that turns it."""
    angle = DH_ALPHA[joint] / 2
    return (DH_A[joint], 0.0, DH_D[joint]), (math.sin(angle), 0.0, 0.0, math.cos(angle))
