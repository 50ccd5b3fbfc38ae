"""The UR5e's kinematics, and that its view is seen by people and by nothing else."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import pybullet as p
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs.sim.arm import look, robot
from gensim_envs.sim.arm.look import ArmView
from gensim_envs.sim.arm.robot import LIMITS, WORLD_FROM_BASE, forward, inverse
from gensim_envs.sim.client import Client

TIPS = st.tuples(st.floats(0.25, 0.75), st.floats(-0.5, 0.5), st.floats(0.0, 0.2))
YAWS = st.floats(-math.pi, math.pi)
FULL = 2 * math.pi


def flange_in_base(joints: list[float]) -> np.ndarray:
    """The flange in the published base frame, (4, 4)."""
    return np.linalg.inv(WORLD_FROM_BASE) @ forward(joints)[6]


# ------------------------------------------------------------------------------- kinematics


def test_forward_at_published_zero() -> None:
    """At zero the arm lies along the base's -x: all lengths add up on three axes."""
    flange = flange_in_base([0.0] * 6)
    expected = [-(0.425 + 0.3922), -(0.1333 + 0.0996), 0.1625 - 0.0997]
    np.testing.assert_allclose(flange[:3, 3], expected, atol=1e-12)


def test_forward_with_the_elbow_at_a_right_angle() -> None:
    """Upper arm up, forearm level, flange down: x = a3 + d5, y = d4, z = d1 + a2 - d6.

    The DH frame has x and y negative; controllers and ROS drivers that name the front +x turn
    it by half a turn, and show (0.4919, 0.1333, 0.4879).
    """
    joints = [0.0, -math.pi / 2, math.pi / 2, -math.pi / 2, -math.pi / 2, 0.0]
    flange = flange_in_base(joints)
    np.testing.assert_allclose(flange[:3, 3], [-0.4919, -0.1333, 0.4879], atol=1e-12)
    np.testing.assert_allclose(flange[:3, 2], [0, 0, -1], atol=1e-12)
    seen_from_the_world = forward(joints)[6][:3, 3] - robot.BASE_POSITION
    np.testing.assert_allclose(seen_from_the_world, [0.4919, 0.1333, 0.4879], atol=1e-12)


