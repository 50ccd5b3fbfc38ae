"""Assets as bodies: collision and visual shapes from an asset's parts."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import pybullet as p

from gensim_envs.sim import renderer
from gensim_envs.sim.renderer import box_mesh
from gensim_envs.task.assets import COLORS, Asset, Part
from gensim_envs.task.pose import Pose

_FACETS = 24
"""Sides of a round part: pybullet's own round visuals have many more and take 0.5 ms each."""
_TUBE_WALLS = 16


@cache
def _lathe(profile: tuple[tuple[float, float], ...]) -> dict[str, Any]:
    """A mesh from (radius, z) pairs turned about z, flat-shaded along the profile."""
    vertices: list[list[float]] = []
    normals: list[list[float]] = []
    indices: list[int] = []
    angle = np.arange(_FACETS + 1) * (math.tau / _FACETS)
    for (r0, z0), (r1, z1) in itertools.pairwise(profile):
        slope = np.array([z1 - z0, -(r1 - r0)])
        length = float(np.hypot(*slope))
        if length == 0:
            continue
        slope /= length
        first = len(vertices)
        for a in angle:
            c, s = math.cos(a), math.sin(a)
            for r, z in ((r0, z0), (r1, z1)):
                vertices.append([r * c, r * s, z])
                normals.append([slope[0] * c, slope[0] * s, slope[1]])
        for k in range(_FACETS):
            a = first + 2 * k
            indices += [a, a + 2, a + 1, a + 1, a + 2, a + 3]
    return {"vertices": vertices, "normals": normals, "indices": indices}


def _profile(part: Part) -> tuple[tuple[float, float], ...]:
    """The outline of a round part, from the bottom axis round to the top."""
    r, h = part.size[0] / 2, part.size[2] / 2
    if part.shape == "cylinder":
        return ((0, -h), (r, -h), (r, h), (0, h))
    if part.shape == "sphere":
        turn = np.linspace(-math.pi / 2, math.pi / 2, 11)
        return tuple((max(0.0, r * math.cos(a)), r * math.sin(a)) for a in turn)
    wall, top = part.size[1], r + part.flare
    return ((r - wall, h * -1), (r, -h), (top, h), (top - wall, h), (r - wall, -h))


def _wall_boxes(part: Part) -> list[tuple[list[float], list[float], list[float]]]:
    """A tube as boxes: (half extents, centre, quaternion) of each, in the part's frame."""
    radius, wall, height = part.size[0] / 2, part.size[1], part.size[2]
    lean = math.atan2(part.flare, height)
    boxes = []
    middle = radius - wall / 2 + part.flare / 2
    # Wide enough to meet at the outer edge of the wall, at its widest.
    width = 2 * (radius + max(part.flare, 0)) * math.tan(math.pi / _TUBE_WALLS)
    thick = wall / 2 * math.cos(lean)
    # Leaning, it is to reach no lower than its foot: a bowl would stand on its wall's edges.
    half = [thick, width / 2, (height / 2 - thick * math.sin(lean)) / math.cos(lean)]
    for k in range(_TUBE_WALLS):
        angle = math.tau * k / _TUBE_WALLS
        centre = [middle * math.cos(angle), middle * math.sin(angle), 0.0]
        boxes.append((half, centre, list(p.getQuaternionFromEuler([0, lean, angle]))))
    return boxes


def _shades(asset: Asset, part: Part) -> list[float]:
    return [min(1.0, channel / 255 * part.shade) for channel in COLORS[asset.color]] + [1.0]


