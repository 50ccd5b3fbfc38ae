"""SAC on the state vector, by Stable-Baselines3.

Haarnoja et al., "Soft Actor-Critic Algorithms and Applications", 2018, arXiv 1812.05905. Defaults
are Stable-Baselines3's, but for a smaller replay buffer, which every checkpoint holds, and a later
start of learning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gymnasium import spaces

from agents.options import check_range
from agents.training.rl import Policy

if TYPE_CHECKING:
    import stable_baselines3 as sb3
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.sac.policies import SACPolicy


@dataclass(frozen=True)
class Options:
    """Hyperparameters."""

    buffer_size: int = 100_000
    """Steps that are remembered; a checkpoint holds them too."""
    learning_starts: int = 1_000
    """Steps that are taken at random before learning begins."""
    batch_size: int = 256
    """Remembered steps in a batch; there is one batch for each new step."""
    learning_rate: float = 3e-4
    """Of each Adam."""
    tau: float = 0.005
    """Share by which the target critics follow the critics with each batch."""
    gamma: float = 0.99
    """Discount of a step."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers of actor and critics each."""

    def __post_init__(self) -> None:
        check_range(self, 1, math.inf, "buffer_size", "batch_size", "hidden")
        check_range(self, 0, math.inf, "learning_starts", "learning_rate")
        check_range(self, 0, 1, "tau", "gamma")


class SAC(Policy):
    """Actor and critics; it acts by the mode of the actor's squashed normal distribution."""

    Config = Options
    config: Options

    def network(self, observations: spaces.Box, actions: spaces.Box) -> SACPolicy:
        """The network that `algorithm` trains."""
        from stable_baselines3.sac import MlpPolicy

        return MlpPolicy(
            observations, actions, lambda _: self.config.learning_rate,
            net_arch=list(self.config.hidden),
        )  # fmt: skip

    def algorithm(self, env: VecEnv) -> sb3.SAC:
        """The learner."""
        import stable_baselines3 as sb3

        config = self.config
        return sb3.SAC(
            "MlpPolicy",
            env,
            buffer_size=config.buffer_size,
            learning_starts=config.learning_starts,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            tau=config.tau,
            gamma=config.gamma,
            train_freq=1,
            gradient_steps=-1,  # as many as steps were taken
            policy_kwargs={"net_arch": list(config.hidden)},
            device="cpu",
        )
