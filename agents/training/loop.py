"""Training of a learner on demonstrations, with or without a simulator.

Neither this module nor what it imports needs gensim_envs, Gymnasium or Minari.
"""

from __future__ import annotations

import math
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from agents import files
from agents.data.loader import Loader
from agents.errors import AgentsError, Stopped
from agents.policies.base import Learner, load_weights, make_learner
from agents.training import checkpoint, runs
from agents.training.distributed import Team, bf16_is_native
from agents.training.log import Log
from agents.training.runs import Config

if TYPE_CHECKING:
    from agents.data.demonstrations import Demonstrations

__all__ = ["Config", "Training", "check", "train"]

Validate = Callable[[Path], float]
"""From the folder of a checkpoint to its success, 0..1."""

_AGREE = 10  # steps between the moments when processes ask each other whether to stop


def check(config: Config, settings: Mapping[str, Any] | None = None) -> bool:
    """Finds, before any long work, what would stop `train`, as far as it can be known.

    Returns:
        Whether the run is finished, so that nothing is left to do.

    Raises:
        AgentsError: the folder holds another run, or an option is not allowed.
    """
    found = checkpoint.found(config.out, config.overwrite)
    described = runs.described(config, settings or {})
    if found is None:
        return False
    runs.check_same(config.out, found, described)
    return bool(found["training"]["finished"])


def train(
    config: Config,
    demos: Demonstrations | Callable[[], Demonstrations],
    settings: Mapping[str, Any] | None = None,
    *,
    validate: Validate | None = None,
) -> Path:
    """Trains a learner, or goes on where it was broken off.

    Args:
        config: what to do.
        demos: what to learn from, or what makes it, once the folder is this run's; the first
            `config.demos` of each of `config.envs` are taken.
        settings: hyperparameters of the learner that differ from its defaults.
        validate: measures a checkpoint's success; without it the last weights are kept.

    Returns:
        The folder of the run, `config.out`.

    Raises:
        AgentsError: something does not fit, the loss is not finite, the disk is full ...
        Stopped: on SIGTERM and Ctrl-C, after a checkpoint was written.
    """
    team = Team(config.device)
    try:
        with checkpoint.locked(config.out) if team.first else nullcontext():
            made = demos() if callable(demos) else demos
            Training(config, made, settings or {}, team, validate).run()
    finally:
        team.leave()
    return config.out


