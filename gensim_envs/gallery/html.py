"""HTML as a tree: what a model wrote is text in it, and can never become markup."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Child = Element | str

_TOKEN = re.compile(
    r"(?P<string>[fFrR]?(?:\"\"\"[\s\S]*?\"\"\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))"
    r"|(?P<comment>#[^\n]*)"
    rf"|(?P<keyword>\b(?:{'|'.join(keyword.kwlist)})\b)"
    r"|(?P<number>\b\d[\d_.]*)"
)


def tag(name: str, /, *children: Child, **attributes: str) -> Element:
    """An element. `class_` stands for `class`, and `aria_label` for `aria-label`."""
    named = {key.rstrip("_").replace("_", "-"): visible(v) for key, v in attributes.items()}
    element = Element(name, named)
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + visible(child)
        else:
            element.text = (element.text or "") + visible(child)
    return element


def text(elements: Iterable[Element]) -> str:
    """Elements as HTML."""
    return "".join(ElementTree.tostring(e, encoding="unicode", method="html") for e in elements)


def visible(words: str) -> str:
    """Text in which what cannot be seen, or turns the direction of writing, is spelled out."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in words)


def highlighted(source: str) -> list[Child]:
    """A Python program, with a span of the class of each string, comment, keyword and number."""
    pieces: list[Child] = []
    at = 0
    for match in _TOKEN.finditer(source):
        pieces += [source[at : match.start()]]
        pieces += [tag("span", match.group(), class_=str(match.lastgroup))]
        at = match.end()
    return [*pieces, source[at:]]
