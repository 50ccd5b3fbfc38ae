"""Create the bodies of assets: collision and visual shapes from an asset's parts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p

from gensim_envs.sim import meshes
from gensim_envs.sim.client import Client
from gensim_envs.task.assets import COLORS, Asset, Part, Rope
from gensim_envs.task.geometry import Array
from gensim_envs.task.pose import Pose

_TUBE_WALLS = 16
_MODELS = Path(__file__).with_name("models")
_KINDS = {"box": p.GEOM_BOX, "tube": p.GEOM_BOX, "cylinder": p.GEOM_CYLINDER,
          "sphere": p.GEOM_SPHERE, "mesh": p.GEOM_MESH}  # fmt: skip


def _profile(part: Part) -> meshes.Profile:
    """The outline of a round part, from the bottom to the top."""
    r, h = part.size[0] / 2, part.size[2] / 2
    if part.shape == "cylinder":
        return ((0, -h), (r, -h), (r, h), (0, h))
    if part.shape == "sphere":
        latitudes = np.linspace(-math.pi / 2, math.pi / 2, 11)
        return tuple((max(0.0, r * math.cos(a)), r * math.sin(a)) for a in latitudes)
    assert part.shape == "tube", f"a {part.shape} is not round"
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


@lru_cache(maxsize=256)
def hull(asset: Asset) -> Array:
    """Points (n, 3) around an asset's middle whose convex hull is that of its solid parts."""
    pieces = []
    for part in asset.parts():
        if not part.solid:
            continue
        if part.shape == "mesh":
            points = _vertices(_file(part.mesh)) * part.scale
        elif part.shape == "box":
            points = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * part.size
        else:
            radius, height = np.array(_profile(part)).T[:, :, None]
            angle = np.arange(24) * (math.tau / 24)
            ring = radius * np.cos(angle), radius * np.sin(angle), height + 0 * angle
            points = np.stack(ring, axis=-1).reshape(-1, 3)
        turn = p.getMatrixFromQuaternion(p.getQuaternionFromEuler(part.tilt))
        pieces.append(points @ np.reshape(turn, (3, 3)).T + part.center)
    points = np.concatenate(pieces) - (0, 0, asset.height / 2)
    return np.asarray(points, np.float64)


@cache
def _vertices(file: str) -> Array:
    """The vertices (n, 3) of an OBJ file."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)


def _file(mesh: str) -> str:
    return str(_MODELS / f"{mesh}.obj")


def _rgba(asset: Asset, part: Part) -> list[float]:
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
"""Names of pybullet's arguments in the calls that create several shapes at once."""


def _shape(one: Callable[..., int], many: Callable[..., int], pieces: list[dict[str, Any]]) -> int:
    """A shape of several pieces. A single piece takes the call that does not leak file names."""
    if len(pieces) == 1:
        return int(one(**pieces[0]))
    return int(many(**{_MANY.get(k, k): [piece[k] for piece in pieces] for k in pieces[0]}))


def _collision(asset: Asset, client: Client) -> int:
    """One (compound) collision shape around the asset's middle, or -1 for paint."""
    pieces = []
    for part in asset.parts():
        if not part.solid:
            continue
        x, y, z = part.center
        z -= asset.height / 2
        half, rotation = [side / 2 for side in part.size], p.getQuaternionFromEuler(part.tilt)
        boxes = _wall_boxes(part) if part.shape == "tube" else [(half, [0.0] * 3, rotation)]
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
            }
            pieces.append(piece)
    if not pieces:
        return -1
    return _shape(client.createCollisionShape, client.createCollisionShapeArray, pieces)


def _visual(asset: Asset, client: Client) -> int:
    """One visual shape around the asset's middle.

    Boxes and meshes from files keep their own colours. Round parts are meshes from files, since
    pybullet's own have so many facets that they take 0.5 ms each. An asset with a tube, which has
    only round parts, becomes one mesh of one colour, since pybullet takes no arrays of generated
    meshes.
    """
    lift = asset.height / 2
    parts = [part for part in asset.parts() if part.seen]
    if any(part.shape == "tube" for part in parts):
        mesh = _merged(tuple(parts), lift)
        return meshes.create_visual(client, mesh, rgbaColor=_rgba(asset, parts[0]))
    pieces = []
    for part in parts:
        box = part.shape == "box"
        scale = part.scale if part.mesh else part.size
        file = _file(part.mesh or part.shape)
        if client.egl:
            # It rounds the edges of pybullet's boxes, and draws a file always at its first scale.
            box, file, scale = False, meshes.scaled_file(file, scale), (1.0, 1.0, 1.0)
        pieces.append(
            {
                "shapeType": p.GEOM_BOX if box else p.GEOM_MESH,
                "halfExtents": [side / 2 for side in part.size],
                "fileName": file,
                "meshScale": scale,
                "rgbaColor": _rgba(asset, part),
                "visualFramePosition": [*part.center[:2], part.center[2] - lift],
                "visualFrameOrientation": p.getQuaternionFromEuler(part.tilt),
            }
        )
    return _shape(client.createVisualShape, client.createVisualShapeArray, pieces)


