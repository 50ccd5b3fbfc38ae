"""Demonstrations and validation of a training run."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.ranges import Checked, Range
from agents.training.config import TrainConfig
from agents.training.loop import Validate

SIMULATOR = ("gymnasium", "pybullet")
"""Packages that the simulator needs."""


@dataclass(frozen=True, kw_only=True)
class DataConfig(Checked):
    """The demonstrations of a run; by default the oracle makes them."""

    option_prefix = ""

    data: tuple[Path, ...] = ()
    """Folders of datasets that `gensim demos` or `python -m agents export` wrote, or ids of Minari
    datasets."""
    workers: Annotated[int | None, Range(1)] = None
    """Processes that play episodes; by default one for each core."""


class Source:
    """Demonstrations of a run, and what measures the success of its policy.

    Args:
        data: where demonstrations come from.
        config: of the run.

    Raises:
        AgentsError: if several processes would make demonstrations.
    """

    def __init__(self, data: DataConfig, config: TrainConfig) -> None:
        if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not data.data:
            raise AgentsError(
                "several processes need recorded demonstrations: make them with `python -m agents "
                "export`, and give their folder as --data"
            )
        self.data, self._config = data, config

    def demos(self, obs_mode: str) -> Demonstrations:
        """Read the demonstrations, or make them.

        Raises:
            AgentsError: if there are none, and none can be made.
        """
        data, config = self.data, self._config
        if data.data:
            return Demonstrations.load(*data.data, episodes=config.demos)
        self.require_simulator("make demonstrations; give datasets with --data")
        from agents.data.collect import collect

        assert config.demos is not None
        folder = config.out / "demos"
        if config.overwrite:
            shutil.rmtree(folder, ignore_errors=True)
        return collect(
            config.envs, config.demos, folder, obs_mode=obs_mode, workers=data.workers,
            perturb=config.perturb,
        )  # fmt: skip

    def require_simulator(self, purpose: str) -> None:
        """Check that the simulator is installed.

        Args:
            purpose: what it is needed for, as a verb phrase.

        Raises:
            AgentsError: if it is not.
        """
        if missing := _missing():
            raise AgentsError(
                f"{', '.join(missing)} is not installed, which is needed to {purpose}"
            )

    def validate(self, envs: Sequence[str]) -> Validate | None:
        """Return the function that measures validation success, or None without the simulator
        or with `--validate-every 0`.

        Raises:
            AgentsError: if a task is not registered.
        """
        config = self._config
        if not config.validate_every or _missing():
            return None
        import gymnasium as gym

        from agents.evaluation.evaluate import evaluate
        from agents.evaluation.rollout import PolicySource
        from gensim_envs.seeds import VALIDATION

        for env in envs:
            if env not in gym.registry:
                raise AgentsError(
                    f"{env} is not registered here, so success cannot be measured on it; give "
                    "--validate-every 0, or register its library with GENSIM_LIBRARY"
                )
        seeds = list(VALIDATION[: config.validation_episodes])
        workers = self.data.workers

        def validate(folder: Path) -> float:
            report = evaluate(PolicySource(checkpoint=folder), envs, seeds=seeds, workers=workers)
            return float(report["success"])

        return validate


def _missing() -> list[str]:
    return [name for name in SIMULATOR if importlib.util.find_spec(name) is None]
