"""The columns of the tables on the pages. To add a column, add it here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gensim_envs import seeds
from gensim_envs.generation import providers
from gensim_envs.generation.verdict import Verdict
from gensim_envs.pages.facts import Task
from gensim_envs.pages.measures import Rate
from gensim_envs.pages.runs import MessageCount, Outcome, Repairs, Run, Usage

Row = TypeVar("Row")
Cell = str | Sequence[MessageCount]
DASH = "\u2013"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a table.

    Attributes:
        name: its heading.
        value: its cell in a row; None if it is not known for any row.
        help: what it means, where the name does not say so.
    """

    name: str
    value: Callable[[Row], Cell | None]
    help: str = ""


def percent(share: float) -> str:
    """`86%`."""
    return f"{100 * share:.0f}%"


def share(value: Rate) -> str:
    """`86%`, or a dash if nothing was judged."""
    return percent(value.share) if value.of else DASH


def rate(value: Rate) -> str:
    """`86% (12 of 14), 60 to 96%`, or a dash if nothing was judged."""
    if not value.of:
        return DASH
    interval = f"{100 * value.low:.0f} to {percent(value.high)}"
    return f"{percent(value.share)} ({value.count} of {value.of}), {interval}"


def number(value: float | None) -> str:
    """`0.123`, or a dash for None."""
    return DASH if value is None else f"{value:.3f}"


def amount(value: float | None) -> str:
    """`12,345` or `1.23`, or a dash for None."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def dollars(value: float | None) -> str:
    """`$0.012` or `$12.30`, or a dash for None."""
    return DASH if value is None else f"${providers.dollars(value)}"


def plain(value: object) -> str:
    """A JSON value as text."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)


# A task.

_SEEDS = f"{{}}/{len(seeds.CERTIFICATE)}"
ORACLE: Column[Task] = Column(
    "Oracle", lambda task: task.certified("oracle", _SEEDS), "seeds that the oracle solves"
)
CERTIFICATE: tuple[Column[Task], ...] = (
    ORACLE,
    Column("Oracle actions", lambda task: task.certified("steps", "{:.3g}"), "mean number"),
    Column("No-op return", lambda task: task.certified("noop", "{:g}"), "return of doing nothing"),
    Column("Random", lambda task: task.certified("random", _SEEDS),
           "seeds that random actions solve"),
    Column("Blind play", lambda task: task.certified("blind", "{:.0%}"),
           "success rate of one random arrangement of the things, without reading"),
    Column("Blind play, late", lambda task: task.certified("blind_late", "{:.0%}"),
           "its success rate within the step limit"),
    Column("Needs reading", lambda task: task.flag("reading"),
           "whether only some arrangements of the things are accepted"),
    Column("Smallest, pixels", lambda task: task.certified("pixels", "{}"),
           "of a thing or place of a goal in the view from above"),
    Column("Contrast", lambda task: task.certified("contrast", "{:.0f}"),
           "smallest CIE76 difference between an item and its place"),
    Column("Redraws", lambda task: task.certified("redraws", "{:.1%}"),
           "share of draws that fail a check and are repeated"),
)  # fmt: skip
TASKS: tuple[Column[Task], ...] = (
    Column("Task", lambda task: task.record.id),
    Column("Description", lambda task: task.record.summary),
    Column("First instruction", lambda task: task.record.instruction),
    Column("Goals", lambda task: str(len(task.spec.goals))),
    Column("Assets", lambda task: ", ".join(task.assets), "kinds of things in one draw"),
    Column("Relations", lambda task: ", ".join(task.relations), "of the goals in one draw"),
    *CERTIFICATE,
    Column("Written by", lambda task: task.author or "hand"),
)
LIMITS: tuple[Column[Task], ...] = (
    Column("Bodies", lambda task: str(task.record.bounds["items"])),
    Column("Places per goal", lambda task: str(task.record.bounds["targets"])),
    Column("Actions needed", lambda task: str(task.record.bounds["steps"])),
    Column("Step limit", lambda task: str(task.record.max_episode_steps)),
)

# A run.

