"""What the kinds and variants that a state vector holds are called."""

from __future__ import annotations

from gensim_envs.task.assets import ASSETS, KIT_SHAPES, OBJECTS
from gensim_envs.task.checks.sentences import plural


def nouns() -> dict[tuple[int, int], dict[str, str]]:
    """What the kinds and variants of a state vector are called.

    Returns:
        For each (kind, variant) the forms of its nouns in small letters, singular and plural, each
        with its singular. A kind whose things are all alike has the variant 0.
    """
    called: dict[tuple[int, int], tuple[str, ...]] = {}
    for kind, (name, asset) in enumerate(ASSETS.items()):
        if name == "KitPiece":
            names = list(KIT_SHAPES)
        elif name == "Household":
            names = [str(data["noun"]) for data in OBJECTS.values()]
        else:
            called[kind, 0] = asset.nouns
            continue
        called |= {(kind, k): (each, asset.nouns[0]) for k, each in enumerate(names, 1)}
    return {
        key: {form.lower(): noun.lower() for noun in each for form in (plural(noun), noun)}
        for key, each in called.items()
    }
