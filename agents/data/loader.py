"""Prepare batches in threads while the network computes."""

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
"""Batches prepared in advance by each thread."""


class Loader:
    """Draws and prepares batches.

    Batch k depends only on the seed and k, so a killed run resumes exactly, with any number of
    threads. The task of each sample is drawn uniformly: tasks with long episodes do not dominate.

    Args:
        policy: prepares batches.
        demos: from which samples are drawn.
        tokens: of each instruction.
        batch_size: of all processes together.
        seed: of the run.
        steps: number of batches.
        rank: of this process.
        processes: number of processes that share a batch.
        threads: number of threads that prepare batches.
        pinned: whether to put batches into pinned memory, for a GPU.

    Attributes:
        waiting: seconds spent waiting in `batch` so far.
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
        """Begin with batch `step`; call this before `batch`."""
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
        """Stop the threads."""
        self._pool.shutdown(cancel_futures=True)

    def drawn(self, step: int) -> NDArray[np.int64]:
        """Indices of the samples of batch `step`, of all processes."""
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
