"""Text from elsewhere, made safe to print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensim_envs.printing import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, café, 木", "plain, café, 木"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("link \x1b]8;;https://evil.example\x07", r"link \x1b]8;;https://evil.example\x07"),
        ("left\u202eright", r"left\u202eright"),
        ("two\nlines\r\n\tand a tab", "two lines and a tab"),
        ("half \ud800", r"half \ud800"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs"])), st.integers(10, 50))
def test_any_text_becomes_short_and_printable(text: str, most: int) -> None:
    line = printable(text * 20, most)
    assert len(line) <= most
    assert line.isprintable()
    kept = printable(text, lines=True).replace("\n", "").replace("\t", "")
    assert kept.isprintable()


def test_a_long_text_loses_its_middle() -> None:
    text = printable("a" * 3_000_000 + "b" * 3_000_000, 20)
    assert text == "aaaaaaaa ... bbbbbbb"
