"""The verdict on an attempt, and its file in the folder of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from gensim_envs.errors import Cause, TaskError
from gensim_envs.generation.providers import ApiError
from gensim_envs.generation.recording import Recording, RecordingError, first_problem
from gensim_envs.utils import files

STAGES = ("proposal", "gate", "spec", "oracle", "semantics", "reflection", "published")
"""The checks, in the order in which a task passes them. Novelty is checked along the way and again
before publishing."""
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

    attempt: int
    cause: Cause | None = None
    problem: str = ""
    name: str = ""
    id: str = ""
    proposal: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    refusals: list[list[str]] = field(default_factory=list)
    votes: list[list[str]] = field(default_factory=list)
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    seconds: dict[str, float] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
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

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


_VERDICT = TypeAdapter(Verdict)


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write a verdict and its program into the folder of a run.

    Raises:
        FileError: if they cannot be written.
    """
    path = _path(folder, verdict.attempt)
    data = verdict.to_json()
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
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            program = path.with_suffix(".py")
            data["program"] = program.read_text(encoding="utf-8") if program.exists() else ""
            found.append(_VERDICT.validate_python(data))
            own = _path(folder, found[-1].attempt)
            if path != own:
                raise ValueError(f"its attempt, {found[-1].attempt}, belongs to {own.name}")
        except (OSError, ValueError, TypeError, RecursionError) as error:
            problem = (
                first_problem(error, "the file") if isinstance(error, ValidationError) else error
            )
            raise RecordingError(f"{path} is damaged: {problem}") from error
    return sorted(found, key=lambda verdict: verdict.attempt)


def _path(folder: Path, attempt: int) -> Path:
    return Recording(folder).path(attempt).with_suffix(".json")
