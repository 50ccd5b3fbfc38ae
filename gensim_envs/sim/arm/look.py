"""The arm's visual geometry, from which the collision shapes are derived."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pybullet as p
from numpy.typing import ArrayLike

from gensim_envs.sim import Uncopyable
from gensim_envs.sim.arm import robot
from gensim_envs.sim.arm.robot import Tool
from gensim_envs.sim.client import Client
from gensim_envs.sim.meshes import Mesh, Profile, create_visual, join, lathe

Colour = tuple[float, float, float, float]
"""Red, green, blue and alpha, 0..1."""

_FACETS = 16
_BAND = 0.08  # metres
_HIDDEN = (0.0, 0.0, -10.0)

_GREY, _BLUE, _DARK = (0.80, 0.81, 0.82, 1.0), (0.40, 0.62, 0.80, 1.0), (0.25, 0.26, 0.28, 1.0)
_SHINE = (0.15, 0.15, 0.15)  # pybullet's default highlights look like wet plastic
_PLINTH = (0.45, 0.46, 0.48, 1.0)


def _band(low: float, high: float, radius: float, end_radius: float | None = None) -> Profile:
    """A tube whose open ends lie inside other pieces: triangles cost time in every image."""
    return ((radius, low), (radius if end_radius is None else end_radius, high))


def _tube(low: float, high: float, radius: float, end_radius: float | None = None) -> Profile:
    """A closed tube, tapering to `end_radius`, with bevelled rims that catch the light."""
    end = radius if end_radius is None else end_radius
    rim = min(0.005, (high - low) / 4, radius / 4)
    opening = ((0.0, low), (radius - rim, low), (radius, low + rim))
    return (*opening, (end, high - rim), (end - rim, high), (0.0, high))


def _cap(base: float, height: float, radius: float) -> Profile:
    """A domed lid, its rim sunk into a joint; a negative height domes towards lower positions."""
    dome = ((radius, base - 0.2 * height), (0.93 * radius, base + 0.6 * height),
            (0.68 * radius, base + height), (0.0, base + height))  # fmt: skip
    return dome if height > 0 else dome[::-1]


@dataclass(frozen=True)
class Piece:
    """A solid of revolution about a line along an axis of a link's frame.

    Attributes:
        link: its index in what `robot.forward` returns.
        colour: of its surface.
        axis: x, y or z of the link's frame.
        profile: (radius, position along the axis) of the outline.
        at: a point of the line, metres.
    """

    link: int
    colour: Colour
    axis: Literal[0, 1, 2]
    profile: Profile
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def radius(self) -> float:
        """The largest, metres."""
        return max(radius for radius, _ in self.profile)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest position along the axis, metres."""
        return self.profile[0][1], self.profile[-1][1]

    def mesh(self) -> Mesh:
        """The piece in its link's frame."""
        rotation = np.roll(np.eye(3), self.axis + 1, axis=0)  # z onto the axis
        return lathe(_short_bands(self.profile), _FACETS).moved(rotation, self.at)


def _short_bands(profile: Profile) -> Profile:
    """The outline with long stretches cut: TinyRenderer visits all pixels around a triangle."""
    points = [profile[0]]
    for (r0, z0), (r1, z1) in itertools.pairwise(profile):
        n = math.ceil(abs(z1 - z0) / _BAND)
        points += [(r0 + (r1 - r0) * k / n, z0 + (z1 - z0) * k / n) for k in range(1, n)]
        points.append((r1, z1))
    return tuple(points)


