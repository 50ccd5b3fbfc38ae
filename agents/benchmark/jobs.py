"""Run jobs in processes, several at once, each after those that it depends on."""

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

from gensim_envs.errors import GensimError
from gensim_envs.utils import files
from gensim_envs.utils.processes import end_with_parent


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        name: unique.
        work: is pickled; its result is ignored.
        log: file to which its output is appended.
        needs: names of jobs that must be done before.
    """

    name: str
    work: Callable[[], object]
    log: Path
    needs: frozenset[str] = frozenset()


def run(
    jobs: Sequence[Job], workers: int, done: Callable[[Job, str | None], object]
) -> dict[str, str]:
    """Run jobs. If one fails, those that need it fail too, and the others continue.

    When this process ends, the processes of the jobs end with it.

    Args:
        jobs: in the order in which they start; needs that are not among them count as done.
        workers: number of processes.
        done: called with each job that has ended, and its error.

    Returns:
        {name: error} of those that failed.
    """
    waiting = {job.name: job for job in jobs}
    running: dict[str, tuple[Job, SpawnProcess, Connection]] = {}
    errors: dict[str, str] = {}

    def finish(job: Job, error: str | None) -> None:
        if error is not None:
            errors[job.name] = error
        done(job, error)

    try:
        while waiting or running:
            for job in list(waiting.values()):
                failed = job.needs & errors.keys()
                if failed:
                    finish(waiting.pop(job.name), f"it needs {min(failed)}, which failed")
                elif len(running) < workers and not job.needs & (waiting.keys() | running.keys()):
                    running[job.name] = (waiting.pop(job.name), *_start(job))
            ended = (
                wait([process.sentinel for _, process, _ in running.values()]) if running else []
            )
            for job, process, answer in list(running.values()):
                if process.sentinel in ended:
                    del running[job.name]
                    finish(job, _result(process, answer))
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
    """The error of a process that has ended, or None."""
    process.join()
    with answer:
        try:
            error: str | None = answer.recv()
            return error
        except EOFError:
            if process.exitcode is not None and process.exitcode < 0:
                return f"it was killed by signal {-process.exitcode}, perhaps for want of memory"
            return f"its process ended with code {process.exitcode}"


def _redirect_output(path: Path) -> None:
    """Append the output of this process to a file."""
    files.append(path, b"")
    with open(path, "a", encoding="utf-8", buffering=1) as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())


def _work(job: Job, answer: Connection) -> None:
    """Run a job, in its process."""
    end_with_parent()
    error = None
    try:
        _redirect_output(job.log)
        job.work()
    except GensimError as wrong:
        error = str(wrong)
    except Exception as wrong:
        # One experiment must not end a benchmark of hours, whatever is wrong with it.
        traceback.print_exc()
        error = f"{type(wrong).__name__}: {wrong} (see {job.log})"
    with contextlib.suppress(OSError):
        answer.send(error)
