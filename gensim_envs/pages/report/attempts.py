"""All attempts of a run as a table, the rows of which unfold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

from gensim_envs.generation.verdict import Verdict
from gensim_envs.pages.gallery.html import highlighted, tag
from gensim_envs.pages.report.pieces import amount, note, pairs, plain


def attempts(verdicts: Iterable[Verdict]) -> Element:
    """A row for each verdict, with everything about it below."""
    heads = ("", "name", "outcome", "repairs", "message", "tokens", "seconds")
    head = tag("div", *(tag("span", each) for each in heads), class_="row head")
    return tag("div", head, *map(_attempt, verdicts), class_="attempts")


def _attempt(verdict: Verdict) -> Element:
    outcome = verdict.cause or "accepted"
    row = tag(
        "summary",
        tag("span", str(verdict.attempt), class_="number"),
        tag("span", verdict.name or "\u2013", class_="name"),
        tag("span", outcome, class_=f"outcome {'good' if verdict.accepted else 'bad'}"),
        tag("span", str(len(verdict.refusals)), class_="repairs"),
        tag("span", verdict.problem, class_="message"),
        tag("span", amount(sum(verdict.tokens)), class_="tokens"),
        tag("span", amount(verdict.seconds.get("total")), class_="seconds"),
        class_="row",
    )
    return tag("details", row, tag("div", *_everything(verdict), class_="all"))


def _everything(verdict: Verdict) -> list[Element]:
    """What unfolds below a row."""
    found: list[Element] = []
    if verdict.problem:
        found.append(_part("Message", tag("p", verdict.problem)))
    if verdict.proposal:
        proposed = [(name, plain(value)) for name, value in verdict.proposal.items()]
        found.append(_part("Proposal", pairs(proposed)))
    if verdict.references:
        found.append(_part("Programs that were shown", tag("p", ", ".join(verdict.references))))
    if verdict.refusals:
        found.append(_part("Programs that were sent back", _list(verdict.refusals)))
    if verdict.votes:
        found.append(_part("Votes", _list(verdict.votes)))
    if verdict.cuts:
        cuts = ", ".join(f"{call} ({times}\u00d7)" for call, times in verdict.cuts.items())
        found.append(_part("Prompts that were cut", tag("p", cuts)))
    if verdict.changed:
        found.append(_part("Prompts that have changed since", tag("p", ", ".join(verdict.changed))))
    if verdict.program:
        code = tag("pre", tag("code", *highlighted(verdict.program)), tabindex="0")
        found.append(_part("Last program", code))
    return found or [note("Nothing came of it.")]


def _part(title: str, content: Element) -> Element:
    return tag("section", tag("h4", title), content)


def _list(said: Iterable[Sequence[str]]) -> Element:
    items = (tag("li", tag("b", head), f" {rest}") for head, rest in said)
    return tag("ol", *items, class_="messages")
