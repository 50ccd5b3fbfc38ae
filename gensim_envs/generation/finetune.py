"""Tune a model on exported data, through a server that speaks OpenAI's fine-tuning API.

finetune.json records each step before the next one begins, so that after a stop the same call goes
on from there and starts nothing twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gensim_envs.errors import GensimError, files_as
from gensim_envs.generation.export import HELD_OUT, TRAIN, DataError, read_data
from gensim_envs.generation.providers import ApiError, ProviderError
from gensim_envs.generation.providers.client import explained, one_line
from gensim_envs.utils import files
from gensim_envs.utils.decode import read

POLL = (1.0, 30.0)
"""Seconds between two queries of a job: at first, since bad data fail early, and at most."""
RETRIES = 20
"""Retries of the client, over about two minutes."""
FAILURES = {"failed": "failed", "cancelled": "been cancelled"}
JOB = "finetune.json"


class JobError(GensimError):
    """A fine-tuning job has failed or been cancelled; the message gives the server's reason."""


@dataclass
class Job:
    """The progress of a fine-tuning job.

    Attributes:
        order: model, suffix, server and the data's SHA-256.
        uploads: {file: the server's id}.
        asked: whether the request to start it was sent, even if no answer came.
        id: the server's id of the job, once it is known.
        tuned: name of the tuned model, once there is one.
    """

    order: dict[str, Any]
    uploads: dict[str, str] = field(default_factory=dict)
    asked: bool = False
    id: str = ""
    tuned: str = ""


def finetune(
    client: Any, data: Path, folder: Path, model: str, suffix: str, say: Callable[[str], None]
) -> str:
    """Tune a model, or wait again for a job that was started earlier.

    Args:
        client: from `providers.client`.
        data: folder with train.jsonl and, optionally, held_out.jsonl.
        folder: folder of finetune.json.
        model: the base model, as the server calls it.
        suffix: suffix of the tuned model's name, or "".
        say: called with a line about each step.

    Returns:
        Name of the tuned model.

    Raises:
        JobError: if the job has failed or been cancelled.
        DataError: if the data are invalid; nothing is uploaded then.
        ProviderError: if the server refuses the key or the request.
        ApiError: if the server cannot be reached; the same call goes on from there.
        FileError: if finetune.json cannot be written.
    """
    content = read_data(data, client.api_key)
    order = {
        "model": model,
        "suffix": suffix,
        "server": client.base_url.netloc.decode(),
        "sha256": {name: hashlib.sha256(each).hexdigest() for name, each in content.items()},
    }
    tuning = _Tuning(client, folder / JOB, _resumed(folder / JOB, order), say)
    tuning.upload(content)
    tuning.start()
    return tuning.wait()


# The job on disk.


def _resumed(path: Path, order: dict[str, Any]) -> Job:
    """The job that was begun earlier, or a new one.

    Raises:
        DataError: if finetune.json is damaged, or belongs to another job.
    """
    with files_as(DataError, ". Delete it to start again"):
        job = read(path, Job) if os.path.lexists(path) else Job(order)
    if job.order == order:
        return job
    if not job.asked:
        return Job(order)  # uploads alone commit nobody to anything
    raise DataError(
        f"{path} belongs to a job with another model, suffix, server or data. Use another --out, "
        "or delete the file if you do not want that job"
    )


# The job at the server.


