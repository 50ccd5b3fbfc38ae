"""Prepare batches in threads while the network computes."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.data.demonstrations import Demonstrations
from agents.policies.base import Array
from agents.policies.learned import LearnedPolicy
from agents.training.config import TrainConfig
from agents.training.distributed import Distributed

_AHEAD = 4  # batches prepared in advance by each thread


class Loader:
    """Draws and prepares batches.

    Batch k depends only on the seed and k, so a killed run resumes exactly, with any number of
    threads. The task of each sample is drawn uniformly: tasks with long episodes do not dominate.

    Args:
        policy: prepares batches.
        demos: from which samples are drawn.
        tokens: of each instruction.
        config: of the run.
        group: the processes that share a batch.

    Attributes:
        waiting: seconds spent waiting in `batch` so far.
    """

    def __init__(
        self,
        policy: LearnedPolicy,
        demos: Demonstrations,
        tokens: dict[str, Array],
        config: TrainConfig,
        group: Distributed,
    ) -> None:
        self.waiting = 0.0
        self._policy, self._demos, self._tokens = policy, demos, tokens
        self._config, self._group = config, group
        self._of = [demos.steps_of(env) for env in demos.envs]
        torch.get_num_threads()  # settles how many the caller uses before the threads change theirs
        self._pool = ThreadPoolExecutor(
            config.loaders, "loader", initializer=torch.set_num_threads, initargs=(1,)
        )
        self._queue: deque[Future[dict[str, Tensor]]] = deque()
        self._next = 0  # what is prepared next

    def start(self, step: int) -> None:
        """Begin with batch `step`; call this before `batch`."""
        self._next = step
        for _ in range(_AHEAD * self._config.loaders):
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
        rng = np.random.default_rng([self._config.seed, step])
        envs = rng.integers(len(self._of), size=self._config.batch_size)
        return np.array([rng.choice(self._of[env]) for env in envs])

    def _submit(self) -> None:
        if self._next < self._config.steps:
            self._queue.append(self._pool.submit(self._prepared, self._next))
            self._next += 1

    def _prepared(self, step: int) -> dict[str, Tensor]:
        group = self._group
        samples = [self._demos[int(k)] for k in self.drawn(step)[group.rank :: group.size]]
        tokens = [self._tokens[sample.instruction] for sample in samples]
        # A third number: a trailing 0 would seed the same generator as the draw's.
        rng = np.random.default_rng([self._config.seed, step, 1 + group.rank])
        batch = self._policy.prepare(samples, tokens, rng, train=True)
        pinned = group.device.type == "cuda"
        return {k: t.pin_memory() for k, t in batch.items()} if pinned else batch
