"""A UR5e on a plinth: its measures, its kinematics, and its look for people.

This file says where the arm is or would be (`forward`, `inverse`) and shows it (`ArmView`);
`arm.py` simulates it.

Sources:
    Denavit-Hartenberg parameters, masses and centres of mass: Universal Robots, article "DH
    Parameters for calculations of kinematics and dynamics", table UR5e.
    Joint ranges (360 degrees either way) and speeds (180 degrees/s): Universal Robots, "UR5e
    technical specifications". Torques: Universal Robots, article "Max. joint torques".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pybullet as p
from numpy.typing import ArrayLike, NDArray

from gensim_envs.sim import renderer

Array = NDArray[np.float64]
Tool = Literal["suction", "spatula"]


@dataclass(frozen=True)
class JointLimits:
    """What each of the six joints can do; the tuples run from the base to the last wrist."""

    position: tuple[float, ...] = (2 * math.pi,) * 6  # rad, either way
    speed: tuple[float, ...] = (math.pi,) * 6  # rad/s
    torque: tuple[float, ...] = (150.0, 150.0, 150.0, 28.0, 28.0, 28.0)  # N m


LIMITS = JointLimits()
"""The UR5e's own; its elbow meets the upper arm a little before half a turn."""

# Link i's frame in link i-1's is RotZ(joint) TransZ(d) TransX(a) RotX(alpha); metres, radians.
DH_D = (0.1625, 0.0, 0.0, 0.1333, 0.0997, 0.0996)
DH_A = (0.0, -0.425, -0.3922, 0.0, 0.0, 0.0)
DH_ALPHA = (math.pi / 2, 0.0, 0.0, math.pi / 2, -math.pi / 2, 0.0)
LINK_MASS = (3.761, 8.058, 2.846, 1.37, 1.3, 0.365)  # kg, links 1 to 6
LINK_CENTRE = (  # of mass, metres, in the link's own DH frame
    (0.0, -0.02561, 0.00193), (0.2125, 0.0, 0.11336), (0.15, 0.0, 0.0265),
    (0.0, -0.0018, 0.01634), (0.0, 0.0018, 0.01634), (0.0, 0.0, -0.001159),
)  # fmt: skip

# Metres, the world's frame: the plinth's top. The workspace (x 0.25..0.75, y -0.5..0.5, tip at z
# 0..0.2) all but fills what a tool pointing straight down can reach. At this height joint 4
# stays within 0.1 m above and below joint 2, and the elbow stays 18 degrees from straight in the
# far corners. The centimetre back keeps wrist 1 off the shoulder at the near edge: at x = 0 they
# overlap by 8 mm, here 3 mm are left. At x = -0.02 the far corners leave only 8 degrees.
BASE_POSITION = (-0.01, 0.0, 0.16)
TOOL_LENGTH = 0.12  # metres, from the flange to the lowest point of either tool
CUP_RADIUS = 0.006
"""Of the suction cup, metres."""

_LEAST_BEND = math.radians(10)  # of the elbow: straight, it cannot move the tool outwards

# The published base frame points the arm along its own -x; half a turn makes joint 1 = 0 look
# along the world's +x, over the workspace.
WORLD_FROM_BASE: Array = np.diag([-1.0, -1.0, 1.0, 1.0])
WORLD_FROM_BASE[:3, 3] = BASE_POSITION

# A quarter turn about the flange's axis, so that the tool's yaw is joint 1 minus joint 6.
FLANGE_FROM_TIP: Array = np.array(
    [[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, TOOL_LENGTH], [0, 0, 0, 1]]
)


def forward(joints: ArrayLike) -> list[Array]:
    """Where every link is.

    Args:
        joints: (6,) rad, from the base to the last wrist.

    Returns:
        Eight (4, 4) transforms `world_from_link`: the base, links 1 to 6 in the published DH
        frames (link 6 is the flange), and the tool's tip, whose z is the tool's direction.
    """
    world_from_link = [WORLD_FROM_BASE.copy()]
    for angle, d, a, alpha in zip(np.asarray(joints).tolist(), DH_D, DH_A, DH_ALPHA, strict=True):
        c, s, ca, sa = math.cos(angle), math.sin(angle), math.cos(alpha), math.sin(alpha)
        parent_from_link = np.array(
            [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]]
        )
        world_from_link.append(world_from_link[-1] @ parent_from_link)
    world_from_link.append(world_from_link[-1] @ FLANGE_FROM_TIP)
    return world_from_link


