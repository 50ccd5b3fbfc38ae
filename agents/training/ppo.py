"""PPO on the state vector, by Stable-Baselines3.

Schulman et al., "Proximal Policy Optimization Algorithms", 2017, arXiv 1707.06347. Defaults are
Stable-Baselines3's, but for shorter rollouts of more envs, since an episode is a few steps long,
and wider layers, since the vector is.
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
    from stable_baselines3.common.policies import ActorCriticPolicy
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True)
class Options:
    """Hyperparameters."""

    rollout: int = 256
    """Steps that each env takes between updates."""
    batch_size: int = 256
    """Steps in a batch; divides the steps of a rollout of all envs."""
    epochs: int = 10
    """Passes over a rollout."""
    learning_rate: float = 3e-4
    """Of Adam."""
    gamma: float = 0.99
    """Discount of a step."""
    gae_lambda: float = 0.95
    """Between one-step advantages (0) and those of whole episodes (1)."""
    clip: float = 0.2
    """How far the probability ratio of an action may move from 1 before it no longer counts."""
    entropy: float = 0.0
    """Weight of the entropy of actions in the loss."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers of actor and critic each."""

    def __post_init__(self) -> None:
        check_range(self, 1, math.inf, "rollout", "batch_size", "epochs", "hidden")
        check_range(self, 0, math.inf, "learning_rate", "clip", "entropy")
        check_range(self, 0, 1, "gamma", "gae_lambda")


class PPO(Policy):
    """Actor and critic; it acts by the mean of the actor's normal distribution."""

    Config = Options
    config: Options

    def network(self, observations: spaces.Box, actions: spaces.Box) -> ActorCriticPolicy:
        """The network that `algorithm` trains."""
        from stable_baselines3.ppo import MlpPolicy

        return MlpPolicy(
            observations, actions, lambda _: self.config.learning_rate,
            net_arch=list(self.config.hidden),
        )  # fmt: skip

    def algorithm(self, env: VecEnv) -> sb3.PPO:
        """The learner."""
        import stable_baselines3 as sb3

        config = self.config
        return sb3.PPO(
            "MlpPolicy",
            env,
            n_steps=config.rollout,
            batch_size=config.batch_size,
            n_epochs=config.epochs,
            learning_rate=config.learning_rate,
            gamma=config.gamma,
            gae_lambda=config.gae_lambda,
            clip_range=config.clip,
            ent_coef=config.entropy,
            policy_kwargs={"net_arch": list(config.hidden)},
            device="cpu",
        )
