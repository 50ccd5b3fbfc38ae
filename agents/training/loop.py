"""The training loop, with or without a simulator.

Neither this module nor what it imports needs pybullet, Gymnasium or Minari.
"""

from __future__ import annotations

import math
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from agents.errors import AgentsError, Stopped
from agents.evaluation.report import versions
from agents.policies.learned import LearnedPolicy, load_weights, make_policy
from agents.training import checkpoint, inputs
from agents.training.config import TrainConfig, default_policy_config, describe, find_run
from agents.training.distributed import Distributed, supports_bf16
from agents.training.loader import Loader
from agents.training.log import Log

if TYPE_CHECKING:
    from agents.data.demonstrations import Demonstrations

Validate = Callable[[Path], float]
"""From the folder of a checkpoint to its success, 0..1."""

_AGREE = 10  # steps between the moments when processes agree whether to stop


def check(config: TrainConfig, hyperparameters: Any = None) -> bool:
    """Find what would stop `train`, before any long work.

    Returns:
        Whether the run is finished, so that nothing is left to do.

    Raises:
        AgentsError: if the folder holds another run, or an option is out of range.
    """
    found = find_run(config, describe(config, _hyperparameters(config, hyperparameters)))
    return found is not None and bool(found["training"]["finished"])


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


def _hyperparameters(config: TrainConfig, hyperparameters: Any) -> Any:
    default = default_policy_config(config.policy, config.start_from)
    return default if hyperparameters is None else hyperparameters


