"""Render pages from Jinja2 templates, in which all text is escaped.

A page is one file. Its content security policy allows its own style and script and no requests.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pygments
from markupsafe import Markup, escape
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Number, Operator, String, Text

from gensim_envs.printing import printable
from gensim_envs.sandbox.gate import MAX_BYTES
from gensim_envs.task.assets import COLORS
from gensim_envs.utils.naming import words

_TEMPLATES = Path(__file__).parent / "templates"
_COLOURED = (Comment, Keyword, Number, Operator.Word, String)  # in style.css
_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_BLANKS = re.compile(r"\s{400}")


def render(name: str, **values: Any) -> str:
    """Render a page.

    Args:
        name: of its template, "gallery.html"; "gallery.js" is added to this page.
        values: for the template.

    Raises:
        jinja2.UndefinedError: if the template uses a value that is missing.
    """
    templates = _environment()
    script = (_TEMPLATES / name).with_suffix(".js")
    return visible(
        templates.get_template(name).render(
            style=Markup(templates.get_template("style.css").render(colors=COLORS)),
            script=Markup(script.read_text(encoding="utf-8")) if script.exists() else "",
            **values,
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: tuple[Callable[..., Any], ...] = (
        counted, data_url, highlight, markdown, multiple, sha256, shortened, words,
    )  # fmt: skip
    environment.filters |= {each.__name__: each for each in filters}
    return environment


def visible(text: str) -> str:
    """Escape characters that are invisible or change the direction of writing."""
    return re.sub(r"[^\n -~]", lambda c: c[0] if c[0].isprintable() else ascii(c[0])[1:-1], text)


def highlight(source: str) -> Markup:
    """A Python program as HTML with a class for each token that has a colour.

    One that is longer than the gate allows loses its middle. One with a long stretch of blanks
    stays plain, since the lexer takes time in proportion to the square of its length.
    """
    source = printable(source, MAX_BYTES, lines=True)
    if _BLANKS.search(source):
        return escape(source)
    tokens = (
        (kind if any(kind in each for each in _COLOURED) else Text, text)
        for kind, text in _LEXER.get_tokens(visible(source))
    )
    return Markup(pygments.format(tokens, HtmlFormatter(nowrap=True)))


def markdown(text: str) -> Markup:
    """Text that Markdown shows unchanged and within its cell of a table."""
    escaped = html.escape(" ".join(text.split()), quote=False)
    return Markup(re.sub(r"([\\`*_\[\]|~])", r"\\\1", escaped))


def sha256(code: str) -> str:
    """The hash by which a content security policy names a script or a style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def data_url(content: bytes, kind: str) -> str:
    """A file within a page.

    Args:
        content: of the file.
        kind: its media type.
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def shortened(text: str, length: int) -> str:
    """Text with at most `length` characters; an ellipsis stands for the rest."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}\u2026"


def counted(count: int, noun: str) -> str:
    """`1 goal`, `2 goals`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def multiple(count: int, name: str) -> str:
    r"""`2 \u00d7 red block`, without a plural since a name can be any noun."""
    return name if count == 1 else f"{count} \u00d7 {name}"
