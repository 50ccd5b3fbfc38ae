"""Augmentation: rotate and shift the images of a scene together with its actions.

A pose on the table is (x, y, yaw) in metres and radians. Rows of an image run along x and columns
along y, so a counter-clockwise rotation about z takes x towards y.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from agents.data.images import noisy, pictures

if TYPE_CHECKING:
    from agents.data.demonstrations import Sample
    from agents.data.table import Table

_Angle = TypeVar("_Angle", float, NDArray[np.float64])


@dataclass(frozen=True)
class Motion:
    """A rotation about the middle of the table, then a shift.

    Attributes:
        rotation: radians.
        shift: (2,) metres.
    """

    rotation: float
    shift: NDArray[np.float64]

    def points(self, table: Table, points: ArrayLike) -> NDArray[np.float64]:
        """The points (n, 2) after the motion, metres."""
        moved = (np.asarray(points, np.float64) - table.middle) @ _rotation(self.rotation).T
        return np.asarray(moved + table.middle + self.shift)

    def action(self, table: Table, action: ArrayLike) -> NDArray[np.float32]:
        """The action (6,) in the moved scene."""
        return self.answers(table, np.array([[*np.ravel(action), 0]]))[0, :6]

    def answers(self, table: Table, answers: ArrayLike) -> NDArray[np.float32]:
        """Answers (k, 7), see `Sample`, in the moved scene."""
        moved = np.array(answers, np.float64)
        for x, yaw in ((0, 2), (3, 5)):  # of the pick, and of the place
            moved[:, x:yaw] = self.points(table, moved[:, x:yaw])
            moved[:, yaw] = wrap(moved[:, yaw] + self.rotation)
        return moved.astype(np.float32)


_MARGIN = 0.02  # metres between picks or places and the edge of the moved image
_SPREAD = 0.08  # metres, standard deviation of a shift: a sixth of the table's shorter side
_TRIES = 100


def prepared(
    samples: Sequence[Sample], table: Table, config: Any, rng: np.random.Generator
) -> tuple[Tensor, Tensor, NDArray[np.float32], list[NDArray[np.float32]]]:
    """The images, actions and answers of samples, moved at random and with noise.

    Args:
        samples: b of them.
        table: that they show.
        config: says with `augment` whether to move, and with `noise` how much to add.
        rng: the only randomness.

    Returns:
        Maps (b, 4, h, w) and colours (b, 3) of `pictures`, actions (b, 6), and b times those
        answers (k, 7) whose picks and places the image shows.
    """
    scenes, tables = pictures([s.color for s in samples], [s.height for s in samples])
    actions, answers = np.stack([s.action for s in samples]), [s.known for s in samples]
    if config.augment:
        motions, everywhere = moved_answers(samples, table, rng)
        actions = np.stack([m.action(table, a) for m, a in zip(motions, actions, strict=True)])
        answers = [_shown(table, *each) for each in zip(everywhere, actions, strict=True)]
        scenes = move_images(scenes, table, motions)
    if config.noise:
        scenes = noisy(scenes, config.noise, rng)
    return scenes, tables, actions, answers


def _shown(
    table: Table, answers: NDArray[np.float32], action: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The answers (k, 7) whose picks and places are on the table, else the action (6,) alone.

    `random_motion` keeps the action on the table. A motion may take other answers off it, where no
    image shows them.
    """
    points = answers[:, [0, 1, 3, 4]].reshape(-1, 2, 2)
    end = np.add(table.low, table.size)
    shown = answers[((points >= table.low) & (points <= end)).all(axis=(1, 2))]
    return shown if len(shown) else np.append(action, np.float32(0))[None]


_DIRECTIONS = re.compile(
    r"\b(?:(?:left|right|top|bottom|upper|lower)(?:most)?|front|behind|above|below|far|near)\b"
)
_FRAMES = re.compile(r"\bseen from\b")
_HEIGHTS = re.compile(r"\bon top of\b|\b(?:at|from) the (?:top|bottom)(?= up\b| down\b|[,;.:]|$)")


def may_rotate(instruction: str) -> bool:
    """Whether a scene may be rotated: its instruction names no direction of the picture.

    Directions as seen from a thing turn with it, and heights stay.
    """
    flat = _HEIGHTS.sub("", instruction.lower())
    return _FRAMES.search(flat) is not None or _DIRECTIONS.search(flat) is None


def random_motions(
    samples: Sequence[Sample], table: Table, rng: np.random.Generator
) -> list[Motion]:
    """A random motion for each sample.

    Args:
        samples: whose `action` stays on the table, other answers may not; those that name a
            direction are not rotated.
        table: where they are.
        rng: the only randomness.
    """
    return [random_motion(table, s.action, rng, turn=may_rotate(s.instruction)) for s in samples]


def moved_answers(
    samples: Sequence[Sample], table: Table, rng: np.random.Generator
) -> tuple[list[Motion], list[NDArray[np.float32]]]:
    """`random_motions`, and the answers (k, 7) of each sample in its moved scene."""
    motions = random_motions(samples, table, rng)
    return motions, [m.answers(table, s.known) for m, s in zip(motions, samples, strict=True)]


def random_motion(
    table: Table, action: ArrayLike, rng: np.random.Generator, turn: bool = True
) -> Motion:
    """Draw a motion that keeps the pick and the place of an action (6,) on the table.

    Rotations are uniform, or 0 without `turn`, shifts normal. A motion that takes a point off the
    table is drawn again; if none is found, as for points at opposite ends, the scene is not moved.
    """
    pick, place = np.reshape(action, (2, 3))[:, :2]
    low = np.add(table.low, _MARGIN)
    high = np.add(table.low, table.size) - _MARGIN
    for _ in range(_TRIES):
        motion = Motion(rng.uniform(-math.pi, math.pi) * turn, rng.normal(0, _SPREAD, 2))
        points = motion.points(table, [pick, place])
        if (points >= low).all() and (points <= high).all():
            return motion
    return Motion(0.0, np.zeros(2))


def move_images(scenes: Tensor, table: Table, motions: list[Motion]) -> Tensor:
    """Move images of scenes.

    Args:
        scenes: (b, c, rows, columns) float. Pixels from beyond the edge are 0.
        table: that they show.
        motions: b of them.

    Returns:
        (b, c, rows, columns) float, bilinear.
    """
    middle = torch.tensor(table.middle, dtype=torch.float32)
    lines = (low + (torch.arange(n, dtype=torch.float32) + 0.5) * table.pixel
             for low, n in zip(table.low, table.shape, strict=True))  # fmt: skip
    world = torch.stack(torch.meshgrid(*lines, indexing="ij"), -1)  # (rows, columns, 2)
    inverse = np.stack([_rotation(-motion.rotation) for motion in motions])
    backward = torch.tensor(inverse, dtype=torch.float32)
    shift = torch.tensor(np.stack([m.shift for m in motions]), dtype=torch.float32)
    before = torch.einsum("bij,brcj->brci", backward, world - middle - shift[:, None, None])
    return F.grid_sample(scenes, table.sampling(before + middle), align_corners=False)


def _rotation(angle: float) -> NDArray[np.float64]:
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def wrap(angle: _Angle) -> _Angle:
    """The same angle, or angles, within -pi..pi."""
    return (angle + math.pi) % (2 * math.pi) - math.pi
