"""The household objects: their files, their rows of the catalogue, and how they lie and fall."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p
import pytest
import shapely

import gensim_envs
from gensim_envs.task.assets import ASSETS, COLORS, SPLIT_COLORS

PACKAGE = Path(gensim_envs.__file__).parent
MODELS = PACKAGE / "sim" / "models"
ROWS: dict[str, dict[str, Any]] = json.loads(
    (PACKAGE / "task" / "objects.json").read_text(encoding="utf-8")
)
CUP = 0.006
STEP = 1 / 240

every_kind = pytest.mark.parametrize("kind", ROWS)


def vertices(path: Path) -> np.ndarray:
    """(n, 3)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return np.array([line.split()[1:] for line in lines if line.startswith("v ")], dtype=float)


def visuals(kind: str) -> list[Path]:
    return [MODELS / kind / f"{k}.obj" for k in range(len(ROWS[kind]["paints"]))]


# ------------------------------------------------------------------------------- the catalogue


def test_there_are_seen_and_unseen_objects() -> None:
    splits = [row["split"] for row in ROWS.values()]
    assert splits.count("train") >= 30
    assert splits.count("test") >= 14
    assert set(splits) == {"train", "test"}
    assert list(ROWS) == sorted(ROWS)


def test_nouns_are_unmistakable() -> None:
    nouns = [row["noun"] for row in ROWS.values()]
    taken = {noun for cls in ASSETS.values() if hasattr(cls, "nouns") for noun in cls.nouns} - {
        *nouns
    }
    taken |= {"house", "car", "bridge", "wheel", "tower", "wall", "star", "circle", "heart"}
    for noun in nouns:
        assert re.fullmatch(r"[a-z]+( [a-z]+)*", noun)
        assert noun not in taken
        held = [other for other in nouns if other != noun and f" {noun} " in f" {other} "]
        assert not held, f"{noun!r} is part of {held}"
    assert len(set(nouns)) == len(nouns)


def test_the_folder_holds_the_catalogue_and_is_small() -> None:
    assert {path.name for path in MODELS.iterdir() if path.is_dir()} == {*ROWS, "kit"}
    assert sum(path.stat().st_size for path in MODELS.rglob("*.obj")) < 2_000_000