PASSED = {
    "proposal": "proposed",
    "gate": "syntax-correct",
    "spec": "runtime-verified",
    "oracle": "task completed",
    "semantics": "instructions match goals",
    "reflection": "critics agree",
    "published": "accepted",
}
"""Names for having passed a stage; three of them are those of GenSim's figure 6."""
STAGE_TITLES = {stage: f"{stage}: {name}" for stage, name in PASSED.items()}
COMPARED = {stage: PASSED[stage] for stage in ("gate", "spec", "oracle", "published")}
"""Stages that are shown where runs are compared."""


def _passed(stage: str) -> Column[Run]:
    return Column(f"{PASSED[stage]} ({stage})", lambda run: rate(run.passed[stage]))


def _cost(run: Run) -> str | None:
    cost = run.usage.cost
    return None if cost is None else dollars(run.usage.per_task(cost))


def _spent(
    usage: Usage, total: float | None, show: Callable[[float | None], str] = amount
) -> str | None:
    if total is None or not usage.accepted:
        return None if total is None else show(total)
    return f"{show(total)} ({show(usage.per_task(total))} per task)"


DIVERSITY: tuple[Column[Run], ...] = (
    Column("accepted tasks", lambda run: str(run.diversity.tasks)),
    Column("self-BLEU", lambda run: number(run.diversity.self_bleu),
           "mean BLEU-4 of each description against the others (Zhu et al., 2018); lower is more "
           "diverse"),
    Column("embedding spread",
           lambda run: f"{number(run.diversity.spread)} ({run.diversity.embedder})",
           "mean of 1 \u2212 similarity over pairs of descriptions"),
    Column("entropy of assets",
           lambda run: f"{run.diversity.entropy:.2f} bits, "
           f"{percent(run.diversity.entropy_share)} of the maximum"
           if run.diversity.drawn else DASH,
           "how evenly the tasks use the assets"),
)  # fmt: skip
COMPARISON: tuple[Column[Run], ...] = (
    *map(_passed, COMPARED),
    Column("accepted without repair", lambda run: rate(run.first["published"])),
    *DIVERSITY,
    Column(
        "tokens per accepted task",
        lambda run: amount(run.usage.per_task(run.usage.prompt_tokens + run.usage.answer_tokens)),
    ),
    Column("cost per accepted task", _cost),
)
STAGES: tuple[Column[tuple[str, Rate, Rate]], ...] = (
    Column("stage", lambda row: row[0]),
    Column("meaning", lambda row: PASSED[row[0]]),
    Column("first program", lambda row: rate(row[1])),
    Column("after repairs", lambda row: rate(row[2])),
)
OUTCOMES: tuple[Column[Outcome], ...] = (
    Column("outcome", lambda row: row.name),
    Column("attempts", lambda row: str(row.attempts)),
    Column("most frequent messages", lambda row: row.messages),
)
REPAIRS: tuple[Column[Repairs], ...] = (
    Column("refused for", lambda row: row.cause),
    Column("programs", lambda row: str(row.programs)),
    Column("accepted in the end", lambda row: str(row.accepted)),
    Column("most frequent messages", lambda row: row.messages),
)
USAGE: tuple[Column[Usage], ...] = (
    Column("tokens of prompts", lambda usage: _spent(usage, usage.prompt_tokens)),
    Column("tokens of answers", lambda usage: _spent(usage, usage.answer_tokens)),
    Column("cost", lambda usage: _spent(usage, usage.cost, dollars)),
    Column("seconds waiting for the model", lambda usage: _spent(usage, usage.model_seconds)),
    Column("seconds in total", lambda usage: _spent(usage, usage.total_seconds)),
)
ATTEMPTS: tuple[Column[Verdict], ...] = (
    Column("attempt", lambda verdict: str(verdict.attempt)),
    Column("name", lambda verdict: verdict.name or DASH),
    Column("outcome", lambda verdict: verdict.cause or "accepted"),
    Column("repairs", lambda verdict: str(len(verdict.refusals))),
    Column("message", lambda verdict: verdict.problem),
    Column("tokens", lambda verdict: amount(sum(verdict.tokens))),
    Column("seconds", lambda verdict: amount(verdict.seconds.get("total"))),
)
