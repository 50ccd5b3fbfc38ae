"""What a run says of itself: a progress bar or lines, log.jsonl and TensorBoard."""

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

from agents import files
from agents.errors import AgentsError
from agents.training import checkpoint

_EVERY = 20  # steps between looks at the loss: each makes a GPU wait


class Log:
    """The log of one run.

    log.jsonl holds what the seed determines and no times: a run that was broken off and went on
    has the same log as one that was not.

    Args:
        folder: of the run.
        agent: what is trained.
        start: steps done so far; later lines, of a run that was killed, are dropped.
        steps: that there are.
        batch_size: samples in a step, for the speed that is shown.
    """

    def __init__(self, folder: Path, agent: str, start: int, steps: int, batch_size: int) -> None:
        self._path = folder / checkpoint.LOG
        files.write(self._path, "".join(_kept(self._path, start)).encode())
        self._pending: list[tuple[int, float, dict[str, Tensor]]] = []
        self._board = _board(folder / checkpoint.TENSORBOARD, start)
        self._bar = _bar(start, steps)
        self._agent = agent
        self._start, self._steps, self._size = start, steps, batch_size
        self._began = time.perf_counter()

    def step(self, done: int, rate: float, values: dict[str, Tensor]) -> None:
        """Notes a step's loss, the norm of its gradient and parts, scalars on any device."""
        self._pending.append((done, rate, {k: v.detach().float() for k, v in values.items()}))
        if self._bar is not None:
            self._bar.update(1)
        if len(self._pending) >= _EVERY:
            self.flush()

    def flush(self) -> None:
        """Writes what is pending.

        Raises:
            AgentsError: a loss is not finite; the weights are worthless since that step.
        """
        rows: list[dict[str, Any]] = []
        for done, rate, values in self._pending:
            row = dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))
            if not all(map(math.isfinite, row.values())):
                self._pending = []
                self._append(rows)
                raise AgentsError(
                    f"{self._agent}: in step {done}, at a learning rate of {rate:.2g}, the loss is "
                    f"{row['loss']} and the norm of its gradient {row['norm']}; try a smaller "
                    "--learning-rate, a longer --warmup or --precision fp32. The last checkpoint "
                    "is from before"
                )
            rows.append({"step": done, **row, "rate": rate})
        self._pending = []
        self._append(rows)
        if rows:
            self._show(rows[-1])

    def validated(self, done: int, success: float) -> None:
        """Notes a validation."""
        self.flush()
        self._append([{"step": done, "validation": success}])
        self.say(f"step {done}: validation success {success:.0%}")

    def say(self, text: str) -> None:
        """Prints a line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the bar and TensorBoard's file."""
        if self._bar is not None:
            self._bar.close()
        if self._board is not None:
            # What it still holds is in log.jsonl too.
            with contextlib.suppress(OSError):
                self._board.close()

    def _append(self, rows: list[dict[str, Any]]) -> None:
        with files.disk_errors(self._path):
            with open(self._path, "a") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
            for row in rows if self._board is not None else ():
                for name, value in row.items():
                    if name != "step":
                        self._board.add_scalar(name, value, row["step"])

    def _show(self, row: dict[str, Any]) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {row['loss']:.4g}")
            return
        twentieth = max(1, self._steps // 20)
        if row["step"] // twentieth == (row["step"] - _EVERY) // twentieth:
            return
        speed = (row["step"] - self._start) / (time.perf_counter() - self._began)
        left = (self._steps - row["step"]) / speed
        self.say(
            f"step {row['step']} of {self._steps}, loss {row['loss']:.4g}, "
            f"{speed * self._size:.0f} samples/s, {left / 60:.1f} min left"
        )


def _kept(path: Path, start: int) -> list[str]:
    """The lines of a log up to a step; a kill may have torn the last one."""
    kept = []
    for line in path.read_text().splitlines(keepends=True) if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row["step"] <= start:
            kept.append(line)
    return kept


def _board(folder: Path, start: int) -> Any:
    """TensorBoard's writer; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=start + 1)


def _bar(start: int, steps: int) -> Any:
    """A progress bar; None without a terminal, and where tqdm is not installed."""
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(initial=start, total=steps, unit="step", dynamic_ncols=True)
