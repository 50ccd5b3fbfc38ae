"""Assets: kits, household objects and meshes are as they describe themselves."""

from __future__ import annotations

import dataclasses
import itertools
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.affinity
from conftest import Program
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from gensim_envs.api import (
    Container,
    Household,
    KitBoard,
    KitPiece,
    OpenSquare,
    PegStand,
    Pose,
    Roof,
    Scene,
    Zone,
    tiles,
)
from gensim_envs.errors import TaskError
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.views import pixel_of_xy, xy_of_pixel
from gensim_envs.sim.world import World
from gensim_envs.task.assets import (
    ASSETS,
    COLORS,
    KIT_SHAPES,
    OBJECTS,
    SPLIT_OBJECTS,
    SPLIT_SHAPES,
    Asset,
    asset_from_json,
    asset_geometry,
)
from gensim_envs.task.assets.kit import kit_outline
from gensim_envs.task.geometry import transform
from gensim_envs.task.goals import Goal, Place
from gensim_envs.task.spec import ItemSpec, TaskSpec

ROOT = Path(__file__).parents[1]
MESHES: list[Asset] = [
    *(KitPiece("red", shape) for shape in KIT_SHAPES),
    *(Household("red", kind) for kind in OBJECTS),
    Roof("red"),
    Roof("red", extents=(0.1, 0.06, 0.03)),
]
SPOT = Pose(0.5, 0.1, 0.0, 0.7)


def name(asset: Asset) -> str:
    return asset.called[0]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    table = World()
    yield table
    table.close()


def put(world: World, asset: Asset, pose: Pose = SPOT, fixed: bool = False) -> None:
    goal = Goal("do it", (0,), "at", (Place(Pose(0.3, 0.3)),))
    world.load(TaskSpec("Made", "train", (ItemSpec(asset, pose, fixed=fixed),), (goal,)))


# ------------------------------------------------------------------------------------------- kits


def test_there_are_fourteen_seen_shapes_and_six_others() -> None:
    assert len(KIT_SHAPES) == len(set(KIT_SHAPES)) == 20
    assert len(SPLIT_SHAPES["train"]) == 14
    assert len(SPLIT_SHAPES["test"]) == 6
    assert not set(SPLIT_SHAPES["train"]) & set(SPLIT_SHAPES["test"])


@pytest.mark.parametrize("shape", KIT_SHAPES)
def test_a_piece_looks_the_same_after_its_yaw_period_and_not_before(shape: str) -> None:
    outline = kit_outline(shape)

    def overlap(turn: float) -> float:
        turned = shapely.affinity.rotate(outline, turn, origin=(0, 0), use_radians=True)
        return float(shapely.intersection(outline, turned).area / outline.area)

    period = KitPiece("red", shape).symmetry
    if period == 0:
        assert min(overlap(math.radians(degrees)) for degrees in range(0, 360, 7)) > 0.98
        return
    assert overlap(period) > 0.995
    assert math.isclose(math.tau / period, round(math.tau / period))
    # A shape that repeats earlier would do so after a half, a third ... of its period.
    assert max(overlap(period / n) for n in (2, 3, 5, 7)) < 0.97


def test_no_two_shapes_are_alike() -> None:
    for a, b in itertools.combinations(map(kit_outline, KIT_SHAPES), 2):
        turned = [
            shapely.affinity.rotate(b, degrees, origin=(0, 0)) for degrees in range(0, 360, 15)
        ]
        both, either = shapely.intersection(a, turned), shapely.union(a, turned)
        assert (shapely.area(both) / shapely.area(either)).max() < 0.9


