"""Fixtures that several tests share: small tasks made in place, and a no-op action."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.task.drawing import Draw, draw
from gensim_envs.task.scene import Scene, Task

# PyTorch's threads would wait for those of the tests beside it. This is before it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that starts the tests in the background has them ignore Ctrl-C, and programs that they
# start and interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Draws and physics take as long as they take, also on a busy machine.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

Build = Callable[[Scene], object]
BOUNDS = {"items": 60, "places": 20, "targets": 40, "steps": 40}
NOTHING = np.array([0.25, 0.5, 0.0, 0.25, 0.5, 0.0], np.float32)
"""Pick equals place, in a corner of the table."""


@dataclass(frozen=True)
class Program:
    """A task made of a function that describes a scene."""

    build: Build
    name: str = "Made"

    @property
    def task(self) -> type[Task]:
        build = self.build

        class Made(Task):
            """Made for a test."""

            def build(self, scene: Scene) -> None:
                build(scene)

        return Made

    def draw(self, split: str, seed: int) -> Draw:
        return draw(self.task, split, seed)


@pytest.fixture
def table() -> Any:
    """Makes envs of tasks described in place, and closes them."""
    envs: list[TabletopEnv] = []

    def make(build: Build, **options: Any) -> TabletopEnv:
        envs.append(TabletopEnv(Program(build), BOUNDS, **options))
        return envs[-1]

    yield make
    for env in envs:
        env.close()
