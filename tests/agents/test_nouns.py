"""Nouns of instructions, and the rows of state vectors that they may mean."""

from __future__ import annotations

import numpy as np
import pytest

from agents.data.nouns import NOUNS, called, nouns_in
from gensim_envs.task.assets import ASSETS, KIT_SHAPES, OBJECTS, Asset
from gensim_envs.task.checks.sentences import plural

KINDS = list(ASSETS)
SPECIAL: dict[str, list[Asset]] = {
    "KitPiece": [ASSETS["KitPiece"]("red", shape) for shape in KIT_SHAPES],  # type: ignore[call-arg]
    "Household": [ASSETS["Household"]("red", kind) for kind in OBJECTS],  # type: ignore[call-arg]
}
ALL = [asset for name, cls in ASSETS.items() for asset in SPECIAL.get(name, [cls("red")])]


def means(asset: Asset, instruction: str) -> np.ndarray:
    """Which of the nouns of an instruction may mean an asset."""
    kind = np.array([KINDS.index(type(asset).__name__)])
    return called(kind, np.array([asset.variant]), nouns_in(instruction))[0]


@pytest.mark.parametrize("asset", ALL, ids=str)
def test_an_asset_is_meant_by_its_nouns(asset: Asset) -> None:
    for noun in asset.called:
        for text in (f"put the Red {noun} there", f"put two red {plural(noun)} there"):
            assert means(asset, text).tolist() == [1] + [0] * (NOUNS - 1)


def test_nouns_are_listed_in_their_order_and_once() -> None:
    text = "put the letter R, the star and the other star on the kit"
    letter, star, other = (SPECIAL["KitPiece"][KIT_SHAPES.index(s)] for s in (
        "letter R", "star", "heart"))  # fmt: skip
    assert means(letter, text).tolist() == [1, 0, 0, 0, 0, 0]
    assert means(star, text).tolist() == [0, 1, 0, 0, 0, 0]
    assert means(ASSETS["KitBoard"]("red"), text).tolist() == [0, 0, 1, 0, 0, 0]
    assert not means(other, text).any()


def test_a_longer_noun_hides_a_shorter_one_in_it() -> None:
    assert not means(ASSETS["Block"]("red"), "put the l-shaped block there").any()
    assert means(ASSETS["Ell"]("red"), "put the l-shaped block there")[0]


def test_texts_without_nouns_and_odd_numbers_mean_nothing() -> None:
    assert not nouns_in("").any()
    assert not called(np.array([90]), np.array([-3]), nouns_in("put it there")).any()