@pytest.mark.parametrize("shape", KIT_SHAPES)
def test_a_silhouette_has_the_outline_of_its_piece(shape: str, world: World) -> None:
    """Seen from above, a piece on its silhouette leaves hardly any of it uncovered."""
    board = KitBoard("white", shapes=(shape,))
    place = SPOT @ board.place(0)
    put(world, board, SPOT, fixed=True)
    silhouette = world.top_down().color.max(axis=-1) < 100
    put(world, KitPiece("white", shape), Pose(place.x, place.y, 0.0, place.yaw))
    piece = world.top_down().body >= 0
    differing = (silhouette ^ piece).sum()
    # An edge of half a pixel all round.
    assert differing < 0.12 * piece.sum()
    assert piece.sum() * 0.003125**2 == pytest.approx(kit_outline(shape).area, rel=0.12)


def test_a_board_takes_up_to_five_pieces_apart_from_each_other() -> None:
    for shapes in (SPLIT_SHAPES["train"][:5], SPLIT_SHAPES["test"][:5]):
        board = KitBoard("brown", shapes=shapes)
        edge = shapely.box(-0.14, -0.10, 0.14, 0.10)
        there = [
            shapely.affinity.translate(kit_outline(shape), board.place(k).x, board.place(k).y)
            for k, shape in enumerate(shapes)
        ]
        assert all(edge.contains(piece) for piece in there)
        assert min(a.distance(b) for a, b in itertools.combinations(there, 2)) > 0.004
    with pytest.raises(TaskError, match="no place 5"):
        board.place(5)
    with pytest.raises(TaskError, match="one to five"):
        KitBoard("brown", shapes=())
    with pytest.raises(TaskError, match="letter R"):
        KitBoard("brown", shapes=("letter Q",))
    with pytest.raises(TaskError, match="letter R"):
        KitPiece("brown", "letter Q")


# ------------------------------------------------------------------------------ household objects


def test_there_are_forty_objects_of_which_some_are_unseen() -> None:
    assert len(OBJECTS) >= 40
    assert len(SPLIT_OBJECTS["train"]) >= 25
    assert len(SPLIT_OBJECTS["test"]) >= 10
    assert sorted((*SPLIT_OBJECTS["train"], *SPLIT_OBJECTS["test"])) == sorted(OBJECTS)
    assert all(data["color"] in COLORS for data in OBJECTS.values())
    nouns = [data["noun"] for data in OBJECTS.values()]
    assert len(set(nouns)) == len(nouns)


def test_an_unknown_kind_lists_those_that_there_are() -> None:
    with pytest.raises(TaskError, match="coffee_mug"):
        Household("red", "flying_carpet")
    with pytest.raises(TaskError, match="coffee_mug"):
        asset_from_json({"type": "Household", "color": "red", "kind": ["coffee_mug"]})


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_scene_draws_what_its_split_has(split: str) -> None:
    scene = Scene(split, np.random.default_rng(3))
    things = scene.objects(len(SPLIT_OBJECTS[split]))
    assert {thing.kind for thing in things} == set(SPLIT_OBJECTS[split])
    assert [thing.color for thing in things] == [OBJECTS[t.kind]["color"] for t in things]
    assert len(scene.shapes(5)) == 5
    assert scene.shapes(1, exclude=SPLIT_SHAPES[split][1:]) == [SPLIT_SHAPES[split][0]]
    with pytest.raises(TaskError, match="distinct objects"):
        scene.objects(1000)
    with pytest.raises(TaskError, match="distinct shapes"):
        scene.shapes(15)


def test_sentences_know_the_names_of_objects_and_shapes() -> None:
    def build(scene: Scene) -> None:
        star = scene.add(KitPiece("red", "letter R"))
        scene.goal("put the red letter A there", star, at=scene.mark(star, Pose(0.5, 0.0)))

    with pytest.raises(TaskError, match="letter a"):
        Program(build).draw("train", 0)


