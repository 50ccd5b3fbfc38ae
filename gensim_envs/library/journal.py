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

_TASK_FILE = re.compile(r"generated/(provenance/|completions/)?[a-z][a-z0-9_]*\.(py|json|md)")


@dataclass(frozen=True)
class _Noted:
    """What a journal holds."""

    files: list[str]


class Journal:
    """The journal of one library, to be used by the process that has locked it.

    Args:
        root: the library's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / ".publishing"

    @property
    def exists(self) -> bool:
        """Whether a change was begun and not cleaned up."""
        return os.path.lexists(self._path)

    def begin(self, files: Iterable[str]) -> None:
        """Note the files, below the library's folder, that are about to change."""
        write(self._path, json.dumps({"files": list(files)}).encode())

    def clean_up(self, used: Iterable[str]) -> None:
        """Delete the files in the journal that are not in use, then the journal.

        Args:
            used: programs of the records, below the library's folder. A program's completion and
                provenance, which have the same stem, are in use too.

        Raises:
            LibraryError: the journal is damaged, or names a file that is not a task's.
        """
        stems = {Path(file).stem for file in used}
        for name in self._files():
            path = self._root / name
            for file in leftovers(path):
                remove(file, self._root)
            if path.stem not in stems:
                remove(path, self._root)
        remove(self._path)

    def leftovers(self) -> list[Path]:
        """Temporary files of the journal itself."""
        return leftovers(self._path)

    def _files(self) -> list[str]:
        with files_as(LibraryError, ". Inspect it and delete it", "the journal "):
            files = read(self._path, _Noted, root=self._root).files
        for name in files:
            # A library from elsewhere must not have files deleted that are not its own.
            if not _TASK_FILE.fullmatch(name):
                raise LibraryError(
                    f"the journal {self._path} names {name!r:.60}, which is not a file of a task. "
                    "Inspect it and delete it"
                )
        return files
