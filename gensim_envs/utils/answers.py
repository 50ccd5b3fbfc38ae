"""Take a model's answer apart: visible reasoning, JSON objects.

Answers come from servers that may be hostile. Each function takes time in proportion to the length.
"""

from __future__ import annotations

import json
import re

from gensim_envs.utils.decode import is_deep

_REASONING = re.compile(
    r"(</?(?:seed:)?(?:think|thinking|thought|reasoning)>|\[/?think\]|\u25c1/?think\u25b7)",
    re.IGNORECASE,
)
_FINAL = re.compile(
    # The last channel of "harmony"; some servers drop the tokens between the words.
    r"<\|channel\|>final\b[^<]{0,50}(?:<\|constrain\|>[^<]{0,50})?<\|message\|>|"
    r"^analysis[\s\S]*assistantfinal"
)
_END = re.compile(
    r"(?:<\|(?:im_end|end|return|eot_id|endoftext|end_of_text|channel)\|>|</s>|<eos>|"
    r"<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>)"
)
MOST_OBJECTS = 50
"""Maximum number of opening braces at which a JSON object is looked for."""


def without_reasoning(text: str) -> str:
    """An answer without visible reasoning and without the tokens that end it.

    Reasoning is what stands in a `<think>` block, whose opening or closing tag may be missing, and
    all channels but the last of the "harmony" format.
    """
    *_, final = [None, *_FINAL.finditer(text)]
    if final or "<|channel|>" in text:
        text = text[final.end() :] if final else ""
    kept: list[str] = []
    reasoning = False
    for part in _REASONING.split(text):
        if not _REASONING.fullmatch(part):
            if not reasoning:
                kept.append(part)
        elif part[1] != "/":
            reasoning = True
        else:
            if not reasoning:  # the opening tag is missing
                kept.clear()
            reasoning = False
    whole = "".join(kept)
    end = _END.search(whole)
    return whole if end is None else whole[: end.start()].rstrip()


def json_objects(text: str) -> list[object]:
    """The JSON objects in a text, in order; a comma before a closing bracket is forgiven.

    Objects that are nested too deeply are left out.
    """
    found = _objects(text)
    return found or _objects(re.sub(r",(\s*[}\]])", r"\1", text))


def loads(text: str) -> object:
    """The value of a JSON text of a server.

    Raises:
        ValueError: if it is malformed or nested too deeply.
    """
    try:
        value: object = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if is_deep(value):
        raise ValueError("it is nested too deeply")
    return value


def _objects(text: str) -> list[object]:
    found: list[object] = []
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{")
    for _ in range(MOST_OBJECTS):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
            found += [] if is_deep(value) else [value]
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    return found