@lru_cache(maxsize=64)
def _merged(parts: tuple[Part, ...], lift: float) -> meshes.Mesh:
    """Round parts and tubes as one mesh, `lift` metres lower."""
    surfaces = []
    for part in parts:
        rotation = np.reshape(
            p.getMatrixFromQuaternion(p.getQuaternionFromEuler(part.tilt)), (3, 3)
        )
        surfaces.append(meshes.lathe(_profile(part)).moved(rotation, part.center))
    return meshes.join(surfaces).moved(np.eye(3), (0, 0, -lift))


def spawn(
    asset: Asset, poses: list[Pose], *, fixed: bool, client: Client, visual: int | None = None
) -> list[int]:
    """Create the bodies of one item.

    Args:
        asset: what to create.
        poses: pose of each body's underside; several for ropes and piles.
        fixed: whether it is part of the table.
        client: where to create it.
        visual: pybullet's id of a visual shape for each of them; None for the asset's own.

    Returns:
        pybullet's body ids, in the order of `poses`. A body's own frame is at the middle of the
        asset, half its height above its underside.
    """
    meshes.forget_old(client)
    solid = _collision(asset, client)
    if visual is None:
        visual = _visual(asset, client)
    middles = [[pose.x, pose.y, pose.z + asset.height / 2] for pose in poses]
    rotations = [p.getQuaternionFromEuler((0, 0, pose.yaw)) for pose in poses]
    create = partial(
        client.createMultiBody, 0 if fixed else asset.mass, solid, visual,
        # Plain rigid bodies: twice as fast to step as Featherstone's.
        useMaximalCoordinates=True,
    )  # fmt: skip
    if len(poses) == 1:
        bodies = [create(middles[0], rotations[0])]
    else:  # all at once takes a tenth of the time
        bodies = list(create(batchPositions=middles))
        for body, middle, rotation in zip(bodies, middles, rotations, strict=True):
            client.resetBasePositionAndOrientation(body, middle, rotation)
    for body in bodies:
        if solid >= 0:
            client.changeDynamics(
                body, -1, lateralFriction=asset.friction, restitution=0.0,
                rollingFriction=asset.rolling_friction, spinningFriction=0.0005,
                linearDamping=asset.damping[0], angularDamping=asset.damping[1])  # fmt: skip
    return bodies


def spawn_visuals(asset: Asset, count: int, client: Client) -> list[int]:
    """Bodies that look like those of an item to people and collide with nothing; see `spawn`."""
    if isinstance(asset, Rope):
        strands = _strands(asset.LENGTH / (asset.bodies - 1), asset.BEAD / 2)
        shape = meshes.create_visual(client, strands, rgbaColor=_rgba(asset, asset.parts()[0]))
    else:
        shape = _visual(asset, client)
    return [client.createMultiBody(0, -1, shape, useMaximalCoordinates=True) for _ in range(count)]


@lru_cache(maxsize=1)
def _strands(length: float, radius: float) -> meshes.Mesh:
    """A piece of rope along x: three strands, which turn by a third, so that pieces join."""
    x = np.linspace(-0.6, 0.6, 7)  # of the length: pieces overlap, so that bends do not gape
    around = np.arange(8) * (math.tau / 8)
    strands = []
    for start in np.arange(3) * (math.tau / 3):
        turn = start + x * (math.tau / 3)
        middle = np.c_[x * length, 0.45 * radius * np.cos(turn), 0.45 * radius * np.sin(turn)]
        out = np.stack([0 * around, np.cos(around), np.sin(around)], axis=1)
        vertices = (middle[:, None] + 0.55 * radius * out).reshape(-1, 3)
        here = np.arange(len(x) - 1)[:, None] * 8 + np.arange(8)
        beside = np.arange(len(x) - 1)[:, None] * 8 + (np.arange(8) + 1) % 8
        corners = np.stack([here, beside, here + 8, beside, beside + 8, here + 8], axis=-1)
        strands.append(meshes.Mesh(vertices, np.tile(out, (len(x), 1)), corners.ravel()))
    return meshes.join(strands)
