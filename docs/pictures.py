"""Draw the pictures of the documents: `python docs/pictures.py [tasks] [perturbations]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from gensim_envs import Oracle, fuse_views

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
import pygame

CAPTION = 22  # pixels
SEED = 2_011
CROP = (slice(100, 460), slice(110, 590))  # rows and columns: the table rather than the room
SIDE = (slice(90, 410), slice(0, 640))
PERTURBED = "gensim/PutBlockInBowl-v0"


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
    """Every task as its oracle has solved it."""
    ids = sorted(id for id in gym.registry if id.startswith("gensim/"))
    tiles = [(solved(id, SEED + k), id.removeprefix("gensim/")) for k, id in enumerate(ids)]
    write("tasks.png", tiles, columns=4, size=(320, 240))


def perturbations() -> None:
    """One episode with each perturbation, and as the cameras at the sides see it."""
    env = gym.make(PERTURBED)
    tiles = []
    for perturb in ({}, {"camera": 0.05}, {"light": 1.0}, {"distractors": 4},
                    {"instruction": "wrong"}, {"colors": "test"}):  # fmt: skip
        observation, info = env.reset(seed=SEED, options={"perturb": perturb})
        name = ", ".join(f"{key}: {value}" for key, value in perturb.items())
        tiles.append((observation["color"], f"{name or 'as drawn'}   {info['instruction']}"))
    env.close()
    views, info = seen(PERTURBED, sensor_noise=True)
    fused, _ = fuse_views(views["color"], views["depth"], info["cameras"])
    depth = np.clip((views["depth"][0] - 0.5) * 255, 0, 255).astype(np.uint8)
    tiles += [
        (views["color"][0][SIDE], 'obs_mode="cameras", sensor_noise=True: front, color'),
        (np.repeat(depth[..., None], 3, axis=2)[SIDE], "front, depth"),
        (fused, "the three views fused"),
    ]
    write("perturbations.png", tiles, columns=3, size=(460, 230))


def seen(id: str, **options: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The first observation from the cameras at the sides."""
    env = gym.make(id, obs_mode="cameras", **options)
    first = env.reset(seed=SEED)
    env.close()
    return first


def write(
    name: str, tiles: list[tuple[np.ndarray, str]], columns: int, size: tuple[int, int]
) -> None:
    """Lay pictures (h, w, 3) uint8 out with their captions and write them to a file."""
    pygame.font.init()
    font = pygame.font.Font(None, 19)
    rows = -(-len(tiles) // columns)
    sheet = pygame.Surface((columns * size[0], rows * (size[1] + CAPTION)))
    sheet.fill((255, 255, 255))
    for k, (picture, caption) in enumerate(tiles):
        x, y = k % columns * size[0], k // columns * (size[1] + CAPTION)
        surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
        sheet.blit(pygame.transform.smoothscale(surface, (size[0] - 2, size[1])), (x, y))
        sheet.blit(font.render(caption, True, (40, 40, 40)), (x + 8, y + size[1] + 4))
    path = Path(__file__).with_name(name)
    pygame.image.save(sheet, str(path))
    print(f"wrote {path.name}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    drawn = {"tasks": tasks, "perturbations": perturbations}
    for name in sys.argv[1:] or drawn:
        drawn[name]()
