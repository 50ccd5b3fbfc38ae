"""Helpers of the commands: open libraries, find records and check output folders."""

from __future__ import annotations

import difflib
import math
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from gensim_envs.errors import files_as
from gensim_envs.library import Broken, Library, LibraryError, Record, in_checkout, shipped
from gensim_envs.printing import printable
from gensim_envs.utils.cli import UsageError, number, value
from gensim_envs.utils.text import read_text

Folder = Annotated[
    Path | None,
    arg(
        name="library",
        metavar="DIR",
        help="folder with registry.json; else GENSIM_LIBRARY, else the suite's own",
        help_behavior_hint="",
    ),
]
"""The option of every command that works on a library."""


def _price(text: str) -> tuple[float, float]:
    try:
        prompt, completion = (
            number(part, lambda n: 0 <= n < math.inf, "a price") for part in text.split(",")
        )
    except ValueError:
        raise ValueError(f"{text!r} is not IN,OUT such as 0.15,0.60") from None
    return prompt, completion


Price = Annotated[
    tuple[float, float] | None,
    value(_price, "IN,OUT"),
    arg(help="US dollars for a million tokens of prompts and of answers", help_behavior_hint=""),
]


def open_library(folder: Path | None, *, write: bool = False) -> Library:
    """Open the library that a command works on.

    Args:
        folder: as given by `--library`.
        write: whether the command writes to it.

    Raises:
        UsageError: if there is none to write to, or none to read at that place.
    """
    named = folder or os.environ.get("GENSIM_LIBRARY")
    if not named and write and not in_checkout():
        raise UsageError("there is no library here; use --library DIR or set GENSIM_LIBRARY")
    library = Library.at(named) if named else shipped()
    if write:
        check_writable(library.root)
        library.recover()  # commands that only read change nothing
    elif not os.path.lexists(library.registry):
        raise UsageError(f"{library.registry} does not exist")
    return library


def check_writable(folder: Path) -> None:
    """Check that a folder is writable before long work begins.

    Raises:
        UsageError: if it cannot.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise UsageError(f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{existing} cannot be written")


def find(library: Library, name: str) -> Record:
    """Find a record by id or class name.

    Raises:
        UsageError: if there is none; the message names similar tasks.
        LibraryError: if the record is broken.
    """
    records, broken = library.read()
    for record in records:
        if name in (record.id, record.name):
            return record
    for entry in broken:
        if entry.id == name:
            raise LibraryError(entry.problem)
    ids = {record.name: record.id for record in records}
    wanted = re.sub(r"^.*/|-v\d+$", "", name)
    near = [ids[each] for each in difflib.get_close_matches(wanted, ids)]
    hint = f" Similar: {', '.join(near)}" if near else " See gensim list"
    raise UsageError(f"there is no task {name!r} in {library.registry}.{hint}")


def select(library: Library, names: Sequence[str]) -> tuple[list[Record], list[Broken]]:
    """Find the records of some tasks, or all records, and print the broken ones to stderr.

    Args:
        library: library to search.
        names: ids or class names; all records if empty.

    Returns:
        The records without duplicates, and the broken ones.
    """
    records, broken = library.read()
    if names:
        found = {record.id: record for record in (find(library, name) for name in names)}
        records, broken = list(found.values()), []
    for entry in broken:
        warn(entry.problem)
    return records, broken


def warn(text: str) -> None:
    """Print a line on stderr."""
    print(f"gensim: {printable(text)}", file=sys.stderr)


@files_as(UsageError)
def read(path: Path) -> str:
    """Read a text file that the user named.

    Raises:
        UsageError: if it cannot be read.
    """
    return read_text(path)
