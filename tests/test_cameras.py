"""Views from the sides: calibrated, noisy where asked, and fused into the view from above."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conftest import NOTHING
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from test_renderer import drawn_by  # noqa: F401

from gensim_envs import Oracle, fuse_views
from gensim_envs.api import Block, Bowl, Box, Pose, Scene
from gensim_envs.sim.cameras import FLOOR_COLOR, TABLE_COLOR
from gensim_envs.sim.views import PIXEL, SHAPE, pixel_of_xy, xy_of_pixel

ID = "gensim/PutBlockInBowl-v0"
NAMES = ["front", "left", "right"]


def tower(scene: Scene) -> None:
    box = scene.add(Box("red", extents=(0.08, 0.06, 0.10)), at=Pose(0.45, 0.1, 0, 0.4))
    scene.add(Box("blue", extents=(0.05, 0.05, 0.02)), at=Pose(0.62, -0.3, 0, 1.0), fixed=True)
    scene.goal("move the red box", box, at=scene.mark(box, Pose(0.5, 0.4)))


def points(observation: dict[str, Any], info: dict[str, Any], view: int) -> np.ndarray:
    """World coordinates of every pixel, (480, 640, 3), the plain way."""
    camera = info["cameras"][NAMES[view]]
    v, u = np.mgrid[:480, :640]
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(camera["intrinsics"]).T
    pose = camera["world_from_camera"]
    return (rays * observation["depth"][view][..., None]) @ pose[:3, :3].T + pose[:3, 3]


def test_observations_and_info_keep_the_contract() -> None:
    env = gym.make(ID, obs_mode="cameras")
    observation, info = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    assert observation["color"].shape == (3, 480, 640, 3)
    assert observation["depth"].shape == (3, 480, 640)
    after, *_, later = env.step(NOTHING)
    assert env.observation_space.contains(after)
    assert set(later) == set(info)
    assert list(info["cameras"]) == NAMES
    for camera in info["cameras"].values():
        assert camera["intrinsics"].shape == (3, 3)
        turn = camera["world_from_camera"][:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)
        assert turn[2, 1] < 0  # upright: y is down in the picture
        assert turn[2, 2] < 0  # it looks down
    env.close()
    for obs_mode in ("rgbd", "state"):
        env = gym.make(ID, obs_mode=obs_mode)
        assert "cameras" not in env.reset(seed=1)[1]
        env.close()


@pytest.mark.filterwarnings("ignore:.*For Box action spaces, we recommend.*:UserWarning")
def test_gymnasium_has_nothing_to_say() -> None:
    env = gym.make(ID, obs_mode="cameras", sensor_noise=True)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_vector_envs_pass_views_and_calibration_on() -> None:
    envs = gym.make_vec(ID, num_envs=2, vectorization_mode="sync", obs_mode="cameras")
    observations, infos = envs.reset(seed=[1, 2])
    assert observations["depth"].shape == (2, 3, 480, 640)
    assert np.shape(infos["cameras"]["left"]["intrinsics"]) == (2, 3, 3)
    envs.close()


@pytest.mark.parametrize("view", range(3), ids=NAMES)
def test_depth_and_calibration_agree_with_the_scene(
    drawn_by: str,  # noqa: F811
    table: Any,
    view: int,
) -> None:
    """Pixels go back to the world: onto the box's faces, and onto the table."""
    observation, info = (env := table(tower, obs_mode="cameras")).reset(seed=0)
    color, world = observation["color"][view].astype(int), points(observation, info, view)
    red = color[..., 0] > 1.5 * color[..., 2]
    sand = (observation["color"][view] == TABLE_COLOR).all(axis=-1)
    assert red.sum() > 500
    assert sand.sum() > 50_000
    assert np.abs(world[sand][:, 2]).max() < 1e-6
    pose = env.world.snapshot().poses[0]
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    along = (world[red][:, :2] - (pose.x, pose.y)) @ np.array([[c, -s], [s, c]])
    box = np.c_[along / (0.04, 0.03), (world[red][:, 2] - 0.05) / 0.05]
    off = np.abs(np.abs(box).max(axis=1) - 1)  # distance from the surface, in half extents
    assert np.percentile(off, 99) < 0.01
    top = world[red][box[:, 2] > 0.99]
    assert len(top) > 100
    assert np.abs(top[:, 2] - 0.10).max() < 0.001


