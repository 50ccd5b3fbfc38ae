"""The journal of a library: several files change as one, even if the process is killed.

The journal names all files of a change before any of them is touched. New files are written before
registry.json, old ones are deleted after it. So registry.json decides whether the change took
place, and recovery deletes the files in the journal that belong to no record.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gensim_envs.errors import LibraryError, files_as
from gensim_envs.utils.decode import read
from gensim_envs.utils.files import leftovers, remove, write

NAME = ".publishing"
"""The journal's file in the library's folder; only the process that has locked it writes it."""

_TASK_FILE = re.compile(r"generated/(provenance/|completions/)?[a-z][a-z0-9_]*\.(py|json|md)")


@dataclass(frozen=True)
class _Noted:
    """What a journal holds."""

    files: list[str]


def exists(root: Path) -> bool:
    """Whether a change of a library was begun and not cleaned up."""
    return os.path.lexists(root / NAME)


def begin(root: Path, files: Iterable[str]) -> None:
    """Note the files, below the library's folder, that are about to change."""
    write(root / NAME, json.dumps({"files": list(files)}).encode())


def clean_up(root: Path, used: Iterable[str]) -> None:
    """Delete the files in the journal that are not in use, then the journal.

    Args:
        root: the library's folder.
        used: programs of the records, below that folder. A program's completion and provenance,
            which have the same stem, are in use too.

    Raises:
        LibraryError: the journal is damaged, or names a file that is not a task's.
    """
    with files_as(LibraryError, ". Inspect it and delete it", "the journal "):
        files = read(root / NAME, _Noted, root=root).files
    for name in files:
        # A library from elsewhere must not have files deleted that are not its own.
        if not _TASK_FILE.fullmatch(name):
            raise LibraryError(
                f"the journal {root / NAME} names {name!r:.60}, which is not a file of a task. "
                "Inspect it and delete it"
            )
    stems = {Path(file).stem for file in used}
    for path in (root / name for name in files):
        for file in leftovers(path):
            remove(file, root)
        if path.stem not in stems:
            remove(path, root)
    remove(root / NAME)