def test_a_state_tells_shapes_and_objects_apart(table: Any) -> None:
    def build(scene: Scene) -> None:
        star = scene.add(KitPiece("red", "star"))
        scene.distract(KitPiece("red", "heart"))
        scene.distract(Household("red", "apple"))
        scene.distract(Household("red", "banana"))
        scene.goal("put the star there", star, at=scene.mark(star, Pose(0.5, 0.0)))

    env = table(build, obs_mode="state")
    state, _ = env.reset(seed=0)
    items = env.unwrapped.state_layout.items
    kinds, variants = (items.field(state, name)[:4, 0].tolist() for name in ("kind", "variant"))
    assert len(set(zip(kinds, variants, strict=True))) == 4
    assert (KIT_SHAPES.index("star") + 1) / 100 == pytest.approx(
        min(variants, key=lambda v: abs(v - (KIT_SHAPES.index("star") + 1) / 100))
    )


# ------------------------------------------------------------------------------------------ meshes


@pytest.mark.parametrize("asset", MESHES, ids=name)
def test_a_mesh_is_as_large_as_its_asset_says(asset: Asset, world: World) -> None:
    put(world, asset)
    view = world.top_down()
    there = view.body >= 0
    assert view.height[there].max() == pytest.approx(asset.height, abs=0.0015)
    rows, columns = np.nonzero(there)
    seen = shapely.MultiPoint(np.transpose(xy_of_pixel(rows, columns)))
    outline = shapely.Polygon(transform(asset_geometry(asset).outline, SPOT))
    assert outline.buffer(0.003).contains(seen)
    assert shapely.convex_hull(seen).area > 0.75 * shapely.convex_hull(outline).area


@pytest.mark.parametrize("asset", MESHES, ids=name)
def test_a_mesh_rests_and_can_be_grasped(asset: Asset, world: World) -> None:
    put(world, asset)  # which fails where it slips, tips or sinks
    pose = world.snapshot().poses[0]
    assert pose.distance(SPOT) < 0.002
    assert abs(pose.z) < 0.002
    assert world.snapshot().tilts[0] < math.radians(2)
    for grasp in asset.grasps:
        tip = pose @ Pose(*grasp)
        touch = first_touch(world, tip.x, tip.y)
        assert world.item_of(touch.body) == 0
        assert 0.003 < touch.height < asset.height + 0.003


FROM_ABOVE = [Pose(0.5 + k * 0.0007, 0.1 + k * 0.0011, 0.0, yaw) for k, yaw in
              enumerate((0.0, math.pi / 2, 0.26, 0.52, 1.03, 2.07, 3.1, 4.1))]  # fmt: skip
"""Spots and angles that meet the pixels of the view from above in different ways."""


@pytest.mark.parametrize("kind", ["comb", "fork", "toy_airplane", "toy_robot"])
def test_thin_parts_show_from_above(kind: str, world: World) -> None:
    for spot in FROM_ABOVE:
        put(world, Household("red", kind), spot)
        parts, _ = ndimage.label(world.top_down().body >= 0, np.ones((3, 3)))
        sizes = np.bincount(parts.ravel())[1:]
        assert sizes.sum() - sizes.max() <= 1, spot  # the last pixel of a tip may stand apart


@pytest.mark.parametrize(("kind", "count"), [("comb", 13), ("fork", 4)])
@pytest.mark.parametrize("spot", [*FROM_ABOVE[:2], Pose(0.5013, 0.1017)])
def test_each_tooth_shows_from_above(kind: str, count: int, spot: Pose, world: World) -> None:
    put(world, Household("red", kind), spot)
    there = world.top_down().body >= 0
    crossing = there if (kind == "comb") == (spot.yaw == 0) else there.T  # lines across the teeth
    starts = np.diff(crossing.astype(int), axis=0, prepend=0) == 1
    assert (starts.sum(axis=0) == count).sum() >= 6  # pixels along a tooth


@pytest.mark.parametrize("kind", ["plate", "soup_can", "teapot"])
def test_rims_show_without_specks_from_above(kind: str, world: World) -> None:
    """No pixel of the middle of an object differs from all pixels around it."""
    neighbours = [shift for shift in itertools.product((-1, 0, 1), repeat=2) if any(shift)]
    for spot in FROM_ABOVE:
        put(world, Household("red", kind), spot)
        color = world.top_down().color.astype(int)
        shifted = np.stack([np.roll(color, shift, axis=(0, 1)) for shift in neighbours])
        speck = (np.abs(shifted - color).max(axis=-1) > 18).all(axis=0)
        row, column = pixel_of_xy(spot.x, spot.y)
        assert not speck[row - 8 : row + 9, column - 8 : column + 9].any(), spot


