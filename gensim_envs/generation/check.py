"""Check a program without physics: the gate, and 500 draws of each split in the sandbox."""

from __future__ import annotations

import ast
import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass

import shapely

from gensim_envs import api
from gensim_envs.errors import (
    Cause,
    CrashError,
    GensimError,
    OracleError,
    PerturbationError,
    TaskError,
)
from gensim_envs.generation.semantics import check_sentences, done_at_start
from gensim_envs.sandbox.gate import check as gate
from gensim_envs.sandbox.gate import extract, syntax_tree
from gensim_envs.sandbox.program import Program, Sandboxed
from gensim_envs.seeds import SURVEY
from gensim_envs.task.assets import ASSETS, COLORS
from gensim_envs.task.checks.specs import check_spec
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import HEIGHT_TOLERANCE, RELATIONS
from gensim_envs.task.relations import target_of
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.visibility import check_draw

MOST_REDRAWS = 0.05
"""Share of redraws above which a task is refused."""
CLOSELY_READ = SURVEY[:100]
"""Draws of each split whose sentences are compared with their goals."""
MOST_SECONDS = 600.0
"""Limit on the total time of a survey's draws in seconds: 0.6 s each, where a few ms are usual."""
MOST_DONE = 0.3
"""Share of a task that may be done or nearly done when it starts."""


@dataclass(frozen=True)
class Survey:
    """The result of drawing a program 500 times in each split.

    Attributes:
        name: class name of the task.
        version: its version.
        summary: first line of its docstring.
        bounds: upper bounds on items, places, targets and steps.
        redraws: share of draws that had to be repeated.
        first: the first draw.
    """

    name: str
    version: int
    summary: str
    bounds: dict[str, int]
    redraws: float
    first: TaskSpec

    @property
    def instruction(self) -> str:
        """The first goal's sentence in the first draw."""
        return self.first.goals[0].instruction


@dataclass(frozen=True)
class Facts:
    """The parts of a task in its first draw.

    Attributes:
        assets: classes on the table, in the order of the API.
        relations: relations of its goals, in the order of the API.
        colors: colours named in its program; empty if it draws all of its colours.
        goals: number of goals.
        levels: height of the tallest stack once the task is done.
    """

    assets: tuple[str, ...]
    relations: tuple[str, ...]
    colors: tuple[str, ...]
    goals: int
    levels: int

    def __post_init__(self) -> None:
        pairs = ((self.assets, ASSETS), (self.relations, RELATIONS), (self.colors, COLORS))
        if not all(set(names) <= set(known) for names, known in pairs):
            raise ValueError("an asset, a relation or a colour is unknown")
        if min(self.goals, self.levels) < 1:
            raise ValueError("a task has at least one goal and one level")


def facts(source: str, spec: TaskSpec) -> Facts:
    """The facts of a task, given its program and a draw."""
    kinds = {type(item.asset).__name__ for item in spec.items}
    relations = {goal.relation for goal in spec.goals}
    nodes = ast.walk(syntax_tree(source))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return Facts(
        tuple(name for name in ASSETS if name in kinds),
        tuple(name for name in RELATIONS if name in relations),
        tuple(color for color in COLORS if color in texts),
        len(spec.goals),
        levels(spec),
    )


def levels(spec: TaskSpec) -> int:
    """Height of the tallest stack, in items, once all goals are met.

    An item stands on its base in an `on=` goal, and on the items that an earlier `at=` goal has put
    right below it. Containers do not count.
    """
    level = dict.fromkeys(range(len(spec.items)), 1)
    start = spec.start_snapshot
    placed: list[tuple[float, int | None, shapely.Polygon, int]] = []  # top, pattern, area, level
    for goal in spec.goals:
        pairs = [(goal.item_for(k), place) for k, place in enumerate(goal.places)]
        for item, place in sorted(pairs, key=lambda pair: pair[1].pose.z):
            if goal.relation == "on":
                level[item] = 1 + max(level[base] for base in place.bases)
            elif goal.relation == "at":
                pose = target_of(spec, goal, place, start)
                shape = footprint(spec.geometry(item).outline, pose)
                below = [
                    high for top, pattern, area, high in placed
                    if abs(pose.z - top) < HEIGHT_TOLERANCE
                    and pattern == place.pattern and area.intersects(shape)
                ]  # fmt: skip
                level[item] = max(below, default=0) + 1
                top = pose.z + spec.items[item].asset.height
                placed.append((top, place.pattern, shape, level[item]))
    return max(level.values())


def program_of(text: str, *, mend: bool = False, weak: bool = False) -> tuple[str, Sandboxed]:
    """Extract the program from a model's answer, or take a bare program, and check it by the gate.

    Args:
        text: the answer.
        mend: whether to import what the program uses and imports not, before it is refused.
        weak: whether to run it also where this machine cannot isolate it.

    Returns:
        (source, program).

    Raises:
        TaskError: with cause "parse" or "gate", if there is no valid program.
    """
    source = extract(text.removeprefix("\ufeff"))
    try:
        return source, Sandboxed(gate(source).class_name, source, weak)
    except TaskError:
        mended = with_imports(source) if mend else source
        if mended == source:
            raise
        return mended, Sandboxed(gate(mended).class_name, mended, weak)