class Training:
    """One run: a learner, its optimizer, and how far they are.

    Attributes:
        learner: what is trained.
        done: steps so far.
    """

    def __init__(
        self,
        config: Config,
        demos: Demonstrations,
        settings: Mapping[str, Any],
        team: Team,
        validate: Validate | None = None,
    ) -> None:
        if config.batch_size % team.size:
            raise AgentsError(
                f"a batch of {config.batch_size} cannot be divided among {team.size} processes; "
                f"choose a --batch-size that is a multiple of {team.size}"
            )
        if config.threads:
            torch.set_num_threads(config.threads)
        self._config, self._team = config, team
        self._validate = validate if config.validate_every else None
        self._found = checkpoint.found(config.out, config.overwrite)
        self._described = runs.described(config, settings)
        self._demos = runs.chosen(config, demos)
        self._tokens, width, fingerprint = runs.tokens_of(config, self._demos)
        about = runs.about(config, self._demos, width, fingerprint)
        native = config.precision == "auto" and bf16_is_native(team.device)
        self._bf16 = native or config.precision == "bf16"
        self._described["about"] = about.as_json()
        self._described["training"] |= {
            "dataset": self._demos.sha256(),
            "processes": team.size,
            "computed_in": "bf16" if self._bf16 else "fp32",
        }
        if self._found is not None:
            runs.check_same(config.out, self._found, self._described)

        _seed(torch.device("cpu"), config.seed)  # weights are made there
        self.learner = make_learner(about, self._described["config"]).to(team.device)
        self._optimizer = torch.optim.AdamW(
            self.learner.optimizer_groups(), config.learning_rate,
            weight_decay=config.weight_decay, fused=True,
        )  # fmt: skip
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._average: AveragedModel | None = None
        self.done = 0
        self._spent = {"seconds": 0.0, "stepping": 0.0, "waiting": 0.0}
        self._load()
        self._parallel = team.wrapped(self.learner)

    def _load(self) -> None:
        """Begins with the last checkpoint, else with the run to start from, else afresh."""
        config = self._config
        last = config.out / checkpoint.LAST
        tensors: dict[str, Tensor] = {}
        state: dict[str, Any] | None = None
        if self._found is not None and last.exists():
            tensors, state = checkpoint.load_tensors(last)
            load_weights(self.learner, _under("model.", tensors), last)
        elif config.start_from is not None:
            start = config.start_from / checkpoint.MODEL
            load_weights(self.learner, checkpoint.load_tensors(start)[0], start)
        else:
            self.learner.measure(self._demos)
        if config.ema:
            average = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
            self._average = AveragedModel(self.learner, multi_avg_fn=average)
        if state is not None:
            if self._average is not None:
                self._average.load_state_dict(_under("average.", tensors))
            _load_optimizer(self._optimizer, self.learner, _under("optimizer.", tensors))
            self.done, self._spent = state["step"], state["spent"]

    def run(self) -> None:
        """Trains to the end; see `train`."""
        config, team = self._config, self._team
        if self._found is not None and self._found["training"]["finished"]:
            if team.first:
                print(f"{config.out} is finished; --overwrite trains it anew")
            return
        log = self._opened_log() if team.first else None
        loader = Loader(
            self.learner, self._demos, self._tokens, batch_size=config.batch_size,
            seed=config.seed, steps=config.steps, rank=team.rank, processes=team.size,
            threads=config.loaders, pinned=team.device.type == "cuda",
        )  # fmt: skip
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
            self._record(finished=False)
        log = Log(config.out, config.agent, self.done, config.steps, config.batch_size)
        if self.done:
            log.say(f"going on after step {self.done}")
        if config.validate_every and self._validate is None:
            log.say("no simulator: no validation by success; the last weights are kept")
        return log

    def _loop(self, loader: Loader, log: Log | None, interrupted: threading.Event) -> None:
        config, team = self._config, self._team
        spent, began = dict(self._spent), time.perf_counter()
        self.learner.train()
        loader.start(self.done)
        over = team.any(self._out_of_patience())
        while self.done < config.steps and not over:
            before = time.perf_counter()
            rate = self._rate()
            values = self._step(loader.batch(), rate)
            now = time.perf_counter()
            self._spent["stepping"] += now - before
            self._spent["waiting"] = spent["waiting"] + loader.waiting
            if log is not None:
                log.step(self.done, rate * config.learning_rate, values)
            if self._validate is not None and self._is_due(config.validate_every):
                over = team.any(log is not None and self._validated(self._validate, log))
            asked = (team.size == 1 or self._is_due(_AGREE)) and team.any(interrupted.is_set())
            self._spent["seconds"] = spent["seconds"] + time.perf_counter() - began
            if log is not None and (over or asked or self._is_due(config.checkpoint_every)):
                self._save(log)
            if asked and not over and self.done < config.steps:
                raise Stopped(
                    f"stopped after step {self.done} of {config.steps}; the same command goes on"
                )
        if log is not None:
            self._record(finished=True)
            log.say(self._summary())

    def _is_due(self, every: int) -> bool:
        return self.done % every == 0 or self.done == self._config.steps

    def _rate(self) -> float:
        """The learning rate as a share of its highest: a ramp, then half a cosine."""
        ramp = min(1.0, (self.done + 1) / (self._config.warmup + 1))
        return ramp * 0.5 * (1 + math.cos(math.pi * self.done / self._config.steps))

    def _step(self, batch: dict[str, Tensor], rate: float) -> dict[str, Tensor]:
        """One step; returns the loss, the gradient's norm and the parts of the loss."""
        config, team = self._config, self._team
        # For dropout and the like: as with batches, what is drawn depends on no earlier step.
        _seed(team.device, config.seed, self.done, team.rank)
        for group, highest in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = highest * rate
        batch = {name: t.to(team.device, non_blocking=True) for name, t in batch.items()}
        with torch.autocast(team.device.type, torch.bfloat16, enabled=self._bf16):
            loss, parts = self._parallel(batch)
        self._optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.learner.parameters(), config.clip_norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self.learner)
        self.done += 1
        return {"loss": loss, "norm": norm, **parts}

    # What is written.

    def _weights(self) -> dict[str, Tensor]:
        """The weights to use."""
        source = self.learner if self._average is None else self._average.module
        return dict(source.state_dict())

    def _validated(self, validate: Validate, log: Log) -> bool:
        """Keeps the weights if they are the best; returns whether to stop.

        Among equals the later are kept: validation is coarser than the loss.
        """
        log.flush()
        folder = self._config.out / checkpoint.CANDIDATE
        with files.disk_errors(folder):
            folder.mkdir(exist_ok=True)
        checkpoint.save_json(folder / checkpoint.AGENT, self._described)
        checkpoint.save_tensors(folder / checkpoint.MODEL, self._weights(), {"step": self.done})
        success = validate(folder)
        best = self._best()
        if success >= best.get("success", 0):
            new = success > best.get("success", -1)
            about = {
                "step": self.done,
                "success": success,
                "improved": self.done if new else best["improved"],
            }
            checkpoint.save_tensors(self._config.out / checkpoint.MODEL, self._weights(), about)
        shutil.rmtree(folder)
        log.validated(self.done, success)
        return self._out_of_patience()

    def _best(self) -> dict[str, Any]:
        return checkpoint.load_header(self._config.out / checkpoint.MODEL)

    def _out_of_patience(self) -> bool:
        """Whether validation has not improved for too long.

        What has been reached is told by the weights that are kept, so that it fits them at any
        moment in which the run may be killed.
        """
        best = self._best() if self._validate is not None and self.done else {}
        allowed = self._config.patience * self._config.validate_every
        return "improved" in best and self.done - best["improved"] >= allowed

    def _save(self, log: Log) -> None:
        """Writes all that is needed to go on."""
        log.flush()
        model = self._config.out / checkpoint.MODEL
        if self._validate is None or not model.exists():
            checkpoint.save_tensors(model, self._weights(), {"step": self.done})
        tensors = {f"model.{k}": v for k, v in self.learner.state_dict().items()}
        if self._average is not None:
            tensors |= {f"average.{k}": v for k, v in self._average.state_dict().items()}
        for name, kept in _optimizer_states(self._optimizer, self.learner):
            tensors |= {f"optimizer.{name}.{key}": value for key, value in kept.items()}
        state = {"step": self.done, "spent": self._spent}
        checkpoint.save_tensors(self._config.out / checkpoint.LAST, tensors, state)

    def _record(self, *, finished: bool) -> None:
        """Writes what the run is and how far it is."""
        spent = self._spent
        progress: dict[str, Any] = {"finished": finished}
        if finished:
            progress |= {
                "steps_done": self.done,
                "kept": self._best(),
                "seconds": round(spent["seconds"], 1),
                "samples_per_second": round(self._speed(), 1),
                "waiting_share": round(self._waiting(), 4),
            }
        training = self._described["training"] | progress | {"versions": _versions()}
        value = self._described | {"training": training}
        checkpoint.save_json(self._config.out / checkpoint.AGENT, value)

    def _speed(self) -> float:
        return self.done * self._config.batch_size / max(self._spent["stepping"], 1e-9)

    def _waiting(self) -> float:
        return self._spent["waiting"] / max(self._spent["stepping"], 1e-9)

    def _summary(self) -> str:
        success = self._best().get("success")
        return (
            f"{self.done} steps in {self._spent['seconds']:.0f} s, {self._speed():.0f} samples/s, "
            f"waiting for data {self._waiting():.1%} of the time; "
            + ("" if success is None else f"best validation success {success:.0%}; ")
            + f"the weights are in {self._config.out}"
        )


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _optimizer_states(
    optimizer: torch.optim.Optimizer, learner: Learner
) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The optimizer's state of each parameter, by its name."""
    names = {parameter: name for name, parameter in learner.named_parameters()}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield names[parameter], optimizer.state[parameter]


def _load_optimizer(
    optimizer: torch.optim.Optimizer, learner: Learner, tensors: dict[str, Tensor]
) -> None:
    value, own = optimizer.state_dict(), dict(learner.named_parameters())
    for number, (name, _) in enumerate(_optimizer_states(optimizer, learner)):
        # Moments need the layout of their weights, which a file does not keep: fused AdamW goes
        # through both in the order in which they lie in memory.
        value["state"][number] = {
            key: kept if key == "step" else torch.empty_like(own[name]).copy_(kept)
            for key, kept in _under(f"{name}.", tensors).items()
        }
    optimizer.load_state_dict(value)


def _seed(device: torch.device, *entropy: int) -> None:
    """Seeds torch. Its own manual_seed would take a millisecond, and ever more memory, where CUDA
    is not used: it notes each call with its traceback, for the day when it is.
    """
    number = int(np.random.SeedSequence([*entropy, 1]).generate_state(1)[0])
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Set at the first SIGTERM or Ctrl-C; a second one does what it always does."""
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


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }
