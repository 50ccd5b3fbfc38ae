"""The simulated table: what the camera sees and what picking, placing and pushing do."""

from __future__ import annotations

import itertools
import math
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pybullet as p
import pytest
from conftest import Program
from hypothesis import given
from hypothesis import strategies as st

from gensim_envs.api import Block, Scene
from gensim_envs.errors import TaskError
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.cameras import TABLE_COLOR
from gensim_envs.sim.primitives import pick_and_place, push
from gensim_envs.sim.views import PIXEL, SHAPE, pixel_of_xy, xy_of_pixel
from gensim_envs.sim.world import World
from gensim_envs.task.assets import (
    COLORS,
    Asset,
    Ball,
    Bowl,
    Box,
    Container,
    Cylinder,
    Disk,
    Ell,
    PegStand,
    Pile,
    Rope,
    Stand,
    Zone,
)
from gensim_envs.task.drawing import Draw, draw
from gensim_envs.task.geometry import transform
from gensim_envs.task.goals import Goal, Place
from gensim_envs.task.pose import WORKSPACE, Pose
from gensim_envs.task.spec import ItemSpec, TaskSpec

RED, BLUE = Block("red"), Block("blue")
MIDDLE = Pose(0.5, 0.0)


def action(pick: Sequence[float], place: Sequence[float], turn: float = 0.0) -> np.ndarray:
    return np.array([*pick[:2], 0.0, *place[:2], turn])


def spec_of(*things: tuple[Asset, Pose], fixed: Sequence[int] = ()) -> TaskSpec:
    items = tuple(
        ItemSpec(asset, pose, fixed=type(asset).fixed or k in fixed)
        for k, (asset, pose) in enumerate(things)
    )
    return TaskSpec("Made", "train", items, (Goal("do it", (0,), "at", (Place(MIDDLE),)),))


@pytest.fixture
def world() -> Iterator[World]:
    table = World()
    yield table
    table.close()


@pytest.fixture
def put(world: World) -> Any:
    """Loads things at poses."""

    def load(*things: tuple[Asset, Pose], fixed: Sequence[int] = ()) -> World:
        world.load(spec_of(*things, fixed=fixed))
        return world

    return load


def xyz(world: World, item: int) -> np.ndarray:
    pose = world.snapshot().poses[item]
    return np.array([pose.x, pose.y, pose.z])


# ------------------------------------------------------------------------------------- the view

SPOTS = [(0.5, 0.0), (0.3, -0.44), (0.68, 0.42), (0.3, 0.42)]


@pytest.mark.parametrize("height", [0.02, 0.04, 0.08, 0.12, 0.16])
def test_heights_are_true_to_a_millimetre_all_over_the_table(put: Any, height: float) -> None:
    box = Box("red", extents=(0.06, 0.06, height))
    world = put(*((box, Pose(x, y, 0, 0.3)) for x, y in SPOTS), fixed=range(4))
    view = world.top_down()
    assert view.height.shape == SHAPE
    assert view.height.dtype == np.float32
    for x, y in SPOTS:
        row, column = pixel_of_xy(x, y)
        top = view.height[row - 6 : row + 7, column - 6 : column + 7]
        assert np.abs(top - height).max() < 0.001
    assert (view.height[view.body < 0] == 0).all()


def test_the_view_is_orthographic(put: Any) -> None:
    """A tall box near the edge covers its own footprint and nothing else, to a pixel."""
    box = Box("red", extents=(0.05, 0.05, 0.16))
    view = put((box, Pose(0.7, 0.45)), fixed=[0]).top_down()
    rows, columns = np.nonzero(view.body >= 0)
    assert abs(0.25 + rows.min() * PIXEL - 0.675) <= 1.5 * PIXEL
    assert abs(0.25 + (rows.max() + 1) * PIXEL - 0.725) <= 1.5 * PIXEL
    assert abs(-0.5 + columns.min() * PIXEL - 0.425) <= 1.5 * PIXEL
    assert abs(-0.5 + (columns.max() + 1) * PIXEL - 0.475) <= 1.5 * PIXEL


