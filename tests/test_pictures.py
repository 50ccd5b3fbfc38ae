"""The script that draws the pictures of the documents."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gensim_envs.sim.world import World
from gensim_envs.task.assets import Household

pytest.importorskip("pygame", reason="the script writes its captions with pygame")


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    path = Path(__file__).parents[1] / "docs" / "pictures.py"
    spec = importlib.util.spec_from_file_location("pictures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_camera_around_points_frames_them(pictures: ModuleType) -> None:
    points = np.array([(0.3, -0.4, 0.0), (0.7, 0.45, 0.0), (0.5, 0.0, 0.4)])
    camera = pictures.around(points, (150, 200))
    pose = camera.world_from_camera
    x, y, depth = camera.intrinsics @ pose[:3, :3].T @ (points - pose[:3, 3]).T
    seen = np.array([y, x]).T / depth[:, None]
    assert (seen > 0).all()
    assert (seen < (150, 200)).all()
    assert np.ptp(seen, axis=0).max() > 90


def test_a_thing_alone_is_drawn_from_the_side_and_from_above(pictures: ModuleType) -> None:
    with closing(World()) as world:
        tile, caption = pictures.alone(world, Household(kind="rubber_duck"), "a duck")
    assert tile.shape == (240, 560, 3)
    assert caption == "a duck"
    yellow = (tile[..., 0] > 180) & (tile[..., 2] < 80)
    assert yellow[:, :320].mean() > 0.02
    assert yellow[:, 320:].mean() > 0.02


def test_captions_are_wrapped(pictures: ModuleType) -> None:
    pictures.pygame.font.init()
    font = pictures.pygame.font.Font(None, 19)
    lines = pictures.lines_of("done: a tower\nstack all of the red blocks on each other", font, 150)
    assert lines[0] == "done: a tower"
    assert len(lines) > 2
    assert max(font.size(line)[0] for line in lines) <= 150
