"""The page of a report: one file of HTML, without scripts and without the network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from gensim_envs.gallery.facts import counted
from gensim_envs.gallery.html import BASE, Child, data_url, document, highlighted, tag
from gensim_envs.generate.attempt import Verdict
from gensim_envs.naming import words
from gensim_envs.report.charts import Bar, bars, described
from gensim_envs.report.measures import Rate
from gensim_envs.report.pictures import Shot
from gensim_envs.report.runs import (
    Diversity,
    Outcome,
    Record,
    Repairs,
    Said,
    Usage,
    settings_shown,
    summary,
)

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
        ("self-BLEU", lambda run: _number(run.diversity.self_bleu)),
        ("embedding spread", lambda run: _spread(run.diversity)),
        ("entropy of assets", lambda run: _entropy(run.diversity)),
        ("tokens per accepted task", lambda run: _amount(run.usage.each(_tokens(run.usage)))),
        ("cost per accepted task", lambda run: _dollars(run.usage.each(run.usage.cost))),
    ]
    if all(run.usage.cost is None for run in runs):
        rows.pop()
    return _section(
        "Side by side",
        chart,
        _table(["", *(run.label for run in runs)], [[n, *map(of, runs)] for n, of in rows]),
        _note(
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
        _section("Settings", _pairs(_settings(record))),
        _section("Stages", *_stages(run)),
        _section("How attempts ended", *_outcomes(run)),
        _section("What programs were sent back for", *_repairs(run.repairs)),
        _section("Diversity of the accepted tasks", *_diversity(run.diversity)),
        _section("What it took", *_usage(run.usage)),
        _section("Accepted tasks", *_accepted(run)),
        _section("All attempts", _attempts(record)),
    )


def _settings(record: Record) -> list[tuple[str, str]]:
    shown = settings_shown(record.settings)
    return [(name, _plain(value)) for name, value in shown.items() if value not in (None, "", {})]


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
    return [chart, _table(heads, rows), _note(f"Shares are out of {judged}.")]


def _outcomes(run: Shown) -> list[Element]:
    rows: list[list[Child | Sequence[Child]]] = [
        [outcome.name, str(outcome.attempts), [_said(outcome.messages)]] for outcome in run.outcomes
    ]
    total = sum(outcome.attempts for outcome in run.outcomes)
    note = f"They add up to {counted(total, 'attempt')}. In messages, # stands for a number."
    if run.record.unfinished:
        numbers = ", ".join(map(str, run.record.unfinished))
        note += f" Begun, but without a verdict, and not in any figure: {numbers}."
    return [_table(["outcome", "attempts", "most frequent messages"], rows), _note(note)]


def _repairs(repairs: Sequence[Repairs]) -> list[Element]:
    if not repairs:
        return [_note("No program was sent back.")]
    rows: list[list[Child | Sequence[Child]]] = [
        [each.cause, str(each.programs), str(each.accepted), [_said(each.messages)]]
        for each in repairs
    ]
    return [_table(["refused for", "programs", "accepted at last", "most frequent messages"], rows)]


def _said(messages: Iterable[Said]) -> Element:
    return tag(
        "ul",
        *(tag("li", tag("b", f"{each.count} \u00d7"), f" {each.text}") for each in messages),
        class_="messages",
    )


def _diversity(found: Diversity) -> list[Element]:
    pairs = [
        ("tasks", str(found.tasks)),
        ("self-BLEU", _number(found.self_bleu)),
        ("embedding spread", _spread(found)),
        ("entropy of assets", _entropy(found)),
    ]
    note = (
        "Self-BLEU is the mean BLEU-4 of each description against the others (Zhu et al., 2018); "
        "low is diverse. Spread is the mean of 1 \u2212 likeness over pairs."
    )
    if found.drawn < found.tasks:
        note += f" The assets are those of {found.drawn} tasks; the others cannot be drawn here."
    return [_pairs(pairs), _note(note)]


def _spread(found: Diversity) -> str:
    return f"{_number(found.spread)} ({found.embedder})"


def _entropy(found: Diversity) -> str:
    return f"{found.entropy:.2f} bits, {100 * found.entropy_share:.0f}% of the most"


def _usage(usage: Usage) -> list[Element]:
    amounts: list[tuple[str, float | None, Callable[[float | None], str]]] = [
        ("tokens of prompts", usage.prompt_tokens, _amount),
        ("tokens of answers", usage.answer_tokens, _amount),
        ("cost", usage.cost, _dollars),
        ("seconds waiting for the model", usage.model_seconds, _amount),
        ("seconds in all", usage.total_seconds, _amount),
    ]
    rows = [
        [name, show(amount), show(usage.each(amount))]
        for name, amount, show in amounts
        if amount is not None
    ]
    note = (
        "Everything that was spent, refused attempts too, over the accepted tasks. Seconds are "
        "added up over attempts, also where several ran at once."
    )
    if usage.cuts:
        note += f" Prompts were cut {counted(usage.cuts, 'time')} to fit the model's context."
    return [_table(["", "run", "per accepted task"], rows), _note(note)]


def _tokens(usage: Usage) -> float:
    return usage.prompt_tokens + usage.answer_tokens


def _accepted(run: Shown) -> list[Element]:
    cards = [_card(verdict, run.shots[verdict.attempt]) for verdict in run.record.accepted]
    return [tag("ul", *cards, class_="pictures")] if cards else [_note("There are none.")]


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


# Attempts.


def _attempts(record: Record) -> Element:
    heads = ("", "name", "outcome", "repairs", "message", "tokens", "seconds")
    head = tag("div", *(tag("span", each) for each in heads), class_="row head")
    return tag("div", head, *map(_attempt, record.verdicts), class_="attempts")


def _attempt(verdict: Verdict) -> Element:
    outcome = verdict.cause or "accepted"
    row = tag(
        "summary",
        tag("span", str(verdict.attempt), class_="number"),
        tag("span", verdict.name or "\u2013", class_="name"),
        tag("span", outcome, class_=f"outcome {'good' if verdict.accepted else 'bad'}"),
        tag("span", str(len(verdict.refusals)), class_="repairs"),
        tag("span", verdict.problem, class_="message"),
        tag("span", _amount(sum(verdict.tokens)), class_="tokens"),
        tag("span", _amount(verdict.seconds.get("total")), class_="seconds"),
        class_="row",
    )
    return tag("details", row, tag("div", *_everything(verdict), class_="all"))


def _everything(verdict: Verdict) -> list[Element]:
    """What unfolds below a row."""
    found: list[Element] = []
    if verdict.problem:
        found.append(_part("Message", tag("p", verdict.problem)))
    if verdict.proposal:
        pairs = [(name, _plain(value)) for name, value in verdict.proposal.items()]
        found.append(_part("Proposal", _pairs(pairs)))
    if verdict.references:
        found.append(_part("Programs that were shown", tag("p", ", ".join(verdict.references))))
    if verdict.refusals:
        found.append(_part("Programs that were sent back", _list(verdict.refusals)))
    if verdict.votes:
        found.append(_part("Votes", _list(verdict.votes)))
    if verdict.cuts:
        cuts = ", ".join(f"{call} ({times}\u00d7)" for call, times in verdict.cuts.items())
        found.append(_part("Prompts that were cut", tag("p", cuts)))
    if verdict.program:
        code = tag("pre", tag("code", *highlighted(verdict.program)), tabindex="0")
        found.append(_part("Last program", code))
    return found or [_note("Nothing came of it.")]


def _part(title: str, content: Element) -> Element:
    return tag("section", tag("h4", title), content)


def _list(pairs: Iterable[Sequence[str]]) -> Element:
    items = (tag("li", tag("b", head), f" {rest}") for head, rest in pairs)
    return tag("ol", *items, class_="messages")


# Pieces.


def _section(title: str, *content: Element) -> Element:
    return tag("section", tag("h3", title), *content)


def _note(said: str) -> Element:
    return tag("p", said, class_="note")


def _pairs(pairs: Iterable[tuple[str, str]]) -> Element:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs))


def _table(heads: Sequence[str], rows: Iterable[Sequence[Child | Sequence[Child]]]) -> Element:
    """A table that is scrolled sideways where the page is too narrow for it."""
    body = []
    for first, *rest in rows:
        cells = [tag("td", *([cell] if isinstance(cell, str | Element) else cell)) for cell in rest]
        body.append(tag("tr", tag("th", first, scope="row"), *cells))  # type: ignore[arg-type]
    head = tag("thead", tag("tr", *(tag("th", each, scope="col") for each in heads)))
    return tag("div", tag("table", head, tag("tbody", *body)), class_="wide", tabindex="0")


def _plain(value: object) -> str:
    """A value of JSON as a person reads it."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.3f}"


def _amount(value: float | None) -> str:
    if value is None:
        return "\u2013"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _dollars(value: float | None) -> str:
    return "\u2013" if value is None else f"${value:.4f}" if value < 1 else f"${value:,.2f}"
