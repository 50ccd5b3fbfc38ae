"""The verdict on an attempt, and its file in the folder of a run."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_args

from gensim_envs.errors import Cause, TaskError, files_as
from gensim_envs.generation.providers import ApiError
from gensim_envs.generation.recording import Count, Recording, RecordingError, Seconds
from gensim_envs.utils import files
from gensim_envs.utils.decode import Range, Size, Text, read
from gensim_envs.utils.text import read_text

STAGES = ("proposal", "gate", "spec", "oracle", "semantics", "reflection", "published")
"""The checks, in the order in which a task passes them. Novelty is checked along the way and again
before publishing."""
Pair = Annotated[list[Text], Size(2, 2)]
_MOST_BYTES = 2**22  # of a program, which the gate may have refused as too long
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""All causes for which an attempt can be refused."""


@dataclass
class Verdict:
    """The result of one attempt.

    Attributes:
        attempt: number of the attempt.
        cause: why it was refused, or None if it was accepted.
        problem: the refusal in words, with the remedy.
        name: class name of the task; "" if none was proposed.
        id: id of the record, if it was accepted.
        proposal: the model's proposal.
        references: tasks whose code was shown.
        passed: stages that the last program passed.
        first: stages that the first program passed, before any repair.
        refusals: [cause, message] of each program that was refused and repaired.
        votes: [vote, reason] of each critic.
        tokens: numbers of tokens in prompts and in answers.
        seconds: "model": waiting for answers; "total": from start to end.
        cuts: calls whose prompt was cut to fit the model's context, and how often.
        changed: calls that a replay answered although their prompt has changed.
        program: source of the last program; "" if there is none.
    """

    attempt: Annotated[int, Range(1, 10**6)]
    cause: Cause | None = None
    problem: Text = ""
    name: str = ""
    id: str = ""
    proposal: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    refusals: list[Pair] = field(default_factory=list)
    votes: list[Pair] = field(default_factory=list)
    tokens: Annotated[list[Count], Size(2, 2)] = field(default_factory=lambda: [0, 0])
    seconds: dict[str, Seconds] = field(default_factory=dict)
    cuts: dict[str, Count] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    program: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the task is in the library."""
        return self.cause is None

    def refuse(self, error: TaskError | ApiError) -> None:
        """Note why the attempt was refused."""
        self.cause = error.cause if isinstance(error, TaskError) else "api"
        self.problem, self.id = str(error), ""
        if self.cause == "api" and self.refusals:
            cause, message = self.refusals[-1]
            self.problem += f". Before, the program was refused ({cause}): {message}"


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write a verdict and its program into the folder of a run.

    Raises:
        FileError: if they cannot be written.
    """
    path = _path(folder, verdict.attempt)
    data = asdict(verdict)
    if program := data.pop("program"):
        files.write(path.with_suffix(".py"), program.encode(), folder)
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    files.write(path, text.encode(errors="replace"), folder)


def read_verdicts(folder: Path) -> list[Verdict]:
    """The verdicts of a run, in order.

    Raises:
        RecordingError: if one is damaged.
    """
    found = []
    for path in sorted((folder / "attempts").glob("[0-9]*.json")):
        with files_as(RecordingError):
            verdict = read(path, Verdict, root=folder)
            program = path.with_suffix(".py")
            if os.path.lexists(program):
                verdict.program = read_text(program, "program", folder, _MOST_BYTES)
        if path != (own := _path(folder, verdict.attempt)):
            raise RecordingError(
                f"{path} is malformed: its attempt, {verdict.attempt}, belongs to {own.name}"
            )
        found.append(verdict)
    return sorted(found, key=lambda verdict: verdict.attempt)


def _path(folder: Path, attempt: int) -> Path:
    return Recording(folder).path(attempt).with_suffix(".json")