class _Tuning:
    """The steps of a job; each is skipped if it was done before a stop."""

    def __init__(self, client: Any, path: Path, job: Job, say: Callable[[str], None]) -> None:
        self._client = client.with_options(max_retries=RETRIES)
        self._once = client.with_options(max_retries=0)
        self._key = client.api_key
        self._path = path
        self._job = job
        self._say = say
        self._told: set[str] = set()

    def upload(self, content: dict[str, bytes]) -> None:
        for name, data in content.items():
            if name not in self._job.uploads:
                with self._api_exists(), explained(self._key):
                    file = self._client.files.create(file=(name, data), purpose="fine-tune")
                    self._job.uploads[name] = _text(file, "id")
                self._save()
                self._say(f"uploaded {name} as {self._job.uploads[name]}")

    def start(self) -> None:
        job = self._job
        if job.id:
            self._say(f"waiting again for {job.id}")
            return
        if job.asked:
            job.id = self._find()
        if not job.id:
            job.asked = True
            self._save()
            try:
                job.id = self._create()
            except ProviderError:
                job.asked = False
                self._save()
                raise
        self._save()
        self._say(f"started {job.id}")

    def _create(self) -> str:
        """Start the job and return its id; not retried, since that could start it twice."""
        uploads = self._job.uploads
        optional = {"validation_file": uploads.get(HELD_OUT), "suffix": self._job.order["suffix"]}
        with self._api_exists(), explained(self._key):
            created = self._once.fine_tuning.jobs.create(
                model=self._job.order["model"],
                training_file=uploads[TRAIN],
                **{key: value for key, value in optional.items() if value},
            )
            return _text(created, "id")

    @contextlib.contextmanager
    def _api_exists(self) -> Iterator[None]:
        """Explain a request that is refused because the server has no such address."""
        try:
            yield
        except ProviderError as error:
            answer = error.__context__
            missing = getattr(answer, "status_code", 0) in (404, 405)
            if not missing or getattr(answer, "code", None) == "model_not_found":
                raise
            raise ProviderError(
                f"{self._job.order['server']} has no API to tune models: {error}. "
                "Use a server that has OpenAI's fine-tuning API"
            ) from error

    def _find(self) -> str:
        """Id of the job on our upload, or ""."""
        try:
            with explained(self._key):
                jobs = _entries(self._client.fine_tuning.jobs.list(limit=100))
        except ProviderError as error:
            raise DataError(
                f"cannot find out whether the job of {self._path} was started: {error}. "
                "Delete the file if the server has no such job"
            ) from error
        upload = self._job.uploads[TRAIN]
        ours = [job for job in jobs if getattr(job, "training_file", "") == upload]
        return _text(ours[0], "id") if ours else ""

    def wait(self) -> str:
        pause, last = POLL[0], ""
        while True:
            with explained(self._key):
                job = self._client.fine_tuning.jobs.retrieve(self._job.id)
                status = _text(job, "status")
                if status == "succeeded":
                    self._job.tuned = one_line(_text(job, "fine_tuned_model"), self._key)
            self._tell_events()
            if status != last:
                last = status
                self._say(f"{self._job.id}: {one_line(status, self._key)}")
            if status == "succeeded":
                self._save()
                return self._job.tuned
            if status in FAILURES:
                words = getattr(getattr(job, "error", None), "message", None)
                reason = f": {one_line(str(words), self._key)}" if words else ""
                raise JobError(
                    f"{self._job.id} has {FAILURES[status]}{reason}. Delete {self._path} to start "
                    "another job"
                )
            time.sleep(pause)
            pause = min(POLL[1], 1.5 * pause)

    def _tell_events(self) -> None:
        """Report new events, if the server keeps any."""
        with contextlib.suppress(ProviderError, ApiError), explained(self._key):
            events = _entries(self._once.fine_tuning.jobs.list_events(self._job.id, limit=100))
            for event in reversed(events):
                if event.id not in self._told:
                    self._told.add(event.id)
                    self._say(one_line(event.message, self._key))

    def _save(self) -> None:
        files.write(self._path, (json.dumps(asdict(self._job), indent=1) + "\n").encode())


def _entries(page: Any) -> list[Any]:
    """The entries of a list that a server sent.

    Raises:
        ValueError: if it is not a list, such as the page of a proxy.
    """
    entries = getattr(page, "data", None)
    if not isinstance(entries, list):
        raise ValueError("the server's answer is not a list")
    return entries


def _text(answer: Any, name: str) -> str:
    """A field of a server's answer.

    Raises:
        ValueError: if there is no such text.
    """
    value = getattr(answer, name, None)
    if not isinstance(value, str) or not value:
        raise ValueError(f"the server's answer has no {name}")
    return value