def test_the_shipped_prisms_are_those_that_the_outlines_make(tmp_path: Path) -> None:
    code = "import sys, pathlib, scripts.models.prisms as m; m.build(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    built = sorted(path for path in tmp_path.rglob("*.obj"))
    assert len(built) == 2 * 20 + 5
    for path in built:
        shipped = ROOT / "gensim_envs/sim/models" / path.relative_to(tmp_path)
        assert numbers(path) == pytest.approx(numbers(shipped), abs=1e-4), path.name


def numbers(path: Path) -> list[float]:
    words = path.read_text().replace("/", " ").split()
    return [float(word) for word in words if word[0] in "-.0123456789"]


# ------------------------------------------------------------------------------- other new things


def test_pegs_and_edges_that_there_are_not() -> None:
    assert PegStand("red").peg(1, level=2).z == pytest.approx(0.05)
    with pytest.raises(TaskError, match="no peg 3"):
        PegStand("red").peg(3)
    assert OpenSquare("red").edge("far") == [Pose(-0.1, 0.1), Pose(0.1, 0.1)]
    with pytest.raises(TaskError, match="no edge 'near'"):
        OpenSquare("red").edge("near")


@given(st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.floats(0.02, 0.1), st.integers(0, 2**31))
def test_tiles_fill_a_rectangle_and_none_is_too_small(
    x: float, y: float, smallest: float, seed: int
) -> None:
    center = Pose(0.5, 0.1, 0.02, 0.7)
    found = tiles(center, (x, y), smallest, np.random.default_rng(seed))
    shapes = []
    for (width, depth), middle in found:
        assert width >= min(x, smallest) - 1e-9
        assert depth >= min(y, smallest) - 1e-9
        assert (middle.z, middle.yaw) == (center.z, pytest.approx(center.yaw))
        local = center.inverse() @ middle
        half = (width / 2, depth / 2)
        shapes.append(
            shapely.box(local.x - half[0], local.y - half[1], local.x + half[0], local.y + half[1])
        )
    assert sum(shape.area for shape in shapes) == pytest.approx(x * y)
    assert shapely.union_all(shapes, grid_size=1e-9).area == pytest.approx(x * y, rel=1e-5)


BAD_LENGTHS = [0.0, -0.1, 0.001, math.nan, math.inf, -math.inf, 1.0, True, "0.1", None]


@pytest.mark.parametrize("length", BAD_LENGTHS)
def test_a_length_that_no_asset_can_have_is_refused(length: Any) -> None:
    """Each of the lengths that an asset takes is checked when the asset is made."""
    for kind in ASSETS.values():
        for field in dataclasses.fields(kind):
            values: tuple[Any, ...] = ()
            if isinstance(field.default, float):
                values = (length,)
            elif isinstance(field.default, tuple) and isinstance(field.default[0], float):
                values = tuple(
                    (*field.default[:k], length, *field.default[k + 1 :]) for k in range(3)
                )
            for value in values:
                with pytest.raises(TaskError, match=f"{kind.__name__}'s .* is") as caught:
                    kind("red", **{field.name: value})
                assert caught.value.remedy


@pytest.mark.parametrize(
    "make",
    [
        lambda: Zone("red", width=0.003),
        lambda: Zone("red", width=0.009, shape="round"),
        lambda: Container("red", extents=(0.2, 0.019, 0.06)),
        lambda: Container("red", extents=(0.2, 0.16, 0.009)),
    ],
)
def test_an_opening_too_small_for_anything_is_refused(make: Callable[[], Asset]) -> None:
    """The oracle would look for a free spot in an area that is empty."""
    with pytest.raises(TaskError, match=r"Give at least 0\.0[12] m"):
        make()
