"""A model tuned on what `export` wrote, by a server that speaks OpenAI's fine-tuning API.

How far a job has come is in finetune.json before anything is waited for, so that after a stop the
same call goes on from there: nothing is started twice.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gensim_envs.errors import GensimError
from gensim_envs.generation import providers as llm
from gensim_envs.generation.export import HELD_OUT, TRAIN

LEAST = 10
"""Examples to train on that OpenAI asks for."""
POLL = (1.0, 30.0)
"""Seconds between two looks at a job: at first, since bad data shows early, and at most."""
FAILURES = {"failed": "failed", "cancelled": "been cancelled"}
JOB = "finetune.json"
_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")
T = TypeVar("T")


class DataError(GensimError):
    """The data, or finetune.json, is not as it should be; the message names file and line."""

    exit_code = 2


@dataclass
class Job:
    """A fine-tuning job, as far as it has come.

    Attributes:
        order: what is asked for: model, suffix, server and the data's sha256.
        uploads: {file: the server's id}.
        asked: whether the server has been asked to start it, even if no answer came.
        id: the server's, once it is known.
        tuned: name of the tuned model, once there is one.
    """

    order: dict[str, Any]
    uploads: dict[str, str] = field(default_factory=dict)
    asked: bool = False
    id: str = ""
    tuned: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a job has ended.

    Attributes:
        tuned: name of the tuned model, "" where there is none.
        problem: why there is none, in the server's words.
    """

    tuned: str = ""
    problem: str = ""


def finetune(
    client: Any,
    data: Path,
    folder: Path,
    model: str,
    suffix: str,
    *,
    sleep: llm.Sleep,
    say: Callable[[str], None],
) -> Outcome:
    """Tune a model, or go on waiting for one.

    Args:
        client: from `llm.client`.
        data: folder with train.jsonl and, if it is not to go without, held_out.jsonl.
        folder: where finetune.json is kept.
        model: to begin with, as the server calls it.
        suffix: for the name of the tuned model, or "".
        sleep: waits between tries and looks.
        say: called with a line about what happens.

    Raises:
        DataError: before anything is uploaded.
        ProviderError: where the server refuses the key or the request.
        ApiError: where it cannot be reached for long; the same call goes on from there.
        OSError: where finetune.json cannot be written.
    """
    files = read_data(data, client.api_key)
    order = {
        "model": model,
        "suffix": suffix,
        "server": client.base_url.netloc.decode(),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    tuning = _Tuning(client, folder / JOB, _take_up(folder / JOB, order), sleep, say)
    tuning.upload(files)
    tuning.start()
    return tuning.wait()


# The data.


def read_data(folder: Path, key: str) -> dict[str, bytes]:
    """The files to upload, as they are.

    Args:
        folder: with train.jsonl, and with held_out.jsonl where something is held out.
        key: that must not be in them.

    Raises:
        DataError: naming the first line that no server should be sent.
    """
    files = {name: (folder / name) for name in (TRAIN, HELD_OUT)}
    content: dict[str, bytes] = {}
    for name, path in files.items():
        try:
            content[name] = path.read_bytes()
        except FileNotFoundError:
            if name == TRAIN:
                raise DataError(f"{path} does not exist. Write it with gensim export") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from error
    count = 0
    for name, text in content.items():
        for number, line in enumerate(text.removesuffix(b"\n").split(b"\n") if text else [], 1):
            if problem := _problem(line, key):
                raise DataError(f"{files[name]}, line {number}: {problem}")
            count += name == TRAIN
    if count < LEAST:
        raise DataError(f"{files[TRAIN]} has {count} examples, and {LEAST} are needed at least")
    return {name: text for name, text in content.items() if text}


def _problem(line: bytes, key: str) -> str:
    """What is wrong with a line, or "". It never quotes the line, which may hold a key."""
    try:
        text = line.decode()
        messages = json.loads(text)["messages"]
        said = [(message["role"], message["content"]) for message in messages]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 'it is not {"messages": [{"role": ..., "content": ...}, ...]}'
    if llm.without_key(text, key) != text or _KEY.search(text):
        return "it holds what looks like a key"
    for role, content in said:
        if role not in ("system", "user", "assistant"):
            return "a role is none of system, user and assistant"
        if not isinstance(content, str) or not content.strip():
            return "a message is empty or no text"
    if not said or said[-1][0] != "assistant":
        return "the last message is not the assistant's"
    return ""


# The job on disk.


def _take_up(path: Path, order: dict[str, Any]) -> Job:
    """The job that was begun, or a new one.

    Raises:
        DataError: where finetune.json is damaged, or of a job that is another.
    """
    try:
        job = Job(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Job(order)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged: {error}. Delete it to begin anew") from error
    if job.order == order:
        return job
    if not job.asked:
        return Job(order)  # uploads alone bind nobody
    raise DataError(
        f"{path} is of a job with another model, suffix, server or data. Say another --out, or "
        "delete it if that job is not to be waited for"
    )


def _save(path: Path, job: Job) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".json.new")
    with open(new, "w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(job), indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


# The job at the server.


class _Tuning:
    """The steps of a job; each is passed over where it was done before a stop."""

    def __init__(
        self, client: Any, path: Path, job: Job, sleep: llm.Sleep, say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._path = path
        self._job = job
        self._sleep = sleep
        self._say = say
        self._told: set[str] = set()

    def upload(self, files: dict[str, bytes]) -> None:
        """Send the data."""
        for name, content in files.items():
            if name not in self._job.uploads:
                self._job.uploads[name] = self._ask(functools.partial(self._send, name, content))
                _save(self._path, self._job)
                self._say(f"uploaded {name} as {self._job.uploads[name]}")

    def _send(self, name: str, content: bytes) -> str:
        return _text(self._client.files.create(file=(name, content), purpose="fine-tune"), "id")

    def start(self) -> None:
        """Start the job, unless it has been started."""
        if self._job.id:
            self._say(f"waiting again for {self._job.id}")
            return
        try:
            self._job.id = self._ask(self._found_or_created)
        except llm.ProviderError:
            self._job.asked = False
            raise
        finally:
            _save(self._path, self._job)
        self._say(f"started {self._job.id}")

    def _found_or_created(self) -> str:
        """Where an answer may have been lost, a job on our upload is ours."""
        if self._job.asked and (found := self._find()):
            return found
        self._job.asked = True
        _save(self._path, self._job)
        uploads = self._job.uploads
        optional = {"validation_file": uploads.get(HELD_OUT), "suffix": self._job.order["suffix"]}
        created = self._client.fine_tuning.jobs.create(
            model=self._job.order["model"],
            training_file=uploads[TRAIN],
            **{key: value for key, value in optional.items() if value},
        )
        return _text(created, "id")

    def _find(self) -> str:
        """Id of the job on our upload, or ""."""
        try:
            jobs = self._ask(lambda: _entries(self._client.fine_tuning.jobs.list(limit=100)))
        except llm.ProviderError as error:
            raise DataError(
                f"whether the job of {self._path} was started cannot be found out: {error}. "
                "Delete the file if the server has no such job"
            ) from error
        upload = self._job.uploads[TRAIN]
        ours = [job for job in jobs if getattr(job, "training_file", "") == upload]
        return _text(ours[0], "id") if ours else ""

    def wait(self) -> Outcome:
        """Wait until it has ended."""
        pause, last = POLL[0], ""
        while True:
            job = self._ask(self._look)
            self._tell_events()
            if job.status != last:
                last = job.status
                self._say(f"{self._job.id}: {self._clean(last)}")
            if last == "succeeded" or last in FAILURES:
                return self._end(job)
            self._sleep(pause)
            pause = min(POLL[1], 1.5 * pause)

    def _look(self) -> Any:
        job = self._client.fine_tuning.jobs.retrieve(self._job.id)
        if _text(job, "status") == "succeeded":
            _text(job, "fine_tuned_model")
        return job

    def _tell_events(self) -> None:
        """Say what is new; a server that keeps no events tells of the job by its status alone."""
        events = self._client.fine_tuning.jobs.list_events
        with contextlib.suppress(llm.ProviderError):
            latest = self._ask(lambda: _entries(events(self._job.id, limit=100)))
            for event in reversed(latest):
                name = getattr(event, "id", "")
                if name not in self._told:
                    self._told.add(name)
                    self._say(self._clean(getattr(event, "message", "")))

    def _end(self, job: Any) -> Outcome:
        if job.status == "succeeded":
            self._job.tuned = self._clean(job.fine_tuned_model)
            _save(self._path, self._job)
            return Outcome(tuned=self._job.tuned)
        said = getattr(getattr(job, "error", None), "message", None)
        reason = f": {self._clean(said)}" if said else ""
        return Outcome(problem=f"{self._job.id} has {FAILURES[job.status]}{reason}")

    def _ask(self, ask: Callable[[], T]) -> T:
        return llm.retried(self._client, ask, self._sleep, self._say)

    def _clean(self, text: str) -> str:
        """A server's words on one line, without the key and what would move a cursor."""
        line = " ".join(llm.without_key(str(text), self._client.api_key).split())
        return "".join(c for c in line if c.isprintable())


def _entries(page: Any) -> list[Any]:
    """What a server lists.

    Raises:
        ValueError: where it is no list, such as in the page of a proxy.
    """
    entries = getattr(page, "data", None)
    if not isinstance(entries, list):
        raise ValueError("the server's answer is no list")
    return entries


def _text(answer: Any, name: str) -> str:
    """A field of an answer.

    Raises:
        ValueError: where there is no such text.
    """
    value = getattr(answer, name, None)
    if not isinstance(value, str) or not value:
        raise ValueError(f"the server's answer has no {name}")
    return value
