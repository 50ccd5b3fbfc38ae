"""The processes that play, seen from their parent."""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self

from gensim_envs.datasets import worker
from gensim_envs.datasets.folder import DatasetError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Pool:
    """Processes that play, started when first needed; leaving waits for what they are at."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._executor = cf.ProcessPoolExecutor(
            size, multiprocessing.get_context("spawn"), initializer=worker.start
        )
        self._warm = False

    def submit(self, act: Callable[..., Any], *args: Any) -> cf.Future[Any]:
        """Have a process call a function."""
        if not self._warm:
            self._warm = True
            with _for_children():
                for _ in range(self.size):
                    self._executor.submit(worker.warm_up)
        return self._executor.submit(act, *args)

    def result(self, future: cf.Future[Any], what: str) -> Any:
        """What the function returned.

        Raises:
            OSError: where the disk did not take it.
            DatasetError: naming `what`, where it failed otherwise.
        """
        try:
            return future.result()
        except OSError:
            raise
        except BrokenProcessPool as error:
            raise DatasetError(
                f"{what}: a worker process ended, perhaps for want of memory. Run it again with "
                "fewer workers: finished episodes are kept. In a script, call record under "
                '`if __name__ == "__main__":`'
            ) from error
        except Exception as error:
            raise DatasetError(f"{what}: {type(error).__name__}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _for_children() -> Iterator[None]:
    """What processes started in this block inherit: no Ctrl-C, and one native thread each."""
    old = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for name, value in old.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
