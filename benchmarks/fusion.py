"""How near the height map fused from three cameras comes to the orthographic one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gensim_envs import fuse_views
from gensim_envs.seeds import BENCHMARK

_INSIDE = 3  # pixels from any step in height: what is nearer counts as an edge
_STEP = 0.005  # metres between neighbours that make an edge


@dataclass
class _Errors:
    """Of one kind of views, over all envs and seeds."""

    everywhere: list[NDArray[Any]] = field(default_factory=list)
    on_objects: list[NDArray[Any]] = field(default_factory=list)
    holes: list[float] = field(default_factory=list)
    looking: list[float] = field(default_factory=list)
    fusing: list[float] = field(default_factory=list)

    def add(self, env: Any, info: dict[str, Any]) -> None:
        """Look at what is on the table and fuse it."""
        start = time.perf_counter()
        observation = env.unwrapped._observation()
        seen = time.perf_counter()
        color, height = fuse_views(observation["color"], observation["depth"], info["cameras"])
        self.looking.append(seen - start)
        self.fusing.append(time.perf_counter() - seen)
        true = env.unwrapped.world.top_down().height
        error = np.abs(height - true)
        size = 2 * _INSIDE + 1
        steep = ndimage.maximum_filter(true, size) - ndimage.minimum_filter(true, size) > _STEP
        self.everywhere.append(error.ravel())
        self.on_objects.append(error[(true > _STEP) & ~steep])
        self.holes.append(float((color == 0).all(axis=-1).mean()))


def run(ids: list[str], episodes: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: without and with the sensors' noise, over all envs."""
    yield ("views", "pixels", "median, mm", "95th percentile, mm", "off by more than 5 mm",
           "more than 1 cm", "left empty", "views, median ms", "fusing, median ms")  # fmt: skip
    for name, noise in (("perfect", False), ("with noise", True)):
        errors = _Errors()
        for id in ids:
            env = gym.make(id, obs_mode="cameras", sensor_noise=noise)
            for seed in BENCHMARK[:episodes]:
                errors.add(env, env.reset(seed=seed)[1])
            env.close()
        times = (1e3 * statistics.median(t) for t in (errors.looking, errors.fusing))
        whole = f"{statistics.mean(errors.holes):.3%}", *(f"{ms:.0f}" for ms in times)
        for pixels, parts, rest in (
            ("all", errors.everywhere, whole),
            ("objects, away from edges", errors.on_objects, ("", "", "")),
        ):
            error = np.concatenate(parts)
            median, most = 1e3 * np.percentile(error, (50, 95))
            shares = (f"{(error > limit).mean():.2%}" for limit in (0.005, 0.01))
            yield (name, pixels, f"{median:.2f}", f"{most:.2f}", *shares, *rest)
