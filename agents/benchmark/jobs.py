"""Jobs in processes of their own, several at once, each after those that it needs."""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from agents.files import disk_errors
from gensim_envs.errors import GensimError
from gensim_envs.utils.processes import end_with_parent


@dataclass(frozen=True)
class Job:
    """Something to do.

    Attributes:
        name: unlike all others'.
        work: is pickled; what it returns is not looked at.
        log: file that gets what it prints, after what is there.
        needs: names of jobs that come first.
    """

    name: str
    work: Callable[[], object]
    log: Path
    needs: frozenset[str] = frozenset()


def run(
    jobs: Sequence[Job], workers: int, done: Callable[[Job, str | None], object]
) -> dict[str, str]:
    """Do all jobs. One that fails takes along those that need it, and the others go on.

    When this process ends, in whatever way, so do theirs.

    Args:
        jobs: in the order in which they are begun; what one needs and is not among them is there.
        workers: how many at once.
        done: called with each job when it has ended, and its error.

    Returns:
        {name: error} of those that failed.
    """
    waiting = {job.name: job for job in jobs}
    running: dict[str, tuple[Job, SpawnProcess, Connection]] = {}
    errors: dict[str, str] = {}

    def ended(job: Job, error: str | None) -> None:
        if error is not None:
            errors[job.name] = error
        done(job, error)

    try:
        while waiting or running:
            for job in list(waiting.values()):
                failed = job.needs & errors.keys()
                if failed:
                    ended(waiting.pop(job.name), f"it needs {min(failed)}, which failed")
                elif len(running) < workers and not job.needs & (waiting.keys() | running.keys()):
                    running[job.name] = (waiting.pop(job.name), *_start(job))
            over = wait([process.sentinel for _, process, _ in running.values()]) if running else []
            for job, process, answer in list(running.values()):
                if process.sentinel in over:
                    del running[job.name]
                    ended(job, _result(process, answer))
    finally:
        for _, process, _ in running.values():
            process.terminate()
        for _, process, _ in running.values():
            process.join()
    return errors


def _start(job: Job) -> tuple[SpawnProcess, Connection]:
    # Spawned, since forking a process that has threads, as PyTorch's does, may hang.
    context = mp.get_context("spawn")
    answer, end = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, end), name=job.name)
    process.start()
    end.close()
    return process, answer


def _result(process: SpawnProcess, answer: Connection) -> str | None:
    """What a process that has ended says: its error or None."""
    process.join()
    with answer:
        try:
            error: str | None = answer.recv()
            return error
        except EOFError:
            if process.exitcode is not None and process.exitcode < 0:
                return f"it was ended by signal {-process.exitcode}, perhaps for want of memory"
            return f"its process ended with code {process.exitcode}"


def _print_into(path: Path) -> None:
    """Have this process print at the end of a file."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8", buffering=1) as log:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
                os.dup2(log.fileno(), stream.fileno())


def _work(job: Job, answer: Connection) -> None:
    """What runs in the process of a job."""
    end_with_parent()
    error = None
    try:
        _print_into(job.log)
        job.work()
    except GensimError as wrong:
        error = str(wrong)
    except Exception as wrong:
        # One cell must not end a benchmark of hours, whatever is wrong with it.
        traceback.print_exc()
        error = f"{type(wrong).__name__}: {wrong} (see {job.log})"
    with contextlib.suppress(OSError):
        answer.send(error)