def inverse(tip_position: ArrayLike, yaw: float, near: ArrayLike | None = None) -> Array:
    """The joints that hold the tool straight down at a point: shoulder left, elbow up, wrist in.

    With the tool down, joint 5 is a constant quarter turn and the wrist's offset d5 lies along
    the arm's vertical plane, so that what is left is a planar arm of two links, d4 beside the
    base's axis.

    Args:
        tip_position: (3,) metres, the world's frame.
        yaw: rad, from the world's x axis to the tip's.
        near: (6,) rad, joints to stay close to. The last joint takes the whole turn nearest to
            them within its limits; without them it is joint 1 minus yaw, which has no jump for
            yaws within half a turn.

    Returns:
        (6,) rad, within `LIMITS.position`.

    Raises:
        ValueError: the point is out of reach, or a number is not finite.
    """
    x, y, z = np.asarray(tip_position, dtype=np.float64).tolist()
    d1, _, _, d4, d5, d6 = DH_D
    upper, fore = -DH_A[1], -DH_A[2]
    from_base_x, from_base_y = x - BASE_POSITION[0], y - BASE_POSITION[1]
    in_plane_squared = from_base_x**2 + from_base_y**2 - d4**2
    in_plane = math.sqrt(max(in_plane_squared, 0.0))
    # Joint 4 as seen from joint 2, in the arm's plane: outwards and up.
    out, up = in_plane - d5, z + TOOL_LENGTH + d6 - d1 - BASE_POSITION[2]
    cos_elbow = (out**2 + up**2 - upper**2 - fore**2) / (2 * upper * fore)
    if not (in_plane_squared >= 0.0 and abs(cos_elbow) <= 1.0 and math.isfinite(yaw)):
        raise ValueError(
            f"the arm cannot reach ({x:.4f}, {y:.4f}, {z:.4f}) m with yaw {yaw:.4f} rad and the "
            "tool straight down; ask for a point of the workspace"
        )

    pan = math.atan2(from_base_y, from_base_x) - math.atan2(d4, in_plane)
    elbow = math.acos(cos_elbow)
    lift = -math.atan2(up, out) - math.atan2(fore * math.sin(elbow), upper + fore * cos_elbow)
    wrist_1 = -math.pi / 2 - lift - elbow
    wrist_3 = pan - float(yaw)
    if near is not None:
        wrist_3 += 2 * math.pi * round((float(np.asarray(near)[5]) - wrist_3) / (2 * math.pi))
    excess = abs(wrist_3) - LIMITS.position[5]
    if excess > 0.0:
        wrist_3 -= math.copysign(2 * math.pi * math.ceil(excess / (2 * math.pi)), wrist_3)
    return np.array([pan, lift, elbow, wrist_1, -math.pi / 2, wrist_3])


def highest(x: float, y: float) -> float:
    """The tip's greatest height above (x, y), metres, the elbow bent by at least 10 degrees."""
    _, _, _, d4, d5, d6 = DH_D
    d1, upper, fore = DH_D[0], -DH_A[1], -DH_A[2]
    in_plane = math.sqrt((x - BASE_POSITION[0]) ** 2 + (y - BASE_POSITION[1]) ** 2 - d4**2)
    reach_squared = upper**2 + fore**2 + 2 * upper * fore * math.cos(_LEAST_BEND)
    up = math.sqrt(reach_squared - (in_plane - d5) ** 2)
    return up - TOOL_LENGTH - d6 + d1 + BASE_POSITION[2]


# ---------------------------------------------------------------------------- what people see

Mesh = tuple[Array, Array, NDArray[np.int64]]
"""Vertices (n, 3) in metres, their outward unit normals (n, 3), corners (3 * triangles,)."""
Profile = list[tuple[float, float]]
"""(position along the axis, radius), metres, from the low end to the high end."""