@given(row=st.integers(0, SHAPE[0] - 1), column=st.integers(0, SHAPE[1] - 1))
def test_pixels_and_points_agree(row: int, column: int) -> None:
    x, y = xy_of_pixel(row, column)
    assert pixel_of_xy(x, y) == (row, column)
    (x0, x1), (y0, y1) = WORKSPACE
    assert x0 < x < x1
    assert y0 < y < y1


def test_points_beyond_the_view_are_clipped_to_it() -> None:
    assert pixel_of_xy(0.0, -2.0) == (0, 0)
    assert pixel_of_xy(2.0, 2.0) == (SHAPE[0] - 1, SHAPE[1] - 1)
    np.testing.assert_allclose(xy_of_pixel(0, 0), (0.25 + PIXEL / 2, -0.5 + PIXEL / 2))


def test_every_pixel_names_the_body_that_is_seen(put: Any) -> None:
    places = [Pose(0.35, -0.3), Pose(0.5, 0.1), Pose(0.65, 0.35), Pose(0.4, 0.3)]
    world = put(*zip([Bowl("green"), RED, Cylinder("blue"), Zone("gray")], places, strict=True))
    view = world.top_down()
    assert view.body.shape == SHAPE
    for item, pose in enumerate(places):
        body = int(view.body[pixel_of_xy(pose.x, pose.y)])
        assert world.item_of(body) == item
        outline = transform(world.spec.geometry(item).outline, pose)
        low, high = outline.min(axis=0) - PIXEL, outline.max(axis=0) + PIXEL
        for row, column in np.argwhere(view.body == body):
            x, y = xy_of_pixel(row, column)
            assert low[0] <= x <= high[0]
            assert low[1] <= y <= high[1]
    assert view.body[pixel_of_xy(0.7, -0.45)] == -1
    assert world.item_of(world.table) is None


def test_rendered_colours_can_be_told_apart(put: Any) -> None:
    spots = [Pose(x, y) for x in (0.32, 0.44, 0.56, 0.68) for y in (-0.4, -0.2, 0.0, 0.2)]
    boxes = [Box(color, extents=(0.06, 0.06, 0.03)) for color in COLORS]
    things = list(zip(boxes, spots, strict=True))
    view = put(*things, fixed=range(len(COLORS))).top_down()
    seen = {"table": np.array(TABLE_COLOR, float)}
    for (asset, pose), color in zip(things, COLORS, strict=True):
        row, column = pixel_of_xy(pose.x, pose.y)
        patch = view.color[row - 6 : row + 7, column - 6 : column + 7].reshape(-1, 3)
        seen[color] = patch.mean(axis=0)
        assert asset.color == color
    for (a, look_a), (b, look_b) in itertools.combinations(seen.items(), 2):
        assert np.linalg.norm(look_a - look_b) > 40, (a, b)


def test_colours_are_rgb_and_the_table_is_sand(put: Any) -> None:
    view = put((Box("red", extents=(0.1, 0.1, 0.03)), MIDDLE)).top_down()
    red, green, blue = view.color[pixel_of_xy(0.5, 0.0)].astype(int)
    assert red > 2 * max(green, blue)
    assert (view.color[0, 0] == TABLE_COLOR).all()


QUIET = """
import resource, sys
import gymnasium as gym
import gensim_envs
from gensim_envs import Oracle
env = gym.make("gensim/SweepingPiles-v0", render_mode="rgb_array")
other = gym.make("gensim/PutBlockInBowl-v0")
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
for one in (env, other):
    one.reset(seed=0)
    one.step(Oracle(one).act())
    one.reset(seed=1)
env.render()
env.close()
print("done")
"""


def test_nothing_is_written_to_disk(tmp_path: Path) -> None:
    """The process may not write a byte to a file, and leaves none behind."""
    environment = {
        **os.environ,
        "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", QUIET],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "done"
    assert list(tmp_path.rglob("*")) == []


# ------------------------------------------------------------------------------------- at rest


