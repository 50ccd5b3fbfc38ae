"""Pictures for people: a wooden table in a studio, soft shadows, contact shadows and edges.

pybullet renders only the bodies, at twice the size of the picture and no more of it than they
cover. The table, the floor and the backdrop are ray-traced once for each camera. Nothing here
changes what policies observe.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gensim_envs.sim.cameras import TABLE_MARGIN, Camera
from gensim_envs.sim.client import Client
from gensim_envs.sim.renderer import Rendering, orthographic, perspective, render
from gensim_envs.task.geometry import Array
from gensim_envs.task.pose import WORKSPACE

Floats = NDArray[np.float32]
Window = tuple[slice, slice]
"""Rows and columns of a picture."""

_SUN = np.array([0.25, -0.75, 1.5]) / np.linalg.norm([0.25, -0.75, 1.5])
_LIGHT = {
    "lightAmbientCoeff": 0.62, "lightDiffuseCoeff": 0.46, "lightSpecularCoeff": 0.06,
    "lightDirection": tuple(3 * _SUN), "shadow": 0,
}  # fmt: skip
_RANGE = (0.05, 5.0)  # metres that are rendered
_SHADE = np.array([0.40, 0.38, 0.33], np.float32)  # what a full shadow takes of red, green, blue
_SELF_SHADE = 0.32  # what it takes on bodies, whose own shading already shows the light
_CONTACT = 0.5  # what touching the table takes of its light
_EDGE = 0.42  # what an edge takes of a body's colour
_JUMP = 0.012  # metres of distance between neighbouring pixels that make an edge
_PAINTED = 0.004  # metres above the table below which a body is shaded as the table is

_WOOD = np.array([203, 184, 154], np.float32)
_FLOOR = np.array([150, 152, 156], np.float32)
_BACKDROP = np.array([214, 217, 221], np.float32)
_THICKNESS, _LEG, _TABLE_HEIGHT = 0.04, 0.07, 0.74  # metres


def take_picture(
    client: Client,
    camera: Camera,
    paint: Collection[int] = (),
    chains: Iterable[Sequence[int]] = (),
) -> NDArray[np.uint8]:
    """Render a picture of a scene without a table, which is added here.

    Args:
        client: the scene.
        camera: the viewpoint.
        paint: pybullet's ids of bodies that are flat on the table and shade nothing.
        chains: bodies that look like one, such as the pieces of a rope: no edges between them.

    Returns:
        (height, width, 3) uint8.
    """
    room = _room(camera)
    sun, contact = _sun_map(client), _contact_map(client, paint)
    light = room.light(sun, contact)
    picture = room.color * light
    # Of equal images of TinyRenderer, every other one may differ by 1 in a pixel. Here are always
    # six, so that a picture does not depend on how many there were before.
    for window, used in _covered(client, camera):
        bodies = _bodies(client, camera, window)
        shaded, cover = _shrunk(_with_edges(bodies, chains), bodies.body >= 0)
        lit = _light_on_bodies(bodies, room.rays[window], room.eye, sun, light[window])
        part = picture[window][used]
        part *= 1 - cover[used]
        part += (shaded * lit)[used]
    picture += 0.5
    return picture.astype(np.uint8)  # no share of light exceeds 1


def _covered(client: Client, camera: Camera) -> list[tuple[Window, slice]]:
    """Three windows, one above the other, that contain all bodies and little else.

    They are found in a rendering a quarter as large. Empty pixels take time, too.

    Returns:
        For each (window, the rows of it to use). The windows overlap, since edges and shadows take
        neighbouring rows into account.
    """
    height, width = camera.shape
    small = replace(camera, shape=(height // 4, width // 4), focal=camera.focal / 4)
    projection = perspective(small.intrinsics, small.shape, *_RANGE)
    seen = render(client, small.shape, small.world_from_camera, projection, **_LIGHT).body >= 0
    seen = ndimage.binary_dilation(seen, iterations=2)
    rows = np.flatnonzero(seen.any(axis=1)) if seen.any() else np.zeros(1, int)
    cuts = np.linspace(rows[0], rows[-1] + 1, 9).astype(int).tolist()
    parts: dict[tuple[int, int], tuple[int, Window, slice]] = {}  # area, window, rows to use
    for start, stop in itertools.combinations(cuts, 2):
        above, below = max(start - 1, 0), min(stop + 1, len(seen))
        columns = np.flatnonzero(seen[above:below].any(axis=0)).tolist() or [0]
        window = slice(4 * above, 4 * below), slice(4 * columns[0], 4 * columns[-1] + 4)
        used = slice(4 * (start - above), 4 * (stop - above))
        parts[start, stop] = (below - above) * (columns[-1] + 1 - columns[0]), window, used
    ways = [
        [parts[pair] for pair in itertools.pairwise((cuts[0], *inner, cuts[-1]))]
        for inner in itertools.combinations(cuts[1:-1], 2)
    ]
    best = min(ways, key=lambda way: sum(area for area, *_ in way))
    return [(window, used) for _, window, used in best]


def _bodies(client: Client, camera: Camera, window: Window) -> Rendering:
    """The bodies within a window of the picture, at twice its size."""
    rows, columns = window
    shape = (2 * (rows.stop - rows.start), 2 * (columns.stop - columns.start))
    intrinsics = _doubled(camera).intrinsics
    intrinsics[:2, 2] -= (2 * columns.start, 2 * rows.start)
    projection = perspective(intrinsics, shape, *_RANGE)
    return render(client, shape, camera.world_from_camera, projection, **_LIGHT)


def _doubled(camera: Camera) -> Camera:
    height, width = camera.shape
    return replace(camera, shape=(2 * height, 2 * width), focal=2 * camera.focal)


def _with_edges(image: Rendering, chains: Iterable[Sequence[int]]) -> NDArray[np.uint8]:
    """The colours (h, w, 3), darker where one body ends and on steps within one."""
    body, distance = image.body, image.distance
    for chain in chains:
        body = np.where((body >= min(chain)) & (body <= max(chain)), chain[0], body)
    edge = np.zeros(body.shape, bool)
    for here, there in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        border = body[here] != body[there]
        border |= np.abs(distance[here] - distance[there]) > _JUMP
        edge[here] |= border
        edge[there] |= border
    covered = body >= 0
    color = np.empty((*body.shape, 3), np.uint8)
    for channel in range(3):  # six times as fast as all of them at once
        np.multiply(image.color[..., channel], covered, out=color[..., channel])
    where = np.flatnonzero(edge & covered)
    flat = color.reshape(-1, 3)
    # Black things get light edges, so that they are more than silhouettes.
    pixels = flat[where].astype(np.float32)
    dark = (pixels < 60).all(axis=1, keepdims=True)
    flat[where] = np.where(dark, pixels + 0.2 * (160 - pixels), (1 - _EDGE) * pixels)
    return color


def _shrunk(color: NDArray[np.uint8], cover: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Halve an image: the colours (h, w, 3) times the cover, and the cover (h, w, 1), 0 to 1."""
    mean = np.zeros((color.shape[0] // 2, color.shape[1] // 2, 3), np.uint16)
    share = np.zeros((*mean.shape[:2], 1), np.uint8)
    for row in (0, 1):
        for column in (0, 1):
            mean += color[row::2, column::2]
            share[..., 0] += cover[row::2, column::2]
    return mean * np.float32(0.25), share * np.float32(0.25)


# The light: two maps of the scene, from the sun and from below the table.

_SUN_EXTENT, _SUN_SIZE = 1.5, 176  # metres and pixels across
_CONTACT_PIXEL = 0.0075
_CONTACT_SHAPE = (160, 200)


def _looking(ahead: Array, down: Array, middle: tuple[float, float, float]) -> Array:
    """The pose (4, 4) of a camera 2 m before a point, which is in the middle of its image."""
    down = down - ahead * (down @ ahead)
    down /= np.linalg.norm(down)
    pose = np.eye(4)
    pose[:3] = np.stack([np.cross(down, ahead), down, ahead, middle - 2 * ahead], axis=1)
    return pose


_FROM_SUN = _looking(-_SUN, np.array([1.0, 0, 0]), (0.38, 0.0, 0.15))
_FROM_BELOW = _looking(np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), (0.40, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class _SunMap:
    """What the sun lights.

    Attributes:
        distance: (n, n) metres from the light to the first body, infinite where there is none.
        shadow: (n, n) 0 to 1, of the table: the farther above it a body is, the softer.
    """

    distance: Floats
    shadow: Floats


def _sun_map(client: Client) -> _SunMap:
    shape = (_SUN_SIZE, _SUN_SIZE)
    projection = orthographic(_SUN_EXTENT, _SUN_EXTENT, 1.0, 2.9)
    image = render(client, shape, _FROM_SUN, projection, **_LIGHT)
    hit = image.body >= 0
    distance = np.where(hit, image.distance, np.inf).astype(np.float32)
    gap = np.clip(_table_distance() - image.distance, 0, None)
    hit &= gap > 0.006  # paint on the table
    far = np.clip(gap / 0.5, 0, 1) * hit
    near = ndimage.gaussian_filter(hit - far, 0.8)
    return _SunMap(distance, np.clip(near + ndimage.gaussian_filter(far, 3.2), 0, 1))


@lru_cache(maxsize=1)
def _table_distance() -> Floats:
    """Metres from each pixel of the sun's map to the table along its ray, (n, n)."""
    at = ((np.arange(_SUN_SIZE) + 0.5) / _SUN_SIZE - 0.5) * _SUN_EXTENT
    start = _FROM_SUN[2, 0] * at + (_FROM_SUN[2, 1] * at)[:, None] + _FROM_SUN[2, 3]
    return np.asarray(-start / _FROM_SUN[2, 2], np.float32)


def _sun_pixels(points: Array | Floats) -> tuple[Floats, Floats]:
    """Rows and columns (2, n) of the sun's map, and distances (n,) to the light, of points."""
    local = ((points - _FROM_SUN[:3, 3]) @ _FROM_SUN[:3, :3]).astype(np.float32)
    return (local[:, 1::-1].T / _SUN_EXTENT + 0.5) * _SUN_SIZE - 0.5, local[:, 2]


def _nearest(at: Floats, shape: tuple[int, int]) -> NDArray[np.intp]:
    """Flat indices (n,) of the pixels of a map that are nearest to rows and columns (2, n)."""
    row, column = np.rint(at).astype(np.intp)
    return np.asarray(np.ravel_multi_index((row, column), shape, mode="clip"), np.intp)


def _contact_map(client: Client, paint: Collection[int]) -> Floats:
    """How much of the table's light is taken by what stands on it or just above, 0 to 1."""
    extent = (_CONTACT_SHAPE[1] * _CONTACT_PIXEL, _CONTACT_SHAPE[0] * _CONTACT_PIXEL)
    projection = orthographic(*extent, 1.9, 2.3)
    image = render(client, _CONTACT_SHAPE, _FROM_BELOW, projection, **_LIGHT)
    hit = (image.body >= 0) & ~np.isin(image.body, list(paint))
    near = np.where(hit, np.exp(-np.clip(image.distance - 2, 0, 1) / 0.02), 0).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(near, 1.3), np.float32)


def _light_on_bodies(
    image: Rendering, rays: Floats, eye: Floats, sun: _SunMap, table: Floats
) -> Floats:
    """The share (h, w, 3) of its light that each pixel of a halved image gets."""
    row, column = np.nonzero(image.body[::2, ::2] >= 0)
    distance = image.distance[::2, ::2][row, column]
    points = (eye + rays[row, column] * distance[:, None]).astype(np.float32)
    pixel, depth = _sun_pixels(points)
    shadow = np.zeros(rays.shape[:2], np.float32)
    shadow[row, column] = depth > sun.distance.ravel()[_nearest(pixel, sun.distance.shape)] + 0.03
    ndimage.uniform_filter(shadow, 7, output=shadow)
    lit = np.repeat(1 - _SELF_SHADE * shadow[..., None], 3, axis=2)
    # Close to the table there is less light from around; paint lies in the table's own light.
    height = points[:, 2]
    lit[row, column] *= (1 - 0.28 * np.exp(-np.clip(height, 0, 1) / 0.012))[:, None]
    flat = height < _PAINTED
    lit[row[flat], column[flat]] = table[row[flat], column[flat]]
    return lit


# The room: the table, the floor and the backdrop.


@dataclass(frozen=True, eq=False)
class _Room:
    """What a camera sees of the empty room.

    Attributes:
        color: (h, w, 3) as bytes, without shadows of bodies.
        eye: (3,) position of the camera.
        rays: (h, w, 3) from the camera through the pixels, 1 m deep.
        top: flat indices (n,) of the pixels that show the table's top.
        sun: rows and columns (2, n) of the sun's map for each of them.
        contact: likewise of the contact map.
        nearest: flat indices (2, n) of the pixels of both maps that are nearest to these.
    """

    color: Floats
    eye: Floats
    rays: Floats
    top: NDArray[np.intp]
    sun: Floats
    contact: Floats
    nearest: NDArray[np.intp]

    def light(self, sun: _SunMap, contact: Floats) -> Floats:
        """The share (h, w, 3) of its light that each pixel gets."""
        light = np.ones(self.color.shape, np.float32)
        in_sun, in_contact = (sun.shadow > 0.004).ravel(), (contact > 0.004).ravel()
        dim = np.flatnonzero(in_sun[self.nearest[0]] | in_contact[self.nearest[1]])
        shadow, near = (
            ndimage.map_coordinates(values, at.take(dim, axis=1), order=1)[:, None]
            for values, at in ((sun.shadow, self.sun), (contact, self.contact))
        )
        light.reshape(-1, 3)[self.top[dim]] = (1 - _SHADE * shadow) * (1 - _CONTACT * near)
        return light


@lru_cache(maxsize=8)
def _room(camera: Camera) -> _Room:
    """The room as a camera sees it; colours are means of four rays."""
    large = _doubled(camera)
    eye = large.world_from_camera[:3, 3].astype(np.float32)
    rays = _rays(large)
    # The floor has no edges, so that one ray is enough.
    color = _floor(eye, _rays(camera)).repeat(2, axis=0).repeat(2, axis=1)
    top = _add_table(color, large, eye, rays)
    half = (color[::2] + color[1::2]) * np.float32(0.25)
    half = half[:, ::2] + half[:, 1::2]
    seen = np.flatnonzero(top[::2, ::2])
    rays = rays[::2, ::2]
    ray = rays.reshape(-1, 3)[seen]
    points = eye - ray * (eye[2] / ray[:, 2:])
    middle = np.array(_CONTACT_SHAPE)[:, None] / 2 - 0.5
    # From below, rows run along x and columns against y.
    contact = (points[:, :2] - _FROM_BELOW[:2, 3]) @ _FROM_BELOW[:2, [1, 0]] / _CONTACT_PIXEL
    contact = (contact.T + middle).astype(np.float32)
    sun = _sun_pixels(points)[0]
    nearest = _nearest(sun, (_SUN_SIZE, _SUN_SIZE)), _nearest(contact, _CONTACT_SHAPE)
    return _Room(half, eye, np.ascontiguousarray(rays), seen, sun, contact, np.stack(nearest))


def _rays(camera: Camera) -> Floats:
    """Rays (h, w, 3) from a camera through its pixels, 1 m deep."""
    height, width = camera.shape
    axes = camera.world_from_camera[:3, :3] @ np.linalg.inv(camera.intrinsics)
    across = (np.arange(width)[:, None] * axes[:, 0] + axes[:, 2]).astype(np.float32)
    down = (np.arange(height)[:, None] * axes[:, 1]).astype(np.float32)
    return np.asarray(across + down[:, None], np.float32)


def _add_table(color: Floats, camera: Camera, eye: Floats, rays: Floats) -> NDArray[np.bool_]:
    """Draw the table into colours (h, w, 3) along rays; returns where its top is, (h, w)."""
    nearest = np.full(color.shape[:2], np.inf, np.float32)
    (x0, x1), (y0, y1) = ((low - TABLE_MARGIN, high + TABLE_MARGIN) for low, high in WORKSPACE)
    inset = 0.06
    legs = [
        ((x, y, -_TABLE_HEIGHT), (x + _LEG, y + _LEG, -_THICKNESS))
        for x in (x0 + inset, x1 - inset - _LEG)
        for y in (y0 + inset, y1 - inset - _LEG)
    ]
    shades = np.array([0.70, 0.62, 1.0], np.float32)  # of faces across x, y and z
    for low, high in [*legs, ((x0, y0, -_THICKNESS), (x1, y1, 0.0))]:
        part = _window(camera, low, high)
        ray = rays[part]
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = [(np.array(corner, np.float32) - eye) / ray for corner in (low, high)]
        enter, leave = np.minimum(*ends), np.maximum(*ends).min(axis=-1)
        distance = enter.max(axis=-1)
        hit = (distance < leave) & (distance > 0) & (distance < nearest[part])
        face = enter.argmax(axis=-1)[hit]
        nearest[part][hit] = distance[hit]
        points = eye + ray[hit] * distance[hit][:, None]
        color[part][hit] = _wood(points) * shades[face][:, None]
    top = np.zeros(nearest.shape, bool)
    top[part] = hit & (enter.argmax(axis=-1) == 2)
    return top


def _window(camera: Camera, low: tuple[float, ...], high: tuple[float, ...]) -> Window:
    """The window in which a camera sees a box, the whole picture if it is not before it."""
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
    pose = camera.world_from_camera
    x, y, depth = camera.intrinsics @ (pose[:3, :3].T @ (corners - pose[:3, 3]).T)
    if depth.min() < _RANGE[0]:
        return slice(None), slice(None)
    rows, columns = (
        slice(max(0, int(at.min())), max(0, int(at.max()) + 2)) for at in (y / depth, x / depth)
    )
    return rows, columns


def _wood(points: Array) -> Array:
    """Colours (n, 3) of planks along y, at points (n, 3)."""
    plank = np.floor(points[:, 0] / 0.13).astype(int)
    grain, tones = _grain()
    at = np.stack([points[:, 0] * 500 + 97 * plank, points[:, 1] * 260 + 211 * plank])
    streaks = ndimage.map_coordinates(grain, at, order=1, mode="grid-wrap")
    seam = np.abs((points[:, 0] / 0.13) % 1 - 0.5) > 0.492
    value = (1 + tones[plank % 64] + streaks) * np.where(seam, 0.90, 1.0)
    return np.asarray(_WOOD * value[:, None])


@lru_cache(maxsize=1)
def _grain() -> tuple[Array, Array]:
    """Streaks (512, 512), and the tones of planks (64,), as shares of the colour."""
    rng = np.random.default_rng(7)
    noise = rng.standard_normal((2, 512, 512))
    fine = ndimage.gaussian_filter(noise[0], (0.7, 30), mode="wrap")
    broad = ndimage.gaussian_filter(noise[1], (4, 60), mode="wrap")
    grain = 0.016 * fine / fine.std() + 0.016 * broad / broad.std()
    return grain, rng.uniform(-0.022, 0.022, 64)


def _floor(eye: Floats, rays: Floats) -> Floats:
    """Colours (h, w, 3) of the floor, which fades into the backdrop."""
    with np.errstate(divide="ignore"):
        distance = np.where(rays[..., 2] < 0, -(eye[2] + _TABLE_HEIGHT) / rays[..., 2], np.inf)
    points = eye[:2] + rays[..., :2] * np.minimum(distance, 99)[..., None]
    away = np.hypot(points[..., 0] - 0.4, points[..., 1])
    fade = np.clip((away - 0.8) / 3.0, 0, 1)[..., None] ** 0.8
    color = _FLOOR * (1 - fade) + _BACKDROP * fade
    outside = np.zeros_like(distance)
    for axis, (low, high) in enumerate(WORKSPACE):
        half = (high - low) / 2 + TABLE_MARGIN
        out = np.abs(points[..., axis] - (low + high) / 2) - half
        outside = np.hypot(outside, np.clip(out, 0, None))
    color *= 1 - 0.38 * np.exp(-((outside / 0.35) ** 2))[..., None]
    return np.asarray(color, np.float32)
