"""The errors of the suite. All that a user can fix derive from `GensimError`."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator
from dataclasses import KW_ONLY, asdict, dataclass
from typing import ClassVar, Literal

from gensim_envs.printing import printable

Cause = Literal[
    "api", "parse", "gate", "spec", "runtime", "oracle", "semantics", "novelty", "reflection"
]
"""Where in the pipeline a task can fail; each failure has exactly one of these."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]*")


class GensimError(Exception):
    """Base class of the suite's errors; the message names what is wrong and the remedy.

    Attributes:
        exit_code: of a command that ends with this error: 1 where a check failed or the work could
            not be done, 2 where the command was used wrongly.
    """

    exit_code: ClassVar[int] = 1


class LibraryError(GensimError):
    """A library, or a record or file of it, is invalid."""


class OracleError(GensimError):
    """The oracle knows no action toward the current goal; the message names the goal."""


class PerturbationError(GensimError):
    """A seed's episode cannot be reset with a perturbation; another seed or perturbation may."""


class StateError(GensimError, ValueError):
    """A saved state of an episode is malformed, or not of this environment's task."""


class DatasetError(GensimError):
    """Demonstrations cannot be recorded or read."""


class FileError(GensimError):
    """A file cannot be read, written, removed or locked."""


class SandboxError(GensimError):
    """The sandbox does not work on this machine; no program is to blame."""


class WorkerError(GensimError):
    """Worker processes do not start."""


class CrashError(WorkerError):
    """A worker process, or that of the sandbox, ended before it had an answer."""


@dataclass(eq=False, repr=False)
class TaskError(GensimError):
    """A task is wrong, or one draw of it is.

    Attributes:
        problem: what is wrong, naming the thing.
        remedy: what to do about it.
        cause: the stage that refused.
        goal: number of the goal concerned (from 1), or None.
        line: line of the program concerned (from 1), or None.
        redraw: True where another draw from the same generator may be fine.
    """

    problem: str
    remedy: str = ""
    _: KW_ONLY
    cause: Cause = "spec"
    goal: int | None = None
    line: int | None = None
    redraw: bool = False

    def __post_init__(self) -> None:
        # The address of an object differs from process to process, and models see this text.
        self.problem = _ADDRESS.sub("", self.problem)
        super().__init__(self.problem)

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        where += "" if self.goal is None else f"goal {self.goal}: "
        text = f"{where}{self.problem}" + (f". {self.remedy}" if self.remedy else "")
        return printable(text, lines=True)  # programs write some of it

    def __reduce__(self) -> tuple[object, ...]:
        return (functools.partial(type(self), **asdict(self)), ())


class SightError(TaskError):
    """Something that a task needs cannot be seen."""


class BlindPlayError(TaskError):
    """A task that needs reading can be solved without."""


@contextlib.contextmanager
def blaming(task: str) -> Iterator[None]:
    """Turn whatever a task makes the simulator, judge or oracle raise into a `TaskError`.

    A program of somebody else may describe what passes all checks and still fails later. Errors of
    this suite and of the machine are raised as they are.

    Args:
        task: class name of the task.
    """
    try:
        yield
    except (GensimError, OSError):
        raise
    except Exception as error:
        problem = f"{task} made the suite fail with {type(error).__name__}: {error}"
        raise TaskError(printable(problem, 500), cause="runtime") from error


@contextlib.contextmanager
def files_as(kind: type[GensimError], remedy: str = "", before: str = "") -> Iterator[None]:
    """Turn a `FileError` of the block into another error, with words around its message."""
    try:
        yield
    except FileError as error:
        raise kind(f"{before}{error}{remedy}") from error


@contextlib.contextmanager
def in_goal(number: int) -> Iterator[None]:
    """Name a goal, counted from 1, in each `TaskError` that is raised within."""
    try:
        yield
    except TaskError as error:
        error.goal = number if error.goal is None else error.goal
        raise