_SIDES = 20
TIP = 7  # the tip's place in what `forward` returns
_OUT_OF_SIGHT = (0.0, 0.0, -10.0)

_GREY, _BLUE, _DARK = (0.80, 0.81, 0.82, 1.0), (0.40, 0.62, 0.80, 1.0), (0.25, 0.26, 0.28, 1.0)
_SHINE = (0.15, 0.15, 0.15)  # pybullet's default highlights look like wet plastic
_PLINTH = (0.45, 0.46, 0.48, 1.0)


def _band(low: float, high: float, radius: float, end_radius: float | None = None) -> Profile:
    """A tube without ends, which lie inside other pieces: triangles cost time in every image."""
    return [(low, radius), (high, radius if end_radius is None else end_radius)]


def _tube(low: float, high: float, radius: float, end_radius: float | None = None) -> Profile:
    """A closed tube, tapering to `end_radius`, with bevelled rims that catch the light."""
    end = radius if end_radius is None else end_radius
    rim = min(0.005, (high - low) / 4, radius / 4)
    opening = [(low, 0), (low, radius - rim), (low + rim, radius)]
    return [*opening, (high - rim, end), (high, end - rim), (high, 0)]


def _cap(base: float, height: float, radius: float) -> Profile:
    """A domed lid, its rim sunk into a joint; a negative height domes towards lower positions."""
    dome = [(base - 0.2 * height, radius), (base + 0.6 * height, 0.93 * radius)]
    dome += [(base + height, 0.68 * radius), (base + height, 0.0)]
    return dome if height > 0 else dome[::-1]


@dataclass(frozen=True)
class Piece:
    """A solid of revolution about a line along an axis of a link's frame."""

    link: int  # its place in what `forward` returns
    colour: tuple[float, float, float, float]
    axis: Literal[0, 1, 2]
    profile: Profile
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)  # a point of the line, metres

    def mesh(self) -> Mesh:
        """The piece in its link's frame."""
        turn = np.arange(_SIDES) * (2 * math.pi / _SIDES)
        along = np.eye(3)[self.axis]
        around = np.zeros((_SIDES, 3))  # with `along` in the order of a right-handed frame
        around[:, (self.axis + 1) % 3], around[:, (self.axis + 2) % 3] = np.cos(turn), np.sin(turn)
        this = np.arange(_SIDES)
        then = (this + 1) % _SIDES
        vertices, normals, corners = [], [], []
        for number, ((t0, r0), (t1, r1)) in enumerate(pairwise(self.profile)):
            vertices += [self.at + t0 * along + r0 * around, self.at + t1 * along + r1 * around]
            # Each band has its own vertices: smooth around the axis, sharp along it.
            slope = ((t1 - t0) * around - (r1 - r0) * along) / math.hypot(t1 - t0, r1 - r0)
            normals += [slope, slope]
            low, high = 2 * number * _SIDES, (2 * number + 1) * _SIDES
            if r0 > 0:
                corners.append(np.stack([low + this, low + then, high + then], axis=1))
            if r1 > 0:
                corners.append(np.stack([low + this, high + then, high + this], axis=1))
        return np.concatenate(vertices), np.concatenate(normals), np.concatenate(corners).ravel()


