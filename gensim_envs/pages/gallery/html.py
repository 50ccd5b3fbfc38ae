"""HTML as a tree: what a model wrote is text in it, and can never become markup."""

from __future__ import annotations

import base64
import hashlib
import html
import keyword
import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Child = Element | str

BASE = (Path(__file__).parent / "base.css").read_text(encoding="utf-8")
"""The style that all pages share."""

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


def document(title: str, style: str, body: Iterable[Element]) -> str:
    """A page of its own, without scripts: all that it shows is inside of it."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(visible(title))}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n'
        f"<body>\n{text(body)}\n</body>\n</html>\n"
    )


def policy(style: str, script: str = "") -> str:
    """What a page may do: run this script and this style, and show what is inside of it."""
    return "; ".join(
        [
            "default-src 'none'",
            *([f"script-src '{_sha256(script)}'"] if script else []),
            f"style-src '{_sha256(style)}'",
            "img-src data:",
            "media-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _sha256(code: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def data_url(kind: str, content: bytes) -> str:
    """A file within a page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
