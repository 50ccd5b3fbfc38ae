"""Drawings in SVG, as elements of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from gensim_envs.pages.gallery.html import tag
from gensim_envs.pages.report.measures import Rate

_WIDTH = 360  # units of the drawing, which is as wide as a phone
_RIGHT = 318  # where 100% is
_BAR, _GAP, _TITLE, _LINE = 14, 6, 24, 13
_BESIDE, _LETTERS = 112, 17  # room to the left of a bar, and letters of a label that fit there
_MOST_LETTERS = 60  # that fit on a line of their own
SERIES = 6
"""Colours there are; the style names them `series-0` and so on."""


@dataclass(frozen=True)
class Bar:
    """One share.

    Attributes:
        label: what of.
        rate: the share and its interval.
        series: number of its colour.
    """

    label: str
    rate: Rate
    series: int


def bars(groups: Sequence[tuple[str, Sequence[Bar]]]) -> Element:
    """Shares as bars with their intervals, in groups that have a title each."""
    labels = [bar.label for _, members in groups for bar in members]
    beside = all(len(label) <= _LETTERS for label in labels)
    drawn: list[Element] = []
    y = 0
    for title, members in groups:
        y += _TITLE
        drawn.append(_text(title, 0, y - 8, "title"))
        for bar in members:
            if not beside:
                drawn.append(_text(shortened(bar.label, _MOST_LETTERS), 0, y + 9, "label"))
                y += _LINE
            drawn.append(_bar(bar, y, _BESIDE if beside else 0))
            y += _BAR + _GAP
    said = "; ".join(
        f"{title}, {bar.label}: {percent(bar.rate.share)}"
        for title, members in groups
        for bar in members
    )
    return tag(
        "svg", *drawn, class_="bars", role="img", viewBox=f"0 0 {_WIDTH} {y + 2}", aria_label=said
    )


def _bar(bar: Bar, y: int, left: int) -> Element:
    """A bar from `left`, to the left of which its label is if there is room."""
    rate = bar.rate
    room = _RIGHT - left
    low, share, high = (left + room * x for x in (rate.low, rate.share, rate.high))
    middle = y + _BAR / 2
    return tag(
        "g",
        tag("title", f"{bar.label}: {described(rate)}"),
        *([_text(bar.label, 0, y + 11, "label")] if left else []),
        _rect(left, y, room, "track"),
        _rect(left, y, share - left, f"series-{bar.series % SERIES}"),
        tag(
            "path",
            d=f"M{low:.1f} {middle:g}H{high:.1f}M{low:.1f} {y + 4}v6M{high:.1f} {y + 4}v6",
            class_="interval",
        ),
        _text(percent(rate.share), _WIDTH, y + 11, "value"),
    )


def _rect(x: float, y: float, width: float, kind: str) -> Element:
    return tag(
        "rect", x=f"{x:.1f}", y=f"{y:g}", width=f"{width:.1f}", height=str(_BAR), class_=kind
    )


def _text(words: str, x: float, y: float, kind: str) -> Element:
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", class_=kind)


def shortened(words: str, letters: int) -> str:
    """Text that fits, with three dots for what does not."""
    return words if len(words) <= letters else f"{words[: letters - 1].rstrip()}\u2026"


def percent(share: float) -> str:
    """`86%`."""
    return f"{100 * share:.0f}%"


def described(rate: Rate) -> str:
    """`86% (12 of 14), 60 to 96%`."""
    return (
        f"{percent(rate.share)} ({rate.count} of {rate.of}), "
        f"{100 * rate.low:.0f} to {percent(rate.high)}"
    )
