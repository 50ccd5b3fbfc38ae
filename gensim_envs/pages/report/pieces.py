"""What the pages of reports are put together from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

from gensim_envs.pages.gallery.html import Child, tag


def section(title: str, *content: Element) -> Element:
    """A part of the page below its title."""
    return tag("section", tag("h3", title), *content)


def note(said: str) -> Element:
    """What explains the figures above it."""
    return tag("p", said, class_="note")


def pairs(named: Iterable[tuple[str, str]]) -> Element:
    """Names and values."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in named))


def table(heads: Sequence[str], rows: Iterable[Sequence[Child]]) -> Element:
    """A table that is scrolled sideways where the page is too narrow for it."""
    head = tag("thead", tag("tr", *(tag("th", each, scope="col") for each in heads)))
    body = tag("tbody", *(_row(*row) for row in rows))
    return tag("div", tag("table", head, body), class_="wide", tabindex="0")


def _row(first: Child, *rest: Child) -> Element:
    return tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))


def plain(value: object) -> str:
    """A value of JSON as a person reads it."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def number(value: float | None) -> str:
    """`0.123`, or a dash for nothing."""
    return "\u2013" if value is None else f"{value:.3f}"


def amount(value: float | None) -> str:
    """`12,345` or `1.23`, or a dash for nothing."""
    if value is None:
        return "\u2013"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def dollars(value: float | None) -> str:
    """`$0.0123` or `$12.30`, or a dash for nothing."""
    return "\u2013" if value is None else f"${value:.4f}" if value < 1 else f"${value:,.2f}"