# Sizes are estimates, the foot of 149 mm too. The radii (5 and 4 cm for the tubes, 6 and 5.5 cm for
# the large joints, 4 cm for the wrists) and the lateral offsets, 0.138 m at the shoulder and
# 0.131 m back at the elbow, are about those of the capsules in MuJoCo Menagerie's UR5e. The DH
# table has only the sum of the offsets, in d4.
_UPPER, _FORE = 0.138, 0.007
PIECES: list[Piece] = [
    Piece(0, _PLINTH, 2, _tube(-BASE_POSITION[2], 0.0, 0.095)),
    Piece(0, _DARK, 2, _tube(0.0, 0.014, 0.0745)),
    Piece(0, _GREY, 2, _tube(0.014, 0.094, 0.0745, 0.062)),
    # Shoulder: link 1's y is up, its z to the arm's left.
    Piece(1, _DARK, 1, _band(-0.0705, -0.065, 0.058)),
    Piece(1, _GREY, 1, _tube(-0.066, 0.058, 0.060)),
    Piece(1, _GREY, 2, _tube(-0.050, 0.071, 0.058)),
    Piece(1, _BLUE, 2, _cap(-0.050, -0.018, 0.055)),
    # Upper arm: from x = 0.425 at the shoulder to x = 0 at the elbow.
    Piece(2, _DARK, 2, _band(0.067, 0.079, 0.0565), (-DH_A[1], 0, 0)),
    Piece(2, _GREY, 2, _tube(0.075, 0.195, 0.060), (-DH_A[1], 0, 0)),
    Piece(2, _BLUE, 2, _cap(0.195, 0.018, 0.056), (-DH_A[1], 0, 0)),
    Piece(2, _GREY, 0, _band(0.0, -DH_A[1], 0.050, 0.053), (0, 0, _UPPER)),
    Piece(2, _GREY, 2, _tube(0.075, 0.190, 0.056)),
    Piece(2, _BLUE, 2, _cap(0.190, 0.016, 0.052)),
    # Forearm: from x = 0.3922 at the elbow to x = 0 at the wrist.
    Piece(3, _DARK, 2, _band(0.063, 0.079, 0.0535), (-DH_A[2], 0, 0)),
    Piece(3, _GREY, 2, _tube(-0.046, 0.067, 0.055), (-DH_A[2], 0, 0)),
    Piece(3, _BLUE, 2, _cap(-0.046, -0.016, 0.051), (-DH_A[2], 0, 0)),
    Piece(3, _GREY, 0, _band(0.0, -DH_A[2], 0.037, 0.044), (0, 0, _FORE)),
    Piece(3, _GREY, 2, _tube(-0.036, 0.060, 0.041)),
    Piece(3, _BLUE, 2, _cap(-0.036, -0.012, 0.038)),
    # Wrists 1 and 2: a joint each along z, held at its side by the link before.
    Piece(4, _DARK, 1, _band(-0.075, -0.069, 0.038)),
    Piece(4, _GREY, 1, _tube(-0.070, 0.0, 0.040)),
    Piece(4, _GREY, 2, _tube(-0.034, 0.048, 0.040)),
    Piece(4, _BLUE, 2, _cap(-0.034, -0.012, 0.037)),
    Piece(5, _DARK, 1, _band(0.046, 0.053, 0.038)),
    Piece(5, _GREY, 1, _tube(0.0, 0.047, 0.040)),
    Piece(5, _GREY, 2, _tube(-0.034, 0.048, 0.040)),
    Piece(5, _BLUE, 2, _cap(-0.034, -0.012, 0.037)),
    Piece(6, _DARK, 2, _band(-0.052, -0.046, 0.036)),
    Piece(6, _GREY, 2, _tube(-0.047, 0.0, 0.0375)),
]  # fmt: skip

# Both tools, in the tip's frame: z is down to the tip at 0.
_MOUNT = Piece(TIP, _DARK, 2, _tube(-TOOL_LENGTH, -TOOL_LENGTH + 0.012, 0.0315))
TOOL_PIECES: dict[Tool, list[Piece]] = {
    "suction": [
        _MOUNT,
        Piece(TIP, _GREY, 2, _tube(-TOOL_LENGTH + 0.01, -0.012, 0.005)),
        Piece(TIP, _BLUE, 2, _tube(-0.013, 0.0, 0.004, CUP_RADIUS)),
    ],
    "spatula": [
        _MOUNT,
        Piece(TIP, _GREY, 2, _tube(-TOOL_LENGTH + 0.01, -0.035, 0.010)),
    ],
}
BLADE_SIZE = (0.01, 0.12, 0.04)
"""The spatula's blade, metres along the tip's x (the way it pushes), y and z (up from the tip)."""


