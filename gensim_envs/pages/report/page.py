"""The page of a report: one file of HTML, without scripts and without the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from gensim_envs.generation.verdict import Verdict
from gensim_envs.pages.gallery.facts import counted
from gensim_envs.pages.gallery.html import BASE, Child, data_url, document, tag
from gensim_envs.pages.report.attempts import attempts
from gensim_envs.pages.report.charts import Bar, bars, described
from gensim_envs.pages.report.measures import Rate
from gensim_envs.pages.report.pictures import Shot
from gensim_envs.pages.report.pieces import (
    amount,
    dollars,
    note,
    number,
    pairs,
    plain,
    section,
    table,
)
from gensim_envs.pages.report.runs import (
    Diversity,
    Outcome,
    Record,
    Repairs,
    Said,
    Usage,
    settings_shown,
    summary,
)
from gensim_envs.utils.naming import words

STYLE = BASE + (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
PASSED = {
    "proposal": "proposed",
    "gate": "syntax-correct",
    "spec": "runtime-verified",
    "oracle": "task completed",
    "semantics": "sentences agree with goals",
    "reflection": "critics agree",
    "published": "accepted",
}
"""What it is to have passed a stage; three of them in the words of GenSim's figure 6."""
COMPARED = ("gate", "spec", "oracle", "published")


@dataclass(frozen=True)
class Shown:
    """A run and what was counted in it; see runs.py.

    Attributes:
        record: what its folder says.
        label: by which it is told from the others.
        first: rates of first programs, by stage.
        passed: rates after repairs, by stage.
        outcomes: how attempts ended.
        repairs: what programs were sent back for.
        usage: what it took.
        diversity: of its accepted tasks.
        shots: pictures of its accepted tasks, by attempt.
    """

    record: Record
    label: str
    first: dict[str, Rate]
    passed: dict[str, Rate]
    outcomes: list[Outcome]
    repairs: list[Repairs]
    usage: Usage
    diversity: Diversity
    shots: Mapping[int, Shot]


def page(runs: Sequence[Shown], chance: float | None) -> str:
    """The whole page.

    Args:
        runs: what is shown.
        chance: of the exact test between the first two.
    """
    title = "Report of a run" if len(runs) == 1 else f"Report of {len(runs)} runs"
    body = [tag("header", tag("h1", title), tag("p", _KEY, class_="note"))]
    if chance is not None:
        body.append(_side_by_side(runs, chance))
    for run in runs:
        body.append(_run(run))
    return document(f"gensim: {title}", STYLE, body)


_KEY = (
    "Shares come with 95% intervals by Wilson (1927). An attempt that ended because a call failed "
    "says nothing about the model and is left out of shares."
)

# Several runs.


def _side_by_side(runs: Sequence[Shown], chance: float) -> Element:
    first, second = runs[0].passed["published"], runs[1].passed["published"]
    chart = bars(
        [
            (PASSED[stage], [Bar(run.label, run.passed[stage], k) for k, run in enumerate(runs)])
            for stage in COMPARED
        ]
    )
    rows: list[tuple[str, Callable[[Shown], str]]] = [
        *((f"{PASSED[stage]} ({stage})", _rate_of(stage)) for stage in COMPARED),
        ("accepted without a repair", lambda run: described(run.first["published"])),
        ("self-BLEU", lambda run: number(run.diversity.self_bleu)),
        ("embedding spread", lambda run: _spread(run.diversity)),
        ("entropy of assets", lambda run: _entropy(run.diversity)),
        ("tokens per accepted task", lambda run: amount(run.usage.each(_tokens(run.usage)))),
        ("cost per accepted task", lambda run: dollars(run.usage.each(run.usage.cost))),
    ]
    if all(run.usage.cost is None for run in runs):
        rows.pop()
    return section(
        "Side by side",
        chart,
        table(["", *(run.label for run in runs)], [[n, *map(of, runs)] for n, of in rows]),
        note(
            f"Accepted, {runs[0].label} against {runs[1].label}: {first.count} of {first.of} and "
            f"{second.count} of {second.of}. Fisher's exact test, two-sided: p = {chance:.3g}."
        ),
    )


def _rate_of(stage: str) -> Callable[[Shown], str]:
    return lambda run: described(run.passed[stage])


# One run.


def _run(run: Shown) -> Element:
    record = run.record
    ended = counted(len(record.verdicts), "attempt")
    missing = f", {len(record.unfinished)} more without a verdict" if record.unfinished else ""
    heading = f"{len(record.accepted)} of {ended} accepted{missing}"
    return tag(
        "article",
        tag("header", tag("h2", run.label), tag("p", heading)),
        section("Settings", pairs(_settings(record))),
        section("Stages", *_stages(run)),
        section("How attempts ended", *_outcomes(run)),
        section("What programs were sent back for", *_repairs(run.repairs)),
        section("Diversity of the accepted tasks", *_diversity(run.diversity)),
        section("What it took", *_usage(run.usage)),
        section("Accepted tasks", *_accepted(run)),
        section("All attempts", attempts(record.verdicts)),
    )


