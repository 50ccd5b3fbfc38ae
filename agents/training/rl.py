"""Reinforcement learning with Stable-Baselines3: what `ppo` and `sac` have in common.

A run is a chain of stretches. At the start of each, all generators are seeded from the run's seed
and the steps done so far, and the envs are reset; so a stretch is a function of the checkpoint that
it begins with, and a run that was killed and went on ends like one that was not, bit for bit, on
the same machine with as many envs and threads. What lies between the last checkpoint and the kill
is done again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

import gensim_envs
from agents import files
from agents.data.spaces import check_spaces
from agents.errors import AgentsError, Stopped
from agents.evaluation.rollout import MAKE_ERRORS, of_suite
from agents.policies.base import About, Learner, load_weights, make_learner
from agents.training import checkpoint
from agents.training.runs import check_same
from gensim_envs.seeds import TRAINING

try:
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.logger import configure
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv
except ModuleNotFoundError as missing:
    raise AgentsError(f"PPO and SAC need {missing.name}: pip install -e '.[agents]'") from missing

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.policies import BasePolicy

_BUFFER = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What `python -m agents train --agent ppo|sac` is asked to do."""

    agent: str
    """What to train: ppo or sac."""
    envs: tuple[str, ...]
    """Tasks to train on; of several, each episode draws one."""
    out: Path
    """Folder of the run. The same command goes on with a run that was broken off."""
    steps: int = 100_000
    """Actions to take, in all envs together. A finished run may be given more, but equals one that
    had as many at first only where it ended at a checkpoint anyway."""
    seed: int = 0
    """Fixes the first weights and all that is drawn."""
    parallel: int = 4
    """Envs that act at once, in processes of their own if there are several."""
    checkpoint_every: int = 10_000
    """Steps between checkpoints. The envs are reset after each, so it is part of the experiment."""
    overwrite: bool = False
    """Replace another run in the folder."""

    def __post_init__(self) -> None:
        least = {"steps": 1, "seed": 0, "parallel": 1, "checkpoint_every": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise AgentsError(f"{name} is {getattr(self, name)}; give {bound} or more")
        if not self.envs:
            raise AgentsError(f"{self.agent} learns by acting; name tasks with --env or --tasks")


_FREE = {"out", "steps", "overwrite"}
"""Fields that may differ when a run goes on."""


class Policy(Learner):
    """A network of Stable-Baselines3 that acts on the state vector."""

    obs_mode = "state"
    language = False
    Config: ClassVar[type]

    def __init__(self, config: Any, about: About) -> None:
        super().__init__(config, about)
        (size,) = about.observation["state"]
        observations = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        actions = spaces.Box(-1, 1, (len(about.action_low),), np.float32)
        self.policy = self.network(observations, actions)

    def network(self, observations: spaces.Box, actions: spaces.Box) -> BasePolicy:
        """The network, with weights from torch's generator."""
        raise NotImplementedError

    def algorithm(self, env: VecEnv) -> BaseAlgorithm:
        """The learner of Stable-Baselines3, on the CPU, with a network like `network`'s."""
        raise NotImplementedError

    def predict(
        self, observation: Mapping[str, NDArray[Any]], tokens: NDArray[Any]
    ) -> NDArray[np.float32]:
        """(6,) the likeliest action for one state; the tokens are not read."""
        action, _ = self.policy.predict(observation["state"], deterministic=True)
        low, high = np.array(self.about.action_low), np.array(self.about.action_high)
        return self.clipped(low + (action.astype(np.float64) + 1) / 2 * (high - low))


def train(run: Run, settings: Mapping[str, Any] | None = None) -> Path:
    """Trains PPO or SAC, or goes on where it was broken off.

    It starts processes, so a script must call it under `if __name__ == "__main__":`.

    Args:
        run: what to do.
        settings: hyperparameters that differ from the agent's defaults.

    Returns:
        The folder of the run, `run.out`.

    Raises:
        AgentsError: an option or env does not fit, the folder holds another run, weights are not
            finite, the disk is full ...
        Stopped: on Ctrl-C; the last checkpoint is there.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these networks are small, and the envs need the cores
    try:
        with checkpoint.locked(run.out):
            training = _Training(run, settings or {})
            if training.finished:
                print(f"{run.out} is finished; --overwrite trains it anew", file=sys.stderr)
            else:
                training.run()
    finally:
        torch.set_num_threads(threads)
    return run.out


class _Training:
    """One run: a learner of Stable-Baselines3 and how far it is.

    Attributes:
        finished: nothing is left to do.
    """

    def __init__(self, run: Run, settings: Mapping[str, Any]) -> None:
        self._run = run
        self._policy = make_learner(_about(run.agent, run.envs), settings)
        assert isinstance(self._policy, Policy)
        self._asked = {k: v for k, v in asdict(run).items() if k not in _FREE}
        self._described = {
            "about": self._policy.about.as_json(),
            "config": asdict(self._policy.config),
            "training": self._asked,
        }
        self._rows: list[dict[str, Any]] = []
        there = checkpoint.found(run.out, run.overwrite)
        self._going_on, self.finished = there is not None, False
        if there is not None:
            check_same(run.out, there, json.loads(json.dumps(self._described)))
            self.finished = there["training"].get("steps", 0) >= run.steps

    def run(self) -> None:
        """Train to the end."""
        try:
            with _acting(self._run) as envs:
                self._stretches(envs)
        except gensim_envs.TaskError as error:
            raise AgentsError(f"{', '.join(self._run.envs)}: {error}") from error
        except (EOFError, ConnectionError) as error:
            raise AgentsError(
                "a process with an env ended; it has said why, or it was for want of memory: use "
                "fewer with --parallel"
            ) from error
        except KeyboardInterrupt:
            raise Stopped(
                f"stopped; the same command goes on from the last checkpoint in {self._run.out}"
            ) from None

    def _stretches(self, envs: VecEnv) -> None:
        model = self._begin(envs)
        with _Progress(model.num_timesteps, self._run.steps) as progress:
            while model.num_timesteps < self._run.steps:
                begun = model.num_timesteps
                model.set_random_seed(_seed(self._run, begun))
                model._last_obs = None  # has the envs reset
                model.ep_info_buffer = None
                self._learn(
                    model, min(self._run.checkpoint_every, self._run.steps - begun), progress
                )
                self._rows.append(_row(model))
                progress.say(self._rows[-1])
                self._save(model)

    def _begin(self, envs: VecEnv) -> BaseAlgorithm:
        """The learner, new or as the last checkpoint has it."""
        assert isinstance(self._policy, Policy)
        torch.manual_seed(self._run.seed)
        try:
            model = self._policy.algorithm(envs)
        except (ValueError, AssertionError) as error:
            raise AgentsError(f"{self._run.agent}: {error}") from error
        formats = ["tensorboard"] if importlib.util.find_spec("tensorboard") else []
        last = self._run.out / checkpoint.LAST
        going_on = self._going_on and last.exists()
        if not going_on:
            checkpoint.clear(self._run.out)
            self._describe(0)
        model.set_logger(configure(str(self._run.out / checkpoint.TENSORBOARD), formats))
        if going_on:
            tensors, state = checkpoint.load_tensors(last)
            _restore(model, tensors, state)
            self._rows = state["log"]
            self._describe(model.num_timesteps)
        return model

    def _learn(self, model: BaseAlgorithm, steps: int, progress: BaseCallback) -> None:
        try:
            model.learn(steps, progress, reset_num_timesteps=False)
            finite = all(bool(torch.isfinite(p).all()) for p in model.policy.parameters())
        except ValueError as error:
            if "Expected parameter" not in str(error):
                raise
            finite = False  # torch refuses a distribution with such parameters
        if not finite:
            raise AgentsError(
                f"{self._run.agent}: numbers are not finite by step {model.num_timesteps}; try a "
                f"smaller --{self._run.agent}.learning_rate. The last checkpoint is from before"
            )

    def _save(self, model: BaseAlgorithm) -> None:
        """Write all that is needed to act and to go on."""
        out, done = self._run.out, model.num_timesteps
        weights = {f"policy.{name}": value for name, value in model.policy.state_dict().items()}
        load_weights(self._policy, weights, out)  # they are as `load_agent` will want them
        checkpoint.save_tensors(out / checkpoint.MODEL, weights, {"step": done})
        lines = [json.dumps(row) + "\n" for row in self._rows]
        files.write(out / checkpoint.LOG, "".join(lines).encode())
        tensors, state = _state(model)
        checkpoint.save_tensors(out / checkpoint.LAST, tensors, {**state, "log": self._rows})
        self._describe(done)

    def _describe(self, done: int) -> None:
        """Say what this run is and how far."""
        progress = {"steps": done, "finished": done >= self._run.steps}
        described = {**self._described, "training": {**self._asked, **progress}}
        checkpoint.save_json(self._run.out / checkpoint.AGENT, described)


# ------------------------------------------------------------------------------------- the envs


def _about(agent: str, envs: Sequence[str]) -> About:
    """What a policy for these envs is for.

    Raises:
        AgentsError: one cannot be made, or its actions are not six bounded numbers.
    """
    try:
        env = _plain(envs)
    except MAKE_ERRORS as error:
        raise AgentsError(f"{', '.join(envs)} cannot be made: {error}") from error
    observed, actions = env.observation_space, env.action_space
    env.close()
    check_spaces(", ".join(envs), "state", observed, actions)
    assert isinstance(observed, spaces.Box) and isinstance(actions, spaces.Box)
    return About(
        agent, tuple(envs), "state", {"state": list(observed.shape)},
        tuple(actions.low.tolist()), tuple(actions.high.tolist()), None, 0,
    )  # fmt: skip


def _plain(envs: Sequence[str]) -> gym.Env[Any, Any]:
    if len(envs) > 1:
        return gym.make(gensim_envs.mix(envs), obs_mode="state")
    return gym.make(envs[0], obs_mode="state") if of_suite(envs[0]) else gym.make(envs[0])


def _make(envs: Sequence[str]) -> Monitor[Any, Any]:
    """The env that is acted in: actions between -1 and 1; runs in a process of its own."""
    low, high = np.int64(-1), np.int64(1)  # with floats, RescaleAction warns of their precision
    return Monitor(gym.wrappers.RescaleAction(_plain(envs), low, high))


@contextlib.contextmanager
def _acting(run: Run) -> Iterator[VecEnv]:
    """The envs that are acted in, each in a process of its own if there are several."""
    one = partial(_make, run.envs)
    envs: VecEnv = (
        SubprocVecEnv([one] * run.parallel, start_method="spawn")
        if run.parallel > 1
        else DummyVecEnv([one])
    )
    try:
        yield envs
    finally:
        with contextlib.suppress(EOFError, OSError):  # of a process that has ended
            envs.close()


def _seed(run: Run, done: int) -> int:
    """Of a stretch; that of env k is k more."""
    rng = np.random.default_rng([run.seed, done])
    return int(rng.integers(TRAINING.start, TRAINING.stop - run.parallel))


# -------------------------------------------------------------------------- what a checkpoint has


def _state(model: BaseAlgorithm) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers from which `_restore` makes an equal learner."""
    tensors: dict[str, Tensor] = {}
    for name, part in model.get_parameters().items():
        if "param_groups" in part:  # of an optimizer: {"state": {index: {name: tensor}}, ...}
            for index, values in part["state"].items():
                tensors |= {f"{name}/{index}/{key}": value for key, value in values.items()}
        else:
            tensors |= {f"{name}/{key}": value for key, value in part.items()}
    state = {"steps": model.num_timesteps, "episodes": model._episode_num,
             "updates": getattr(model, "_n_updates", 0)}  # fmt: skip
    if (entropy := getattr(model, "log_ent_coef", None)) is not None:
        tensors["log_ent_coef"] = entropy.detach()
    if (buffer := getattr(model, "replay_buffer", None)) is not None:
        length = buffer.buffer_size if buffer.full else buffer.pos
        tensors |= {f"buffer/{k}": torch.from_numpy(getattr(buffer, k)[:length]) for k in _BUFFER}
        state |= {"buffer_pos": buffer.pos, "buffer_full": buffer.full}
    return tensors, state


def _restore(model: Any, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """The inverse of `_state`, for a learner made with the same options."""
    parts = model.get_parameters()
    for name, part in parts.items():
        own = {
            k.removeprefix(f"{name}/"): v for k, v in tensors.items() if k.startswith(f"{name}/")
        }
        if "param_groups" not in part:
            part.update(own)
            continue
        part["state"] = {}
        for key, value in own.items():
            index, _, field = key.partition("/")
            part["state"].setdefault(int(index), {})[field] = value
    model.set_parameters(parts)
    model.num_timesteps, model._episode_num = state["steps"], state["episodes"]
    model._n_updates = state["updates"]
    if "log_ent_coef" in tensors:
        model.log_ent_coef.data.copy_(tensors["log_ent_coef"])
    if "buffer_pos" in state:
        buffer = model.replay_buffer
        for name in _BUFFER:
            stored = tensors[f"buffer/{name}"].numpy()
            getattr(buffer, name)[: len(stored)] = stored
        buffer.pos, buffer.full = state["buffer_pos"], state["buffer_full"]


def _row(model: BaseAlgorithm) -> dict[str, Any]:
    """A line of the log: means over the last 100 episodes of the stretch."""
    episodes, solved = model.ep_info_buffer or (), model.ep_success_buffer or ()

    def mean(values: Sequence[float]) -> float | None:
        return float(np.mean(values)) if values else None

    return {
        "step": model.num_timesteps,
        "return": mean([each["r"] for each in episodes]),
        "length": mean([each["l"] for each in episodes]),
        "success": mean([float(each) for each in solved]),
    }


class _Progress(BaseCallback):
    """A bar on a terminal, lines elsewhere."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        from tqdm import tqdm

        self._total = total
        self._bar = tqdm(initial=done, total=total, unit="step", disable=not sys.stderr.isatty())

    def _on_step(self) -> bool:
        self._bar.update(self.training_env.num_envs)
        return True

    def say(self, row: Mapping[str, Any]) -> None:
        """Print a line of the log."""
        figures = {k: v if v is not None else math.nan for k, v in row.items()}
        text = "step {step} of {0}: return {return:.3f}, success {success:.0%}"
        self._bar.clear()
        print(text.format(self._total, **figures), file=sys.stderr, flush=True)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
