"""The part of the table that images show: metres, pixels and encoded actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor


@dataclass(frozen=True)
class Table:
    """The part of the table that an image shows.

    Attributes:
        low: (x, y) of the outer corner of the first pixel, metres.
        size: (x, y) extent, metres.
        shape: (rows, columns).
    """

    low: tuple[float, float]
    size: tuple[float, float]
    shape: tuple[int, int]

    @property
    def pixel(self) -> float:
        """Metres per pixel."""
        return self.size[0] / self.shape[0]

    @property
    def middle(self) -> NDArray[np.float64]:
        """(2,) metres."""
        return np.add(self.low, np.divide(self.size, 2))

    @property
    def unit(self) -> float:
        """Metres in one of the units of `encode`: half of the longer side."""
        return max(self.size) / 2

    def encode(self, actions: ArrayLike) -> NDArray[np.float32]:
        """Encode actions as regression targets: continuous numbers of about -1..1.

        Args:
            actions: (b, 6).

        Returns:
            (b, 6) x and y of pick and of place, in units from the middle, and sine and cosine of
            the rotation between them. The yaw at which it begins does not matter.
        """
        actions = np.asarray(actions, np.float64)
        rotation = actions[:, 5:] - actions[:, 2:3]
        points = (actions[:, [0, 1, 3, 4]].reshape(-1, 2, 2) - self.middle) / self.unit
        parts = [points.reshape(-1, 4), np.sin(rotation), np.cos(rotation)]
        return np.concatenate(parts, 1).astype(np.float32)

    def decode(self, numbers: NDArray[Any]) -> NDArray[np.float64]:
        """The inverse of `encode`: actions (b, 6) with pick yaw 0."""
        pick, place = numbers[:, :2] * self.unit, numbers[:, 2:4] * self.unit
        rotation = np.arctan2(numbers[:, 4:5], numbers[:, 5:])
        parts = [pick + self.middle, 0 * rotation, place + self.middle, rotation]
        return np.concatenate(parts, 1, dtype=np.float64)

    def cells(self, points: Tensor, side: float) -> Tensor:
        """Convert points (b, 2) to rows and columns of cells with sides in metres."""
        return (points - points.new_tensor(self.low)) / side - 0.5

    def point(self, cell: Sequence[float], side: float) -> list[float]:
        """The inverse of `cells` for one point."""
        return [low + (c + 0.5) * side for low, c in zip(self.low, cell, strict=True)]

    @torch.no_grad()
    def errors(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Mean errors of encoded actions (b, 6): "pick" and "place", metres."""
        distances = (outputs - targets)[:, :4].reshape(-1, 2, 2).norm(dim=-1)
        return dict(zip(("pick", "place"), distances.mean(0) * self.unit, strict=True))

    def sampling(self, points: Tensor) -> Tensor:
        """Convert world (x, y) to the coordinates of `grid_sample` without aligned corners.

        Args:
            points: (..., 2) metres.
        """
        low, size = points.new_tensor(self.low), points.new_tensor(self.size)
        return ((points - low) / size * 2 - 1).flip(-1)
