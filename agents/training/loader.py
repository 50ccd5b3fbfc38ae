"""Prepare batches in threads while the network computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
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


def batches(
    policy: LearnedPolicy, demos: Demonstrations, tokens: dict[str, Array], config: TrainConfig,
    group: Distributed, start: int,
) -> Generator[dict[str, Tensor], None, None]:  # fmt: skip
    """Draw and prepare batches, in threads that end when the generator is closed.

    Batch k depends only on the seed and k, so a killed run resumes exactly, with any number of
    threads.

    Args:
        policy: prepares batches.
        demos: from which samples are drawn.
        tokens: of each instruction.
        config: of the run.
        group: the processes that share a batch.
        start: number of the first batch.
    """
    steps = [demos.steps_of(env) for env in demos.envs]

    def prepared(number: int) -> dict[str, Tensor]:
        indices = sample_indices(steps, config, number)[group.rank :: group.size]
        samples = [demos[int(k)] for k in indices]
        own = [tokens[sample.instruction] for sample in samples]
        # A third number: a trailing 0 would seed the same generator as the draw's.
        rng = np.random.default_rng([config.seed, number, 1 + group.rank])
        batch = policy.prepare(samples, own, rng)
        pinned = group.device.type == "cuda"
        return {k: t.pin_memory() for k, t in batch.items()} if pinned else batch

    torch.get_num_threads()  # settles how many the caller uses before the threads change theirs
    pool = ThreadPoolExecutor(
        config.loaders, "loader", initializer=torch.set_num_threads, initargs=(1,)
    )
    queue: deque[Future[dict[str, Tensor]]] = deque()
    try:
        for number in range(start, config.steps):
            queue.append(pool.submit(prepared, number))
            if len(queue) > _AHEAD * config.loaders:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def sample_indices(
    steps: Sequence[NDArray[np.int64]], config: TrainConfig, number: int
) -> NDArray[np.int64]:
    """Indices of the samples of a batch, of all processes.

    The task of each sample is drawn uniformly: tasks with long episodes do not dominate.

    Args:
        steps: indices of the steps of each task.
        config: of the run.
        number: of the batch.
    """
    rng = np.random.default_rng([config.seed, number])
    envs = rng.integers(len(steps), size=config.batch_size)
    return np.array([rng.choice(steps[env]) for env in envs])