def _settings(record: Record) -> list[tuple[str, str]]:
    shown = settings_shown(record.settings)
    return [(name, plain(value)) for name, value in shown.items() if value not in (None, "", {})]


def _stages(run: Shown) -> list[Element]:
    chart = bars(
        [
            (
                f"{stage}: {PASSED[stage]}",
                [Bar("first program", run.first[stage], 1), Bar("after repairs", rate, 0)],
            )
            for stage, rate in run.passed.items()
        ]
    )
    rows = [
        [stage, PASSED[stage], described(run.first[stage]), described(rate)]
        for stage, rate in run.passed.items()
    ]
    heads = ["stage", "what it says", "first program", "after repairs"]
    judged = counted(len(run.record.judged), "attempt")
    return [chart, table(heads, rows), note(f"Shares are out of {judged}.")]


def _outcomes(run: Shown) -> list[Element]:
    rows: list[list[Child]] = [
        [outcome.name, str(outcome.attempts), _said(outcome.messages)] for outcome in run.outcomes
    ]
    total = sum(outcome.attempts for outcome in run.outcomes)
    explained = f"They add up to {counted(total, 'attempt')}. In messages, # stands for a number."
    if run.record.unfinished:
        numbers = ", ".join(map(str, run.record.unfinished))
        explained += f" Begun, but without a verdict, and not in any figure: {numbers}."
    return [table(["outcome", "attempts", "most frequent messages"], rows), note(explained)]


def _repairs(repairs: Sequence[Repairs]) -> list[Element]:
    if not repairs:
        return [note("No program was sent back.")]
    rows: list[list[Child]] = [
        [each.cause, str(each.programs), str(each.accepted), _said(each.messages)]
        for each in repairs
    ]
    return [table(["refused for", "programs", "accepted at last", "most frequent messages"], rows)]


def _said(messages: Iterable[Said]) -> Element:
    return tag(
        "ul",
        *(tag("li", tag("b", f"{each.count} \u00d7"), f" {each.text}") for each in messages),
        class_="messages",
    )


def _diversity(found: Diversity) -> list[Element]:
    figures = [
        ("tasks", str(found.tasks)),
        ("self-BLEU", number(found.self_bleu)),
        ("embedding spread", _spread(found)),
        ("entropy of assets", _entropy(found)),
    ]
    explained = (
        "Self-BLEU is the mean BLEU-4 of each description against the others (Zhu et al., 2018); "
        "low is diverse. Spread is the mean of 1 \u2212 likeness over pairs."
    )
    if found.drawn < found.tasks:
        explained += (
            f" The assets are those of {found.drawn} tasks; the others cannot be drawn here."
        )
    return [pairs(figures), note(explained)]


def _spread(found: Diversity) -> str:
    return f"{number(found.spread)} ({found.embedder})"


def _entropy(found: Diversity) -> str:
    return f"{found.entropy:.2f} bits, {100 * found.entropy_share:.0f}% of the most"


def _usage(usage: Usage) -> list[Element]:
    amounts: list[tuple[str, float | None, Callable[[float | None], str]]] = [
        ("tokens of prompts", usage.prompt_tokens, amount),
        ("tokens of answers", usage.answer_tokens, amount),
        ("cost", usage.cost, dollars),
        ("seconds waiting for the model", usage.model_seconds, amount),
        ("seconds in all", usage.total_seconds, amount),
    ]
    rows = [
        [name, show(value), show(usage.each(value))]
        for name, value, show in amounts
        if value is not None
    ]
    explained = (
        "Everything that was spent, refused attempts too, over the accepted tasks. Seconds are "
        "added up over attempts, also where several ran at once."
    )
    if usage.cuts:
        explained += f" Prompts were cut {counted(usage.cuts, 'time')} to fit the model's context."
    if usage.changed:
        prompts = counted(usage.changed, "prompt")
        explained += f" In this replay {prompts} differed from the recorded one."
    return [table(["", "run", "per accepted task"], rows), note(explained)]


def _tokens(usage: Usage) -> float:
    return usage.prompt_tokens + usage.answer_tokens


def _accepted(run: Shown) -> list[Element]:
    cards = [_card(verdict, run.shots[verdict.attempt]) for verdict in run.record.accepted]
    return [tag("ul", *cards, class_="pictures")] if cards else [note("There are none.")]


def _card(verdict: Verdict, shot: Shot) -> Element:
    title = words(verdict.name)
    state = "solved by the oracle" if shot.solved else "at the start"
    shown = (
        tag(
            "img", src=data_url("image/png", shot.picture), width="320", height="240",
            alt=f"{title}, {state}",
        )
        if shot.picture
        else tag("p", "no picture", class_="missing")
    )  # fmt: skip
    said = [tag("h4", title), tag("p", summary(verdict))]
    if shot.problem:
        said.append(tag("p", f"{state}: {shot.problem}" if shot.picture else shot.problem))
    return tag("li", shown, *said)
