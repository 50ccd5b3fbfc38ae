"""Work spread over processes of this machine, through `concurrent.futures.Executor`."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import platform
import queue
import re
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, ParamSpec, TypeVar

from gensim_envs.errors import CrashError, WorkerError
from gensim_envs.utils import scratch

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
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
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class _Worker:
    """One process, and its answer once it has started."""

    pool: ProcessPoolExecutor
    started: Future[int]


class _Processes(ThreadPoolExecutor):
    """Threads that pass each job on to a process of its own, which is renewed when it dies.

    A `ProcessPoolExecutor` whose process dies loses all of its jobs, and does not know which of
    them the process was working on.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self._lock = threading.Lock()
        self._terminated = False
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(workers):
            self._idle.put(self._start())

    def submit(
        self, act: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """A future whose job is tried again once if its process dies, and then a `CrashError`."""
        return super().submit(self._work, act, *args, **kwargs)

    def end(self) -> None:
        """End the processes once all jobs are done."""
        self.shutdown()
        while not self._idle.empty():
            self._idle.get().pool.shutdown()

    def terminate(self, others: set[multiprocessing.process.BaseProcess]) -> None:
        """End the processes at once, which are all children of this one but `others`."""
        self.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._terminated = True
        end_children(others)
        self.end()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        with self._lock, _inherited():  # the process starts here, and inherits what is set here
            if self._terminated:
                raise CrashError("the work was stopped")
            pool = ProcessPoolExecutor(1, context, initializer=_start)
            return _Worker(pool, pool.submit(os.getpid))

    def _work(
        self, act: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        worker = self._idle.get()
        try:
            for _ in range(2):
                try:
                    worker.started.result()
                except BrokenProcessPool:
                    raise WorkerError(
                        "a worker process ended as it started, possibly out of memory; use fewer "
                        'workers. A script must start them under `if __name__ == "__main__":`'
                    ) from None
                try:
                    return worker.pool.submit(act, *args, **kwargs).result()
                except BrokenProcessPool:
                    worker.pool.shutdown()
                    worker = self._start()
        finally:
            self._idle.put(worker)
        raise CrashError("a worker process died twice at the same work, possibly out of memory")


@contextlib.contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """An executor of spawned processes with one native thread and portable bits (`PORTABLE`) each.

    They leave Ctrl-C to this process and end with it, however it ends. If the block is left by an
    error, they are terminated at once. A process that dies is replaced, and its job is tried once
    more; if it dies again, the job's future raises `CrashError`. The future raises `WorkerError` if
    no process starts: a script that calls this needs `if __name__ == "__main__":`.

    Args:
        workers: number of processes; by default one for each core.
    """
    others = set(multiprocessing.active_children())
    executor = _Processes(workers or cores())
    try:
        yield executor
    except BaseException:
        executor.terminate(others)
        raise
    executor.end()


def in_order(
    executor: Executor,
    act: Callable[..., Result],
    jobs: Iterable[tuple[Any, ...]],
    crashed: Callable[[CrashError], Result] | None = None,
) -> Generator[Result, None, None]:
    """Yield `act(*job)` for each job, in the order of the jobs.

    Jobs that have not begun are cancelled when the generator is closed.

    Args:
        executor: runs the jobs.
        act: a function that can be pickled.
        jobs: its arguments.
        crashed: gives the result of a job that ended its process; by default the error is raised.
    """
    # The executor may start processes here, which must not receive Ctrl-C.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        futures = [executor.submit(act, *job) for job in jobs]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        for future in futures:
            try:
                result = future.result()
            except CrashError as error:
                if crashed is None:
                    raise
                result = crashed(error)
            yield result
    finally:
        for future in futures:
            future.cancel()


def map_in_order(
    act: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int | None = None,
    crashed: Callable[[CrashError], Result] | None = None,
) -> Generator[Result, None, None]:
    """Yield `act(*job)` for each job, in order, over processes that end with the generator.

    Close it if it may be left early: the processes are then terminated. None is started without
    jobs.

    Args:
        act: a function that can be pickled.
        jobs: its arguments.
        workers: number of processes; by default one for each core.
        crashed: as for `in_order`.

    Raises:
        WorkerError: if the processes do not start, or one of them ended.
    """
    if jobs:
        with processes(min(workers or cores(), len(jobs))) as executor:
            yield from in_order(executor, act, jobs, crashed)


def end_children(others: set[multiprocessing.process.BaseProcess]) -> None:
    """End all processes that this one has started but `others`, at once."""
    ours = set(multiprocessing.active_children()) - others
    for process in ours:
        process.terminate()
    for process in ours:
        process.join()
    scratch.sweep()  # they were in no position to delete their own files


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
    resource_tracker.ensure_running()  # when it starts, it unblocks Ctrl-C in this thread
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
