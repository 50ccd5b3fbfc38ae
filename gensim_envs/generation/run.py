"""A run: many attempts in flight, published in their order, safe to stop and to resume.

A run is a folder. It is a recording (see recording.py), and beside each attempt's calls there is

attempts/0007.json        its verdict, once it has been published or refused
attempts/0007.py          its last program

Attempt k sees the library as it was after attempt k - window, so what it asks does not depend on
how many processes there are or on which attempt is the faster.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
from pydantic import TypeAdapter, ValidationError

from gensim_envs.errors import TaskError
from gensim_envs.generation import publish
from gensim_envs.generation.attempt import Draft, Rules, Verdict, make_attempt, settle
from gensim_envs.generation.conversation import TEMPERATURES, Conversation
from gensim_envs.generation.embed import Embedder
from gensim_envs.generation.memory import Entry, Memory, recall
from gensim_envs.generation.propose import Idea, Scheme, curriculum
from gensim_envs.generation.providers import ApiError, Provider, Recorded, Stopped
from gensim_envs.generation.recording import Recording, RecordingError
from gensim_envs.library import Library, LibraryError, Record, digest
from gensim_envs.utils.processes import processes

STALE = 10
"""Attempts in a row that propose what is there already, after which a run ends."""
INTERRUPTED = "stopped by Ctrl-C"
RECALLED = 8
"""Refused attempts that a proposal is told of."""
_VERDICT = TypeAdapter(Verdict)


@dataclass(frozen=True)
class Settings:
    """What decides what a run asks and accepts; it is kept in run.json.

    Attributes:
        run: id of the run, by which its tasks are known in the library.
        model: who answers.
        scheme: the whole chain, or a single prompt with or without examples.
        count: attempts at a task.
        window: attempt k sees the library as it was after attempt k - window.
        rounds: repairs at most.
        critics: who vote.
        seed: of what is shown of the library.
        embedder: that says how alike tasks are.
        target: what the tasks are to lead to, or "".
        curriculum: steps towards the target that are planned first; 0 for none.
        temperatures: by stage, where they differ from the usual.
    """

    run: str
    model: str
    scheme: Scheme = "chain"
    count: int = 20
    window: int = 8
    rounds: int = 3
    critics: int = 3
    seed: int = 0
    embedder: str = "tfidf"
    target: str = ""
    curriculum: int = 0
    temperatures: dict[str, float] | None = None

    @classmethod
    def of(cls, recording: Recording) -> Settings:
        """Those of a run or recording.

        Raises:
            RecordingError: where they cannot be read.
        """
        data = recording.settings
        known = {field.name for field in fields(cls)}
        try:
            return TypeAdapter(cls).validate_python(
                {key: value for key, value in data.items() if key in known}
            )
        except ValidationError as error:
            problem = _problem(error)
            raise RecordingError(f"{recording.root / 'run.json'} is no run: {problem}") from error


class Watcher(Protocol):
    """Somebody who is told how a run goes."""

    def stage(self, attempt: int, stage: str) -> None:
        """An attempt has come to a stage."""

    def done(self, verdict: Verdict) -> None:
        """An attempt has been published or refused, in the order of attempts."""

    def say(self, line: str) -> None:
        """Something worth a line."""


@dataclass(frozen=True)
class Result:
    """How a run has ended.

    Attributes:
        verdicts: of the attempts that came to an end, in order.
        ended: why it ended before its last attempt, or "".
    """

    verdicts: list[Verdict]
    ended: str = ""

    @property
    def accepted(self) -> list[Verdict]:
        """The attempts whose tasks are in the library."""
        return [verdict for verdict in self.verdicts if verdict.accepted]


class Run:
    """Makes the attempts of a run that are still to be made.

    Args:
        folder: of the run.
        settings: of the run; those of its first start where it is resumed.
        library: where tasks go.
        provider: who answers.
        embedder: that of the settings.
        watcher: is told how it goes.
        stop: ends it, such as a Ctrl-C; providers look at it while they wait.
        workers: processes for simulation; all cores if not said.

    Raises:
        LibraryError: where the library is broken.
    """

    def __init__(
        self, folder: Path, settings: Settings, library: Library, provider: Provider,
        embedder: Embedder, watcher: Watcher, stop: threading.Event, workers: int | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.settings = settings
        self._recording = Recording(folder)
        self._library = library
        self._provider = Recorded(provider, self._recording)
        self._watcher = watcher
        self._stop = stop
        self._workers = workers
        library.recover()
        self._memory = Memory(embedder, recall(library, without_run=settings.run))
        self._rules = Rules(settings.scheme, settings.rounds, settings.critics)
        self._verdicts: list[Verdict] = []
        self._sizes = [len(self._memory.entries)]  # of the memory, after each attempt

    def go(self) -> Result:
        """Make the attempts.

        Raises:
            ProviderError: where no call can succeed; what was done is kept.
            LibraryError: where the library cannot take a task for a reason of its own.
        """
        self._take_up()
        steps = self._steps()
        if isinstance(steps, str):
            return Result(self._verdicts, steps)
        try:
            # Whatever leaves this block early ends the processes, too.
            with processes(self._workers) as executor:
                self._make(executor, steps)
        except Stopped as error:
            return Result(self._verdicts, str(error))
        except KeyboardInterrupt:
            return Result(self._verdicts, INTERRUPTED)
        finally:
            self._stop.set()
        return Result(self._verdicts)

    def _make(self, executor: Executor, steps: list[str]) -> None:
        """Keep a window of attempts in flight and finish them in order."""
        settings = self.settings
        running: dict[int, Future[tuple[Verdict, Draft | None]]] = {}
        while len(self._verdicts) < settings.count:
            following = len(self._verdicts) + 1
            last = min(settings.count, len(self._verdicts) + settings.window)
            for attempt in range(following, last + 1):
                if attempt not in running:
                    running[attempt] = self._begin(attempt, self._idea(attempt, steps), executor)
            self._finish(*_wait(running.pop(following)))
            self._check_stale()

    # One attempt.

    def _idea(self, attempt: int, steps: list[str]) -> Idea:
        """What an attempt may know: the state after attempt - window."""
        settled = max(0, attempt - self.settings.window)
        refused = [
            f"{verdict.name}: {verdict.problem}"[:200]
            for verdict in self._verdicts[:settled]
            if verdict.name and verdict.cause in ("novelty", "reflection", "semantics", "oracle")
        ]
        return Idea(
            self._memory.view(self._sizes[settled]),
            np.random.default_rng([self.settings.seed, attempt]),
            self.settings.target,
            steps[(attempt - 1) % len(steps)] if steps else "",
            refused[-RECALLED:],
        )

    def _begin(
        self, attempt: int, idea: Idea, executor: Executor
    ) -> Future[tuple[Verdict, Draft | None]]:
        """Start an attempt on a thread that does not hold up the end of the process."""
        future: Future[tuple[Verdict, Draft | None]] = Future()

        def work() -> None:
            # Processes started from here are to leave Ctrl-C to the main thread.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                result = self._attempt(attempt, idea, executor)
            except BaseException as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        threading.Thread(target=work, name=f"attempt {attempt}", daemon=True).start()
        return future

    def _attempt(
        self, attempt: int, idea: Idea, executor: Executor
    ) -> tuple[Verdict, Draft | None]:
        def notice(stage: str) -> None:
            if self._stop.is_set():
                raise Stopped("stopped")
            self._watcher.stage(attempt, stage)

        began = time.monotonic()
        talk = self._talk(attempt, notice)
        try:
            return make_attempt(talk, idea, self._rules, executor, notice)
        except ApiError as error:
            verdict = Verdict(attempt)
            verdict.refuse("api", str(error))
            settle(verdict, talk, began)
            return verdict, None

    def _talk(self, attempt: int, notice: Callable[[str], None]) -> Conversation:
        temperatures = {**TEMPERATURES, **(self.settings.temperatures or {})}
        return Conversation(self._provider, attempt, temperatures, notice)

    def _steps(self) -> list[str] | str:
        """The curriculum, [] where there is none; a text says why it could not be had."""
        if not self.settings.curriculum:
            return []
        talk = self._talk(0, lambda stage: None)
        try:
            return curriculum(talk, self.settings.target, self.settings.curriculum)
        except (ApiError, TaskError) as error:
            return f"there is no curriculum: {error}"
        except Stopped as error:
            return str(error)

    # In the order of attempts.

    def _finish(self, verdict: Verdict, draft: Draft | None) -> None:
        """Publish a draft if it is still new, and set down the verdict."""
        entry = None
        if draft is not None:
            try:
                entry = self._publish(verdict, draft)
                verdict.passed.append("published")
            except TaskError as error:
                verdict.refuse(error.cause, str(error))
            except ApiError as error:  # of an embedder
                verdict.refuse("api", str(error))
        write_verdict(self.folder, verdict)
        self._add(verdict, entry)
        self._watcher.done(verdict)

    def _publish(self, verdict: Verdict, draft: Draft) -> Entry:
        """Into the library, unless attempts since have published a twin."""
        view = self._memory.view()
        proposal = verdict.proposal
        view.refuse_twin_of_description(draft.entry.name, proposal["description"])
        view.refuse_twin_of_program(draft.source)
        if self._is_there(draft):
            return draft.entry  # a kill came between publishing and the verdict
        origin = publish.provenance(
            self.settings.model, run=self.settings.run, attempt=verdict.attempt
        )
        self._library.publish(draft.record, draft.source, origin, draft.answer)
        return draft.entry

    def _is_there(self, draft: Draft) -> bool:
        for record in self._library.records():
            if record.name == draft.record.name:
                if record.sha256 == draft.record.sha256 and self._is_own(record):
                    return True
                raise TaskError(
                    f"there is a task {record.name} already, from elsewhere",
                    "Propose something else", cause="novelty",
                )  # fmt: skip
        return False

    def _is_own(self, record: Record) -> bool:
        return self._library.run_of(record) == self.settings.run

    def _add(self, verdict: Verdict, entry: Entry | None) -> None:
        if entry is not None:
            self._memory.entries.append(entry)
        self._verdicts.append(verdict)
        self._sizes.append(len(self._memory.entries))

    def _check_stale(self) -> None:
        """A model that has run out of ideas should not use up a budget.

        Raises:
            Stopped: where the last attempts have all been turned away as known.
        """
        recent = self._verdicts[-STALE:]
        if len(recent) == STALE and all(verdict.cause == "novelty" for verdict in recent):
            raise Stopped(
                f"the last {STALE} attempts proposed what is there already, the last one "
                f"{recent[-1].name}: {recent[-1].problem}"
            )

    # After a stop.

    def _take_up(self) -> None:
        """Take up a run where it was stopped, or begin it."""
        base = _digest(self._memory.entries)
        data = {**asdict(self.settings), "base": base}
        if (self.folder / "run.json").exists():
            if self._recording.settings.get("base") not in (None, base):
                self._watcher.say(
                    "the library has changed since the run began: prompts will differ"
                )
        else:
            self._recording.write_settings(data)
        verdicts = read_verdicts(self.folder)
        own = {entry.name: entry for entry in self._own_entries()} if verdicts else {}
        for verdict in verdicts:
            if verdict.attempt != len(self._verdicts) + 1:
                break
            if verdict.accepted and verdict.name not in own:
                raise LibraryError(
                    f"{verdict.id} of attempt {verdict.attempt} is not in {self._library.root} "
                    "any more. Begin a new run"
                )
            self._add(verdict, own.get(verdict.name) if verdict.accepted else None)
            self._watcher.done(verdict)

    def _own_entries(self) -> list[Entry]:
        """Tasks that this run has published before it was stopped."""
        known = {entry.name for entry in self._memory.entries}
        return [entry for entry in recall(self._library) if entry.name not in known]


def _wait(future: Future[tuple[Verdict, Draft | None]]) -> tuple[Verdict, Draft | None]:
    """A future's result; looks up now and then, so that Ctrl-C is heard."""
    while True:
        try:
            return future.result(timeout=0.5)
        except NotYet:
            if future.done():
                raise


