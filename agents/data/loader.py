"""Batches, prepared in threads while the network computes."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.policies.base import Array
from agents.policies.learned import LearnedPolicy

if TYPE_CHECKING:
    from agents.data.demonstrations import Demonstrations

AHEAD = 4
"""Batches that wait to be used, for each thread; compressed images make them the largest thing."""


class Loader:
    """Draws and prepares batch after batch.

    Batch k is a function of the seed and k alone, so that a run goes on after a kill as if nothing
    had happened, whatever the number of threads. Each step of a batch is of a task drawn evenly,
    so that tasks with long episodes do not crowd out the others.

    Args:
        policy: prepares batches.
        demos: what to draw from.
        tokens: those of each instruction.
        batch_size: of all processes together.
        seed: of the run.
        steps: batches there are.
        rank: which of the processes this is.
        processes: among which a batch is divided.
        threads: how many prepare batches.
        pinned: whether to put them where a GPU fetches them fast.

    Attributes:
        waiting: seconds that `batch` has waited so far.
    """

    def __init__(
        self,
        policy: LearnedPolicy,
        demos: Demonstrations,
        tokens: dict[str, Array],
        *,
        batch_size: int,
        seed: int,
        steps: int,
        rank: int = 0,
        processes: int = 1,
        threads: int = 1,
        pinned: bool = False,
    ) -> None:
        self.waiting = 0.0
        self._policy, self._demos, self._tokens = policy, demos, tokens
        self._size, self._seed, self._steps = batch_size, seed, steps
        self._rank, self._processes, self._pinned = rank, processes, pinned
        self._of = [demos.steps_of(env) for env in demos.envs]
        torch.get_num_threads()  # settles how many the caller uses before the threads change theirs
        self._pool = ThreadPoolExecutor(
            threads, "loader", initializer=torch.set_num_threads, initargs=(1,)
        )
        self._ahead = AHEAD * threads
        self._queue: deque[Future[dict[str, Tensor]]] = deque()
        self._next = 0  # what is prepared next

    def start(self, step: int) -> None:
        """Begins with a batch; to be called before `batch`."""
        self._next = step
        for _ in range(self._ahead):
            self._submit()

    def batch(self) -> dict[str, Tensor]:
        """The next batch."""
        began = time.perf_counter()
        batch = self._queue.popleft().result()
        self.waiting += time.perf_counter() - began
        self._submit()
        return batch

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)

    def drawn(self, step: int) -> NDArray[np.int64]:
        """Indices of the steps of demonstrations in batch `step`, of all processes."""
        rng = np.random.default_rng([self._seed, step])
        envs = rng.integers(len(self._of), size=self._size)
        return np.array([rng.choice(self._of[env]) for env in envs])

    def _submit(self) -> None:
        if self._next < self._steps:
            self._queue.append(self._pool.submit(self._prepared, self._next))
            self._next += 1

    def _prepared(self, step: int) -> dict[str, Tensor]:
        samples = [self._demos[int(k)] for k in self.drawn(step)[self._rank :: self._processes]]
        tokens = [self._tokens[sample.instruction] for sample in samples]
        # A third number: a trailing 0 would seed the same generator as the draw's.
        rng = np.random.default_rng([self._seed, step, 1 + self._rank])
        batch = self._policy.prepare(samples, tokens, rng, train=True)
        return {k: t.pin_memory() for k, t in batch.items()} if self._pinned else batch