def test_forward_keeps_the_link_lengths() -> None:
    rng = np.random.default_rng(0)
    frames = forward(rng.uniform(-3, 3, 6))
    assert len(frames) == 8
    for frame, child, d, a in zip(frames, frames[1:], robot.DH_D, robot.DH_A, strict=False):
        np.testing.assert_allclose(child[:3, :3] @ child[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(child[:3, :3]) == pytest.approx(1)
        assert np.linalg.norm(child[:3, 3] - frame[:3, 3]) == pytest.approx(math.hypot(d, a))
    assert np.linalg.norm(frames[7][:3, 3] - frames[6][:3, 3]) == pytest.approx(robot.TOOL_LENGTH)


@given(tip=TIPS, yaw=YAWS)
@settings(deadline=None)
def test_inverse_then_forward(tip: tuple[float, float, float], yaw: float) -> None:
    world_from_tip = forward(inverse(tip, yaw))[-1]
    c, s = math.cos(yaw), math.sin(yaw)
    down_at_yaw = [[c, s, 0], [s, -c, 0], [0, 0, -1]]
    np.testing.assert_allclose(world_from_tip[:3, 3], tip, atol=1e-9)
    np.testing.assert_allclose(world_from_tip[:3, :3], down_at_yaw, atol=1e-9)


def test_reaches_the_whole_workspace_within_limits() -> None:
    """Also 5 cm above it, with the elbow up, off the table, and never straight."""
    for x in np.linspace(0.25, 0.75, 11):
        for y in np.linspace(-0.5, 0.5, 21):
            for z in np.linspace(0.0, 0.25, 6):
                joints = inverse((x, y, z), 0.0)
                assert np.all(np.abs(joints) <= LIMITS.position)
                assert math.radians(8) < joints[2] < math.radians(165)
                frames = forward(joints)
                shoulder, elbow, wrist = (frame[:3, 3] for frame in frames[1:4])
                chord = wrist - shoulder
                nearest = shoulder + chord * ((elbow - shoulder) @ chord) / (chord @ chord)
                assert elbow[2] > nearest[2]
                assert wrist[2] > z + 0.2
                assert joints[2] > math.radians(18) or z > 0.2


def test_arm_does_not_pass_through_itself() -> None:
    """Links that share no joint keep apart, plinth and tool included: why the base is there.

    Samples of each piece's surface are measured against the widest cylinder around the others.
    """
    pieces = [*look.PIECES, *look.TOOL_PIECES["suction"]]
    near_points = [(0.25, y, z) for y in (-0.5, -0.2, 0.0, 0.2, 0.5) for z in (0, 0.05, 0.1, 0.2)]
    for tip in [
        *near_points,
        (0.5, 0.0, 0.0),
        (0.5, 0.3, 0.1),
        (0.75, 0.5, 0.0),
        (0.75, -0.5, 0.2),
    ]:
        frames = forward(inverse(tip, 0.0))
        clouds = [samples(piece, frames[piece.link]) for piece in pieces]
        for piece in pieces:
            for other, cloud in zip(pieces, clouds, strict=True):
                if abs(piece.link - other.link) >= 2 and {piece.link, other.link} != {5, 7}:
                    gap = distance(piece, frames[piece.link], cloud)
                    assert gap > 0.002, (tip, piece, other)
                if 0 < other.link < 7:
                    assert cloud[:, 2].min() > 0.1  # the table's top is 0


def samples(piece: look.Piece, world_from_link: np.ndarray) -> np.ndarray:
    """Points (n, 3) on a piece's surface in the world, 2 cm apart along its axis."""
    rs, ts = np.array(piece.profile).T
    t = np.linspace(ts[0], ts[-1], max(3, int((ts[-1] - ts[0]) / 0.02)))
    turn = np.linspace(0, FULL, 16, endpoint=False)[:, None]
    local = np.empty((16, len(t), 3))
    local[..., piece.axis] = t
    local[..., (piece.axis + 1) % 3] = rs.max() * np.cos(turn)
    local[..., (piece.axis + 2) % 3] = rs.max() * np.sin(turn)
    local = local.reshape(-1, 3) + piece.at
    return local @ world_from_link[:3, :3].T + world_from_link[:3, 3]


def distance(piece: look.Piece, world_from_link: np.ndarray, cloud: np.ndarray) -> float:
    """How far the nearest of the points is outside the cylinder around a piece, metres."""
    local = (cloud - world_from_link[:3, 3]) @ world_from_link[:3, :3] - piece.at
    rs, ts = np.array(piece.profile).T
    along = np.abs(local[:, piece.axis] - (ts[0] + ts[-1]) / 2) - (ts[-1] - ts[0]) / 2
    across = np.hypot(local[:, (piece.axis + 1) % 3], local[:, (piece.axis + 2) % 3]) - rs.max()
    return float(np.maximum(along, across).min())


@given(start=TIPS, end=TIPS, yaw=YAWS, yaw_rate=st.floats(-3, 3))
@settings(deadline=None, max_examples=50)
def test_joints_move_little_along_straight_lines(
    start: tuple[float, float, float], end: tuple[float, float, float], yaw: float, yaw_rate: float
) -> None:
    """5 mm and at most 0.015 rad of yaw a step: no joint moves more than 0.1 rad."""
    steps = max(2, math.ceil(math.dist(start, end) / 0.005))
    joints = inverse(start, yaw)
    for number in range(1, steps + 1):
        tip = np.array(start) + (np.array(end) - start) * number / steps
        after = inverse(tip, yaw + yaw_rate * 0.005 * number, near=joints)
        assert np.abs(after - joints).max() < 0.1
        joints = after


@given(tip=TIPS, yaw=YAWS, turns=st.integers(-3, 3))
@settings(deadline=None)
def test_last_joint_takes_the_turn_near_the_given_joints(
    tip: tuple[float, float, float], yaw: float, turns: int
) -> None:
    plain = inverse(tip, yaw)
    near = plain.copy()
    near[5] += math.copysign(FULL, -plain[5])  # as far as the limits allow, the other way
    np.testing.assert_allclose(inverse(tip, yaw + FULL * turns, near=near), near, atol=1e-9)
    np.testing.assert_allclose(inverse(tip, yaw + FULL * turns, near=plain), plain, atol=1e-9)


@given(tip=TIPS, yaw=st.floats(-50, 50), last=st.floats(-FULL, FULL))
@settings(deadline=None)
def test_inverse_stays_within_limits(
    tip: tuple[float, float, float], yaw: float, last: float
) -> None:
    for near in (None, [0, 0, 0, 0, 0, last]):
        joints = inverse(tip, yaw, near)
        assert np.all(np.abs(joints) <= LIMITS.position)
        world_from_tip = forward(joints)[-1]
        assert math.cos(yaw) == pytest.approx(world_from_tip[0, 0], abs=1e-9)
        assert math.sin(yaw) == pytest.approx(world_from_tip[1, 0], abs=1e-9)


@pytest.mark.parametrize(
    "tip", [(1.2, 0.0, 0.1), (0.75, 0.5, 0.6), (0.05, 0.0, 0.1), (0.5, math.nan, 0.1)]
)
def test_out_of_reach_names_the_point(tip: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=rf"cannot reach \({tip[0]:.4f}, {tip[1]:.4f}, "):
        inverse(tip, 0.0)


def test_yaw_must_be_finite() -> None:
    with pytest.raises(ValueError, match="yaw inf"):
        inverse((0.5, 0.0, 0.1), math.inf)


# ------------------------------------------------------------------------------------- view


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client("tiny")
    yield client
    client.close()


def picture(client: Client) -> tuple[np.ndarray, np.ndarray]:
    """Colours (120, 160, 4) and body ids (120, 160) from in front of the table."""
    view = p.computeViewMatrix((1.5, -0.9, 0.9), (0.3, 0, 0.25), (0, 0, 1))
    projection = p.computeProjectionMatrixFOV(50, 4 / 3, 0.05, 30)
    _, _, colour, _, body = p.getCameraImage(
        160, 120, view, projection, renderer=p.ER_TINY_RENDERER, physicsClientId=client.id
    )
    return np.reshape(colour, (120, 160, 4)), np.reshape(body, (120, 160))


@pytest.fixture
def table(client: Client) -> int:
    shape = p.createVisualShape(p.GEOM_BOX, halfExtents=[0.4, 0.6, 0.01], physicsClientId=client.id)
    body: int = p.createMultiBody(0, -1, shape, [0.35, 0, -0.01], physicsClientId=client.id)
    return body


def tool_bodies(view: ArmView, tool: str) -> set[int]:
    return {body for body, _ in view._tools[tool]}


@pytest.mark.parametrize(("tool", "other"), [("suction", "spatula"), ("spatula", "suction")])
def test_people_see_the_shown_arm_and_its_tool(
    client: Client, table: int, tool: robot.Tool, other: robot.Tool
) -> None:
    before, _ = picture(client)
    view = ArmView(client)
    np.testing.assert_array_equal(picture(client)[0], before)  # hidden at first

    view.show(inverse((0.5, -0.1, 0.05), 0.3), tool)
    colour, body = picture(client)
    seen = set(np.unique(body).tolist())
    assert np.any(colour != before, axis=-1).mean() > 0.03
    assert len(seen - {table}) >= 12
    assert seen & tool_bodies(view, tool)
    assert not seen & tool_bodies(view, other)


@pytest.mark.parametrize("seed", range(3))
def test_bodies_stand_where_forward_says(client: Client, seed: int) -> None:
    """Half turns, as of the tool that points down, are the hard case for quaternions."""
    joints = np.random.default_rng(seed).uniform(-3, 3, 6) if seed else inverse((0.5, 0, 0), 0)
    view = ArmView(client)
    view.show(joints, "spatula")
    frames = forward(joints)
    for body, link in view._arm + view._tools["spatula"]:
        position, quaternion = p.getBasePositionAndOrientation(body, physicsClientId=client.id)
        rotation = np.reshape(p.getMatrixFromQuaternion(quaternion), (3, 3))
        np.testing.assert_allclose(position, frames[link][:3, 3], atol=1e-9)
        np.testing.assert_allclose(rotation, frames[link][:3, :3], atol=1e-9)


def test_meshes_face_outwards() -> None:
    """Corners run anticlockwise seen from outside, and agree with the normals."""
    for piece in look.PIECES:
        mesh = piece.mesh()
        a, b, c = (mesh.vertices[mesh.corners[start::3]] for start in range(3))
        facing = np.cross(b - a, c - a)
        area = np.linalg.norm(facing, axis=1)
        assert (area > 1e-9).any()
        outward = np.sum(facing * mesh.normals[mesh.corners[0::3]], axis=1)
        assert np.all(outward[area > 1e-9] > 0)
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1)


def best_time(action: Callable[[], object]) -> float:
    """The fastest of many runs, seconds: other work on the machine only adds."""
    times = []
    for _ in range(100):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def test_fast_enough(client: Client) -> None:
    view = ArmView(client)
    joints = inverse((0.5, 0, 0.1), 0)
    assert best_time(lambda: inverse((0.5, 0, 0.1), 0.2, joints)) < 1e-4
    assert best_time(lambda: forward(joints)) < 1e-4
    assert best_time(lambda: view.show(joints, "suction")) < 5e-4
