"""Run jobs in processes, several at once, each after those that it depends on."""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from gensim_envs.errors import GensimError
from gensim_envs.utils import files
from gensim_envs.utils.processes import end_children, end_with_parent


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
    jobs: Sequence[Job], workers: int, done: Callable[[Job, dict[str, str]], object]
) -> dict[str, str]:
    """Run jobs. If one fails, those that need it fail too, and the others continue.

    When this process ends, the processes of the jobs end with it.

    Args:
        jobs: in the order in which they start; needs that are not among them count as done.
        workers: number of processes.
        done: called with each job that has ended, and {name: error} of those that failed so far.

    Returns:
        {name: error} of those that failed.
    """
    waiting = {job.name: job for job in jobs}
    running: dict[Future[str | None], tuple[Job, ProcessPoolExecutor]] = {}
    errors: dict[str, str] = {}
    # Spawned, since forking a process that has threads, as PyTorch's does, may hang.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())

    def finish(job: Job, error: str | None) -> None:
        if error is not None:
            errors[job.name] = error
        done(job, errors)

    try:
        while waiting or running:
            for job in list(waiting.values()):
                unfinished = waiting.keys() | {other.name for other, _ in running.values()}
                if failed := job.needs & errors.keys():
                    finish(waiting.pop(job.name), f"it needs {min(failed)}, which failed")
                elif len(running) < workers and not job.needs & unfinished:
                    # Of its own: a process that is killed would break one that others share.
                    executor = ProcessPoolExecutor(1, context, initializer=end_with_parent)
                    running[executor.submit(_work, waiting.pop(job.name))] = job, executor
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job, executor = running.pop(future)
                executor.shutdown()
                broken = isinstance(future.exception(), BrokenProcessPool)
                died = "its process was killed, possibly out of memory"
                finish(job, died if broken else future.result())
    finally:
        end_children(others)
    return errors


def _work(job: Job) -> str | None:
    """Run a job, in its process; returns its error."""
    try:
        _redirect_output(job.log)
        job.work()
    except GensimError as error:
        return str(error)
    except Exception as error:
        # One experiment must not end a benchmark of hours, whatever is wrong with it.
        traceback.print_exc()
        return f"{type(error).__name__}: {error} (see {job.log})"
    return None


def _redirect_output(path: Path) -> None:
    """Append the output of this process to a file."""
    with files.open_appending(path) as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())