def with_imports(source: str) -> str:
    """A program that imports the names of the API and of `math` that it uses, and nothing else.

    Imports of other modules stay if they are used, for the gate to refuse.
    """
    try:
        tree = syntax_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    kept = [node for node in tree.body if not _replaceable(node, used)]
    removed = {
        line for node in tree.body if node not in kept
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }  # fmt: skip
    lines = source.splitlines()
    # After the module's docstring, or at the top.
    first = kept[0] if kept else None
    after = first.end_lineno or 0 if isinstance(first, ast.Expr) else 0
    names = sorted(used & set(api.__all__))
    imports = ["import math", ""] if "math" in used else []
    imports += [f"from gensim_envs.api import {', '.join(names)}"] if names else []
    rest = [
        line for number, line in enumerate(lines, 1) if number > after and number not in removed
    ]
    head = "\n".join(lines[:after])
    body = "\n".join(rest).strip("\n")
    blank = "\n\n\n" if body.startswith("class") else "\n\n"
    return (f"{head}\n\n" if head else "") + "\n".join(imports) + blank + body + "\n"


def _replaceable(node: ast.stmt, used: set[str]) -> bool:
    """Whether a statement is an import that `with_imports` drops or writes anew."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gensim_envs"):
        return not any(each.asname for each in node.names)
    names = {(each.asname or each.name).partition(".")[0] for each in node.names}
    return names == {"math"} or not names & used


@contextlib.contextmanager
def refusing(cause: Cause) -> Iterator[None]:
    """Turn whatever a task makes the suite raise into a refusal of the task.

    A hostile or odd task must not end a run, also not by the death of a process. What is the
    machine's fault is raised as it is: a file that cannot be written, a missing sandbox.

    Args:
        cause: the stage that refuses.

    Raises:
        TaskError: in place of any other error that the task may be to blame for.
    """
    try:
        yield
    except (TaskError, OSError, BrokenExecutor):
        raise
    except Exception as error:
        of_the_task = isinstance(error, OracleError | PerturbationError | CrashError)
        if isinstance(error, GensimError) and not of_the_task:
            raise
        what = f"the task made the suite fail with {type(error).__name__}: {error}"
        problem = str(error) if of_the_task else what
        remedy = "Write it in a simpler way, like the tasks of the library"
        raise TaskError(problem[:500], remedy, cause=cause) from error


@refusing("spec")
def survey_in(executor: Executor, program: Program, source: str) -> Survey:
    """`survey` in a worker process, whose death refuses the task too."""
    return executor.submit(survey, program, source).result()


@refusing("spec")
def survey(program: Program, source: str) -> Survey:
    """Draw 500 scenes of each split and check them.

    Args:
        program: draws the scenes.
        source: its text, which gives version and summary.

    Raises:
        TaskError: if the program is refused.
    """
    head = gate(source)
    end = time.monotonic() + MOST_SECONDS
    first = program.draw("train", SURVEY.start).spec
    bounds = {"items": 0, "places": 0, "targets": 0, "steps": 0}
    redrawn = 0
    done: list[float] = []
    for split in ("train", "test"):
        seen: set[str] = set()
        for seed in SURVEY:
            draw = program.draw(split, seed)
            if time.monotonic() > end:
                problem = f"its draws take more than {MOST_SECONDS:g} s together"
                raise TaskError(problem, "Loop less", cause="runtime")
            redrawn += draw.redraws
            for number, goal in enumerate(draw.spec.goals, 1):
                _check_printable("the instruction", goal.instruction, number)
            if seed in CLOSELY_READ:
                # here too: the sandbox's own checks cannot be trusted
                check_spec(draw.spec)
                check_draw(draw.spec)
                check_sentences(draw.spec)
                done.append(done_at_start(draw.spec))
            bounds = {key: max(most, draw.spec.bounds[key]) for key, most in bounds.items()}
            seen.add(json.dumps(draw.spec.to_json()))
        if len(seen) < len(SURVEY):
            raise TaskError(
                "different seeds give the same scene", "Leave starts to be drawn at random"
            )
    share = redrawn / (2 * len(SURVEY) + redrawn)
    _check_shares(share, sum(done) / len(done))
    summary = (head.docstring.strip().splitlines() or [""])[0]
    _check_printable("the docstring's first line", summary)
    return Survey(program.name, head.version, summary, bounds, round(share, 4), first)


def _check_shares(redrawn: float, done: float) -> None:
    if redrawn > MOST_REDRAWS:
        raise TaskError(
            f"{redrawn:.0%} of its draws fail a check, more than {MOST_REDRAWS:.0%}",
            "Give it more room: fewer or smaller things, reserve() with a margin",
        )
    if done > MOST_DONE:
        raise TaskError(
            f"{done:.0%} of the task is already complete at the start",
            "Start farther from the goals, or ask for more",
            cause="semantics",
        )


def _check_printable(what: str, text: str, goal: int | None = None) -> None:
    if not text.isprintable():
        raise TaskError(
            f"{what} {text!a} contains a character that cannot be printed",
            "Write one line of plain text",
            goal=goal,
        )