@pytest.mark.parametrize("view", range(3), ids=NAMES)
def test_a_point_of_the_world_is_seen_at_its_pixel(table: Any, view: int) -> None:
    """The corners of the box's top, each to a pixel."""
    env = table(tower, obs_mode="cameras")
    observation, info = env.reset(seed=0)
    pose = env.world.snapshot().poses[0]
    camera = info["cameras"][NAMES[view]]
    for x, y in ((-0.039, -0.029), (0.039, -0.029), (0.039, 0.029), (-0.039, 0.029)):
        corner = pose @ Pose(x, y)
        seen = np.linalg.inv(camera["world_from_camera"]) @ (corner.x, corner.y, 0.0999, 1)
        u, v, w = camera["intrinsics"] @ seen[:3]
        pixel = observation["color"][view, round(v / w), round(u / w)].astype(int)
        assert pixel[0] > 2 * pixel[2]
        assert observation["depth"][view, round(v / w), round(u / w)] == pytest.approx(w, abs=0.005)


def test_beyond_the_table_there_is_no_reading(table: Any) -> None:
    env = table(tower, obs_mode="cameras")
    observation, _ = env.reset(seed=0)
    nothing = observation["depth"] == 0
    assert 0.02 < nothing.mean() < 0.6
    assert (observation["color"][nothing] == FLOOR_COLOR).all()
    assert observation["depth"][~nothing].min() > 0.5


def test_neither_the_arm_nor_what_has_fallen_is_seen(table: Any) -> None:
    plain = table(tower, obs_mode="cameras")
    filmed = table(tower, obs_mode="cameras", render_mode="rgb_array")
    wanted, _ = plain.reset(seed=0)
    filmed.reset(seed=0)
    filmed.render()
    found = filmed.step(NOTHING)[0]
    assert np.array_equal(found["color"], wanted["color"])
    import pybullet as p

    for x, y, z in ((0.5, 0.0, -0.5), (3.0, 2.0, -4.0)):
        body = plain.world.bodies[0][0]
        p.resetBasePositionAndOrientation(
            body, (x, y, z), (0, 0, 0, 1), physicsClientId=plain.world.client.id
        )
        color = plain._observation()["color"].astype(int)
        assert not (color[..., 0] > 2 * color[..., 2]).any()


# ---------------------------------------------------------------------------------- sensor noise


def test_noise_is_fixed_by_the_seed_and_changes_no_episode() -> None:
    clean = gym.make(ID, obs_mode="cameras")
    noisy = [gym.make(ID, obs_mode="cameras", sensor_noise=True) for _ in range(2)]
    noisy[1].reset(seed=9)
    for seed in (3, None):  # an episode with a seed, and the one that follows
        wanted, info = clean.reset(seed=seed)
        found = [env.reset(seed=seed) for env in noisy]
        oracle, over = Oracle(clean), False
        while True:
            for part in ("color", "depth"):
                assert np.array_equal(found[0][0][part], found[1][0][part])
                assert not np.array_equal(found[0][0][part], wanted[part])
            assert found[0][1]["progress"] == info["progress"]
            assert found[0][1]["instruction"] == info["instruction"]
            if over:
                break
            action = oracle.act()
            wanted, _, over, _, info = clean.step(action)
            found = [(r[0], r[4]) for r in (env.step(action) for env in noisy)]
    for env in (clean, *noisy):
        env.close()


def test_noise_grows_with_the_square_of_depth_and_leaves_gaps(table: Any) -> None:
    clean, _ = table(tower, obs_mode="cameras").reset(seed=0)
    env = table(tower, obs_mode="cameras", sensor_noise=True)
    found, _ = env.reset(seed=0)
    again = env.step(NOTHING)[0]
    assert not np.array_equal(found["depth"], again["depth"])
    true, seen = clean["depth"], found["depth"]
    assert (seen[true == 0] == 0).all()
    lost = (seen == 0) & (true > 0)
    assert 0.002 < lost.mean() < 0.05
    steps = seen[~lost] / 0.001
    assert np.abs(steps - steps.round()).max() < 0.01
    for low, high in ((0.6, 0.8), (1.0, 1.2), (1.4, 1.7)):
        band = (true > low) & (true < high) & ~lost
        spread = float((seen - true)[band].std() / (true[band] ** 2).mean())
        assert spread == pytest.approx(0.0032, rel=0.15)
    off = np.abs(found["color"].astype(int) - clean["color"])
    assert 0 < off.mean() < 3


def test_noise_without_cameras_is_refused() -> None:
    for obs_mode in ("rgbd", "state"):
        with pytest.raises(ValueError, match=r'sensor_noise=True needs obs_mode="cameras"'):
            gym.make(ID, obs_mode=obs_mode, sensor_noise=True)
    with pytest.raises(ValueError, match="sensor_noise is 'yes'"):
        gym.make(ID, obs_mode="cameras", sensor_noise="yes")


# ---------------------------------------------------------------------------------------- fusion


def blocks(scene: Scene) -> None:
    block = scene.add(Block("red"))
    bowl = scene.add(Bowl("blue"))
    for color in ("green", "yellow", "cyan"):
        scene.distract(Box(color, extents=(0.08, 0.06, 0.09)))
    scene.goal("put the red block into the blue bowl", block, inside=bowl)


