"""Store the conversations of a run on disk, from where `replay` reads them.

run.json                  the settings of the run
attempts/0007.jsonl       a line for each call of attempt 7: its messages, answer and usage
messages/<digest>.md      long messages, kept once, such as the reference of the API
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ValidationError

from gensim_envs.errors import GensimError, files_as
from gensim_envs.utils import files
from gensim_envs.utils.decode import DecodeError, Range, Text, decode, parse, read

Scheme = Literal["chain", "few-shot", "zero-shot"]
Prompt = Literal["full", "slim", "short"]
"""What prompts about code contain: the whole API reference, the parts that a proposal uses, or none
of it, for a model that was tuned on a library."""
Count = Annotated[int, Range(0, 10**9)]
Seconds = Annotated[float, Range(0, 10**9)]
LONG = 1500
"""Characters from which a message is kept in a file of its own."""
_MOST_CALLS = 5000  # of an attempt, whose repairs and critics are bounded
_MOST_BYTES = 2**26  # of the calls of an attempt


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
    """One call of a model.

    Attributes:
        attempt: number of the attempt, from 1; 0 for calls of the whole run.
        name: the query and its number within the attempt, "repair-2".
        messages: the conversation.
        temperature: sampling temperature of the answer.
        schema: JSON schema of the answer, or None for text. It follows from the messages.
    """

    attempt: int
    name: str
    messages: tuple[Message, ...]
    temperature: float = 0.0
    schema: dict[str, Any] | None = None

    @property
    def digest(self) -> str:
        """Hash of the messages."""
        whole = json.dumps([[m.role, m.content] for m in self.messages], ensure_ascii=False)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Answer:
    """The answer to a call.

    Attributes:
        text: the answer.
        prompt_tokens: tokens of the messages, as counted by the server or estimated.
        completion_tokens: tokens of the answer.
        seconds: until it was complete.
        too_long: the error, if the messages were too long for the model.
        ended: "length" if the server cut the answer, "content_filter" if it censored it, else "".
        changed: whether a replay gives it to other messages than it was recorded for; not kept.
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    too_long: str = ""
    ended: str = ""
    changed: bool = False


@dataclass(frozen=True)
class RecordedCall:
    """A line of a recording: a call and its answer, whose fields are those of `Answer`."""

    name: str
    digest: str
    answer: Text
    prompt_tokens: Count
    completion_tokens: Count
    seconds: Seconds
    too_long: str = ""
    ended: str = ""
    temperature: float = 0.0
    messages: Any = ()


@dataclass(frozen=True)
class Settings:
    """The settings that determine the prompts and verdicts of a run.

    Attributes:
        run: id of the run, by which its tasks are known in the library.
        model: the model's name.
        scheme: the whole chain, or a single prompt with or without examples.
        count: number of attempts.
        window: attempt k sees the library as it was after attempt k - window.
        rounds: maximum number of repairs.
        critics: number of votes on a finished task.
        seed: seed of the samples of the library that prompts show.
        embedder: compares tasks.
        target: skill that the tasks should lead to, or "".
        curriculum: number of steps towards the target that are planned first; 0 for none.
        temperatures: temperatures by query that differ from the default.
        prompt: what prompts about code contain.
        base: hash of the library's tasks when the run began; None before.
    """

    run: str
    model: str
    scheme: Scheme = "chain"
    count: Annotated[int, Range(0, 100_000)] = 20
    window: Annotated[int, Range(1, 10_000)] = 8
    rounds: Annotated[int, Range(0, 1000)] = 3
    critics: Annotated[int, Range(0, 1000)] = 3
    seed: Count = 0
    embedder: str = "tfidf"
    target: str = ""
    curriculum: Annotated[int, Range(0, 1000)] = 0
    temperatures: dict[str, Annotated[float, Range(0, 2)]] | None = None
    prompt: Prompt = "full"
    base: str | None = None


class Recording:
    """A folder of conversations; see the top of this file.

    Args:
        root: the folder; it need not exist until something is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def settings(self) -> Settings:
        """The settings of the run.

        Raises:
            RecordingError: if they cannot be read.
        """
        with files_as(RecordingError):
            return read(self.root / "run.json", Settings, root=self.root)

    def write_settings(self, settings: Settings) -> None:
        """Write the settings of the run.

        Raises:
            FileError: if they cannot be written.
        """
        text = json.dumps(asdict(settings), indent=2, ensure_ascii=False) + "\n"
        files.write(self.root / "run.json", text.encode(errors="replace"))

    def path(self, attempt: int) -> Path:
        """The file of an attempt's calls."""
        return self.root / "attempts" / f"{attempt:04d}.jsonl"

    def append(self, call: Call, answer: Answer) -> None:
        """Keep an answer. A line that a kill has torn is ignored by `calls`."""
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
            **({"ended": answer.ended} if answer.ended else {}),
        }
        path = self.path(call.attempt)
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        torn = os.path.lexists(path) and not _bytes(path, self.root).endswith(b"\n")
        files.append(path, ("\n" * torn + line).encode(errors="replace"), self.root)

    def _keep(self, content: str) -> str | dict[str, str]:
        if len(content) < LONG:
            return content
        data = content.encode(errors="replace")
        name = f"messages/{hashlib.sha256(data).hexdigest()[:16]}.md"
        if not os.path.lexists(self.root / name):
            files.write(self.root / name, data, self.root)
        return {"file": name}

    def put_aside(self, attempt: int) -> None:
        """Rename the calls of an attempt, so that they are kept but not replayed."""
        path = self.path(attempt)
        number = 1
        while os.path.lexists(aside := path.with_name(f"{path.stem}-{number}.jsonl")):
            number += 1
        if os.path.lexists(path):
            files.rename(path, aside.name, self.root)

    def calls(self, attempt: int) -> list[RecordedCall]:
        """The calls of an attempt; torn lines are ignored.

        Raises:
            RecordingError: if they cannot be read, or are too many.
        """
        path = self.path(attempt)
        data = _bytes(path, self.root) if os.path.lexists(path) else b""
        if data.count(b"\n") > _MOST_CALLS:
            raise RecordingError(f"{path} has more than {_MOST_CALLS} lines")
        found = []
        for line in data.split(b"\n"):
            with contextlib.suppress(DecodeError):
                found.append(decode(RecordedCall, parse(line)))
        return found

    def answers(self, attempt: int) -> dict[str, tuple[str, Answer]]:
        """{name of a call: (digest of its messages, the last answer to it)}."""
        return {
            call.name: (
                call.digest,
                Answer(
                    call.answer, call.prompt_tokens, call.completion_tokens, call.seconds,
                    call.too_long, call.ended,
                ),
            )
            for call in self.calls(attempt)
        }  # fmt: skip

    def attempts(self) -> list[int]:
        """Numbers of the attempts that have calls."""
        stems = [path.stem for path in (self.root / "attempts").glob("*.jsonl")]
        return sorted(int(stem) for stem in stems if stem.isdecimal() and int(stem) > 0)


def first_problem(error: ValidationError, whole: str) -> str:
    """The first problem of a validation, in one line.

    Args:
        error: the failed validation.
        whole: the name of what was validated, for a problem that concerns all of it.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or whole}: {first['msg']}"


@files_as(RecordingError)
def _bytes(path: Path, root: Path) -> bytes:
    return files.read(path, root=root, limit=_MOST_BYTES)
