"""Scenes that are moved: labels go where the pixels go."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.data.augment import Motion, may_rotate, move_images, prepared, random_motion
from agents.data.demonstrations import IMAGE, Sample
from agents.data.table import Table
from agents.policies.transporter import TransporterConfig

TABLE = Table((0.25, -0.5), (0.5, 1.0), (160, 320))


def spot(x: float, y: float) -> torch.Tensor:
    """A smooth spot of 1.5 cm about a point, (1, 1, 160, 320)."""
    rows = torch.tensor(0.25 + (np.arange(160) + 0.5) * TABLE.pixel)[:, None]
    columns = torch.tensor(-0.5 + (np.arange(320) + 0.5) * TABLE.pixel)[None]
    squared = (rows - x) ** 2 + (columns - y) ** 2
    return torch.exp(-squared / (2 * 0.015**2)).float()[None, None]


def middle(picture: torch.Tensor) -> tuple[float, float]:
    """The mean of a picture's points, metres."""
    weights = picture[0, 0].double()
    rows = 0.25 + (torch.arange(160) + 0.5) * TABLE.pixel
    columns = -0.5 + (torch.arange(320) + 0.5) * TABLE.pixel
    return (
        float((weights.sum(1) * rows).sum() / weights.sum()),
        float((weights.sum(0) * columns).sum() / weights.sum()),
    )


xs, ys = st.floats(0.35, 0.65), st.floats(-0.35, 0.35)
yaws = st.floats(-3.1, 3.1)


@settings(deadline=None, max_examples=40)
@given(xs, ys, yaws, xs, ys, yaws, st.integers(0, 2**32))
def test_a_spot_is_where_its_label_says(
    px: float, py: float, pyaw: float, qx: float, qy: float, qyaw: float, seed: int
) -> None:
    action = np.array([px, py, pyaw, qx, qy, qyaw])
    motion = random_motion(TABLE, action, np.random.default_rng(seed))
    moved = motion.action(TABLE, action)
    for k in (0, 3):
        x, y = map(float, moved[k : k + 2])
        if 0.32 < x < 0.68 and -0.43 < y < 0.43:  # the whole spot is in the picture
            picture = move_images(spot(*action[k : k + 2]), TABLE, [motion])
            assert middle(picture) == pytest.approx((x, y), abs=5e-4)
    turn = (moved[5] - moved[2]) - (qyaw - pyaw)
    assert math.isclose(math.cos(turn), 1, abs_tol=1e-6)
    low, high = np.array([0.25, -0.5]), np.array([0.75, 0.5])
    points = moved[[0, 1, 3, 4]].reshape(2, 2)
    assert (points >= low).all() and (points <= high).all()


def test_a_quarter_turn_takes_x_to_y() -> None:
    motion = Motion(math.pi / 2, np.zeros(2))
    action = motion.action(TABLE, [0.6, 0.0, 0.0, 0.5, 0.1, 0.0])
    assert action == pytest.approx([0.5, 0.1, math.pi / 2, 0.4, 0.0, math.pi / 2], abs=1e-6)


def test_each_picture_of_a_batch_moves_by_its_own_motion() -> None:
    pictures = torch.cat([spot(0.5, 0.1), spot(0.5, 0.1)])
    motions = [Motion(0.0, np.array([0.05, 0.0])), Motion(math.pi, np.zeros(2))]
    both = move_images(pictures, TABLE, motions)
    assert middle(both[:1]) == pytest.approx((0.55, 0.1), abs=5e-4)
    assert middle(both[1:]) == pytest.approx((0.5, -0.1), abs=5e-4)


def test_motions_are_drawn_from_the_generator_alone() -> None:
    action = np.array([0.5, 0.2, 0, 0.4, -0.1, 0.3])
    first, again = (random_motion(TABLE, action, np.random.default_rng(3)) for _ in range(2))
    assert first.rotation == again.rotation and (first.shift == again.shift).all()
    turns = [random_motion(TABLE, action, np.random.default_rng(k)).rotation for k in range(200)]
    assert min(turns) < -2 and max(turns) > 2


def test_points_at_opposite_ends_leave_few_choices() -> None:
    ends = np.array([0.5, -0.5, 0, 0.5, 0.5, 0])
    motion = random_motion(TABLE, ends, np.random.default_rng(0))
    assert motion.rotation == 0 and (motion.shift == 0).all()


def test_an_answer_off_the_picture_is_not_learned() -> None:
    far, near = ([0.5, y, 0, 0.5, y, 0, 0] for y in (-0.47, 0.47))  # a motion loses one or neither
    answers = np.array([far, near], np.float32)
    color, height = np.zeros((*IMAGE, 3), np.uint8), np.zeros(IMAGE, np.float32)
    sample = Sample("", answers[1, :6], color, height, answers=answers)
    rng, counts = np.random.default_rng(0), set()
    for _ in range(10):
        _, _, (action,), (left,) = prepared([sample], TABLE, TransporterConfig(), rng)
        assert (left[-1, :6] == action).all()
        for x, y in left[:, :2]:
            assert 0.25 <= x <= 0.75 and -0.5 <= y <= 0.5
        counts.add(len(left))
    assert counts == {1, 2}


@pytest.mark.parametrize(
    ("instruction", "turns"),
    [
        ("put the red block in the green bowl", True),
        ("put the red block to the left of the bowl", False),
        ("set the plus in the top row and the left column of the board", False),
        ("push it to the far edge of the table", False),
        ("align the rope with the left side of the square, as seen from its open side", True),
        ("put the block into the fixture in the middle of the row", True),
        ("stack the disks on the peg by size, the smallest at the bottom", True),
        ("stack the rainbow on the stand: blue, cyan and green blocks from the bottom up", True),
        ("put the red block on top of the blue one", True),
        ("put the red block on top of the left box", False),
        ("put the block at the bottom of the board", False),
    ],
)
def test_scenes_turn_unless_their_instruction_names_a_direction_of_the_picture(
    instruction: str, turns: bool
) -> None:
    assert may_rotate(instruction) is turns