# Sizes are estimates, the foot of 149 mm too. The radii (5 and 4 cm for the tubes, 6 and 5.5 cm for
# the large joints, 4 cm for the wrists) and the lateral offsets, 0.138 m at the shoulder and
# 0.131 m back at the elbow, are about those of the capsules in MuJoCo Menagerie's UR5e. The DH
# table has only the sum of the offsets, in d4.
_UPPER, _FORE = 0.138, 0.007
PIECES: list[Piece] = [
    Piece(0, _PLINTH, 2, _tube(-robot.BASE_POSITION[2], 0.0, 0.095)),
    Piece(0, _DARK, 2, _tube(0.0, 0.014, 0.0745)),
    Piece(0, _GREY, 2, _tube(0.014, 0.094, 0.0745, 0.062)),
    # Shoulder: link 1's y is up, its z to the arm's left.
    Piece(1, _DARK, 1, _band(-0.0705, -0.065, 0.058)),
    Piece(1, _GREY, 1, _tube(-0.066, 0.058, 0.060)),
    Piece(1, _GREY, 2, _tube(-0.050, 0.071, 0.058)),
    Piece(1, _BLUE, 2, _cap(-0.050, -0.018, 0.055)),
    # Upper arm: from x = 0.425 at the shoulder to x = 0 at the elbow.
    Piece(2, _DARK, 2, _band(0.067, 0.079, 0.0565), (-robot.DH_A[1], 0, 0)),
    Piece(2, _GREY, 2, _tube(0.075, 0.195, 0.060), (-robot.DH_A[1], 0, 0)),
    Piece(2, _BLUE, 2, _cap(0.195, 0.018, 0.056), (-robot.DH_A[1], 0, 0)),
    Piece(2, _GREY, 0, _band(0.0, -robot.DH_A[1], 0.050, 0.053), (0, 0, _UPPER)),
    Piece(2, _GREY, 2, _tube(0.075, 0.190, 0.056)),
    Piece(2, _BLUE, 2, _cap(0.190, 0.016, 0.052)),
    # Forearm: from x = 0.3922 at the elbow to x = 0 at the wrist.
    Piece(3, _DARK, 2, _band(0.063, 0.079, 0.0535), (-robot.DH_A[2], 0, 0)),
    Piece(3, _GREY, 2, _tube(-0.046, 0.067, 0.055), (-robot.DH_A[2], 0, 0)),
    Piece(3, _BLUE, 2, _cap(-0.046, -0.016, 0.051), (-robot.DH_A[2], 0, 0)),
    Piece(3, _GREY, 0, _band(0.0, -robot.DH_A[2], 0.037, 0.044), (0, 0, _FORE)),
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
_MOUNT = Piece(robot.TIP, _DARK, 2, _tube(-robot.TOOL_LENGTH, -robot.TOOL_LENGTH + 0.012, 0.0315))
TOOL_PIECES: dict[Tool, list[Piece]] = {
    "suction": [
        _MOUNT,
        Piece(robot.TIP, _GREY, 2, _tube(-robot.TOOL_LENGTH + 0.01, -0.012, 0.005)),
        Piece(robot.TIP, _BLUE, 2, _tube(-0.013, 0.0, 0.004, robot.CUP_RADIUS)),
    ],
    "spatula": [
        _MOUNT,
        Piece(robot.TIP, _GREY, 2, _tube(-robot.TOOL_LENGTH + 0.01, -0.035, 0.010)),
    ],
}


@cache
def _surfaces(pieces: tuple[Piece, ...]) -> list[tuple[int, Colour, Mesh]]:
    """The pieces as one mesh for each link and colour, with both."""
    meshes: dict[tuple[int, Colour], list[Mesh]] = {}
    for piece in pieces:
        meshes.setdefault((piece.link, piece.colour), []).append(piece.mesh())
    return [(link, colour, join(parts)) for (link, colour), parts in meshes.items()]


def _quaternion(rotation: Sequence[Sequence[float]]) -> list[float]:
    """A rotation matrix as xyzw (Shepperd 1978). To load SciPy's for it takes half a second."""
    diagonal = [rotation[k][k] for k in range(3)]
    trace = sum(diagonal)
    i = max(range(3), key=diagonal.__getitem__)
    j, k = (i + 1) % 3, (i + 2) % 3
    turn = [0.0, 0.0, 0.0, 1 + trace]
    if trace >= diagonal[i]:
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            turn[a] = rotation[c][b] - rotation[b][c]
    else:
        turn[i] = 1 - trace + 2 * diagonal[i]
        turn[j] = rotation[j][i] + rotation[i][j]
        turn[k] = rotation[k][i] + rotation[i][k]
        turn[3] = rotation[k][j] - rotation[j][k]
    length = math.hypot(*turn)
    return [part / length for part in turn]


class ArmView(Uncopyable):
    """The arm as videos show it: bodies without mass or collision shape.

    It is hidden until `show` is called. After `resetSimulation` its bodies are gone.
    """

    def __init__(self, client: Client) -> None:
        """Create the bodies."""
        self._client = client
        # From the tip to the base: TinyRenderer is faster if what is in front is drawn first.
        self._tools = {tool: self._build(pieces) for tool, pieces in TOOL_PIECES.items()}
        blade = client.createVisualShape(
            p.GEOM_BOX, halfExtents=[size / 2 for size in robot.BLADE_SIZE],
            visualFramePosition=[0, 0, -robot.BLADE_SIZE[2] / 2],
            rgbaColor=_GREY, specularColor=_SHINE,
        )  # fmt: skip
        self._tools["spatula"].append((self._body(blade), robot.TIP))
        self._arm = self._build(PIECES[::-1])

    def show(self, joints: ArrayLike, tool: Tool) -> None:
        """Show the arm at these joints (6,) rad, with this tool."""
        world_from_link = np.array(robot.forward(joints))
        positions = world_from_link[:, :3, 3].tolist()
        quaternions = [_quaternion(frame) for frame in world_from_link.tolist()]
        place = self._client.resetBasePositionAndOrientation
        for body, link in self._arm + self._tools[tool]:
            place(body, positions[link], quaternions[link])
        for other, bodies in self._tools.items():
            for body, _ in bodies if other != tool else ():
                place(body, _HIDDEN, (0.0, 0.0, 0.0, 1.0))

    def _build(self, pieces: Iterable[Piece]) -> list[tuple[int, int]]:
        """A body for each link and colour: (pybullet's id, link)."""
        bodies = []
        for link, colour, mesh in _surfaces(tuple(pieces)):
            shape = create_visual(self._client, mesh, rgbaColor=colour, specularColor=_SHINE)
            bodies.append((self._body(shape), link))
        return bodies

    def _body(self, shape: int) -> int:
        """A hidden body with this visual shape, which collides with nothing."""
        return int(self._client.createMultiBody(0, -1, shape, _HIDDEN, useMaximalCoordinates=True))