def _joined(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of several, so that a link's pieces of one colour are one body."""
    vertices, normals, corners = zip(*meshes, strict=True)
    first = np.cumsum([0, *(len(block) for block in vertices)])
    shifted = [block + start for block, start in zip(corners, first, strict=False)]
    return np.concatenate(vertices), np.concatenate(normals), np.concatenate(shifted)


def _quaternions(world_from_link: Array) -> Array:
    """Rotations of (n, 4, 4) transforms as (n, 4) quaternions xyzw.

    Rows of 4 q q^T are multiples of q; the one with the largest diagonal is well conditioned,
    also for the half turns of a tool that points down (Shepperd, 1978).
    """
    m = np.moveaxis(world_from_link, 0, -1)
    x, y, z = m[0, 0], m[1, 1], m[2, 2]
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    xw, yw, zw = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    outer = np.array(
        [[1 + x - y - z, xy, xz, xw], [xy, 1 - x + y - z, yz, yw],
         [xz, yz, 1 - x - y + z, zw], [xw, yw, zw, 1 + x + y + z]]
    )  # fmt: skip
    best = np.argmax(outer[range(4), range(4)], axis=0)
    rows: Array = outer[best, :, range(len(world_from_link))]
    unit: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


class ArmView:
    """The arm as people see it: bodies without mass or collision shape, in one pybullet client.

    It is out of sight until it is shown. After `resetSimulation` its bodies are gone.

    Attributes:
        bodies: pybullet's ids of all its bodies, as they appear in a segmentation image.
    """

    def __init__(self, client: int) -> None:
        """Create the bodies in the pybullet client with this id."""
        self._client = client
        self._arm = self._build(PIECES)
        self._tools = {tool: self._build(pieces) for tool, pieces in TOOL_PIECES.items()}
        blade = p.createVisualShape(
            p.GEOM_BOX,
            halfExtents=[size / 2 for size in BLADE_SIZE],
            visualFramePosition=[0, 0, -BLADE_SIZE[2] / 2],
            rgbaColor=_GREY,
            specularColor=_SHINE,
            physicsClientId=client,
        )
        self._tools["spatula"].append((self._body(blade), TIP))
        every = self._arm + [body for bodies in self._tools.values() for body in bodies]
        self.bodies = tuple(body for body, _ in every)

    def show(self, joints: ArrayLike, tool: Tool) -> None:
        """Put the arm where these joints (6,) rad put it, holding this tool.

        Raises:
            ValueError: there is no such tool.
        """
        if tool not in TOOL_PIECES:
            raise ValueError(f"no tool {tool!r}; it is one of {', '.join(TOOL_PIECES)}")
        world_from_link = np.array(forward(joints))
        positions = world_from_link[:, :3, 3].tolist()
        quaternions = _quaternions(world_from_link).tolist()
        for body, link in self._arm + self._tools[tool]:
            self._place(body, positions[link], quaternions[link])
        for other, bodies in self._tools.items():
            for body, _ in bodies if other != tool else ():
                self._place(body, _OUT_OF_SIGHT, (0.0, 0.0, 0.0, 1.0))

    def _build(self, pieces: Iterable[Piece]) -> list[tuple[int, int]]:
        """A body for each link and colour: (pybullet's id, link)."""
        meshes: dict[tuple[int, tuple[float, ...]], list[Mesh]] = {}
        for piece in pieces:
            meshes.setdefault((piece.link, piece.colour), []).append(piece.mesh())
        bodies = []
        for (link, colour), parts in meshes.items():
            vertices, normals, corners = _joined(parts)
            shape = renderer.mesh(
                self._client,
                vertices.tolist(),
                normals.tolist(),
                corners.tolist(),
                rgbaColor=colour,
                specularColor=_SHINE,
            )
            bodies.append((self._body(shape), link))
        return bodies

    def _body(self, shape: int) -> int:
        """A hidden body with this look, which nothing can touch."""
        return int(
            p.createMultiBody(
                baseMass=0,
                baseCollisionShapeIndex=-1,
                baseVisualShapeIndex=shape,
                basePosition=_OUT_OF_SIGHT,
                useMaximalCoordinates=True,
                physicsClientId=self._client,
            )
        )

    def _place(self, body: int, position: Sequence[float], quaternion: Sequence[float]) -> None:
        p.resetBasePositionAndOrientation(body, position, quaternion, physicsClientId=self._client)
