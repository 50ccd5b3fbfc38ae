"""Temporary files that do not stay behind, however a process ends.

A process has one folder for all of them and deletes it when it ends. What a killed process leaves
is deleted by a later one. A lock, which the kernel releases, tells them apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

_PREFIX = "gensim-scratch-"
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LAST = -100  # the priority at the end of a process: after its children have ended


@cache
def folder() -> Path:
    """The folder for the temporary files of this process; a forked child gets one of its own.

    Raises:
        OSError: if it cannot be created.
    """
    sweep()
    while True:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with contextlib.suppress(OSError):
            lock = os.open(made, _OPEN)
            # Where folders cannot be locked, nobody sweeps either.
            with contextlib.suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if made.exists():
                break
            os.close(lock)
        # It was swept before it was locked.
    # Unlike atexit, it is called in processes of multiprocessing, and not in forked copies.
    Finalize(None, _delete, (made, lock), exitpriority=_LAST)
    return made


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A folder that lasts as long as the block."""
    with tempfile.TemporaryDirectory(dir=folder()) as made:
        yield Path(made)


def sweep() -> None:
    """Delete the folders of processes of this user that were killed."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(tempfile.gettempdir()):
            if entry.name.startswith(_PREFIX):
                with contextlib.suppress(OSError):
                    _delete_unlocked(Path(entry.path))


def _delete_unlocked(path: Path) -> None:
    lock = os.open(path, _OPEN)
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _delete(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


os.register_at_fork(after_in_child=folder.cache_clear)
