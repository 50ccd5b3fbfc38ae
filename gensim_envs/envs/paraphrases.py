"""Instructions in other words: `reset(options={"perturb": {"instruction": "paraphrased"}})`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_VERBS = {
    "align": ["line up"], "bring": ["move", "take"], "fit": ["put", "place"],
    "gather": ["collect"], "lay": ["place", "put"], "load": ["put", "place"],
    "move": ["bring", "take"], "pack": ["put", "stow"], "place": ["put", "set"],
    "put": ["place", "set"], "set": ["put", "place"], "sweep": ["brush", "push"],
    "take": ["bring", "move"],
}  # fmt: skip
"""Verbs with which instructions begin, and others that ask for the same."""
_OTHER = {"load": "with", "pack": "with", "fit": "with"}
"""Verbs that ask for something else where this word follows: load the sled with blocks."""
_PLACED = ("fit", "lay", "load", "pack", "place", "put", "set")
"""Verbs after which "into" may be "inside": things swept inside a zone may be in it already."""
_NOUN_FOLLOWS = r"(?= (?:a|an|the|each|every|all|both|one|two|three|four|five|six|its|\d+)\b)"
_WORDS = {
    r"next to": ["beside", "right by"], r"in the middle of": ["at the centre of"],
    r"both(?= (?!of\b)\w)": ["the two"],
}  # fmt: skip
"""Patterns of words after the verb, and others that mean the same."""
_ANY = ["please {}", "{}, please", "now {}", "the next step: {}"]
_WITH_A_VERB = ["could you {}?", "can you please {}?", "your task is to {}", "I want you to {}"]
"""Forms of a sentence that begins with a verb; the others may begin with anything."""


def paraphrased(instruction: str, rng: np.random.Generator) -> str:
    """An instruction in other words that mean the same; an empty one stays empty.

    A verb that is known and words such as "next to" are replaced by others, and the sentence is put
    into another form. Things and colours keep their names, since others might mean other things.
    """
    sentence = instruction.strip().rstrip(".")
    if not sentence:
        return instruction

    def choose(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    verb, rest = _split(sentence)
    if verb in _PLACED:
        rest = re.sub(r"\binto\b", choose(["into", "inside"]), rest)
    for pattern, others in _WORDS.items():
        rest = re.sub(rf"\b{pattern}\b", choose(others), rest)
    forms = _ANY if verb is None or ":" in rest else [*_ANY, *_WITH_A_VERB]
    return choose(forms).format(rest if verb is None else choose(_VERBS[verb]) + rest)


def _split(sentence: str) -> tuple[str | None, str]:
    """The known verb with which a sentence begins, and the rest; None if there is none."""
    found = re.match(rf"({'|'.join(_VERBS)})\b{_NOUN_FOLLOWS}", sentence, re.IGNORECASE)
    if found is None:
        return None, sentence
    verb, rest = found.group(1).lower(), sentence[found.end() :]
    means_other = verb in _OTHER and re.search(rf"\b{_OTHER[verb]}\b", rest)
    return (None, sentence) if means_other else (verb, rest)
