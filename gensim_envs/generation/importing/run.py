"""Import many programs: record, translate, try and publish each, and report how far it got."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from gensim_envs.errors import BlindPlayError, FileError, LibraryError, SightError, TaskError
from gensim_envs.generation import validate
from gensim_envs.generation.importing.translate import Translation, record, translate
from gensim_envs.generation.publish import measured
from gensim_envs.library import Library
from gensim_envs.seeds import TUNING
from gensim_envs.utils import files
from gensim_envs.utils.processes import in_order
from gensim_envs.utils.text import read_text

Step = Literal["record", "translate", "solve", "publish"]
"""What each program goes through: it runs under the recorder, its goals can be read, the oracle
solves its translation, and the translation passes survey and certificate."""
STEPS: tuple[Step, ...] = get_args(Step)
TRIED = TUNING[:5]
"""Seeds on which the oracle tries a translation."""
NEEDED = 4
"""How many of them it must solve."""

_CAUSES: dict[type[Exception], str] = {SightError: "sight", BlindPlayError: "blind play"}


@dataclass(frozen=True)
class Outcome:
    """How far a program got.

    Attributes:
        file: its name.
        task: class name; "" if it was not recorded.
        failed: the step that it failed; None if it was published.
        cause: stage that refused, as in `gensim_envs.errors.Cause`, or "sight", "blind play" or
            "library".
        problem: why.
        solved: seeds of 5 that the oracle solves.
        notes: what differs from the old program.
        program: the translation.
    """

    file: str
    task: str = ""
    failed: Step | None = None
    cause: str = ""
    problem: str = ""
    solved: int = 0
    notes: tuple[str, ...] = ()
    program: str = ""

    def passed(self, step: Step) -> bool:
        """Whether it passed a step."""
        return self.failed is None or STEPS.index(step) < STEPS.index(self.failed)

    def __str__(self) -> str:
        if self.failed is None:
            return f"{self.file}: published {self.task}, {len(self.notes)} notes"
        return f"{self.file}: failed to {self.failed} ({self.cause}): {self.problem}"


def import_file(path: Path, library: Library, executor: Executor, *, weak: bool = False) -> Outcome:
    """Import one program into a library.

    Args:
        path: of the program.
        library: to publish into.
        executor: runs draws and episodes.
        weak: run the program also where this machine cannot isolate it.
    """
    outcome, step = Outcome(path.name), STEPS[0]
    try:
        old = read_text(path)
        recordings = record(old, weak=weak)
        step = "translate"
        made = translate(old, recordings, weak=weak)
        outcome = replace(outcome, task=made.program.name, notes=made.notes, program=made.source)
        step = "solve"
        solved, why = _solve(made, executor)
        outcome = replace(outcome, solved=solved)
        if solved < NEEDED:
            raise TaskError(
                f"the oracle solves {solved} of {len(TRIED)} seeds: {why}", cause="oracle"
            )
        step = "publish"
        _check_seen(made)
        candidate = measured(library, made.program, made.source, made.source, executor)
        candidate.publish(library, "import", notes=list(made.notes))
    except (TaskError, FileError, LibraryError) as error:
        other = "parse" if isinstance(error, FileError) else "library"
        own = error.cause if isinstance(error, TaskError) else other
        cause = _CAUSES.get(type(error), own)
        return replace(outcome, failed=step, cause=cause, problem=str(error))
    return outcome


def _solve(made: Translation, executor: Executor) -> tuple[int, str]:
    """How many of the tried seeds the oracle solves, and why not the first of the others."""
    drawn = [made.trial.draw("train", seed).spec.bounds for seed in TRIED]
    bounds = {key: max(each[key] for each in drawn) for key in drawn[0]}
    jobs = [(made.trial, bounds, "oracle", "train", seed) for seed in TRIED]
    runs = in_order(executor, validate.run_episode, jobs)
    why = [run.problem or "not solved in time" for run in runs if not run.episode.success]
    return len(jobs) - len(why), why[0] if why else ""


def _check_seen(made: Translation) -> None:
    """Draw with all checks what was tried without that of visibility.

    Raises:
        SightError: a draw fails, which then cannot be seen.
    """
    for split in ("train", "test"):
        for seed in TRIED:
            try:
                made.program.draw(split, seed)
            except TaskError as error:
                made.trial.draw(split, seed)
                raise SightError(error.problem, error.remedy, goal=error.goal) from error


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many programs passed each step."""
    passed: dict[str, int] = {step: sum(each.passed(step) for each in outcomes) for step in STEPS}
    return {"programs": len(outcomes), **passed}


def write_report(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write counts, reasons and all outcomes as JSON.

    Raises:
        FileError: if the file cannot be written.
    """
    reasons = Counter(f"{o.failed}: {o.cause}" for o in outcomes if o.failed is not None)
    data = {
        "passed": counts(outcomes),
        "failed": dict(reasons.most_common()),
        "programs": [asdict(outcome) for outcome in outcomes],
    }
    files.write(path, f"{json.dumps(data, indent=1)}\n".encode())
