"""Phrases of instructions: which colour goes with which noun."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data import colors, nouns
from agents.data.phrases import PHRASES, phrases_in

Phrase = tuple[str, str]


def numbers(phrases: list[Phrase]) -> tuple[np.ndarray, np.ndarray]:
    """What `named` returns for phrases of a colour and a noun, "" where there is none."""
    rest = PHRASES - len(phrases)
    paints = [colors.numbers(colors.NAMES[color]) if color else np.zeros(4) for color, _ in phrases]
    things = [nouns.number(noun) if noun else 0 for _, noun in phrases]
    return np.array([*paints, *[np.zeros(4)] * rest], np.float32), np.array(things + [0] * rest)


@pytest.mark.parametrize(
    ("instruction", "phrases"),
    [
        ("put the red block on the blue stand", [("red", "block"), ("blue", "stand")]),
        ("Put two Red  L-shaped blocks there", [("red", "l-shaped block")]),
        ("pack the red and blue boxes", [("red", "box"), ("blue", "box")]),
        ("stack red, green and blue blocks", [(c, "block") for c in ("red", "green", "blue")]),
        ("put the red plus on the block", [("red", "plus"), ("", "block")]),
        ("put a red small cube there", [("red", "cube")]),
        ("put what is red on the stand", [("red", ""), ("", "stand")]),
        ("put the blue tray into the cyan lunchbox", [("blue", "tray"), ("cyan", "")]),
        ("stand the box on the red block and the blue block", [
            ("", "box"), ("red", "block"), ("blue", "block")]),
        ("put the red block beside the red block", [("red", "block")]),
        ("lay the box on the plate and stand the red box on it", [
            ("", "box"), ("", "plate"), ("red", "box")]),
        ("put the gray letter A there", [("gray", "letter a")]),
        ("pack the red, green or blue blocks", [(c, "block") for c in ("red", "green", "blue")]),
        ("put a blue long thin box there", [("blue", "box")]),
        ("put the red with the grey block and a gray block", [("red", ""), ("grey", "block")]),
        ("", []),
        ("wait", []),
    ],
)  # fmt: skip
def test_phrases(instruction: str, phrases: list[Phrase]) -> None:
    paints, things = phrases_in(instruction)
    expected_paints, expected_things = numbers(phrases)
    np.testing.assert_allclose(paints, expected_paints)
    assert things.tolist() == expected_things.tolist()


def test_further_phrases_are_left_out() -> None:
    text = "take " + " and ".join(f"the {color} block" for color in list(colors.NAMES)[:9])
    paints, things = phrases_in(text)
    assert (things > 0).all()
    np.testing.assert_allclose(paints[-1], colors.numbers(list(colors.NAMES.values())[PHRASES - 1]))


@given(st.text(max_size=200))
def test_any_text_has_phrases(text: str) -> None:
    paints, things = phrases_in(text)
    assert paints.shape == (PHRASES, 4)
    assert things.shape == (PHRASES,)
