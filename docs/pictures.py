"""Draw docs/tasks.png: every task as its oracle has solved it. `python docs/pictures.py`."""

from __future__ import annotations

import os
from pathlib import Path

import gymnasium as gym
import numpy as np

from gensim_envs import Oracle

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
import pygame

COLUMNS, SIZE, CAPTION = 4, (320, 240), 22
SEED = 2_011
CROP = (slice(100, 460), slice(110, 590))  # rows and columns: the table rather than the room


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


def main() -> None:
    """Render, lay out with captions, write."""
    pygame.font.init()
    font = pygame.font.Font(None, 20)
    ids = sorted(id for id in gym.registry if id.startswith("gensim/"))
    rows = -(-len(ids) // COLUMNS)
    sheet = pygame.Surface((COLUMNS * SIZE[0], rows * (SIZE[1] + CAPTION)))
    sheet.fill((255, 255, 255))
    for k, id in enumerate(ids):
        x, y = k % COLUMNS * SIZE[0], k // COLUMNS * (SIZE[1] + CAPTION)
        picture = pygame.surfarray.make_surface(solved(id, SEED + k).swapaxes(0, 1))
        sheet.blit(pygame.transform.smoothscale(picture, SIZE), (x, y))
        sheet.blit(
            font.render(id.removeprefix("gensim/"), True, (40, 40, 40)), (x + 8, y + SIZE[1])
        )
    path = Path(__file__).with_name("tasks.png")
    pygame.image.save(sheet, str(path))
    print(f"wrote {path.name}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
