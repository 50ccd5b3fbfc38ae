"""The prompts, as Jinja templates. The first line of each names its inputs and its output."""

from __future__ import annotations

import functools
from typing import Any

import jinja2


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader(__name__, "."),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the output is text for a model, never HTML
        trim_blocks=True,
        finalize=_fenced,
    )


def _fenced(value: Any) -> Any:
    """Escape text so that it cannot close the <data> block around it."""
    return value.replace("</data>", "< /data>") if isinstance(value, str) else value


def render(name: str, **values: Any) -> str:
    """A prompt.

    Args:
        name: name of the template, such as "propose".
        values: its inputs, which its first line names.

    Raises:
        jinja2.UndefinedError: where one of them is missing.
    """
    return _templates().get_template(f"{name}.md.j2").render(**values).strip()
