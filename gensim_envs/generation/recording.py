"""Conversations on disk, as a run writes them and `replay` reads them.

run.json                  the settings that decide what is asked
attempts/0007.jsonl       a line for each call of attempt 7: its messages, answer and usage
messages/<digest>.md      long messages, kept once, such as the reference of the API
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gensim_envs.errors import GensimError

_KEYS = {"name", "digest", "messages", "answer", "prompt_tokens", "completion_tokens", "seconds"}
LONG = 1500
"""Letters from which a message is kept in a file of its own."""


class RecordingError(GensimError):
    """A recording is missing or damaged; the message names the file."""

    exit_code = 2


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Call:
    """One question to a model.

    Attributes:
        attempt: number of the attempt at a task, from 1; 0 is what concerns the whole run.
        name: the stage and how often it has been asked in this attempt, "repair-2".
        messages: the conversation.
        temperature: of the answer.
    """

    attempt: int
    name: str
    messages: tuple[Message, ...]
    temperature: float = 0.0

    @property
    def stage(self) -> str:
        """`repair-2` -> `repair`."""
        return self.name.rpartition("-")[0]

    @property
    def digest(self) -> str:
        """Of the messages."""
        whole = json.dumps([[m.role, m.content] for m in self.messages], ensure_ascii=False)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        text: the answer.
        prompt_tokens: of the messages, as the server counts or by estimate.
        completion_tokens: of the answer.
        seconds: until it was there.
        too_long: why there is none, where the messages were too long for the model.
        changed: whether it was given to other messages, as a replay finds out; it is not kept.
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    too_long: str = ""
    changed: bool = False


class Recording:
    """A folder of conversations; see the top of this file.

    Args:
        root: the folder; it need not exist until something is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the questions.

        Raises:
            RecordingError: where there is none.
        """
        data = _parse(self.root / "run.json", _text(self.root / "run.json"))
        if not isinstance(data, dict):
            raise RecordingError(f"{self.root / 'run.json'} is no object")
        return data

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Set down what decides the questions."""
        self.root.mkdir(parents=True, exist_ok=True)
        text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
        new = self.root / "run.json.new"
        new.write_text(text, encoding="utf-8", errors="replace")
        new.replace(self.root / "run.json")

    def path(self, attempt: int) -> Path:
        """The file of an attempt's calls."""
        return self.root / "attempts" / f"{attempt:04d}.jsonl"

    def append(self, call: Call, answer: Answer) -> None:
        """Keep an answer; its line is whole or, after a kill, passed over by `answers`."""
        entry = {
            "name": call.name,
            "digest": call.digest,
            "temperature": call.temperature,
            "messages": [[m.role, self._keep(m.content)] for m in call.messages],
            "answer": answer.text,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "seconds": answer.seconds,
            **({"too_long": answer.too_long} if answer.too_long else {}),
        }
        path = self.path(call.attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write("\n" + line if torn else line)

    def _keep(self, content: str) -> str | dict[str, str]:
        if len(content) < LONG:
            return content
        name = hashlib.sha256(content.encode(errors="replace")).hexdigest()[:16]
        path = self.root / "messages" / f"{name}.md"
        with self._lock:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                new = path.with_suffix(".new")
                new.write_text(content, encoding="utf-8", errors="replace")
                new.replace(path)
        return {"file": f"messages/{name}.md"}

    def calls(self, attempt: int) -> list[dict[str, Any]]:
        """Every whole line of an attempt; one that a kill has torn is passed over."""
        path = self.path(attempt)
        found = []
        # Not splitlines(), which also splits at what JSON need not escape, such as U+2028.
        for line in _text(path).split("\n") if path.exists() else []:
            with contextlib.suppress(RecordingError):
                found.append(_parse(path, line))
        return [entry for entry in found if isinstance(entry, dict) and entry.keys() >= _KEYS]

    def answers(self, attempt: int) -> dict[str, tuple[str, Answer]]:
        """{name of a call: (digest of its messages, the last answer to it)}."""
        return {
            entry["name"]: (
                entry["digest"],
                Answer(
                    entry["answer"], entry["prompt_tokens"], entry["completion_tokens"],
                    entry["seconds"], entry.get("too_long", ""),
                ),
            )
            for entry in self.calls(attempt)
        }  # fmt: skip

    def attempts(self) -> list[int]:
        """Numbers of the attempts that are here."""
        return sorted(
            int(path.stem) for path in (self.root / "attempts").glob("[0-9]*.jsonl")
            if path.stem.isdecimal() and path.stem != "0000"
        )  # fmt: skip


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from error


def _parse(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path} is damaged: {error}") from error
