"""The pipeline with few draws and few episodes, in one process: all parts are real, and quick.

As a script it is the `gensim` command, and kills itself where it is told to:

    python tests/quick.py WRITES EPISODES generate ...

dies after it has written so many of a library's files, or before it plays the next episode after
so many; 0 is never.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from gensim_envs.cli import main
from gensim_envs.generation import check, sight, validate
from gensim_envs.library import journal, library
from gensim_envs.utils import processes

Patch = Callable[[object, str, Any], object]


def one_thread(workers: int | None = None) -> Executor:
    """Stands in for `processes.processes`."""
    return ThreadPoolExecutor(1)


def few_episodes(patch: Patch) -> None:
    """Two seeds instead of twenty, of which none may fail, and little blind play and sight."""
    patch(validate, "CERTIFICATE", range(2))
    patch(validate, "BLIND", range(100, 102))
    patch(sight, "STARTS", range(2))
    patch(validate, "NEEDED", 2)


def quicken(patch: Patch) -> None:
    """Have all of it done in little time; `patch` is `setattr` or undoes it later."""
    few_episodes(patch)
    patch(check, "SURVEY", range(1_000, 1_010))
    patch(processes, "processes", one_thread)


def _dies(act: Callable[..., Any], after: int, *, before: bool) -> Callable[..., Any]:
    """`act`, which kills the process at its call number `after` + `before`."""
    count = 0

    def counted(*arguments: Any) -> Any:
        nonlocal count
        if before and after and count == after:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        result = act(*arguments)
        if not before and count == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return counted


if __name__ == "__main__":
    quicken(setattr)
    writes, episodes = map(int, sys.argv[1:3])
    library.write = journal.write = _dies(library.write, writes, before=False)
    validate.run_episode = _dies(validate.run_episode, episodes, before=True)
    sys.exit(main(sys.argv[3:]))
