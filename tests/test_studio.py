"""Pictures for people: what they add to the rendering, and what they leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gensim_envs.api import Ball, Block, Household, Pose, Zone
from gensim_envs.sim.arm import robot
from gensim_envs.sim.arm.look import PIECES
from gensim_envs.sim.cameras import OVERVIEW, Camera
from gensim_envs.sim.video import VideoRecorder
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Asset
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.spec import ItemSpec, TaskSpec

CAMERA = replace(OVERVIEW, shape=(240, 320), focal=OVERVIEW.focal / 2)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def picture(world: World, *things: tuple[Asset, Pose]) -> NDArray[np.int64]:
    items = tuple(ItemSpec(asset, pose, fixed=True) for asset, pose in things)
    world.load(TaskSpec("Made", "train", items, ()))
    with closing(VideoRecorder(world, motion=False, camera=CAMERA)) as video:
        return video.render().astype(int)


def pixel(camera: Camera, *point: float) -> tuple[int, int]:
    """Row and column that show a point."""
    pose = camera.world_from_camera
    u, v, w = camera.intrinsics @ (pose[:3, :3].T @ (np.array(point) - pose[:3, 3]))
    return round(v / w), round(u / w)


def test_equal_blocks_side_by_side_show_the_edge_between_them(world: World) -> None:
    blocks = [(Block("red"), Pose(0.5, y)) for y in (-0.02, 0.02)]
    seen = picture(world, *blocks)
    row, middle = pixel(CAMERA, 0.5, 0.0, 0.04)
    _, left = pixel(CAMERA, 0.5, -0.02, 0.04)
    assert seen[row, middle - 1 : middle + 2, 0].min() < 0.85 * seen[row, left, 0]


def test_a_thing_shades_the_table_beside_it_and_nothing_far_away(world: World) -> None:
    empty = picture(world)
    change = picture(world, (Block("white"), Pose(0.6, -0.2))) - empty
    assert change[pixel(CAMERA, 0.6, -0.175, 0.0)].max() < -15
    assert not change[pixel(CAMERA, 0.6, 0.2, 0.0)].any()


def test_paint_casts_no_shadow(world: World) -> None:
    change = picture(world, (Zone("white"), Pose(0.6, -0.2))) - picture(world)
    for x, y in ((0.53, -0.2), (0.67, -0.2), (0.6, -0.27), (0.6, -0.13)):  # it ends 1 cm before
        assert not change[pixel(CAMERA, x, y, 0.0)].any()


def test_outlines_are_smooth(world: World) -> None:
    """Between a white ball and the table there are pixels of neither colour."""
    seen = picture(world, (Ball("white", diameter=0.1), Pose(0.6, 0.2)))
    change = np.abs(seen - picture(world)).sum(axis=2)
    row, column = pixel(CAMERA, 0.6, 0.2, 0.06)
    assert len(np.unique(change[row - 4, column - 20 : column + 20])) > 4


def test_the_overview_shows_the_workspace_and_the_whole_arm() -> None:
    height, width = OVERVIEW.shape
    link = np.array(robot.forward(robot.inverse(np.array([0.42, -0.12, 0.25]), 0.0)))
    points = [(x, y, 0.0) for x in WORKSPACE[0] for y in WORKSPACE[1]]
    for piece in PIECES:
        for end in piece.span:
            axis = np.eye(3)[piece.axis] * end + piece.at
            points.append(tuple(link[piece.link][:3, :3] @ axis + link[piece.link][:3, 3]))
    for point in points:
        row, column = pixel(OVERVIEW, *point)
        assert 0 <= row < height
        assert 0 <= column < width


def test_household_objects_have_their_usual_colour() -> None:
    assert Household(kind="rubber_duck") == Household("yellow", "rubber_duck")
    assert str(Household(kind="pear")) == "green pear"
    assert Household("blue", "rubber_duck").color == "blue"
