"""Make text from elsewhere safe to print."""

from __future__ import annotations

MESSAGE = 2000
"""Most characters of a message, such as an error, that is printed or logged."""


def printable(text: str, most: int = MESSAGE, *, lines: bool = False) -> str:
    r"""Make text from elsewhere safe and short enough for a terminal, a log or a page.

    Args:
        text: any text.
        most: most characters of the result; a longer text loses its middle.
        lines: keep line breaks and tabs. Otherwise they become spaces.

    Returns:
        The text with what is not printable as escape sequences (`\x1b`): control characters, those
        that change the direction of writing, and half surrogate pairs.
    """
    if len(text) > 4 * most:  # what follows takes time in proportion to the length
        text = f"{text[: 2 * most]} ... {text[-2 * most :]}"
    if not text.isprintable():
        kept = "\n\t" if lines else ""
        text = text if lines else " ".join(text.split())
        text = "".join(c if c.isprintable() or c in kept else _escaped(c) for c in text)
    if len(text) > most:
        head, tail = (most - 5 + 1) // 2, (most - 5) // 2
        text = f"{text[:head]} ... {text[len(text) - tail :]}"
    return text


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
