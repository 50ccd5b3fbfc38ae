"""The dynamics of the UR5e: links with mass, joints with motors, and a grip."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim import Uncopyable
from gensim_envs.sim.arm import robot
from gensim_envs.sim.arm.look import PIECES, TOOL_PIECES
from gensim_envs.sim.arm.robot import Array, Tool
from gensim_envs.sim.client import STEP, Client

HOME = np.array([0.0, 0.6, 0.25, 0.0])
"""The tip (x, y, z, yaw) between actions, where no part of the arm is over the workspace."""
_TOOL_MASS = 0.2  # kg, an estimate
_GRAVITY = 9.81  # m/s^2
_JOINTS = range(6)  # pybullet's links 0 to 5 are the DH table's 1 to 6; 6 is the tool
_TOOL = 6
_LINKS = ("base", "shoulder", "upper arm", "forearm", "wrist 1", "wrist 2", "wrist 3", "tool")
_IDENTITY, _HALF_ROTATION = (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 0.0)
_Q = math.sqrt(0.5)
_Z_ONTO = ((0.0, _Q, 0.0, _Q), (-_Q, 0.0, 0.0, _Q), _IDENTITY)  # rotations of z onto x, y, z
_Pose = tuple[tuple[float, ...], tuple[float, ...]]
_ORIGIN: _Pose = ((0.0, 0.0, 0.0), _IDENTITY)
_FLANGE_FROM_TIP: _Pose = ((0.0, 0.0, robot.TOOL_LENGTH), (0.0, 0.0, -_Q, _Q))


@dataclass(frozen=True)
class JointTrajectory:
    """The arm's motion, with a row for each simulation step, 240 a second.

    Attributes:
        time: (n,) seconds since the reset.
        position: (n, 6) rad, from the base to the last wrist.
        velocity: (n, 6) rad/s.
        torque: (n, 6) N m, what the motors applied.
        suction: (n,) bool, whether the cup held something.
        touched: unwanted contacts of links and tool; empty at best.
    """

    time: Array
    position: Array
    velocity: Array
    torque: Array
    suction: NDArray[np.bool_]
    touched: tuple[str, ...]


class Arm(Uncopyable):
    """The arm, in the same pybullet client as the table's bodies.

    Observations never show it: its links have no visual shape. Collision shapes are cylinders
    around the pieces that `ArmView` shows. Inertias are pybullet's for a box around these: an
    estimate.

    Attributes:
        tool: the current tool.
        tip: (4,) target of the last command: x, y, z, yaw, which may exceed 180 degrees.
        target: (6,) rad, the joints of the last command.
        body: pybullet's id of the arm; it changes with the tool.
        may_touch: bodies that the tool may touch.
        time: simulation steps since the reset.
        strain: rad, the largest distance of a joint from the last command.
    """

    def __init__(self, client: Client, time: int = 0) -> None:
        """Build the arm at home, with the suction cup, `time` simulation steps after the reset."""
        self._client = client
        self.tool: Tool = "suction"
        self.may_touch: set[int] = set()
        self.strain = 0.0
        self._grip: int | None = None
        self.time = time
        self._samples: list[tuple[float, ...]] = []
        self._touched: dict[tuple[int, int, int], None] = {}  # in order, each once
        self.tip, self.target = HOME, robot.inverse(HOME[:3], float(HOME[3]))
        self.body = self._build()
        self._drive()

    def begin(self, tool: Tool) -> None:
        """Begin an action with this tool, as from a tool changer at home; clears the trajectory."""
        self._samples, self._touched = [], {}
        if tool != self.tool:
            self._client.removeBody(self.body)
            self.tool = tool
            self.body = self._build()
            self._drive()

    def command(self, tip: Array) -> None:
        """Move the tip to (x, y, z, yaw) within the next simulation step."""
        self.tip = np.array(tip)
        self.target = robot.inverse(tip[:3], float(tip[3]), self.target)
        self._drive()

    def joints(self) -> Array:
        """The joints, (6,) rad."""
        states = self._client.getJointStates(self.body, _JOINTS)
        return np.array([state[0] for state in states])

    def distance(self, body: int, within: float) -> float:
        """Distance of the tool from another body, metres, at most `within`."""
        points = self._client.getClosestPoints(self.body, body, within, linkIndexA=_TOOL)
        return float(min([within, *(point[8] for point in points)]))

    def tool_bounds(self) -> tuple[Array, Array]:
        """The lowest and the highest corner (3,) of a box around the tool."""
        low, high = self._client.getAABB(self.body, _TOOL)
        return np.array(low), np.array(high)

    def grasp(self, body: int, *, swings: bool = False, force: float = math.inf) -> None:
        """Hold a body where it is, with a force of so many newtons; it may swing on its middle."""
        position, orientation = self._client.getBasePositionAndOrientation(body)
        link = self._client.getLinkState(self.body, _TOOL, computeForwardKinematics=1)
        # pybullet's solver ignores the weight of a plain rigid body that is joined to a link: it
        # falls freely in each step, and the next corrects a fifth of that (its default `erp`).
        sag = _GRAVITY * STEP**2 / 0.2
        above = (position[0], position[1], position[2] + sag)
        tool_from_body = p.multiplyTransforms(*p.invertTransform(*link[:2]), above, orientation)
        self._grip = self._client.createConstraint(
            self.body, _TOOL, body, -1, p.JOINT_POINT2POINT if swings else p.JOINT_FIXED,
            [0, 0, 0], tool_from_body[0], [0, 0, 0], tool_from_body[1],
        )  # fmt: skip
        if force < math.inf:
            self._client.changeConstraint(self._grip, maxForce=force)

    def release(self) -> None:
        """Let go of what it holds, if anything."""
        if self._grip is not None:
            self._client.removeConstraint(self._grip)
            self._grip = None

    def _drive(self) -> None:
        """Let each motor close its whole error in one step, as far as its torque allows."""
        self._client.setJointMotorControlArray(
            self.body, _JOINTS, p.POSITION_CONTROL, targetPositions=self.target.tolist(),
            forces=robot.LIMITS.torque, positionGains=[1.0] * 6, velocityGains=[1.0] * 6,
        )  # fmt: skip

    def observe(self) -> None:
        """Record joints and contacts, after a simulation step."""
        self.time += 1
        states = self._client.getJointStates(self.body, _JOINTS)
        positions, velocities, _, torques = zip(*states, strict=True)
        self.strain = float(np.abs(self.target - positions).max())
        held = float(self._grip is not None)
        self._samples.append((self.time * STEP, *positions, *velocities, *torques, held))
        for contact in self._client.getContactPoints(self.body):
            body, link, other, distance = contact[2], contact[3], contact[4], contact[8]
            if distance <= 0 and not (link == _TOOL and body in self.may_touch):
                self._touched[body, link, other] = None

    def trajectory(self, name_of: Callable[[int], str]) -> JointTrajectory:
        """The motion since the action began; `name_of` gives the name of a pybullet body."""
        rows = np.array(self._samples).reshape(-1, 20)
        touched = tuple(
            f"{_LINKS[link + 1]} and " + (_LINKS[other + 1] if body == self.body else name_of(body))
            for body, link, other in self._touched
        )
        return JointTrajectory(
            rows[:, 0], rows[:, 1:7], rows[:, 7:13], rows[:, 13:19], rows[:, 19] > 0, touched
        )

    def _build(self) -> int:
        """Create the body, with its joints at the target."""
        # pybullet's links begin at their joint, the DH table's end at the next one.
        joint_from_link = [_ORIGIN, *map(_joint_from_link, _JOINTS), _ORIGIN]
        shapes = [self._shape(link, frame) for link, frame in enumerate(joint_from_link)]
        parent_from_joint = joint_from_link[:6]
        parent_from_joint.append(p.multiplyTransforms(*joint_from_link[6], *_FLANGE_FROM_TIP))
        centres = [
            p.multiplyTransforms(*frame, at, _IDENTITY)[0]
            for frame, at in zip(joint_from_link[1:7], robot.LINK_CENTRE, strict=True)
        ]
        # A box of no size: without a visual shape the collision shape would be rendered.
        invisible = self._client.createVisualShape(p.GEOM_BOX, halfExtents=[1e-9] * 3)
        body: int = self._client.createMultiBody(
            0.0, shapes[0], invisible, robot.BASE_POSITION, _HALF_ROTATION,
            linkMasses=[*robot.LINK_MASS, _TOOL_MASS],
            linkCollisionShapeIndices=shapes[1:],
            linkVisualShapeIndices=[invisible] * 7,
            linkPositions=[position for position, _ in parent_from_joint],
            linkOrientations=[rotation for _, rotation in parent_from_joint],
            linkInertialFramePositions=[*centres, (0, 0, -robot.TOOL_LENGTH / 2)],
            linkInertialFrameOrientations=[_IDENTITY] * 7,
            linkParentIndices=list(range(7)),
            linkJointTypes=[p.JOINT_REVOLUTE] * 6 + [p.JOINT_FIXED],
            linkJointAxis=[(0, 0, 1)] * 7,
            flags=p.URDF_USE_SELF_COLLISION | p.URDF_USE_SELF_COLLISION_EXCLUDE_PARENT,
        )  # fmt: skip
        # The tool is one piece with wrist 3, whose parent is wrist 2.
        self._client.setCollisionFilterPair(body, body, 4, _TOOL, 0)
        for joint, angle in zip(_JOINTS, self.target, strict=True):
            self._client.resetJointState(body, joint, angle)
        return body

    def _shape(self, link: int, frame: _Pose) -> int:
        """Cylinders around a link's pieces; `frame` is the link's pose in the shape's frame."""
        rows: list[tuple[Any, ...]] = []
        for piece in (*PIECES, *TOOL_PIECES[self.tool]):
            if piece.link == link:
                low, high = piece.span
                middle = np.array(piece.at)
                middle[piece.axis] += (low + high) / 2
                pose = p.multiplyTransforms(*frame, middle.tolist(), _Z_ONTO[piece.axis])
                rows.append((p.GEOM_CYLINDER, [0, 0, 0], piece.radius, high - low, *pose))
        if link == robot.TIP and self.tool == "spatula":
            half = [side / 2 for side in robot.BLADE_SIZE]
            rows.append((p.GEOM_BOX, half, 0.0, 0.0, (0, 0, -half[2]), _IDENTITY))
        columns = [list(column) for column in zip(*rows, strict=True)]
        kinds, halves, widths, lengths, positions, rotations = columns
        return int(
            self._client.createCollisionShapeArray(
                shapeTypes=kinds, halfExtents=halves, radii=widths, lengths=lengths,
                collisionFramePositions=positions, collisionFrameOrientations=rotations,
            )
        )  # fmt: skip


def _joint_from_link(joint: int) -> _Pose:
    """A link's DH frame in the frame of the joint that rotates it."""
    angle = robot.DH_ALPHA[joint] / 2
    return (robot.DH_A[joint], 0.0, robot.DH_D[joint]), (math.sin(angle), 0.0, 0.0, math.cos(angle))