@pytest.mark.parametrize(
    "asset",
    [RED, Ball("red"), Cylinder("red"), Bowl("red"), Disk("red"), Ell("red"), Box("red")],
    ids=lambda asset: type(asset).__name__,
)
@pytest.mark.parametrize("yaw", [0.0, 0.8, -2.5])
def test_things_rest_where_they_start(put: Any, asset: Asset, yaw: float) -> None:
    start = Pose(0.45, 0.1, 0, yaw)
    world = put((asset, start))
    now = world.snapshot()
    assert np.linalg.norm(xyz(world, 0) - (0.45, 0.1, 0)) < 0.001
    assert now.tilts[0] < 0.01
    if asset.symmetry:
        assert now.poses[0].yaw == pytest.approx(yaw, abs=0.01)
    world.step(480)
    assert np.linalg.norm(xyz(world, 0) - (0.45, 0.1, 0)) < 0.002


@pytest.mark.parametrize(
    "things",
    [
        [(RED, MIDDLE.up(0.03))],  # in the air
        [(Box("blue", extents=(0.06, 0.06, 0.05)), MIDDLE), (RED, Pose(0.54, 0.0, 0.05))],
        [(Ball("blue", diameter=0.06), MIDDLE), (RED, Pose(0.505, 0.0, 0.06))],
        [(RED, MIDDLE), (BLUE, Pose(0.51, 0.0))],  # in each other
    ],
    ids=["in the air", "over an edge", "on a ball", "in each other"],
)
def test_what_does_not_stay_where_it_starts_is_refused(put: Any, things: list[Any]) -> None:
    with pytest.raises(TaskError, match=r"does not stay|does not come to rest") as caught:
        put(*things)
    assert caught.value.redraw
    assert caught.value.remedy


@pytest.mark.parametrize("speed", [0.05, 0.2])
def test_a_ball_comes_to_rest_on_the_table(put: Any, speed: float) -> None:
    world = put((Ball("red"), Pose(0.4, 0.0)))
    p.resetBaseVelocity(world.bodies[0][0], (speed, speed, 0), physicsClientId=world.client.id)
    assert world.settle()
    x, y, z = xyz(world, 0)
    assert 0.4 < x < 0.75
    assert 0 < y < 0.5
    assert z == pytest.approx(0, abs=0.001)


def test_a_ball_that_spins_on_the_spot_is_at_rest(put: Any) -> None:
    table = put((Ball("red"), MIDDLE))
    p.resetBaseVelocity(table.bodies[0][0], (0, 0, 0), (0, 0, 9), physicsClientId=table.client.id)
    table.step()
    assert table.settle()
    spin = p.getBaseVelocity(table.bodies[0][0], physicsClientId=table.client.id)[1]
    assert spin[2] > 1


def test_a_stack_of_five_blocks_stands(put: Any) -> None:
    starts = [Pose(0.35, 0.1 * k) for k in range(5)]
    world = put(*((RED, start) for start in starts))
    for start in starts:
        assert pick_and_place(world, action((start.x, start.y), (0.6, 0.0)))
    world.step(1200)
    for k in range(5):
        np.testing.assert_allclose(xyz(world, k), (0.6, 0.0, 0.04 * k), atol=0.003)
    assert max(world.snapshot().tilts) < 0.02


# ------------------------------------------------------------------------------- pick and place


@pytest.mark.parametrize("turn", [0.0, 0.7, -1.5])
@pytest.mark.parametrize("grip", [(0.0, 0.0), (0.03, 0.01)])
def test_a_thing_keeps_its_offset_from_the_tip_and_turns(
    put: Any, turn: float, grip: tuple[float, float]
) -> None:
    start = Pose(0.4, -0.2, 0, 0.4)
    world = put((Box("red", extents=(0.1, 0.05, 0.03)), start))
    tip = start @ Pose(*grip)
    assert pick_and_place(world, action((tip.x, tip.y), (0.6, 0.2), turn))
    wanted = Pose(0.6, 0.2, 0, start.yaw + turn) @ Pose(*grip).inverse()
    np.testing.assert_allclose(xyz(world, 0), (wanted.x, wanted.y, 0), atol=0.001)
    assert world.snapshot().poses[0].yaw == pytest.approx(start.yaw + turn, abs=0.01)


