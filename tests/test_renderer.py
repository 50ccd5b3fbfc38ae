"""Both renderers show the same scene; heights, places and colours are true in each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p
import pytest

from gensim_envs.api import Ball, Block, Bowl, Box, Container, Cylinder, Disk, Pose, Scene
from gensim_envs.cli import main
from gensim_envs.sim.cameras import TABLE_COLOR
from gensim_envs.sim.client import RENDERERS, Client
from gensim_envs.sim.views import PIXEL, SHAPE, pixel_of_xy
from gensim_envs.sim.world import World
from gensim_envs.task.assets import ASSETS, COLORS, Mark, Pile, Rope, asset_geometry
from gensim_envs.task.geometry import transform
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.spec import ItemSpec, TaskSpec


@pytest.fixture(params=RENDERERS)
def drawn_by(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each renderer in turn, asked for; EGL only where it starts."""
    if request.param == "egl":
        needs_egl()
    monkeypatch.setenv("GENSIM_RENDERER", request.param)
    return str(request.param)


def needs_egl() -> None:
    try:
        Client("egl").close()
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture
def world(drawn_by: str) -> Iterator[World]:
    world = World()
    yield world
    world.close()


def fixed(*things: tuple[Any, Pose]) -> TaskSpec:
    items = tuple(ItemSpec(asset, pose, fixed=True) for asset, pose in things)
    return TaskSpec("Made", "train", items, ())


HEIGHTS = (0.02, 0.04, 0.08, 0.12, 0.16)


def test_heights_are_true_to_a_millimetre(world: World) -> None:
    things = [
        (Box("red", extents=(0.06, 0.06, height)), Pose(x, -0.4 + 0.2 * k, 0, 0.3 * k))
        for x in (0.3, 0.7)
        for k, height in enumerate(HEIGHTS)
    ]
    world.load(fixed(*things))
    view = world.top_down()
    for box, pose in things:
        row, column = pixel_of_xy(pose.x, pose.y)
        top = view.height[row - 6 : row + 7, column - 6 : column + 7]
        assert np.abs(top - box.height).max() < 0.001
    assert (view.height[view.body < 0] == 0).all()
    assert (view.color[view.body < 0] == TABLE_COLOR).all()


def test_no_table_is_seen_through_the_walls_of_bowls(world: World) -> None:
    """TinyRenderer drops faces that an eye above the table's middle would see from behind."""
    rng = np.random.default_rng(0)
    poses = [
        Pose(x, y, 0, float(rng.uniform(0, 6)))
        for x in (0.315, 0.5, 0.685)
        for y in np.linspace(-0.435, 0.435, 7)
    ]
    world.load(fixed(*((Bowl("red"), pose) for pose in poses)))
    view = world.top_down()
    x = WORKSPACE[0][0] + (np.arange(SHAPE[0]) + 0.5) * PIXEL
    y = WORKSPACE[1][0] + (np.arange(SHAPE[1]) + 0.5) * PIXEL
    for pose, bodies in zip(poses, world.bodies, strict=True):
        inside = np.hypot(x[:, None] - pose.x, y - pose.y) < 0.0575
        assert (view.body[inside] == bodies[0]).all()


def test_things_are_seen_where_they_are(world: World) -> None:
    """To an eighth of a pixel: TinyRenderer alone would be half a pixel off."""
    rng = np.random.default_rng(0)
    things = [
        (Box("red", extents=(0.08, 0.08, 0.04)), Pose(x, y, 0, float(rng.uniform(0, 3))))
        for x in np.linspace(0.32, 0.68, 3)
        for y in np.linspace(-0.41, 0.41, 6)
    ]
    world.load(fixed(*things))
    view = world.top_down()
    errors = []
    for bodies, (_, pose) in zip(world.bodies, things, strict=True):
        rows, columns = np.nonzero(view.body == bodies[0])
        seen = np.array([rows.mean(), columns.mean()])
        errors.append(seen + 0.5 - (np.array([pose.x - 0.25, pose.y + 0.5]) / PIXEL))
    assert (np.abs(np.mean(errors, axis=0)) < 0.125).all()


def test_every_asset_is_drawn_in_its_shape_and_colour(world: World) -> None:
    """EGL draws no mesh that is not in a file, and mixes up boxes of several sizes."""
    for name, kind in ASSETS.items():
        asset = kind("green")
        bodies = ((0.5, 0.0, 0.7),) * asset.bodies if asset.bodies > 1 else ()
        item = ItemSpec(asset, Pose(0.5, 0.0, 0, 0.7), fixed=True, bodies=bodies)
        world.load(TaskSpec("Made", "train", (item,), ()))
        view = world.top_down()
        rows, columns = np.nonzero(view.body >= 0)
        if isinstance(asset, Rope | Pile):
            assert len(rows) > 5, name
            continue
        outline = transform(asset_geometry(asset).outline, item.start)
        low = ((outline.min(axis=0) - (0.25, -0.5)) / PIXEL).round()
        high = ((outline.max(axis=0) - (0.25, -0.5)) / PIXEL).round() - 1
        found = [[rows.min(), columns.min()], [rows.max(), columns.max()]]
        assert np.abs(np.array(found) - (low, high)).max() <= 1.5, name
        seen = np.median(view.color[rows, columns], axis=0)
        hues = {color: np.array(rgb) / np.linalg.norm(rgb) for color, rgb in COLORS.items()}
        nearest = max(hues, key=lambda color: hues[color] @ seen / np.linalg.norm(seen))
        assert nearest == "green" or isinstance(asset, Mark), name


def scene(scene: Scene) -> None:
    block = scene.add(Block("red"))
    bowl = scene.add(Bowl("blue"))
    scene.add(Container("green", extents=(0.12, 0.1, 0.05)))
    for asset in (Ball("yellow"), Cylinder("gray"), Disk("cyan")):
        scene.distract(asset)
    scene.goal("put the red block into the blue bowl", block, inside=bowl)


def test_the_renderers_agree(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_egl()
    views = {}
    for name in RENDERERS:
        monkeypatch.setenv("GENSIM_RENDERER", name)
        env = table(scene)
        env.reset(seed=4)
        views[name] = env.world.top_down()
    tiny, egl = views["tiny"], views["egl"]
    assert (tiny.body == egl.body).mean() > 0.995
    both = (tiny.body == egl.body) & (tiny.body >= 0)
    assert np.percentile(np.abs(tiny.height - egl.height)[both], 95) < 0.001
    off = np.abs(tiny.color.astype(int) - egl.color)[both].max(axis=-1)
    assert np.median(off) < 20


def test_pictures_do_not_depend_on_what_was_drawn_before(
    drawn_by: str, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on other envs in the process, nor on a new connection."""
    monkeypatch.setattr("gensim_envs.sim.world._RECONNECT_EVERY", 3)
    one, other = table(scene), table(scene, render_mode="rgb_array")
    first = one.reset(seed=0)[0]
    expected = None
    for _ in range(2):
        for seed in (0, 1):
            found = other.reset(seed=seed)[0]
            picture = other.render()
            assert picture.shape == (480, 640, 3)
            assert picture.std() > 20
            if seed == 0:
                assert all(np.array_equal(found[key], first[key]) for key in first)
                expected = picture if expected is None else expected
                assert np.array_equal(picture, expected)
    for env in (one, other):
        client = env.world.client
        assert client.egl == (drawn_by == "egl")
        number = client.id
        env.close()
        env.close()
        assert client.id == -1
        assert not p.getConnectionInfo(number)["isConnected"]


def test_a_renderer_prints_nothing(drawn_by: str, table: Any, capfd: Any) -> None:
    env = table(scene)
    env.reset(seed=0)
    env.close()
    assert capfd.readouterr() == ("", "")


def test_an_unknown_renderer_is_an_error_that_names_the_known(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENSIM_RENDERER", "vulkan")
    with pytest.raises(ValueError, match=r"GENSIM_RENDERER is 'vulkan'; use one of tiny, egl"):
        table(scene)


NO_EGL = """
import gymnasium as gym
gym.make("gensim_envs:gensim/PutBlockInBowl-v0", obs_mode="state").reset(seed=0)
try:
    gym.make("gensim_envs:gensim/PutBlockInBowl-v0")
except RuntimeError as error:
    print(error)
"""


def test_where_egl_does_not_start_an_error_names_the_remedy() -> None:
    """Without the check, pybullet ends the process. What draws no picture does not need EGL."""
    done = subprocess.run(
        [sys.executable, "-c", NO_EGL],
        capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "GENSIM_RENDERER": "egl", "__EGL_VENDOR_LIBRARY_FILENAMES": "/nowhere",
             "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert "EGL does not start here" in done.stdout
    assert "apt install libegl1" in done.stdout
    assert "unset GENSIM_RENDERER" in done.stdout


def test_the_command_names_an_unknown_renderer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENSIM_RENDERER", "vulkan")
    assert main(["certify", "gensim/PutBlockInBowl-v0"]) == 2
    assert "GENSIM_RENDERER is 'vulkan'; use one of tiny, egl" in capsys.readouterr().err
