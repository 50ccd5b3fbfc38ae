"""Draw docs/tasks.png, every task as its oracle has solved it, and docs/objects.png, every
household object from the side and as agents see it. `python docs/pictures.py [tasks] [objects]`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pybullet as p

import gensim_envs
from gensim_envs import Oracle
from gensim_envs.sim.cameras import TABLE_COLOR, pixel_of_xy, top_down
from gensim_envs.task.assets import COLORS

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
import pygame

FOLDER = Path(__file__).parent
CAPTION = 22  # pixels below each picture
SEED = 2_011
CROP = (slice(100, 460), slice(110, 590))  # rows and columns: the table rather than the room
MIDDLE = (0.5, 0.0)  # of the table
PACKAGE = Path(gensim_envs.__file__).parent


def solved(id: str, seed: int) -> np.ndarray:
    """A picture (360, 480, 3) uint8 of a solved episode."""
    env = gym.make(id, obs_mode="state", render_mode="rgb_array")
    env.reset(seed=seed)
    oracle, over = Oracle(env), False
    while not over:
        _, _, terminated, truncated, _ = env.step(oracle.act())
        over = terminated or truncated
    picture = env.render()
    env.close()
    return np.asarray(picture)[CROP]


def tasks() -> None:
    """Every task."""
    ids = sorted(id for id in gym.registry if id.startswith("gensim/"))
    pictures = [solved(id, SEED + k) for k, id in enumerate(ids)]
    captions = [id.removeprefix("gensim/") for id in ids]
    write("tasks.png", pictures, captions, columns=4, size=(320, 240))


def put(kind: str, row: dict[str, Any], client: int) -> None:
    """One household object on an empty table."""
    p.resetSimulation(physicsClientId=client)
    colors = [COLORS[row["color"]] if paint is None else paint for paint in row["paints"]]
    shape = p.createVisualShapeArray(
        shapeTypes=[p.GEOM_MESH] * len(colors),
        fileNames=[f"{PACKAGE}/sim/models/{kind}/{k}.obj" for k in range(len(colors))],
        rgbaColors=[[*(channel / 255 for channel in color), 1.0] for color in colors],
        physicsClientId=client,
    )
    p.createMultiBody(0, -1, shape, [*MIDDLE, 0.0], physicsClientId=client)


def from_the_side(client: int, width: int = 320, height: int = 256) -> np.ndarray:
    """An oblique picture of the middle of the table, with shadows."""
    ground = p.createVisualShape(
        p.GEOM_BOX, halfExtents=[1, 1, 0.01], visualFramePosition=[0, 0, -0.01],
        rgbaColor=[*(channel / 255 for channel in TABLE_COLOR), 1.0], physicsClientId=client,
    )  # fmt: skip
    p.createMultiBody(0, -1, ground, [*MIDDLE, 0.0], physicsClientId=client)
    _, _, picture, _, _ = p.getCameraImage(
        width, height, shadow=1, renderer=p.ER_TINY_RENDERER, physicsClientId=client,
        viewMatrix=p.computeViewMatrix([0.75, -0.24, 0.30], [0.5, 0.0, 0.025], [0, 0, 1]),
        projectionMatrix=p.computeProjectionMatrixFOV(18, width / height, 0.05, 2.0),
        lightDirection=[0.6, -0.9, 1.6], lightDistance=3.0, lightAmbientCoeff=0.55,
        lightDiffuseCoeff=0.5, lightSpecularCoeff=0.0,
    )  # fmt: skip
    return np.reshape(picture, (height, width, 4))[..., :3].astype(np.uint8)


def from_above(client: int, pixels: int = 40, scale: int = 6) -> np.ndarray:
    """The middle of the agents' view, its pixels enlarged."""
    row, column = pixel_of_xy(*MIDDLE)
    half = pixels // 2
    view = top_down(client).color[row - half : row + half, column - half : column + half]
    return view.repeat(scale, axis=0).repeat(scale, axis=1)


def objects() -> None:
    """Every household object, beside it what agents see of it at 3.125 mm a pixel."""
    rows = json.loads((PACKAGE / "task" / "objects.json").read_text(encoding="utf-8"))
    client = p.connect(p.DIRECT)
    pictures, captions = [], []
    for kind, row in rows.items():
        put(kind, row, client)
        above = from_above(client)
        side = from_the_side(client, height=above.shape[0])
        pictures.append(np.concatenate([side, above], axis=1))
        captions.append(f"{row['noun']} ({row['split']})")
    p.disconnect(client)
    write("objects.png", pictures, captions, columns=6, size=(210, 90))


def write(
    name: str, pictures: list[np.ndarray], captions: list[str], columns: int, size: tuple[int, int]
) -> None:
    """Lay out pictures (h, w, 3) in rows with a caption below each."""
    pygame.font.init()
    font = pygame.font.Font(None, 20)
    rows = -(-len(pictures) // columns)
    sheet = pygame.Surface((columns * size[0], rows * (size[1] + CAPTION)))
    sheet.fill((255, 255, 255))
    for k, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x, y = k % columns * size[0], k // columns * (size[1] + CAPTION)
        surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
        sheet.blit(pygame.transform.smoothscale(surface, size), (x, y))
        sheet.blit(font.render(caption, True, (40, 40, 40)), (x + 8, y + size[1] + 3))
    path = FOLDER / name
    pygame.image.save(sheet, str(path))
    print(f"wrote {name}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    for sheet in sys.argv[1:] or ["tasks", "objects"]:
        {"tasks": tasks, "objects": objects}[sheet]()