def _digest(entries: list[Entry]) -> str:
    """Of everything that is remembered when a run begins."""
    text = "\n".join(f"{entry.name} {digest(entry.source)}" for entry in entries)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Set down a verdict and its program in the folder of a run; a kill leaves no half of it."""
    path = _path(folder, verdict.attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    if verdict.program:
        path.with_suffix(".py").write_text(verdict.program, encoding="utf-8")
    data = {key: value for key, value in verdict.to_json().items() if key != "program"}
    new = path.with_suffix(".json.new")
    with open(new, "w", encoding="utf-8", errors="replace") as file:
        file.write(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_verdicts(folder: Path) -> list[Verdict]:
    """The verdicts of a run, in order.

    Raises:
        RecordingError: where one is damaged.
    """
    found = []
    for path in sorted((folder / "attempts").glob("[0-9]*.json")):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            program = path.with_suffix(".py")
            data["program"] = program.read_text(encoding="utf-8") if program.exists() else ""
            found.append(_VERDICT.validate_python(data))
            own = _path(folder, found[-1].attempt)
            if path != own:
                raise ValueError(f"its attempt, {found[-1].attempt}, belongs to {own.name}")
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise RecordingError(f"{path} is damaged: {_problem(error)}") from error
    return sorted(found, key=lambda verdict: verdict.attempt)


def _path(folder: Path, attempt: int) -> Path:
    return Recording(folder).path(attempt).with_suffix(".json")


def _problem(error: Exception) -> str:
    """What is wrong, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