def _collision(asset: Asset, client: int) -> int:
    """One (compound) collision shape about the middle of the asset, or -1 for paint."""
    shapes: dict[str, list[Any]] = {
        "shapeTypes": [], "halfExtents": [], "radii": [], "lengths": [],
        "collisionFramePositions": [], "collisionFrameOrientations": [],
    }  # fmt: skip
    for part in asset.parts():
        if not part.solid:
            continue
        x, y, z = part.center
        z -= asset.height / 2
        turn = list(p.getQuaternionFromEuler(part.tilt))
        pieces: list[tuple[int, list[float], float, float, list[float], list[float]]]
        if part.shape == "tube":
            pieces = [
                (p.GEOM_BOX, half, 0, 0, [x + c[0], y + c[1], z + c[2]], q)
                for half, c, q in _wall_boxes(part)
            ]
        else:
            kind = {"box": p.GEOM_BOX, "cylinder": p.GEOM_CYLINDER, "sphere": p.GEOM_SPHERE}
            half = [side / 2 for side in part.size]
            pieces = [(kind[part.shape], half, half[0], part.size[2], [x, y, z], turn)]
        for row in pieces:
            for values, value in zip(shapes.values(), row, strict=True):
                values.append(value)
    if not shapes["shapeTypes"]:
        return -1
    return int(p.createCollisionShapeArray(**shapes, physicsClientId=client))


def _visual(asset: Asset, client: int) -> int:
    """One visual shape about the middle of the asset.

    Boxes keep a shade each. pybullet takes arrays of boxes but not of meshes, so an asset with a
    round part becomes one mesh of one colour. So does everything in EGL, which rounds the edges of
    pybullet's own boxes.
    """
    parts, lift = asset.parts(), asset.height / 2
    if all(part.shape == "box" for part in parts) and not renderer.uses_egl(client):
        return int(
            p.createVisualShapeArray(
                shapeTypes=[p.GEOM_BOX] * len(parts),
                halfExtents=[[side / 2 for side in part.size] for part in parts],
                rgbaColors=[_shades(asset, part) for part in parts],
                visualFramePositions=[[*part.center[:2], part.center[2] - lift] for part in parts],
                visualFrameOrientations=[p.getQuaternionFromEuler(part.tilt) for part in parts],
                physicsClientId=client,
            )
        )
    return renderer.mesh(client, **_merged(parts, lift), rgbaColor=_shades(asset, parts[0]))


@cache
def _merged(parts: tuple[Part, ...], lift: float) -> dict[str, Any]:
    """All parts as one mesh, `lift` metres lower."""
    mesh: dict[str, list[Any]] = {"vertices": [], "normals": [], "indices": []}
    for part in parts:
        piece = box_mesh(part.size) if part.shape == "box" else _lathe(_profile(part))
        world_from_part = np.reshape(
            p.getMatrixFromQuaternion(p.getQuaternionFromEuler(part.tilt)), (3, 3)
        )
        moved = np.array(piece["vertices"]) @ world_from_part.T + part.center - (0, 0, lift)
        mesh["indices"] += [len(mesh["vertices"]) + k for k in piece["indices"]]
        mesh["vertices"] += moved.tolist()
        mesh["normals"] += (np.array(piece["normals"]) @ world_from_part.T).tolist()
    return mesh


def spawn(asset: Asset, poses: list[Pose], *, fixed: bool, client: int) -> list[int]:
    """Create the bodies of one item.

    Args:
        asset: what to create.
        poses: of each body, by its underside; more than one for ropes and piles.
        fixed: whether it is part of the table.
        client: pybullet's client id.

    Returns:
        pybullet's body ids, in the order of `poses`. A body's own frame is at the middle of the
        asset, half its height above its underside.
    """
    shapes = _collision(asset, client), _visual(asset, client)
    bodies = []
    for pose in poses:
        body = p.createMultiBody(
            0 if fixed else asset.mass,
            *shapes,
            [pose.x, pose.y, pose.z + asset.height / 2],
            p.getQuaternionFromEuler((0, 0, pose.yaw)),
            # Plain rigid bodies: twice as fast to step as Featherstone's.
            useMaximalCoordinates=True,
            physicsClientId=client,
        )
        if shapes[0] >= 0:
            p.changeDynamics(
                body, -1, lateralFriction=asset.friction, restitution=0.0,
                rollingFriction=asset.rolling_friction, spinningFriction=0.0005,
                linearDamping=asset.damping[0], angularDamping=asset.damping[1],
                physicsClientId=client,
            )  # fmt: skip
        bodies.append(body)
    return bodies