@pytest.mark.parametrize("kind", ["door_key", "soup_can", "teddy_bear"])
def test_the_script_writes_what_is_shipped(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trimesh")
    monkeypatch.syspath_prepend(str(PACKAGE.parent))
    from scripts.models.build import THINGS, build

    built = build(THINGS[kind])
    assert built.row == ROWS[kind]
    for name, text in built.files.items():
        assert (MODELS / kind / name).read_text(encoding="utf-8") == text, name


@every_kind
def test_a_row_agrees_with_the_files(kind: str) -> None:
    row = ROWS[kind]
    files = {path.name for path in visuals(kind)} | {"collision.obj"}
    assert {path.name for path in (MODELS / kind).iterdir()} == files
    assert row["color"] in SPLIT_COLORS[row["split"]]
    assert row["color"] in COLORS
    assert None in row["paints"]
    points = np.concatenate([vertices(path) for path in visuals(kind)])
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose(high - low, row["size"], atol=1e-4)
    np.testing.assert_allclose((*(low + high)[:2], low[2]), 0, atol=2e-5)
    assert 0.03 < max(row["size"][:2]) <= 0.125
    assert row["size"][2] < 0.1
    triangles = sum(path.read_text(encoding="utf-8").count("\nf ") for path in visuals(kind))
    assert triangles <= 800


@every_kind
def test_an_outline_holds_all_that_is_seen_from_above(kind: str) -> None:
    outline = shapely.Polygon(ROWS[kind]["outline"])
    assert outline.is_valid
    assert outline.exterior.is_ccw
    assert len(ROWS[kind]["outline"]) <= 24
    points = np.concatenate([vertices(path)[:, :2] for path in visuals(kind)])
    assert shapely.distance(outline, shapely.points(points)).max() <= 0.001
    x0, y0, x1, y1 = outline.bounds
    assert max(x1 - x0 - ROWS[kind]["size"][0], y1 - y0 - ROWS[kind]["size"][1]) < 0.004


# --------------------------------------------------------------------------------- the physics


class Table:
    """One object above a table, in a client of its own."""

    def __init__(self, kind: str, drop: float) -> None:
        self.client = p.connect(p.DIRECT)
        self.row = ROWS[kind]
        self.lift = self.row["size"][2] / 2
        p.setGravity(0, 0, -9.81, physicsClientId=self.client)
        p.setPhysicsEngineParameter(fixedTimeStep=STEP, physicsClientId=self.client)
        ground = p.createCollisionShape(
            p.GEOM_BOX, halfExtents=[0.5, 0.5, 0.05], physicsClientId=self.client
        )
        table = self._body(0, ground, -0.05)
        p.changeDynamics(table, -1, lateralFriction=0.8, physicsClientId=self.client)
        # About its middle, as the suite spawns everything.
        shape = p.createCollisionShapeArray(
            shapeTypes=[p.GEOM_MESH], fileNames=[str(MODELS / kind / "collision.obj")],
            meshScales=[[1, 1, 1]], collisionFramePositions=[[0, 0, -self.lift]],
            physicsClientId=self.client,
        )  # fmt: skip
        self.body = self._body(self.row["mass"], shape, self.lift + drop)
        p.changeDynamics(
            self.body, -1, lateralFriction=0.6, restitution=0, physicsClientId=self.client
        )

    def _body(self, mass: float, shape: int, z: float) -> int:
        body = p.createMultiBody(
            mass, shape, -1, [0, 0, z], useMaximalCoordinates=True, physicsClientId=self.client
        )
        return int(body)

    def step(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            p.stepSimulation(physicsClientId=self.client)

    def moved(self) -> tuple[float, float, float]:
        """Metres from where it belongs; degrees of tilt and of turn."""
        position, turn = p.getBasePositionAndOrientation(self.body, physicsClientId=self.client)
        rotation = np.reshape(p.getMatrixFromQuaternion(turn), (3, 3))
        tilt = math.degrees(math.acos(min(1.0, rotation[2, 2])))
        yaw = math.degrees(math.atan2(rotation[1, 0], rotation[0, 0]))
        return math.dist(position, (0, 0, self.lift)), tilt, abs(yaw)

    def heights(self, xy: np.ndarray) -> np.ndarray:
        """What rays straight down meet first, metres above the table."""
        hits = p.rayTestBatch(
            [(x, y, 0.5) for x, y in xy], [(x, y, -0.01) for x, y in xy],
            physicsClientId=self.client,
        )  # fmt: skip
        return np.array([hit[3][2] if hit[0] == self.body else 0.0 for hit in hits])


@pytest.fixture
def put() -> Any:
    """Puts an object on a table, and takes the tables away."""
    tables: list[Table] = []

    def make(kind: str, drop: float = 0.0) -> Table:
        tables.append(Table(kind, drop))
        return tables[-1]

    yield make
    for table in tables:
        p.disconnect(table.client)


@every_kind
def test_it_stays_where_it_is_put(put: Any, kind: str) -> None:
    table = put(kind)
    table.step(2.0)
    distance, tilt, turn = table.moved()
    assert distance < 0.002
    assert tilt < 2
    assert turn < 2


@every_kind
def test_it_lands_upright(put: Any, kind: str) -> None:
    table = put(kind, drop=0.01)
    table.step(2.0)
    distance, tilt, turn = table.moved()
    assert distance < 0.005
    assert tilt < 2
    assert turn < 5


@every_kind
def test_a_cup_finds_a_level_spot(put: Any, kind: str) -> None:
    table = put(kind)
    circle = CUP * np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)])
    grasps = ROWS[kind]["grasps"]
    assert 1 <= len(grasps) <= 3
    for grasp in grasps:
        heights = table.heights(circle + grasp)
        assert heights[0] > 0.002
        assert heights.max() < heights[0] + 0.002
        # Of what is narrower than the cup, its middle and two sides meet something.
        assert (heights > heights[0] - 0.004).sum() >= 3


@every_kind
def test_it_is_touched_where_it_is_seen(put: Any, kind: str) -> None:
    """No hull stands out of the picture by more than the hollows that it fills."""
    table = put(kind)
    assert p.getAABB(table.body, physicsClientId=table.client)[1][2] < ROWS[kind]["size"][2] + 0.002
    x, y, _ = ROWS[kind]["size"]
    grid = np.stack(np.meshgrid(np.linspace(-x, x, 41), np.linspace(-y, y, 41)), axis=-1) * 0.6
    spots = grid.reshape(-1, 2)
    hit = spots[table.heights(spots) > 0]
    outline = shapely.Polygon(ROWS[kind]["outline"])
    assert len(hit) > 20
    assert shapely.distance(outline, shapely.points(hit)).max() < 0.003
