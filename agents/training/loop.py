"""The training loop, with or without a simulator.

Neither this module nor what it imports needs pybullet, Gymnasium or Minari.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents import checkpoint
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError, Stopped
from agents.training import inputs
from agents.training.config import TrainConfig, Validate, default_policy_config, describe
from agents.training.distributed import Distributed, supports_bf16
from agents.training.loader import batches
from agents.training.log import Log
from agents.training.state import TrainingState, seed_torch
from gensim_envs.utils import files

_AGREE = 10  # steps between the moments when processes agree whether to stop


def is_finished(config: TrainConfig, hyperparameters: Any = None) -> bool:
    """Find what would stop `train`, before any long work.

    Returns:
        Whether the run is finished, so that nothing is left to do.

    Raises:
        AgentsError: if the folder holds another run, or an option is out of range.
    """
    hyperparameters = hyperparameters or default_policy_config(config.policy, config.start_from)
    described = describe(config, hyperparameters)
    return checkpoint.is_finished(
        config.out, checkpoint.find_run(config.out, config.overwrite, described)
    )


def train(
    config: TrainConfig,
    demos: Demonstrations | Callable[[], Demonstrations],
    hyperparameters: Any = None,
    *,
    validate: Validate | None = None,
) -> Path:
    """Train a policy on demonstrations, or resume its training.

    Args:
        config: of the run.
        demos: what to learn from, or a function that makes it, which is called once the folder is
            locked; the first `config.demos` of each of `config.envs` are used.
        hyperparameters: of the policy; by default those of `config.start_from`, or its defaults.
        validate: measures the success of a checkpoint; without it the last weights are kept.

    Returns:
        The folder of the run, `config.out`.

    Raises:
        AgentsError: if something does not fit, the loss is not finite, the disk is full ...
        Stopped: on SIGTERM and Ctrl-C, after a checkpoint was written.
    """
    group = Distributed(config.device)
    try:
        with checkpoint.locked(config.out) if group.first else nullcontext():
            made = demos() if callable(demos) else demos
            Training(config, made, hyperparameters, group, validate).run()
    finally:
        group.close()
    return config.out


class Training:
    """One run: a policy, its optimizer, and how far they are.

    Attributes:
        policy: that is trained.
    """

    def __init__(
        self,
        config: TrainConfig,
        demos: Demonstrations,
        hyperparameters: Any,
        group: Distributed,
        validate: Validate | None = None,
    ) -> None:
        if config.batch_size % group.size:
            raise AgentsError(
                f"a batch of {config.batch_size} cannot be divided among {group.size} processes; "
                f"choose a --batch-size that is a multiple of {group.size}"
            )
        if config.threads:
            torch.set_num_threads(config.threads)
        self._config, self._group = config, group
        self._validate = validate if config.validate_every else None
        hyperparameters = hyperparameters or default_policy_config(config.policy, config.start_from)
        described = describe(config, hyperparameters)
        self._demos = inputs.select_demos(config, demos)
        self._tokens, width, fingerprint = inputs.instruction_tokens(config, self._demos)
        spec = inputs.make_spec(config, self._demos, width, fingerprint)
        native = config.precision == "auto" and supports_bf16(group.device)
        self._bf16 = native or config.precision == "bf16"
        described["spec"] = asdict(spec)
        described["training"] |= {
            "dataset": self._demos.sha256(),
            "recorded_with": self._demos.recorded_with,
            "processes": group.size,
            "computed_in": "bf16" if self._bf16 else "fp32",
        }
        self._state = TrainingState(config, described, spec, hyperparameters, group.device)
        self._state.load(self._demos)
        self.policy = self._state.policy
        self._parallel = group.wrap(self.policy)

    def run(self) -> None:
        """Train to the end; see `train`."""
        config, group, state = self._config, self._group, self._state
        if checkpoint.is_finished(config.out, state.found):
            return
        log = self._opened_log() if group.first else None
        made = batches(self.policy, self._demos, self._tokens, config, group, state.done)
        try:
            with closing(made), _interrupts() as interrupted:
                self._loop(made, log, interrupted)
        finally:
            if log is not None:
                log.close()

    def _opened_log(self) -> Log:
        config, state = self._config, self._state
        if state.found is None:
            checkpoint.clear(config.out)
            state.save_config(finished=False)
        log = Log(config, state.done)
        if state.done:
            log.line(f"resuming after step {state.done}")
        if config.validate_every and self._validate is None:
            log.line("no simulator: no validation by success; the last weights are kept")
        return log

    def _loop(
        self, made: Iterator[dict[str, Tensor]], log: Log | None, interrupted: threading.Event
    ) -> None:
        config, group, state = self._config, self._group, self._state
        began = time.perf_counter() - state.spent["seconds"]
        self.policy.train()
        stop = group.any(self._validate is not None and state.is_out_of_patience())
        while state.done < config.steps and not stop:
            before = time.perf_counter()
            rate, batch = self._rate(), next(made)
            state.spent["waiting"] += time.perf_counter() - before
            values = self._step(batch, rate)
            state.spent["stepping"] += time.perf_counter() - before
            if log is not None:
                log.step(state.done, rate * config.learning_rate, values)
            if self._validate is not None and self._is_due(config.validate_every):
                stop = group.any(log is not None and self._validated(self._validate, log))
            asked = (group.size == 1 or self._is_due(_AGREE)) and group.any(interrupted.is_set())
            state.spent["seconds"] = time.perf_counter() - began
            if log is not None and (stop or asked or self._is_due(config.checkpoint_every)):
                log.flush()
                state.save(validated=self._validate is not None)
            if asked and not stop and state.done < config.steps:
                raise Stopped(
                    f"stopped after step {state.done} of {config.steps}; {checkpoint.RESUMES}"
                )
        if log is not None:
            log.finished(state.done, state.save_config(finished=True))

    def _is_due(self, every: int) -> bool:
        return self._state.done % every == 0 or self._state.done == self._config.steps

    def _rate(self) -> float:
        """The learning rate relative to its peak: linear warm-up, then half a cosine."""
        done, config = self._state.done, self._config
        ramp = min(1.0, (done + 1) / (config.warmup + 1))
        return ramp * 0.5 * (1 + math.cos(math.pi * done / config.steps))

    def _step(self, batch: dict[str, Tensor], rate: float) -> dict[str, Tensor]:
        """One step; returns the loss, the norm of the gradient and the parts of the loss."""
        config, group, state = self._config, self._group, self._state
        # Dropout, as batches, must not depend on earlier steps.
        seed_torch(group.device, config.seed, state.done, group.rank)
        batch = {name: t.to(group.device, non_blocking=True) for name, t in batch.items()}
        with torch.autocast(group.device.type, torch.bfloat16, enabled=self._bf16):
            loss, parts = self._parallel(batch)
        state.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), config.clip_norm)
        state.step(rate)
        return {"loss": loss, "norm": norm, **parts}

    def _validated(self, validate: Validate, log: Log) -> bool:
        """Keep the weights if they are the best; returns whether to stop.

        On ties the later weights win: success takes few values, and the loss still falls.
        """
        log.flush()
        state, folder = self._state, self._config.out / checkpoint.CANDIDATE
        self.policy.save_pretrained(folder)
        success = validate(folder)
        best = state.best()
        if success >= best.get("success", 0):
            new = success > best.get("success", -1)
            state.save_model(success=success, improved=state.done if new else best["improved"])
        files.remove(folder)
        log.validated(state.done, success)
        return state.is_out_of_patience()


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """An event that the first SIGTERM or Ctrl-C sets; a second one has its usual effect."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # where Python allows no handlers
        return

    def note(number: int, frame: object) -> None:
        asked.set()
        signal.signal(number, usual[number])

    usual: dict[int, Any] = {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
