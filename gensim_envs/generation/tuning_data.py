"""Check fine-tuning data before it is uploaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gensim_envs.errors import GensimError
from gensim_envs.generation.export import HELD_OUT, TRAIN
from gensim_envs.generation.providers.server import without_key

LEAST = 10
"""Minimum number of training examples, as OpenAI requires."""
_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")


class DataError(GensimError):
    """The data or finetune.json is invalid; the message names the file and line."""

    exit_code = 2


def read_data(folder: Path, key: str) -> dict[str, bytes]:
    """The files to upload, unchanged.

    Args:
        folder: with train.jsonl, and held_out.jsonl if something is held out.
        key: must not occur in them.

    Raises:
        DataError: naming the first line that must not be uploaded.
    """
    content: dict[str, bytes] = {}
    for name in (TRAIN, HELD_OUT):
        path = folder / name
        try:
            content[name] = path.read_bytes()
        except FileNotFoundError:
            if name == TRAIN:
                raise DataError(f"{path} does not exist. Write it with gensim export") from None
            continue
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from error
        lines = content[name].splitlines()
        for number, line in enumerate(lines, 1):
            if problem := _problem(line, key):
                raise DataError(f"{path}, line {number}: {problem}")
        if name == TRAIN and len(lines) < LEAST:
            raise DataError(f"{path} has {len(lines)} examples; at least {LEAST} are needed")
    return {name: each for name, each in content.items() if each}


def _problem(line: bytes, key: str) -> str:
    """What is wrong with a line, or "". It never quotes the line, which may hold a key."""
    try:
        text = line.decode()
        messages = [(each["role"], each["content"]) for each in json.loads(text)["messages"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 'it is not {"messages": [{"role": ..., "content": ...}, ...]}'
    if without_key(text, key) != text or _KEY.search(text):
        return "it contains what looks like a key"
    for role, content in messages:
        if role not in ("system", "user", "assistant"):
            return "a role is not system, user or assistant"
        if not isinstance(content, str) or not content.strip():
            return "the content of a message is empty or not a string"
    if not messages or messages[-1][0] != "assistant":
        return "the last message is not the assistant's"
    return ""