class Training:
    """One run: a policy, its optimizer, and how far they are.

    Attributes:
        policy: that is trained.
        done: steps so far.
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
        hyperparameters = _hyperparameters(config, hyperparameters)
        self._described = describe(config, hyperparameters)
        self._demos = inputs.select_demos(config, demos)
        self._tokens, width, fingerprint = inputs.instruction_tokens(config, self._demos)
        spec = inputs.make_spec(config, self._demos, width, fingerprint)
        native = config.precision == "auto" and supports_bf16(group.device)
        self._bf16 = native or config.precision == "bf16"
        self._described["spec"] = asdict(spec)
        self._described["training"] |= {
            "dataset": self._demos.sha256(),
            "processes": group.size,
            "computed_in": "bf16" if self._bf16 else "fp32",
        }
        self._found = find_run(config, self._described)
        _seed(torch.device("cpu"), config.seed)  # where weights are initialised
        self.policy = make_policy(spec, hyperparameters).to(group.device)
        self._optimizer = torch.optim.AdamW(
            self.policy.optimizer_groups(), config.learning_rate,
            weight_decay=config.weight_decay, fused=True,
        )  # fmt: skip
        self._rates = [each["lr"] for each in self._optimizer.param_groups]
        self._average: AveragedModel | None = None
        self.done = 0
        self._spent = {"seconds": 0.0, "stepping": 0.0, "waiting": 0.0}
        self._load()
        self._parallel = group.wrap(self.policy)

    def _load(self) -> None:
        """Load the last checkpoint, the checkpoint to start from, or nothing."""
        config = self._config
        last = config.out / checkpoint.LAST
        tensors: dict[str, Tensor] = {}
        state: dict[str, Any] | None = None
        if self._found is not None and last.exists():
            tensors, state = checkpoint.load_tensors(last)
            load_weights(self.policy, _under("model.", tensors), last)
        elif config.start_from is not None:
            start = config.start_from / checkpoint.MODEL
            load_weights(self.policy, checkpoint.load_tensors(start)[0], start)
        else:
            self.policy.fit_statistics(self._demos)
        if config.ema:
            average = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
            self._average = AveragedModel(self.policy, multi_avg_fn=average)
        if state is not None:
            if self._average is not None:
                self._average.load_state_dict(_under("average.", tensors))
            _load_optimizer(self._optimizer, _under("optimizer.", tensors))
            self.done, self._spent = state["step"], state["spent"]

    def run(self) -> None:
        """Train to the end; see `train`."""
        config, group = self._config, self._group
        if self._found is not None and self._found["training"]["finished"]:
            if group.first:
                print(f"{config.out} is finished; --overwrite trains it again")
            return
        log = self._opened_log() if group.first else None
        loader = Loader(self.policy, self._demos, self._tokens, config, group)
        try:
            with _interrupts() as interrupted:
                self._loop(loader, log, interrupted)
        finally:
            loader.close()
            if log is not None:
                log.close()

    def _opened_log(self) -> Log:
        config = self._config
        if self._found is None:
            checkpoint.clear(config.out)
            self._save_config(finished=False)
        log = Log(config, self.done)
        if self.done:
            log.line(f"resuming after step {self.done}")
        if config.validate_every and self._validate is None:
            log.line("no simulator: no validation by success; the last weights are kept")
        return log

    def _loop(self, loader: Loader, log: Log | None, interrupted: threading.Event) -> None:
        config, group = self._config, self._group
        spent, began = dict(self._spent), time.perf_counter()
        self.policy.train()
        loader.start(self.done)
        stop = group.any(self._is_out_of_patience())
        while self.done < config.steps and not stop:
            before = time.perf_counter()
            rate = self._rate()
            values = self._step(loader.batch(), rate)
            now = time.perf_counter()
            self._spent["stepping"] += now - before
            self._spent["waiting"] = spent["waiting"] + loader.waiting
            if log is not None:
                log.step(self.done, rate * config.learning_rate, values)
            if self._validate is not None and self._is_due(config.validate_every):
                stop = group.any(log is not None and self._validated(self._validate, log))
            asked = (group.size == 1 or self._is_due(_AGREE)) and group.any(interrupted.is_set())
            self._spent["seconds"] = spent["seconds"] + time.perf_counter() - began
            if log is not None and (stop or asked or self._is_due(config.checkpoint_every)):
                self._save(log)
            if asked and not stop and self.done < config.steps:
                raise Stopped(
                    f"stopped after step {self.done} of {config.steps}; the same command resumes"
                )
        if log is not None:
            progress = self._save_config(finished=True)
            success = progress["kept"].get("success")
            log.line(
                f"{self.done} steps in {progress['seconds']:.0f} s, "
                f"{progress['samples_per_second']:.0f} samples/s, "
                f"waiting for data {progress['waiting_share']:.1%} of the time; "
                + ("" if success is None else f"best validation success {success:.0%}; ")
                + f"the weights are in {config.out}"
            )

    def _is_due(self, every: int) -> bool:
        return self.done % every == 0 or self.done == self._config.steps

    def _rate(self) -> float:
        """The learning rate relative to its peak: linear warm-up, then half a cosine."""
        ramp = min(1.0, (self.done + 1) / (self._config.warmup + 1))
        return ramp * 0.5 * (1 + math.cos(math.pi * self.done / self._config.steps))

    def _step(self, batch: dict[str, Tensor], rate: float) -> dict[str, Tensor]:
        """One step; returns the loss, the norm of the gradient and the parts of the loss."""
        config, group = self._config, self._group
        # Dropout, as batches, must not depend on earlier steps.
        _seed(group.device, config.seed, self.done, group.rank)
        for parameters, peak in zip(self._optimizer.param_groups, self._rates, strict=True):
            parameters["lr"] = peak * rate
        batch = {name: t.to(group.device, non_blocking=True) for name, t in batch.items()}
        with torch.autocast(group.device.type, torch.bfloat16, enabled=self._bf16):
            loss, parts = self._parallel(batch)
        self._optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), config.clip_norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self.policy)
        self.done += 1
        return {"loss": loss, "norm": norm, **parts}

    def _averaged(self) -> LearnedPolicy:
        """The policy with the weights to keep."""
        return self.policy if self._average is None else self._average.module  # type: ignore[return-value]

    def _validated(self, validate: Validate, log: Log) -> bool:
        """Keep the weights if they are the best; returns whether to stop.

        Of equally good weights the later ones are kept, since success is coarser than the loss.
        """
        log.flush()
        folder = self._config.out / checkpoint.CANDIDATE
        self._averaged().save_pretrained(folder)
        success = validate(folder)
        best = self._best()
        if success >= best.get("success", 0):
            new = success > best.get("success", -1)
            improved = self.done if new else best["improved"]
            self._save_model({"step": self.done, "success": success, "improved": improved})
        shutil.rmtree(folder)
        log.validated(self.done, success)
        return self._is_out_of_patience()

    def _best(self) -> dict[str, Any]:
        return checkpoint.load_info(self._config.out / checkpoint.MODEL)

    def _is_out_of_patience(self) -> bool:
        """Whether validation has not improved for too long.

        The best success is read from the weights that are kept, so that they agree whenever the run
        is killed.
        """
        best = self._best() if self._validate is not None and self.done else {}
        allowed = self._config.patience * self._config.validate_every
        return "improved" in best and self.done - best["improved"] >= allowed

    def _save(self, log: Log) -> None:
        """Write all that is needed to resume."""
        log.flush()
        if self._validate is None or not (self._config.out / checkpoint.MODEL).exists():
            self._save_model({"step": self.done})
        tensors = {f"model.{k}": v for k, v in self.policy.state_dict().items()}
        if self._average is not None:
            tensors |= {f"average.{k}": v for k, v in self._average.state_dict().items()}
        for number, kept in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{key}": value for key, value in kept.items()}
        state = {"step": self.done, "spent": self._spent}
        checkpoint.save_tensors(self._config.out / checkpoint.LAST, tensors, state)

    def _save_model(self, info: dict[str, Any]) -> None:
        path = self._config.out / checkpoint.MODEL
        checkpoint.save_tensors(path, self._averaged().state_dict(), info)

    def _save_config(self, *, finished: bool) -> dict[str, Any]:
        """Write what the run is and how far it is; returns how far it is."""
        spent = self._spent
        progress: dict[str, Any] = {"finished": finished}
        if finished:
            stepping = max(spent["stepping"], 1e-9)
            progress |= {
                "steps_done": self.done,
                "kept": self._best(),
                "seconds": round(spent["seconds"], 1),
                "samples_per_second": round(self.done * self._config.batch_size / stepping, 1),
                "waiting_share": round(spent["waiting"] / stepping, 4),
            }
        training = self._described["training"] | progress | {"versions": versions()}
        value = self._described | {"training": training}
        checkpoint.save_json(self._config.out / checkpoint.CONFIG, value)
        return progress


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    value = optimizer.state_dict()
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for number, parameter in enumerate(parameters):
        # Moments need the memory layout of their weights, which a file does not keep: fused AdamW
        # reads both in the order of memory.
        value["state"][number] = {
            key: kept if key == "step" else torch.empty_like(parameter).copy_(kept)
            for key, kept in _under(f"{number}.", tensors).items()
        }
    optimizer.load_state_dict(value)


def _seed(device: torch.device, *entropy: int) -> None:
    """Seed torch. Without CUDA, its own manual_seed takes a millisecond and leaks memory, since it
    stores each call with its traceback.
    """
    number = int(np.random.SeedSequence([*entropy, 1]).generate_state(1)[0])
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)


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
