"""Logs of a run: progress, log.jsonl and TensorBoard."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents import checkpoint
from agents.errors import AgentsError
from agents.training.config import TrainConfig
from gensim_envs.utils import files
from gensim_envs.utils.decode import DecodeError, decode, parse
from gensim_envs.utils.progress import Progress
from gensim_envs.utils.text import read_text

_EVERY = 20  # steps between reads of the loss, each of which synchronises with the GPU


class Log:
    """The log of one run.

    log.jsonl depends on the seed only, not on time: a run that was interrupted and resumed has the
    same log as one that was not.

    Args:
        config: of the run.
        start: steps done so far; later lines of log.jsonl are dropped.
    """

    def __init__(self, config: TrainConfig, start: int) -> None:
        self._config, self._start = config, start
        self._path = config.out / checkpoint.LOG
        files.write(self._path, "".join(_kept(self._path, start)).encode())
        self._pending: list[tuple[int, float, dict[str, Tensor]]] = []
        self._board = _board(config.out / checkpoint.TENSORBOARD, start)
        self._progress = Progress(config.steps, unit="step", done=start)
        self._began = time.perf_counter()

    def step(self, done: int, rate: float, values: dict[str, Tensor]) -> None:
        """Log the loss of a step, the norm of its gradient and other scalars."""
        self._pending.append((done, rate, {k: v.detach().float() for k, v in values.items()}))
        self._progress.advance()
        if len(self._pending) >= _EVERY:
            self.flush()

    def flush(self) -> None:
        """Write pending steps.

        Raises:
            AgentsError: if a loss is not finite; the weights are useless since that step.
        """
        rows: list[dict[str, Any]] = []
        for done, rate, values in self._pending:
            row = dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))
            if not all(map(math.isfinite, row.values())):
                self._pending = []
                self._append(rows)
                raise AgentsError(
                    f"{self._config.policy}: in step {done}, at a learning rate of {rate:.2g}, the "
                    f"loss is {row['loss']} and the norm of its gradient {row['norm']}; try a "
                    "smaller --learning-rate, a longer --warmup or --precision fp32. The last "
                    "checkpoint was saved before this step"
                )
            rows.append({"step": done, **row, "rate": rate})
        self._pending = []
        self._append(rows)
        if rows:
            self._show(rows[-1])

    def validated(self, done: int, success: float) -> None:
        """Log a validation."""
        self.flush()
        self._append([{"step": done, "validation": success}])
        self.line(f"step {done}: validation success {success:.0%}")

    def finished(self, done: int, progress: dict[str, Any]) -> None:
        """Print how the run went."""
        success = progress["kept"].get("success")
        self.line(
            f"{done} steps in {progress['seconds']:.0f} s, "
            f"{progress['samples_per_second']:.0f} samples/s, "
            f"waiting for data {progress['waiting_share']:.1%} of the time; "
            + ("" if success is None else f"best validation success {success:.0%}; ")
            + f"the weights are in {self._config.out}"
        )

    def line(self, text: str) -> None:
        """Print a line."""
        self._progress.line(text, sys.stderr)

    def close(self) -> None:
        """Close the progress bar and the file of TensorBoard."""
        self._progress.close()
        if self._board is not None:
            # What it still buffers is in log.jsonl too.
            with contextlib.suppress(OSError):
                self._board.close()

    def _append(self, rows: list[dict[str, Any]]) -> None:
        files.append(self._path, "".join(json.dumps(row) + "\n" for row in rows).encode())
        for row in rows if self._board is not None else ():
            for name, value in row.items():
                if name != "step":
                    self._board.add_scalar(name, value, row["step"])

    def _show(self, row: dict[str, Any]) -> None:
        if self._progress.visible:
            self._progress.advance(0, loss=f"{row['loss']:.4g}")
            return
        step, steps = row["step"], self._config.steps
        interval = max(1, steps // 20)
        if step // interval > (step - _EVERY) // interval:
            speed = (step - self._start) / (time.perf_counter() - self._began)
            self.line(
                f"step {step} of {steps}, loss {row['loss']:.4g}, "
                f"{speed * self._config.batch_size:.0f} samples/s, "
                f"{(steps - step) / speed / 60:.1f} min left"
            )


def _kept(path: Path, start: int) -> list[str]:
    """The lines of a log up to a step; the last one may be incomplete after a kill."""
    kept = []
    for line in read_text(path, "log").splitlines(keepends=True) if path.exists() else ():
        with contextlib.suppress(DecodeError):
            step = decode(dict[str, Any], parse(line)).get("step")
            if isinstance(step, int) and step <= start:
                kept.append(line)
    return kept


def _board(folder: Path, start: int) -> Any:
    """The writer of TensorBoard; None if it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=start + 1)