def test_the_cup_takes_what_it_touches_first(put: Any) -> None:
    world = put((BLUE, MIDDLE), (RED, MIDDLE.up(0.04)))
    touch = first_touch(world, 0.5, 0.0)
    assert world.item_of(touch.body) == 1
    assert touch.height == pytest.approx(0.08, abs=0.001)
    pick_and_place(world, action((0.5, 0.0), (0.4, 0.3)))
    np.testing.assert_allclose(xyz(world, 1), (0.4, 0.3, 0), atol=0.001)
    np.testing.assert_allclose(xyz(world, 0), (0.5, 0.0, 0), atol=0.001)
    pick_and_place(world, action((0.5, 0.0), (0.4, 0.3)))
    np.testing.assert_allclose(xyz(world, 0), (0.4, 0.3, 0.04), atol=0.001)


def test_the_rim_of_the_cup_touches_too(put: Any) -> None:
    world = put((RED, MIDDLE))
    assert world.item_of(first_touch(world, 0.525, 0.0).body) == 0  # 5 mm beside the block
    assert first_touch(world, 0.528, 0.0).body == world.table
    assert first_touch(world, 0.528, 0.0).height == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("pick", [(0.3, 0.3), (0.6, -0.2)], ids=["table", "fixed"])
def test_picking_nothing_or_what_is_fixed_changes_nothing(put: Any, pick: Any) -> None:
    world = put((RED, MIDDLE), (Stand("blue"), Pose(0.6, -0.2)))
    before, view = world.snapshot(), world.top_down()
    assert pick_and_place(world, action(pick, (0.5, 0.0)))
    assert world.snapshot() is before
    assert np.array_equal(world.top_down().color, view.color)
    assert np.array_equal(world.top_down().height, view.height)


@pytest.mark.parametrize(("beyond", "stays"), [(0.010, True), (0.027, False), (0.035, False)])
def test_a_thing_half_over_an_edge_falls_and_is_judged_there(
    put: Any, beyond: float, stays: bool
) -> None:
    """`beyond` is how far the block's middle is from where it would be flush with the edge."""
    tower = Box("blue", extents=(0.08, 0.08, 0.10))
    world = put((tower, MIDDLE), (RED, Pose(0.4, 0.3)), fixed=[0])
    x = 0.5 + 0.04 - 0.02 + beyond
    assert pick_and_place(world, action((0.4, 0.3), (x, 0.0)))
    height = xyz(world, 1)[2]
    if stays:
        assert height == pytest.approx(0.10, abs=0.001)
    else:
        assert height == pytest.approx(0.0, abs=0.002)
        assert xyz(world, 1)[0] > 0.54


def test_placing_goes_down_to_the_first_contact(put: Any) -> None:
    tall = Box("blue", extents=(0.06, 0.06, 0.12))
    world = put((tall, MIDDLE), (RED, Pose(0.4, 0.3)))
    assert pick_and_place(world, action((0.4, 0.3), (0.5, 0.0)))
    np.testing.assert_allclose(xyz(world, 1), (0.5, 0.0, 0.12), atol=0.001)


def test_a_disk_slides_over_its_peg(put: Any) -> None:
    stand = PegStand("blue")
    at = Pose(0.5, 0.0, 0, math.pi / 2)
    peg = at @ stand.peg(2)
    world = put((stand, at), (Disk("red"), Pose(0.35, 0.3)))
    grip = Pose(0.35, 0.3) @ Pose(*Disk("red").grasps[0])
    place = peg @ Pose(*Disk("red").grasps[0]).turned(0)
    turn = math.pi / 2
    assert pick_and_place(world, action((grip.x, grip.y), (place.x, place.y), turn))
    np.testing.assert_allclose(xyz(world, 1), (peg.x, peg.y, 0.01), atol=0.002)


@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_a_bowl_carries_what_is_in_it(put: Any, turn: float) -> None:
    world = put((Bowl("green"), MIDDLE), (RED, Pose(0.35, 0.3)))
    pick_and_place(world, action((0.35, 0.3), (0.5, 0.0)))
    assert xyz(world, 1)[2] == pytest.approx(0.005, abs=0.002)
    rim = (0.5 + 0.058, 0.0)
    assert world.item_of(first_touch(world, *rim).body) == 0
    assert pick_and_place(world, action(rim, (0.40 + 0.058, -0.3), turn))
    bowl, block = world.snapshot().poses
    wanted = Pose(0.458, -0.3, 0, turn) @ Pose(-0.058, 0)
    np.testing.assert_allclose((bowl.x, bowl.y, bowl.z), (wanted.x, wanted.y, 0), atol=0.004)
    assert block.distance(bowl) < 0.03
    assert block.z < 0.02
    assert world.snapshot().tilts[0] < 0.05


def test_a_stack_is_carried_by_its_base(put: Any) -> None:
    base = Box("blue", extents=(0.14, 0.06, 0.03))
    world = put((base, MIDDLE), (RED, Pose(0.53, 0.0, 0.03)))
    assert pick_and_place(world, action((0.46, 0.0), (0.46, 0.3)))
    np.testing.assert_allclose(xyz(world, 0), (0.5, 0.3, 0), atol=0.004)
    np.testing.assert_allclose(xyz(world, 1), (0.53, 0.3, 0.03), atol=0.006)


def test_a_loose_container_is_carried_with_its_load(put: Any) -> None:
    tray = Container("green", extents=(0.14, 0.12, 0.05))
    items = (
        ItemSpec(tray, MIDDLE),
        ItemSpec(RED, Pose(0.47, 0, 0.005)),
        ItemSpec(Ball("blue"), Pose(0.53, 0, 0.005)),
    )
    world = put((RED, MIDDLE))
    world.load(TaskSpec("Made", "train", items, spec_of((RED, MIDDLE)).goals))
    edge = (0.5, 0.0575)
    assert pick_and_place(world, action(edge, (0.5, -0.2425)))
    tray_now, block, ball = world.snapshot().poses
    np.testing.assert_allclose((tray_now.x, tray_now.y, tray_now.z), (0.5, -0.3, 0), atol=0.006)
    for thing in (block, ball):
        assert thing.distance(tray_now) < 0.06
        assert thing.z < 0.03


# ----------------------------------------------------------------------------- ropes and crumbs


def soft_world(world: World, asset: Asset, seed: int) -> World:
    def build(scene: Scene) -> None:
        block = scene.add(Block("blue"), at=Pose(0.72, -0.46))
        scene.distract(asset)
        scene.goal("move the block", block, at=scene.mark(block, Pose(0.72, 0.46)))

    world.load(Program(build).draw("train", seed).spec)
    return world


def beads(world: World) -> np.ndarray:
    return world.snapshot().bodies[1]


@pytest.mark.parametrize("seed", range(2))
def test_a_rope_stays_connected_however_it_is_drawn(world: World, seed: int) -> None:
    soft_world(world, Rope("red"), seed)
    rng = np.random.default_rng(seed)
    for bead in (0, 19, 10):
        target = rng.uniform((0.35, -0.3), (0.65, 0.3))
        pick = beads(world)[bead, :2]
        pick_and_place(world, action(pick, target))
        now = beads(world)
        gaps = np.linalg.norm(np.diff(now, axis=0), axis=1)
        np.testing.assert_allclose(gaps, Rope.LENGTH / 19, atol=0.003)
        assert (now[:, 2] > 0).all()
        assert (now[:, 2] < 0.03).all()
        if bead != 10:  # an end is where it was put
            assert np.linalg.norm(now[bead, :2] - target) < 0.012


