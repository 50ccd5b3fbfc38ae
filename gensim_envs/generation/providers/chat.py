"""Read the answers of chat servers, streamed or whole, in all forms in which they come."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from gensim_envs.generation.providers import ProviderError
from gensim_envs.generation.providers.client import ServerError, Transient, message_of
from gensim_envs.utils.answers import loads

Usage = tuple[int | None, int | None]
"""Tokens of prompt and answer, as far as the server counts them."""


@dataclass(frozen=True)
class Reply:
    """The content of an answer.

    Attributes:
        text: the answer, or the words of a refusal; visible reasoning is not part of it.
        finish: the server's reason for its end, in lower case; "" if it gives none.
        usage: tokens of prompt and answer.
    """

    text: str
    finish: str
    usage: Usage


def read_reply(body: str) -> Reply:
    """Read the body of an answer with HTTP status 200.

    Raises:
        ServerError: if it is an error.
        ProviderError: if it is a web page.
        Transient: if it is malformed or ends early.
    """
    whole = body.lstrip("\ufeff \t\r\n")
    if whole.startswith("<"):
        problem = message_of(whole)[:300]
        raise ProviderError(f"the server answers with {problem}. Does --base-url end in /v1?")
    streamed = not whole.startswith(("{", "["))
    events = _events(whole) if streamed else [whole]
    text: list[str] = []
    refusal: list[str] = []
    usage: Usage = (None, None)
    finish, done = "", False
    for data in events:
        if data.startswith("[DONE]"):
            done = True
            break
        event = _parsed(data)
        usage = _usage(event.get("usage"), usage)
        choice = _choice(event)
        part = choice.get("delta") or choice.get("message")
        part = part if isinstance(part, dict) else {}
        text.append(_content(part.get("content")))
        refusal.append(_content(part.get("refusal")))
        finish = _text(choice.get("finish_reason")) or finish
    if streamed and not (done or finish):
        raise Transient("the answer was cut short: its stream ended early")
    return Reply("".join(text) or "".join(refusal), finish.lower(), usage)


def _events(text: str) -> list[str]:
    """The data of server-sent events; llama.cpp sends errors as `error: {...}`."""
    events: list[str] = []
    ended = True
    for line in re.split(r"\r\n|\r|\n", text):
        name, colon, value = line.partition(":")
        if colon and name in ("data", "error"):
            value = value.strip()
            # Some servers leave out the empty line between events.
            if ended or value.startswith(("{", "[DONE]")):
                events.append(value)
            else:
                events[-1] += f"\n{value}"
            ended = False
        ended |= not line
    return [event for event in events if event]


def _parsed(data: str) -> dict[str, Any]:
    """The JSON of an event.

    Raises:
        ServerError: if it is an error.
        Transient: if it is malformed.
    """
    try:
        event = loads(data)
    except ValueError:
        raise Transient(f"the answer is malformed: {data[:100]!r}") from None
    if isinstance(event, list) and len(event) == 1:  # some gateways wrap errors in a list
        event = event[0]
    if not isinstance(event, dict):
        raise Transient(f"the answer is malformed: {data[:100]!r}")
    if event.get("error") or ("choices" not in event and "usage" not in event):
        raise ServerError.from_body(0, event)
    return event


def _choice(event: dict[str, Any]) -> dict[str, Any]:
    choices = event.get("choices") or []
    if not isinstance(choices, list) or not all(isinstance(each, dict) for each in choices):
        raise Transient(f"the answer is malformed: its choices are {json.dumps(choices)[:100]}")
    return next((each for each in choices if each.get("index") in (0, None)), {})


def _content(content: object) -> str:
    """Text, or the text of a list of parts; parts of reasoning have another type."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        return "".join(_text(p.get("text")) for p in parts if p.get("type", "text") == "text")
    return _text(content)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _usage(given: object, before: Usage) -> Usage:
    """The last counts that are given; servers repeat them or give a part."""
    if not isinstance(given, dict):
        return before
    found = [given.get(name) for name in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (
        old if count(each) is None else each for each, old in zip(found, before, strict=True)
    )
    return prompt, completion


def count(value: object) -> int | None:
    """A number of tokens that a server gives; None if it is not one."""
    return value if type(value) is int and 0 <= value < 10**9 else None
