"""Instructions in other words: `reset(options={"perturb": {"instruction": "paraphrased"}})`."""

from __future__ import annotations

import re

import numpy as np

_VERBS = {
    "align": ("line up",), "bring": ("move", "take"), "fit": ("put", "place"),
    "gather": ("collect",), "lay": ("place", "put"), "load": ("put", "place"),
    "move": ("bring", "take"), "pack": ("put", "stow"), "place": ("put", "set"),
    "put": ("place", "set"), "set": ("put", "place"),
    "sweep": ("brush", "push"), "take": ("bring", "move"),
}  # fmt: skip
"""Verbs with which instructions begin, and others that ask for the same."""
_WORDS = {
    r"into": ("inside",), r"next to": ("beside", "right by"),
    r"in the middle of": ("at the centre of",), r"both(?! of)": ("the two",),
}  # fmt: skip
"""Patterns of words after the verb, and others that mean the same."""
_FRAMES = (
    "please {}", "{}, please", "could you {}?", "can you {} for me?", "your task is to {}",
    "I would like you to {}", "now {}", "the next step: {}",
)  # fmt: skip


def paraphrased(instruction: str, rng: np.random.Generator) -> str:
    """An instruction in other words that mean the same; an empty one stays empty.

    The verb and words such as "into" are replaced by others, and the sentence is put into another
    form. Things and colours keep their names, since others might mean other things.
    """
    if not instruction:
        return instruction

    def choose(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    verb, _, rest = instruction.partition(" ")
    verb = choose(_VERBS.get(verb, (verb,)))
    for pattern, others in _WORDS.items():
        rest = re.sub(rf"\b{pattern}\b", choose(others), rest)
    return choose(_FRAMES).format(f"{verb} {rest}".strip())