@pytest.mark.parametrize(("noise", "most"), [(False, 0.001), (True, 0.005)])
def test_the_fused_height_is_that_of_the_view_from_above(
    table: Any, noise: bool, most: float
) -> None:
    env = table(blocks, obs_mode="cameras", sensor_noise=noise)
    observation, info = env.reset(seed=0)
    color, height = fuse_views(observation["color"], observation["depth"], info["cameras"])
    assert (color.shape, color.dtype) == ((*SHAPE, 3), np.uint8)
    assert (height.shape, height.dtype) == (SHAPE, np.float32)
    view = env.world.top_down()
    error = np.abs(height - view.height)
    assert np.median(error) < most / 3
    assert (error > 0.01).mean() < 0.02
    bare = view.height == 0
    assert np.percentile(error[bare], 95) < most
    for item, pose in zip(env.task_spec.items, env.world.snapshot().poses, strict=True):
        if isinstance(item.asset, Block | Box):
            row, column = pixel_of_xy(pose.x, pose.y)
            patch = np.s_[row - 3 : row + 4, column - 3 : column + 4]
            assert np.percentile(error[patch], 90) < most
            assert np.abs(color[patch].astype(int) - view.color[patch]).max() < 20


def above(height: float = 1.0) -> dict[str, Any]:
    """A camera that looks straight down at the middle of the table, a pixel for each of 2 mm."""
    pose = np.array(
        [[0.0, 1, 0, 0.5], [1, 0, 0, 0.0], [0, 0, -1, height], [0, 0, 0, 1]]
    )  # its x is the world's y
    intrinsics = np.array([[500 * height, 0, 319.5], [0, 500 * height, 239.5], [0, 0, 1]])
    return {"intrinsics": intrinsics, "world_from_camera": pose}


@given(
    row=st.integers(20, SHAPE[0] - 20),
    column=st.integers(20, SHAPE[1] - 20),
    top=st.floats(0.01, 0.2),
)
@settings(max_examples=8)
def test_a_plateau_comes_out_where_it_is(row: int, column: int, top: float) -> None:
    x, y = xy_of_pixel(row, column)
    v, u = np.mgrid[:480, :640]
    camera = above()
    depth = np.ones((480, 640))
    # Where the ray through each pixel meets the height of the plateau.
    reach = (1 - top) / camera["intrinsics"][0, 0]
    on = (np.abs(0.5 + (v - 239.5) * reach - x) < 0.03) & (np.abs((u - 319.5) * reach - y) < 0.03)
    depth[on] = 1 - top
    color = np.where(on[..., None], (200, 0, 0), TABLE_COLOR).astype(np.uint8)
    fused, height = fuse_views(color[None], depth[None].astype(np.float32), {"above": camera})
    rows, columns = np.nonzero(height > top / 2)
    assert height[row, column] == pytest.approx(top, abs=2e-5)
    assert tuple(fused[row, column]) == (200, 0, 0)
    assert abs(rows.mean() - row) < 1
    assert abs(columns.mean() - column) < 1
    assert len(rows) * PIXEL**2 == pytest.approx(0.06**2, rel=0.2)


def flat() -> tuple[np.ndarray, np.ndarray]:
    return np.full((1, 480, 640, 3), 150, np.uint8), np.ones((1, 480, 640), np.float32)


def test_a_lone_point_in_the_air_is_no_surface() -> None:
    color, depth = flat()
    depth[0, 200, 300] = 0.8
    _, height = fuse_views(color, depth, {"above": above()})
    assert np.abs(height).max() < 1e-4


def test_small_holes_are_closed_and_large_ones_are_black() -> None:
    color, depth = flat()
    depth[0, 200:206, 300:306] = 0
    fused, height = fuse_views(color, depth, {"above": above()})
    assert (fused == 150).all()
    depth[0, 100:200, 100:300] = 0
    fused, height = fuse_views(color, depth, {"above": above()})
    black = (fused == 0).all(axis=-1)
    assert 4_000 < black.sum() < 100 * 200 * (0.002 / PIXEL) ** 2
    assert (height[black] == 0).all()
    assert np.isfinite(height).all()


def test_no_reading_at_all_is_an_empty_picture() -> None:
    color, depth = flat()
    fused, height = fuse_views(color, np.zeros_like(depth), {"above": above()})
    assert not fused.any()
    assert not height.any()


def test_shapes_that_do_not_agree_are_refused() -> None:
    color, depth = flat()
    for bad in ((color, depth[0]), (color[0], depth), (color, depth[:, :, :600])):
        with pytest.raises(ValueError, match="do not agree"):
            fuse_views(*bad, {"above": above()})
    with pytest.raises(ValueError, match="2 cameras"):
        fuse_views(color, depth, {"above": above(), "other": above()})
