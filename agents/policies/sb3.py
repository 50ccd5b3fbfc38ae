"""PPO and SAC on the privileged state vector: policies that Stable-Baselines3 trains.

Schulman et al., "Proximal Policy Optimization Algorithms", 2017, arXiv 1707.06347; Haarnoja et al.,
"Soft Actor-Critic Algorithms and Applications", 2018, arXiv 1812.05905. Hyperparameters have the
names and defaults of Stable-Baselines3, with these exceptions: rollouts of PPO are shorter and from
more envs, since episodes last a few steps, in batches of 256 instead of 64; its layers are wider,
since state vectors are; the replay buffer of SAC is smaller, since every checkpoint stores it, its
learning starts later, and it makes as many updates as there are new steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import stable_baselines3
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.ppo import MlpPolicy as PPONetwork
from stable_baselines3.sac import MlpPolicy as SACNetwork

from agents.errors import AgentsError
from agents.policies.base import Array, PolicySpec
from agents.policies.learned import LearnedPolicy
from agents.ranges import Amount, Checked, Natural, Share
from gensim_envs import StateLayout
from gensim_envs.utils.decode import Range, Size
from gensim_envs.wrappers import choice_to_action, choices

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.policies import BasePolicy
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True)
class PPOConfig(Checked):
    """Hyperparameters of PPO."""

    option_prefix = "ppo."

    n_steps: Annotated[int, Range(1, 10**6)] = 256
    """Steps of each env between updates."""
    batch_size: Annotated[int, Range(2, 10**6)] = 256
    """Steps in a batch; the last of a rollout is smaller if the rollout is no multiple of it."""
    n_epochs: Annotated[int, Range(1, 1000)] = 10
    """Passes over a rollout."""
    learning_rate: Amount = 3e-4
    """Learning rate of Adam."""
    gamma: Share = 0.99
    """Discount factor."""
    gae_lambda: Share = 0.95
    """Bias-variance trade-off of generalised advantage estimation, 0..1."""
    clip_range: Amount = 0.2
    """Clipping range of the probability ratio."""
    ent_coef: Amount = 0.0
    """Coefficient of the entropy bonus."""
    hidden: Annotated[tuple[int, ...], Range(1, 10**4), Size(0, 20)] = (256, 256)
    """Widths of the hidden layers of actor and critic."""
    choices: bool = False
    """Choose an item and where it goes, instead of six numbers; for tasks of this suite."""


@dataclass(frozen=True)
class SACConfig(Checked):
    """Hyperparameters of SAC."""

    option_prefix = "sac."

    buffer_size: Annotated[int, Range(1, 10**7)] = 100_000
    """Steps in the replay buffer, which checkpoints store."""
    learning_starts: Natural = 1_000
    """Random steps before learning starts."""
    batch_size: Annotated[int, Range(1, 10**6)] = 256
    """Steps in a batch; there is one update for each new step."""
    learning_rate: Amount = 3e-4
    """Learning rate of each Adam."""
    tau: Share = 0.005
    """Rate of the soft update of the target critics."""
    gamma: Share = 0.99
    """Discount factor."""
    hidden: Annotated[tuple[int, ...], Range(1, 10**4), Size(0, 20)] = (256, 256)
    """Widths of the hidden layers of actor and critics."""


class SB3Policy(LearnedPolicy):
    """A network of Stable-Baselines3 that acts on the state vector."""

    obs_mode = "state"
    privileged = True  # it learns from reward, without language
    reads_instructions = False
    network_class: ClassVar[type[BasePolicy]]
    algorithm_class: ClassVar[Callable[..., BaseAlgorithm]]

    def __init__(self, config: Any, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        (size,) = spec.observation["state"]
        self.layout: StateLayout | None = None
        actions: spaces.Space[Any] = spaces.Box(-1, 1, (len(spec.action_low),), np.float32)
        if getattr(config, "choices", False):
            if not spec.state_bounds:
                raise AgentsError("choices need tasks of this suite, whose state vectors have rows")
            self.layout = StateLayout.of(spec.state_bounds, privileged=True)
            actions = choices(self.layout)
        self.policy = self.network_class(
            spaces.Box(-np.inf, np.inf, (size,), np.float32),
            actions,
            lambda _: config.learning_rate,
            net_arch=list(config.hidden),
        )

    def algorithm(self, env: VecEnv) -> BaseAlgorithm:
        """The algorithm that trains a network of this shape, on the CPU."""
        options = asdict(self.config)
        network = {"net_arch": list(options.pop("hidden"))}
        options.pop("choices", None)
        return self.algorithm_class(
            policy="MlpPolicy", env=env, policy_kwargs=network, device="cpu", **options
        )

    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str
    ) -> NDArray[np.float32]:
        """The mode of the action distribution, (6,); see `LearnedPolicy`."""
        action, _ = self.policy.predict(observation["state"], deterministic=True)
        low, high = np.array(self.spec.action_low), np.array(self.spec.action_high)
        if self.layout is not None:
            chosen = choice_to_action(action, observation["state"], self.layout)
            return self.clip((low + high) / 2 if chosen is None else chosen)
        return self.clip(low + (action.astype(np.float64) + 1) / 2 * (high - low))


class PPO(SB3Policy):
    """Acts by the mean of the actor's normal distribution."""

    config_class = PPOConfig
    network_class = PPONetwork
    algorithm_class = stable_baselines3.PPO


class SAC(SB3Policy):
    """Acts by the mode of the actor's squashed normal distribution."""

    config_class = SACConfig
    network_class = SACNetwork
    # As many updates as steps were taken.
    algorithm_class = staticmethod(partial(stable_baselines3.SAC, gradient_steps=-1))
