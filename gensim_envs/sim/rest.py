"""Decide whether the bodies on the table have come to rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pybullet as p

from gensim_envs.sim.client import STEP, Client
from gensim_envs.task.geometry import Array

CHECK_EVERY = 4
"""Simulation steps between checks."""
_CALM_CHECKS = 3  # in a row: a body at the top of its swing is at rest only for one
_STILL = (0.004, 0.1)  # m/s and rad/s
_FALLING, _LOST = 1.0, -0.3  # m/s, m: what has fallen off the table falls forever


class RestDetector:
    """Checks bodies every `CHECK_EVERY` simulation steps.

    Args:
        client: the simulation.
        balls: bodies that may spin on the spot.
    """

    def __init__(self, client: Client, balls: Collection[int]) -> None:
        self._client = client
        self._balls = balls
        self._checks = self._calm = 0
        self._seen: dict[int, tuple[int, Array]] = {}  # body: (check, rotation and position)

    def at_rest(self, bodies: Iterable[int]) -> bool:
        """Whether all bodies are at rest, at this check and the ones before it."""
        still = [self._is_still(body) for body in bodies]
        self._checks += 1
        self._calm = self._calm + 1 if all(still) else 0
        return self._calm == _CALM_CHECKS

    def _is_still(self, body: int) -> bool:
        """Whether a body is at rest, or has fallen off the table.

        A mesh that stands on its corners may tremble forever. So a body that is too fast at the
        moment is judged by how far it has moved since it was last too fast.
        """
        (a, b, c), (d, e, f) = self._client.getBaseVelocity(body)
        linear, angular = a * a + b * b + c * c, d * d + e * e + f * f
        if body in self._balls:
            angular = 0.0
        if linear < _STILL[0] ** 2 and angular < _STILL[1] ** 2:
            return True
        position, orientation = self._client.getBasePositionAndOrientation(body)
        if linear > _FALLING**2:
            return bool(position[2] < _LOST)
        rotation = np.reshape(p.getMatrixFromQuaternion(orientation), (3, 3))
        now = np.vstack([rotation, position])
        before, self._seen[body] = self._seen.get(body), (self._checks, now)
        if before is None:
            return False
        seconds = (self._checks - before[0]) * CHECK_EVERY * STEP
        moved = np.linalg.norm(now - before[1], axis=1) / seconds
        return bool(moved[3] < _STILL[0] and (angular == 0.0 or moved[:3].max() < _STILL[1]))