def test_a_push_moves_crumbs_ahead_of_the_blade(world: World) -> None:
    soft_world(world, Pile("red"), 0)
    before = beads(world)
    middle = before[:, :2].mean(axis=0)
    goal = np.array([0.5, 0.0])
    ahead = (goal - middle) / np.linalg.norm(goal - middle)
    start = middle - ahead * 0.08
    assert push(world, action(start, middle + ahead * 0.05))
    now = beads(world)
    along, across = (now[:, :2] - middle) @ ahead, (now[:, :2] - middle) @ [-ahead[1], ahead[0]]
    swept = np.abs(across) < 0.03
    assert swept.sum() > 10
    assert (along[swept] > 0.045).all()
    assert (now[:, 2] < 0.03).all()
    assert (now[:, 2] > 0).all()


@pytest.mark.parametrize(
    ("start", "end"), [((0.3, 0.3), (0.3, 0.3)), ((0.28, 0.42), (0.34, 0.42))], ids=["no", "free"]
)
def test_a_push_over_nothing_moves_nothing(world: World, start: Any, end: Any) -> None:
    soft_world(world, Pile("red"), 1)
    before = beads(world).copy()
    bodies = p.getNumBodies(physicsClientId=world.client.id)
    assert np.linalg.norm(before[:, :2] - np.array(start), axis=1).min() > 0.15
    assert push(world, action(start, end))
    np.testing.assert_array_equal(beads(world), before)
    assert p.getNumBodies(physicsClientId=world.client.id) == bodies


def test_a_push_moves_a_block_too(put: Any) -> None:
    world = put((RED, MIDDLE))
    assert push(world, action((0.5, -0.1), (0.5, 0.05)))
    x, y, z = xyz(world, 0)
    assert (x, z) == pytest.approx((0.5, 0.0), abs=0.01)
    assert 0.06 < y < 0.10


# ------------------------------------------------------------------------------- again and again


def connections() -> int:
    return sum(p.getConnectionInfo(client)["isConnected"] for client in range(100))


def test_hundreds_of_resets_and_new_connections_change_nothing(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(scene: Scene) -> None:
        block, bowl = scene.add(Block("red")), scene.add(Bowl("blue"))
        scene.goal("put the red block into the blue bowl", block, inside=bowl)

    env = table(build, obs_mode="state")
    connect, opened, before = p.connect, [], connections()
    monkeypatch.setattr(p, "connect", lambda mode: opened.append(mode) or connect(mode))
    states: dict[int, set[bytes]] = {seed: set() for seed in range(3)}
    for number in range(300):
        seed = number % 3
        observation, _ = env.reset(seed=seed)
        pick = env.task_spec.items[0].start
        if number > 190:
            observation = env.step(action((pick.x, pick.y), (0.5, 0.0)).astype(np.float32))[0]
            states[seed].add(b"after" + observation.tobytes())
        else:
            states[seed].add(observation.tobytes())
    assert [len(seen) for seen in states.values()] == [2, 2, 2]
    assert (
        opened == [p.DIRECT] * 3
    )  # once in 200 loads, of which each reset and step has one or two
    assert connections() == before


def test_a_closed_world_gives_its_connection_back() -> None:
    worlds = [World() for _ in range(3)]
    clients = [one.client.id for one in worlds]
    assert len(set(clients)) == 3
    for one in worlds:
        one.close()
        one.close()
    assert not any(p.getConnectionInfo(client)["isConnected"] for client in clients)


def test_loading_replaces_all_bodies(world: World) -> None:
    program = Program(
        lambda scene: scene.goal("go", scene.add(Block("red")), on=scene.add(Stand("blue")))
    )
    drawn: list[Draw] = [draw(program.task, "train", seed) for seed in range(3)]
    counts = []
    for one in [*drawn, *drawn]:
        world.load(one.spec)
        counts.append(p.getNumBodies(physicsClientId=world.client.id))
    assert len(set(counts)) == 1


def test_memory_does_not_grow_with_steps() -> None:
    """Pybullet never frees the vertices of a mesh that it is given as numbers."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    env: Any = gym.make("gensim/TowersOfHanoi-v0", obs_mode="state").unwrapped
    env.reset(seed=0)
    world = env.world
    for _ in range(5):
        world.rebuild()
    before = resident()
    for _ in range(60):
        world.rebuild()
    env.close()
    assert resident() - before < 3e6  # bytes; it was 14e6
