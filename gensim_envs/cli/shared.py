"""What commands share: options, the library they are about, progress, and errors of use."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from gensim_envs.errors import GensimError
from gensim_envs.library import Library, LibraryError, Record, in_checkout, shipped

Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
"""Declares a command: its name, what runs it, what it is for."""


class UsageError(GensimError):
    """The command cannot be done as it was given; the message says how it can."""


# Values of options.


def workers(sub: argparse.ArgumentParser) -> None:
    """The option of every command that uses processes."""
    sub.add_argument("--workers", type=positive, help="processes; all cores if not given")


def positive(text: str) -> int:
    """A whole number from 1."""
    return whole(text, 1)


def seed(text: str) -> int:
    """A whole number from 0."""
    return whole(text, 0)


def video_path(text: str) -> Path:
    """A file name for a video."""
    path = Path(text)
    if path.suffix != ".mp4" or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no file name that ends in .mp4")
    return path


def price(text: str) -> tuple[float, float]:
    """US dollars for a million tokens of prompts, and of answers."""
    try:
        prompt, completion = (float(part) for part in text.split(","))
        if not (0 <= prompt < math.inf and 0 <= completion < math.inf):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IN,OUT such as 0.15,0.60") from None
    return prompt, completion


def whole(text: str, least: int) -> int:
    """A whole number from `least`."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least}")
    return int(text)


# Where things are.


def need(*modules: str) -> None:
    """Say what is to be installed before anything long begins."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise UsageError(f'{module} is missing. pip install "gensim-envs[llm]"')


def library_of(options: argparse.Namespace, write: bool = False) -> Library:
    """The library that a command is about.

    Raises:
        UsageError: where there is none to write to, or none to read at the place given.
    """
    named = options.library or os.environ.get("GENSIM_LIBRARY")
    if not named and write and not in_checkout():
        raise UsageError("there is no library here; say --library DIR or set GENSIM_LIBRARY")
    library = Library(Path(os.path.expanduser(named)).resolve()) if named else shipped()
    if write:
        check_writable(library.root)
    elif not library.registry.exists():
        raise UsageError(f"{library.registry} does not exist")
    library.recover()
    return library


def check_writable(folder: Path) -> None:
    """Say so now: what is to be written is known only after minutes."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise UsageError(f"{there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{there} cannot be written")


def find(library: Library, name: str) -> Record:
    """A record by id or class name.

    Raises:
        UsageError: with the nearest names.
        LibraryError: where the record is broken.
    """
    records, broken = library.read()
    for record in records:
        if name in (record.id, record.name):
            return record
    for entry in broken:
        if entry.id == name:
            raise LibraryError(entry.problem)
    near = difflib.get_close_matches(name, [record.id for record in records], 3, 0.3)
    hint = f" Near it: {', '.join(near)}" if near else " See gensim list"
    raise UsageError(f"there is no task {name!r} in {library.registry}.{hint}")


def read(path: Path) -> str:
    """A file's text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


class Bar:
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self, total: int, title: str) -> None:
        self._bar = tqdm(total=total, desc=title, leave=False, disable=not sys.stderr.isatty())

    def expect(self, total: int) -> None:
        """Say how many steps there will be, where that is known only now."""
        self._bar.reset(total)

    def tick(self, step: object = None) -> None:
        """One more step is done."""
        self._bar.update(1)

    def say(self, line: str) -> None:
        """A line that stays."""
        self._bar.clear()
        print(line, flush=True)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
