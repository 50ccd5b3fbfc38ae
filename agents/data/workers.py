"""Processes that play episodes: spawned, one native thread each, ending when their parent ends."""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool

from agents.errors import AgentsError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def processes(count: int) -> Iterator[cf.ProcessPoolExecutor]:
    """An executor with `count` processes; leaving drops what has not begun and waits for the rest.

    Ctrl-C reaches the parent only. A script that calls this needs its
    `if __name__ == "__main__":`, as every program that spawns does.

    Raises:
        AgentsError: when leaving, if one of the processes has ended.
    """
    context = multiprocessing.get_context("spawn")
    executor = cf.ProcessPoolExecutor(count, context, initializer=_start)
    try:
        # What is set here is inherited by processes that start here: all of them.
        with _one_thread():
            for _ in range(count):
                executor.submit(os.getpid)
        yield executor
    except BrokenProcessPool as error:
        raise AgentsError(
            "a process that plays ended, perhaps for want of memory. Use fewer workers. A script "
            'must call this under `if __name__ == "__main__":`'
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
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


def _start() -> None:
    """Leave Ctrl-C to the parent, and end when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def end_with_parent() -> None:
    """Have this process, which `multiprocessing` started, end when its parent ends, however."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
