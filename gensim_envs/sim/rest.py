"""Decide whether the bodies on the table have come to rest, and let soft ones sleep."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np
import pybullet as p

from gensim_envs.sim.client import STEP, Client
from gensim_envs.task.geometry import Array

CHECK_SECONDS = 4 * STEP
"""Simulated seconds between checks."""
_CALM_CHECKS = 3  # in a row: a body at the top of its swing is at rest only for one
_STILL = (0.004, 0.1)  # m/s and rad/s
_SOFT_STILL = (0.01, 0.5)  # of beads and crumbs, which friction stops within 0.01 mm
_TREMBLE = 2.0  # rad/s, of a crumb that stays in its place
_FALLING, _LOST = 1.0, -0.3  # m/s, m: what has fallen off the table falls forever


class RestDetector:
    """Checks bodies every `CHECK_SECONDS`.

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
        return self._calm >= _CALM_CHECKS

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
        seconds = (self._checks - before[0]) * CHECK_SECONDS
        moved = np.linalg.norm(now - before[1], axis=1) / seconds
        return bool(moved[3] < _STILL[0] and (angular == 0.0 or moved[:3].max() < _STILL[1]))


class Sleepers:
    """Beads and crumbs, each of which sleeps while nothing moves it.

    Bullet does not simulate a body that sleeps, and wakes it when something that moves comes near.
    It would let it sleep again at 0.8 m/s, as soon as nothing that moves is near. So a body that
    has been woken is kept awake here until it is at rest.

    Args:
        client: the simulation.
        beads: of ropes, all awake; they may spin on the spot.
        crumbs: of piles, all awake.
        time_step: seconds of a simulation step.

    Attributes:
        settling: whether nothing but the bodies themselves moves them.
    """

    def __init__(
        self, client: Client, beads: Collection[int], crumbs: Collection[int], time_step: float
    ) -> None:
        self._client = client
        self._beads = set(beads)
        self._time_step = time_step
        self._every = round(CHECK_SECONDS / time_step)  # steps
        self.settling = True
        self._calm: dict[int, int | None] = dict.fromkeys((*beads, *crumbs), 0)  # None: asleep
        self._seen: dict[int, tuple[int, tuple[float, ...]]] = {}  # body: (step, position)
        self._steps = 0

    def __contains__(self, body: int) -> bool:
        return body in self._calm

    @property
    def at_rest(self) -> bool:
        """Whether all of them are, at the last checks."""
        return all(calm is None or calm >= _CALM_CHECKS for calm in self._calm.values())

    def sleep(self) -> None:
        """Let all of them sleep. What happens next depends on their poses alone."""
        self._steps = 0
        self.settling = False
        self._seen.clear()
        for body in self._calm:
            self._sleep(body)

    def wake(self, bodies: Iterable[int]) -> None:
        """Simulate those of these bodies that are beads or crumbs until they are at rest."""
        for body in bodies:
            if body in self._calm:
                self._calm[body] = 0
                self._activate(body, p.ACTIVATION_STATE_DISABLE_SLEEPING)

    def stepped(self) -> None:
        """A step was simulated. Keep awake what moves, and let sleep what is at rest.

        While everything settles, crumbs do not fall asleep: others that they touch would tremble.
        """
        self._steps += 1
        if self._steps % self._every:
            return
        for body, calm in self._calm.items():
            if calm is not None and not self.settling and body in self._beads:
                continue  # the whole rope is simulated while any bead of it is awake
            if not self._is_still(body):
                if calm is None:
                    self._activate(body, p.ACTIVATION_STATE_DISABLE_SLEEPING)
                self._calm[body] = 0
            elif calm is not None:
                self._calm[body] = calm + 1
                if calm + 1 == _CALM_CHECKS and (body in self._beads or not self.settling):
                    self._sleep(body)

    def _is_still(self, body: int) -> bool:
        """Whether a body is at rest, trembles where it is, or has fallen off the table."""
        (a, b, c), (d, e, f) = self._client.getBaseVelocity(body)
        turns = 0.0 if body in self._beads else d * d + e * e + f * f
        if a * a + b * b + c * c < _SOFT_STILL[0] ** 2 and turns < _SOFT_STILL[1] ** 2:
            return True
        position = self._client.getBasePositionAndOrientation(body)[0]
        if position[2] < _LOST:
            return True
        seen, self._seen[body] = self._seen.get(body), (self._steps, position)
        if seen is None:
            return False
        seconds, before = (self._steps - seen[0]) * self._time_step, seen[1]
        return bool(turns < _TREMBLE**2 and math.dist(position, before) < _SOFT_STILL[0] * seconds)

    def _sleep(self, body: int) -> None:
        self._calm[body] = None
        self._activate(body, p.ACTIVATION_STATE_SLEEP)

    def _activate(self, body: int, state: int) -> None:
        self._client.changeDynamics(body, -1, activationState=state)
