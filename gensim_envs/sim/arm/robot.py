"""A UR5e on a plinth: its dimensions, its limits and its kinematics.

Sources:
    Denavit-Hartenberg parameters, masses and centres of mass: Universal Robots, article "DH
    Parameters for calculations of kinematics and dynamics", table UR5e.
    Joint ranges (360 degrees either way) and speeds (180 degrees/s): Universal Robots, "UR5e
    technical specifications". Torques: Universal Robots, article "Max. joint torques".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Tool = Literal["suction", "spatula"]


@dataclass(frozen=True)
class JointLimits:
    """Limits of the six joints; the tuples run from the base to the last wrist."""

    position: tuple[float, ...] = (2 * math.pi,) * 6  # rad, either way
    speed: tuple[float, ...] = (math.pi,) * 6  # rad/s
    torque: tuple[float, ...] = (150.0, 150.0, 150.0, 28.0, 28.0, 28.0)  # N m


LIMITS = JointLimits()
"""The UR5e's own; its elbow meets the upper arm a little before 180 degrees."""

# Link i's frame in link i-1's is RotZ(joint) TransZ(d) TransX(a) RotX(alpha); metres, radians.
DH_D = (0.1625, 0.0, 0.0, 0.1333, 0.0997, 0.0996)
DH_A = (0.0, -0.425, -0.3922, 0.0, 0.0, 0.0)
_UPPER, _FORE = -DH_A[1], -DH_A[2]  # lengths of the upper arm and the forearm
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
"""Radius of the suction cup, metres."""
BLADE_SIZE = (0.01, 0.12, 0.04)
"""The spatula's blade, metres along the tip's x (the way it pushes), y and z (up from the tip)."""
TIP = 7
"""Index of the tip in what `forward` returns."""

_LEAST_BEND = math.radians(10)  # of the elbow: straight, it cannot move the tool outwards

# The published base frame points the arm along its own -x; 180 degrees make joint 1 = 0 look
# along the world's +x, over the workspace.
WORLD_FROM_BASE: Array = np.diag([-1.0, -1.0, 1.0, 1.0])
WORLD_FROM_BASE[:3, 3] = BASE_POSITION

# 90 degrees about the flange's axis, so that the tool's yaw is joint 1 minus joint 6.
FLANGE_FROM_TIP: Array = np.array(
    [[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, TOOL_LENGTH], [0, 0, 0, 1]]
)


def forward(joints: ArrayLike) -> list[Array]:
    """The poses of all links.

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

    With the tool down, joint 5 is constant and the wrist's offset d5 lies along the arm's vertical
    plane. The rest is a planar arm of two links, d4 beside the base's axis.

    Args:
        tip_position: (3,) metres, the world's frame.
        yaw: rad, from the world's x axis to the tip's.
        near: (6,) rad, joints to stay close to. The last joint takes the full rotation nearest to
            them within its limits; without them it is joint 1 minus yaw, which has no jump for
            yaws within 180 degrees.

    Returns:
        (6,) rad, within `LIMITS.position`.

    Raises:
        ValueError: the point is out of reach, or a number is not finite.
    """
    x, y, z = np.asarray(tip_position, dtype=np.float64).tolist()
    d1, _, _, d4, d5, d6 = DH_D
    from_base_x, from_base_y = x - BASE_POSITION[0], y - BASE_POSITION[1]
    in_plane_squared = from_base_x**2 + from_base_y**2 - d4**2
    in_plane = math.sqrt(max(in_plane_squared, 0.0))
    # Joint 4 as seen from joint 2, in the arm's plane: outwards and up.
    out, up = in_plane - d5, z + TOOL_LENGTH + d6 - d1 - BASE_POSITION[2]
    cos_elbow = (out**2 + up**2 - _UPPER**2 - _FORE**2) / (2 * _UPPER * _FORE)
    if not (in_plane_squared >= 0.0 and abs(cos_elbow) <= 1.0 and math.isfinite(yaw)):
        raise ValueError(
            f"the arm cannot reach ({x:.4f}, {y:.4f}, {z:.4f}) m with yaw {yaw:.4f} rad and the "
            "tool straight down; ask for a point of the workspace"
        )

    pan = math.atan2(from_base_y, from_base_x) - math.atan2(d4, in_plane)
    elbow = math.acos(cos_elbow)
    lift = -math.atan2(up, out) - math.atan2(_FORE * math.sin(elbow), _UPPER + _FORE * cos_elbow)
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
    d1, _, _, d4, d5, d6 = DH_D
    in_plane = math.sqrt((x - BASE_POSITION[0]) ** 2 + (y - BASE_POSITION[1]) ** 2 - d4**2)
    reach_squared = _UPPER**2 + _FORE**2 + 2 * _UPPER * _FORE * math.cos(_LEAST_BEND)
    up = math.sqrt(reach_squared - (in_plane - d5) ** 2)
    return up - TOOL_LENGTH - d6 + d1 + BASE_POSITION[2]
