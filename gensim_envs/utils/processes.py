"""Work spread over processes of this machine, through `concurrent.futures.Executor`."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import platform
import re
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from gensim_envs.errors import WorkerError

Result = TypeVar("Result")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PORTABLE = {
    # The C library's sin, exp and others round differently where the processor fuses operations.
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",
    # NumPy's exp, log, arctan2 and others. It ignores names that it or the processor lacks.
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL "
    "AVX512_ICL AVX512_SPR X86_V3 X86_V4",
    "OPENBLAS_CORETYPE": "Prescott",  # matrix products: its kernels for any x86-64
}
"""Environment variables with which a process computes the same bits on every x86-64 processor.

They are read when a process starts, so that setting them in `os.environ` is too late.
"""


def is_portable() -> bool:
    """Whether this process was started with the variables of `PORTABLE`, or ones that include them.

    Only x86-64 chooses among them.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    features = set(re.split(r"[\s,]+", os.environ.get("NPY_DISABLE_CPU_FEATURES", "")))
    return (
        PORTABLE["GLIBC_TUNABLES"] in os.environ.get("GLIBC_TUNABLES", "").split(":")
        and features >= set(PORTABLE["NPY_DISABLE_CPU_FEATURES"].split())
        and os.environ.get("OPENBLAS_CORETYPE") == PORTABLE["OPENBLAS_CORETYPE"]
    )


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def processes(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """An executor of spawned processes with one native thread and portable bits (`PORTABLE`) each.

    They leave Ctrl-C to this process and end with it, however it ends. If the block is left by an
    error, they are terminated at once. A script that calls this needs `if __name__ == "__main__":`.

    Args:
        workers: number of processes; by default one for each core.

    Raises:
        WorkerError: when leaving, if one of the processes ended.
    """
    others = set(multiprocessing.active_children())
    workers = workers or cores()
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_start
    )
    try:
        with _inherited():
            for _ in range(workers):  # all of them start here, and inherit what is set here
                executor.submit(os.getpid)
        yield executor
    except BaseException as error:
        # Only this once, and the executor has to live until its thread has heard of it: else that
        # thread ends with a traceback, since it finds jobs that were cancelled.
        executor.shutdown(wait=False, cancel_futures=True)
        ours = set(multiprocessing.active_children()) - others
        for process in ours:
            process.terminate()
        for process in ours:
            process.join()
        if isinstance(error, BrokenProcessPool):
            raise WorkerError(
                "a worker process died, possibly out of memory; use fewer workers. A script "
                'must start them under `if __name__ == "__main__":`'
            ) from error
        raise
    executor.shutdown()


def in_order(
    executor: Executor, act: Callable[..., Result], jobs: Iterable[tuple[Any, ...]]
) -> Generator[Result, None, None]:
    """Yield `act(*job)` for each job, in the order of the jobs.

    Jobs that have not begun are cancelled when the generator is closed.
    """
    # The executor may start processes here, which must not receive Ctrl-C.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        futures = [executor.submit(act, *job) for job in jobs]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def map_in_order(
    act: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], workers: int | None = None
) -> Generator[Result, None, None]:
    """Yield `act(*job)` for each job, in order, over processes that end with the generator.

    Close it if it may be left early: the processes are then terminated. None is started without
    jobs.

    Args:
        act: a function that can be pickled.
        jobs: its arguments.
        workers: number of processes; by default one for each core.

    Raises:
        WorkerError: if one of the processes ended.
    """
    if jobs:
        with processes(min(workers or cores(), len(jobs))) as executor:
            yield from in_order(executor, act, jobs)


def end_with_parent() -> None:
    """Have this process, which `multiprocessing` started, end when its parent ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


@contextlib.contextmanager
def _inherited() -> Iterator[None]:
    """Processes that start in this block get one native thread, portable bits and no Ctrl-C."""
    settings = {**dict.fromkeys(_THREADS, "1"), **PORTABLE}
    old = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
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
