"""Assets as bodies: collision and visual shapes from an asset's parts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p

from gensim_envs.sim import renderer
from gensim_envs.task.assets import COLORS, Asset, Part
from gensim_envs.task.pose import Pose

_FACETS = 24
_TUBE_WALLS = 16
_MODELS = Path(__file__).with_name("models")
_KINDS = {"box": p.GEOM_BOX, "tube": p.GEOM_BOX, "cylinder": p.GEOM_CYLINDER,
          "sphere": p.GEOM_SPHERE, "mesh": p.GEOM_MESH}  # fmt: skip


@lru_cache(maxsize=64)
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


def _file(mesh: str) -> str:
    return str(_MODELS / f"{mesh}.obj")


def _shades(asset: Asset, part: Part) -> list[float]:
    color = COLORS[asset.color] if part.paint is None else part.paint
    return [min(1.0, channel / 255 * part.shade) for channel in color] + [1.0]


_MANY = {
    "shapeType": "shapeTypes", "radius": "radii", "height": "lengths", "fileName": "fileNames",
    "meshScale": "meshScales", "rgbaColor": "rgbaColors",
    "collisionFramePosition": "collisionFramePositions",
    "collisionFrameOrientation": "collisionFrameOrientations",
    "visualFramePosition": "visualFramePositions",
    "visualFrameOrientation": "visualFrameOrientations",
}  # fmt: skip
"""What pybullet calls an argument where it takes several shapes at once."""


def _shape(one: Callable[..., int], many: Callable[..., int], pieces: list[dict[str, Any]]) -> int:
    """A shape of several pieces; of a single one by the call that does not leak file names."""
    if len(pieces) == 1:
        return int(one(**pieces[0]))
    client = pieces[0]["physicsClientId"]
    names = [name for name in pieces[0] if name != "physicsClientId"]
    lists = {_MANY.get(name, name): [piece[name] for piece in pieces] for name in names}
    return int(many(**lists, physicsClientId=client))


def _collision(asset: Asset, client: int) -> int:
    """One (compound) collision shape about the middle of the asset, or -1 for paint."""
    pieces = []
    for part in asset.parts():
        if not part.solid:
            continue
        x, y, z = part.center
        z -= asset.height / 2
        half, turn = [side / 2 for side in part.size], p.getQuaternionFromEuler(part.tilt)
        boxes = _wall_boxes(part) if part.shape == "tube" else [(half, [0.0, 0.0, 0.0], turn)]
        for extents, (dx, dy, dz), orientation in boxes:
            piece = {
                "shapeType": _KINDS[part.shape],
                "halfExtents": extents,
                "radius": half[0],
                "height": part.size[2],
                "collisionFramePosition": [x + dx, y + dy, z + dz],
                "collisionFrameOrientation": orientation,
                "fileName": _file(part.mesh) if part.mesh else "",
                "meshScale": part.scale,
                "physicsClientId": client,
            }
            pieces.append(piece)
    if not pieces:
        return -1
    return _shape(p.createCollisionShape, p.createCollisionShapeArray, pieces)


def _visual(asset: Asset, client: int) -> int:
    """One visual shape about the middle of the asset.

    Boxes and meshes from files keep a colour each; pybullet's own round shapes have so many
    facets that they take 0.5 ms each. It takes no arrays of meshes made here, so an asset with a
    tube becomes one mesh of one colour.
    """
    lift = asset.height / 2
    parts = [part for part in asset.parts() if part.seen]
    if any(part.shape == "tube" for part in parts):
        mesh, color = _merged(tuple(parts), lift), _shades(asset, parts[0])
        return renderer.mesh(client, **mesh, rgbaColor=color)
    pieces = []
    for part in parts:
        box = part.shape == "box"
        scale = part.scale if part.mesh else part.size
        file = _file(part.mesh or part.shape)
        if renderer.uses_egl(client):
            # It rounds the edges of pybullet's boxes, and draws a file at its first scale for ever.
            box, file, scale = False, renderer.scaled(file, scale), (1.0, 1.0, 1.0)
        pieces.append(
            {
                "shapeType": p.GEOM_BOX if box else p.GEOM_MESH,
                "halfExtents": [side / 2 for side in part.size],
                "fileName": file,
                "meshScale": scale,
                "rgbaColor": _shades(asset, part),
                "visualFramePosition": [*part.center[:2], part.center[2] - lift],
                "visualFrameOrientation": p.getQuaternionFromEuler(part.tilt),
                "physicsClientId": client,
            }
        )
    return _shape(p.createVisualShape, p.createVisualShapeArray, pieces)


@lru_cache(maxsize=64)
def _merged(parts: tuple[Part, ...], lift: float) -> dict[str, Any]:
    """Round parts and tubes as one mesh, `lift` metres lower."""
    mesh: dict[str, list[Any]] = {"vertices": [], "normals": [], "indices": []}
    for part in parts:
        piece = renderer.box_mesh(part.size) if part.shape == "box" else _lathe(_profile(part))
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


def show(asset: Asset, count: int, client: int) -> list[int]:
    """Bodies that look like those of an item, and that nothing touches; see `spawn`."""
    look = _visual(asset, client)
    return [
        p.createMultiBody(0, -1, look, useMaximalCoordinates=True, physicsClientId=client)
        for _ in range(count)
    ]
