"""Training from reward with Stable-Baselines3.

A run is a sequence of segments between checkpoints. At the start of each, all generators are seeded
from the seed of the run and the number of steps so far, and the envs are reset. A segment is thus a
function of the checkpoint it starts from, and a run that was killed and resumed ends bit for bit
like one that was not, on the same machine with as many envs and threads. Steps after the last
checkpoint are repeated.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from tyro.conf import arg

import gensim_envs
from agents import checkpoint
from agents.errors import AgentsError, Stopped
from agents.evaluation.playing import MAKE_ERRORS, check_actions, of_suite
from agents.policies.base import PolicySpec
from agents.policies.learned import load_weights, make_policy, policy_config
from agents.policies.sb3 import SB3Policy
from agents.ranges import Checked, Natural, Positive
from agents.training import algorithm
from agents.training.distributed import check_alone
from gensim_envs.seeds import TRAINING
from gensim_envs.utils import files
from gensim_envs.utils.progress import Progress
from gensim_envs.wrappers import ChooseThings

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True, kw_only=True)
class RLConfig(Checked):
    """Training from reward, with PPO or SAC."""

    option_prefix = ""

    policy: str
    """The policy to train: ppo or sac."""
    envs: Annotated[tuple[str, ...], arg(name="env", metavar="ID ...")] = ()
    """Tasks to train on; each episode samples one."""
    out: Path
    """Folder of the run. The same command resumes an interrupted run, unless it has --overwrite."""
    steps: Positive = 100_000
    """Actions, in all envs together; PPO completes the rollout in which they end. A finished run
    can be extended; the result equals one long run only if the first run ended at a checkpoint of
    the long one."""
    seed: Natural = 0
    """Seed of initial weights, episodes and exploration."""
    reward: Literal["sparse", "dense"] = "dense"
    """Reward of tasks of this suite; dense also rewards what is nearly right."""
    parallel: Positive = 4
    """Envs that act at once, in processes if there are several."""
    checkpoint_every: Positive = 10_000
    """Steps between checkpoints. The envs are reset after each, so it affects the result."""
    overwrite: bool = False
    """Replace another run in the folder."""


_NOT_COMPARED = {"out", "steps", "overwrite"}
"""Fields that may change when a run resumes."""


def train(config: RLConfig, hyperparameters: Any = None) -> Path:
    """Train PPO or SAC, or resume a run.

    It starts processes, so a script must call it under `if __name__ == "__main__":`.

    Args:
        config: of the run.
        hyperparameters: of the policy; by default its defaults.

    Returns:
        The folder of the run, `config.out`.

    Raises:
        AgentsError: if an option or env does not fit, the folder holds another run, weights are not
            finite, the disk is full ...
        Stopped: on Ctrl-C; the last checkpoint is there.
    """
    if not config.envs:
        raise AgentsError(f"{config.policy} learns by acting; give tasks with --env or --tasks")
    check_alone(config.policy)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the networks are small, and the envs need the cores
    try:
        with checkpoint.locked(config.out):
            training = _Training(config, hyperparameters or policy_config(config.policy, {}))
            if not checkpoint.is_finished(config.out, training.found):
                training.run()
    finally:
        torch.set_num_threads(threads)
    return config.out


class _Training:
    """One run: an algorithm of Stable-Baselines3 and how far it is.

    Attributes:
        found: the config.json of the run that is resumed; None for a new one.
    """

    def __init__(self, config: RLConfig, hyperparameters: Any) -> None:
        self._config = config
        self._policy = make_policy(_spec(config.policy, config.envs), hyperparameters)
        self._described = {
            "spec": asdict(self._policy.spec),
            "config": asdict(hyperparameters),
            "training": {k: v for k, v in asdict(config).items() if k not in _NOT_COMPARED},
        }
        self._rows: list[dict[str, Any]] = []
        self.found = checkpoint.find_run(config.out, config.overwrite, self._described)
        if self.found is not None:  # which may be given more steps
            done = self.found["training"].get("steps", 0)
            self.found["training"]["finished"] = done >= config.steps

    def run(self) -> None:
        """Train to the end."""
        try:
            with _vector_env(self._config, self._policy.layout is not None) as envs:
                self._run_segments(envs)
        except gensim_envs.TaskError as error:
            raise AgentsError(f"{', '.join(self._config.envs)}: {error}") from error
        except (EOFError, ConnectionError) as error:
            raise AgentsError(
                "the process of an env ended; see its error above. If there is none, it may have "
                "run out of memory: use fewer with --parallel"
            ) from error
        except KeyboardInterrupt:
            raise Stopped(f"stopped; {checkpoint.RESUMES} in {self._config.out}") from None

    def _run_segments(self, envs: VecEnv) -> None:
        config = self._config
        model = self._load(envs)
        with Progress(config.steps, unit="step", done=model.num_timesteps) as progress:

            def advance(*_: object) -> bool:
                progress.advance(config.parallel)
                return True

            while model.num_timesteps < config.steps:
                begun = model.num_timesteps
                model.set_random_seed(_seed(config, begun))
                model.set_env(envs, force_reset=True)
                model.ep_info_buffer = None
                steps = min(config.checkpoint_every, config.steps - begun)
                self._learn(model, steps, advance)
                row = algorithm.log_row(model)
                self._rows.append(row)
                progress.line(f"step {row['step']} of {config.steps}: {_shown(row)}", sys.stderr)
                self._save(model)

    def _load(self, envs: VecEnv) -> BaseAlgorithm:
        """The algorithm, new or from the last checkpoint."""
        from stable_baselines3.common.logger import configure

        out = self._config.out
        torch.manual_seed(self._config.seed)
        try:
            assert isinstance(self._policy, SB3Policy)
            model = self._policy.algorithm(envs)
        except (ValueError, AssertionError) as error:
            raise AgentsError(f"{self._config.policy}: {error}") from error
        resumes = self.found is not None and (out / checkpoint.LAST).exists()
        if not resumes:
            checkpoint.clear(out)
            self._save_config(0)
        model.set_logger(configure(str(out / checkpoint.TENSORBOARD), ["tensorboard"]))
        if resumes:
            tensors, state = checkpoint.load_tensors(out / checkpoint.LAST)
            algorithm.restore(model, tensors, state)
            self._rows = state["log"]
            self._save_config(model.num_timesteps)
        return model

    def _learn(self, model: BaseAlgorithm, steps: int, advance: Callable[..., bool]) -> None:
        try:
            model.learn(steps, advance, reset_num_timesteps=False)
            finite = all(bool(torch.isfinite(p).all()) for p in model.policy.parameters())
        except ValueError as error:
            if "Expected parameter" not in str(error):
                raise
            finite = False  # torch refuses a distribution with such parameters
        if not finite:
            name = self._config.policy
            raise AgentsError(
                f"{name}: the weights became non-finite by step {model.num_timesteps}; try a "
                f"smaller --{name}.learning-rate. The last checkpoint predates this"
            )

    def _save(self, model: BaseAlgorithm) -> None:
        """Write all that is needed to act and to resume."""
        out, done = self._config.out, model.num_timesteps
        weights = {f"policy.{name}": value for name, value in model.policy.state_dict().items()}
        load_weights(self._policy, weights, out)  # checks that `from_pretrained` can read them
        checkpoint.save_tensors(out / checkpoint.MODEL, weights, {"step": done})
        lines = [json.dumps(row) + "\n" for row in self._rows]
        files.write(out / checkpoint.LOG, "".join(lines).encode())
        tensors, state = algorithm.state(model)
        checkpoint.save_tensors(out / checkpoint.LAST, tensors, {**state, "log": self._rows})
        self._save_config(done)

    def _save_config(self, done: int) -> None:
        """Write what this run is and how far it is."""
        progress = {"steps": done, "finished": done >= self._config.steps}
        training = self._described["training"] | progress
        described = self._described | {"training": training}
        checkpoint.save_json(self._config.out / checkpoint.CONFIG, described)


def _shown(row: dict[str, Any]) -> str:
    """Return and success of a line of the log; only envs of this suite say the latter."""
    if row["return"] is None:
        return "no episode has ended"
    success = "" if row["success"] is None else f", success {row['success']:.0%}"
    return f"return {row['return']:.3f}{success}"


def _spec(policy: str, envs: Sequence[str]) -> PolicySpec:
    """The spec of a policy for these envs.

    Raises:
        AgentsError: if one cannot be made, or its actions are not six bounded numbers.
    """
    try:
        env = _make(envs, "sparse")
    except MAKE_ERRORS as error:
        raise AgentsError(f"{', '.join(envs)} cannot be made: {error}") from error
    observed, actions = env.observation_space, env.action_space
    env.close()
    check_actions(", ".join(envs), actions)
    if not (isinstance(observed, spaces.Box) and len(observed.shape) == 1):
        raise AgentsError(f"{', '.join(envs)} has observations {observed}; {policy} needs a vector")
    assert isinstance(actions, spaces.Box)
    bounds = gensim_envs.common_bounds(envs) if all(map(of_suite, envs)) else {}
    return PolicySpec(
        policy, tuple(envs), "state", {"state": list(observed.shape)},
        tuple(actions.low.tolist()), tuple(actions.high.tolist()), None, 0, bounds,
    )  # fmt: skip


def _make(envs: Sequence[str], reward: str) -> gym.Env[Any, Any]:
    if len(envs) == 1 and not of_suite(envs[0]):
        return gym.make(envs[0])
    made = envs[0] if len(envs) == 1 else gensim_envs.mix(envs)
    return gym.make(made, obs_mode="state", privileged=True, reward=reward)


def _make_training_env(envs: Sequence[str], reward: str, choices: bool) -> gym.Env[Any, Any]:
    """The env that is acted in, by choices or with actions within -1..1; runs in a worker process.

    Args:
        envs: ids.
        reward: of the env.
        choices: whether actions choose among things and places.
    """
    env = _make(envs, reward)
    if choices:
        return ChooseThings(env)
    low, high = np.int64(-1), np.int64(1)  # with floats, RescaleAction warns of their precision
    return gym.wrappers.RescaleAction(env, low, high)


@contextlib.contextmanager
def _vector_env(config: RLConfig, choices: bool) -> Iterator[VecEnv]:
    """The envs that are acted in, in processes if there are several."""
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import SubprocVecEnv

    several = config.parallel > 1
    envs = make_vec_env(
        _make_training_env, config.parallel, _seed(config, 0),
        env_kwargs={"envs": config.envs, "reward": config.reward, "choices": choices},
        vec_env_cls=SubprocVecEnv if several else None,
        vec_env_kwargs={"start_method": "spawn"} if several else None,
    )  # fmt: skip
    try:
        yield envs
    finally:
        with contextlib.suppress(EOFError, OSError):  # a process may have ended
            envs.close()


def _seed(config: RLConfig, done: int) -> int:
    """The seed of a segment; that of env k is k more."""
    rng = np.random.default_rng([config.seed, done])
    return int(rng.integers(TRAINING.start, TRAINING.stop - config.parallel))
