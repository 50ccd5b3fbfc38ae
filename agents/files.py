"""Files that are there as a whole or not at all, and what a disk refuses."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.errors import AgentsError


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns what a disk refuses into an error with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AgentsError(
                f"no space is left for {path}; free some and start the same command again: "
                "training goes on from its last checkpoint"
            ) from error
        raise AgentsError(f"{path} cannot be written: {error.strerror or error}") from error


def write(path: Path, content: bytes) -> None:
    """Puts a file in place as a whole: a reader sees the old content or the new, never a part.

    Raises:
        AgentsError: the disk is full or refuses; the old file stays.
    """
    part = path.with_name(path.name + ".part")
    with disk_errors(path):
        try:
            with open(part, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
