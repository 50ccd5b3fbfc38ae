"""A run: many attempts at once, published in order, safe to stop and to resume.

A run is a folder. It is a recording (see recording.py) and also holds

attempts/0007.json        the verdict of attempt 7, once it has been published or refused
attempts/0007.py          its last program

Attempt k sees the library as it was after attempt k - window, so its prompts do not depend on the
number of processes or on which attempt is faster.
"""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gensim_envs.errors import GensimError, LibraryError, TaskError
from gensim_envs.generation.attempt import make_attempt
from gensim_envs.generation.check import refusing
from gensim_envs.generation.conversation import TEMPERATURES, Conversation
from gensim_envs.generation.embed import Embedder
from gensim_envs.generation.memory import Memory, entry_of, recall
from gensim_envs.generation.propose import Idea, curriculum
from gensim_envs.generation.providers import ApiError, Provider, Stopped
from gensim_envs.generation.providers.replay import Recorded
from gensim_envs.generation.publish import Candidate
from gensim_envs.generation.recording import Recording, Settings
from gensim_envs.generation.verdict import Verdict, read_verdicts, write_verdict
from gensim_envs.generation.watch import Watch
from gensim_envs.library import Library, digest
from gensim_envs.utils import files, processes

STALE = 10
"""Number of attempts in a row with a known task after which a run ends."""
INTERRUPTED = "stopped by Ctrl-C"
RECALLED = 8
"""Number of refused attempts that the prompt of a proposal lists."""
Attempted = Future[tuple[Verdict, Candidate | None]]


class RunError(GensimError):
    """A run cannot be made."""


@dataclass(frozen=True)
class Result:
    """The result of a run.

    Attributes:
        verdicts: verdicts of the attempts that ended, in order.
        ended: why it ended before its last attempt, or "".
    """

    verdicts: list[Verdict]
    ended: str = ""

    @property
    def accepted(self) -> list[Verdict]:
        """The attempts whose tasks are in the library."""
        return [verdict for verdict in self.verdicts if verdict.accepted]


class Run:
    """Makes the remaining attempts of a run.

    Args:
        folder: folder of the run.
        settings: settings of the run; those of its first start if it is resumed.
        library: library that tasks are published into.
        provider: answers the prompts.
        embedder: embedder that the settings name.
        watch: displays progress.
        again: whether attempts that ended with the cause "api" are made again.
        stop: ends the run when set, such as after Ctrl-C; providers check it while they wait.
        workers: number of processes; by default one for each core.
        weak_sandbox: run programs also where this machine cannot isolate them.

    Raises:
        LibraryError: if the library is broken.
    """

    def __init__(
        self, folder: Path, settings: Settings, library: Library, provider: Provider,
        embedder: Embedder, watch: Watch, stop: threading.Event, workers: int | None = None,
        *, again: bool = False, weak_sandbox: bool = False,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.settings = settings
        self._recording = Recording(folder)
        self._library = library
        self._provider = Recorded(provider, self._recording)
        self._embedder = embedder
        self._watch = watch
        self._stop = stop
        self._workers = workers
        self._again = again
        self._failed: list[int] = []  # attempts to make again
        self._weak = weak_sandbox
        library.recover()
        self._entries = recall(library, without_run=settings.run, weak=weak_sandbox)
        self._verdicts: list[Verdict] = []
        self._sizes = [len(self._entries)]  # number of known tasks after each attempt

    def go(self) -> Result:
        """Make the attempts.

        Raises:
            RunError: if another process works on the run.
            ProviderError: if no call can succeed; finished attempts are kept.
            LibraryError: if the library cannot take a task for a reason of its own.
        """
        busy = RunError(
            f"another process works on {self.folder}. Wait for it, or use another --run"
        )
        ended = ""
        with files.locked(self.folder, busy):
            self._resume()
            try:
                steps = self._steps()
                # The processes end with this block, in whatever way it is left.
                with processes.processes(self._workers) as executor:
                    self._make(executor, steps)
            except Stopped as error:
                ended = str(error)
            except KeyboardInterrupt:
                ended = INTERRUPTED
            finally:
                self._stop.set()
        return Result(self._verdicts, ended)

    def _make(self, executor: Executor, steps: list[str]) -> None:
        """Keep a window of attempts in flight and finish them in order."""
        settings = self.settings
        running: dict[int, Attempted] = {}
        left = [*self._failed, *range(len(self._verdicts) + 1, settings.count + 1)]
        for k, following in enumerate(left):
            for attempt in left[k : k + settings.window]:
                if attempt not in running:
                    running[attempt] = self._begin(attempt, self._idea(attempt, steps), executor)
            self._finish(*running.pop(following).result())
            self._check_stale()

    # One attempt.

    def _idea(self, attempt: int, steps: list[str]) -> Idea:
        """The inputs of an attempt, taken from the state after attempt - window."""
        settled = max(0, attempt - self.settings.window)
        refused = [
            f"{verdict.name}: {verdict.problem}"[:200]
            for verdict in self._verdicts[:settled]
            if verdict.name and verdict.cause in ("novelty", "reflection", "semantics", "oracle")
        ]
        return Idea(
            Memory(self._embedder, self._entries[: self._sizes[settled]]),
            np.random.default_rng([self.settings.seed, attempt]),
            self.settings.target,
            steps[(attempt - 1) % len(steps)] if steps else "",
            refused[-RECALLED:],
        )

    def _begin(self, attempt: int, idea: Idea, executor: Executor) -> Attempted:
        """Start an attempt on a daemon thread, which does not delay the end of the process."""
        future: Attempted = Future()

        def notice(stage: str) -> None:
            if self._stop.is_set():
                raise Stopped("stopped")
            self._watch.stage(attempt, stage)

        def work() -> None:
            # Processes started from here must leave Ctrl-C to the main thread.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                talk = self._talk(attempt, notice)
                future.set_result(make_attempt(talk, idea, self.settings, executor, self._weak))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, name=f"attempt {attempt}", daemon=True).start()
        return future

    def _talk(self, attempt: int, notice: Callable[[str], None]) -> Conversation:
        temperatures = {**TEMPERATURES, **(self.settings.temperatures or {})}
        return Conversation(self._provider, attempt, temperatures, notice, self.settings.prompt)

    def _steps(self) -> list[str]:
        """The steps of the curriculum; [] without one.

        Raises:
            Stopped: if it cannot be had.
        """
        if not self.settings.curriculum:
            return []
        talk = self._talk(0, lambda stage: None)
        try:
            return curriculum(talk, self.settings.target, self.settings.curriculum)
        except (ApiError, TaskError) as error:
            if isinstance(error, TaskError):
                self._recording.put_aside(0)
            raise Stopped(f"there is no curriculum: {error}") from error

    # In the order of attempts.

    def _finish(self, verdict: Verdict, candidate: Candidate | None) -> None:
        """Publish a candidate if it is still new, and write the verdict."""
        if candidate is not None:
            try:
                with refusing("runtime"):
                    entry = entry_of(candidate.source, candidate.survey)
                    self._publish(verdict, candidate)
                verdict.passed.append("published")
                self._entries.append(entry)
            except (TaskError, ApiError) as error:  # an ApiError is the embedder's
                verdict.refuse(error)
        write_verdict(self.folder, verdict)
        self._add(verdict)

    def _publish(self, verdict: Verdict, candidate: Candidate) -> None:
        """Publish, unless a similar task has been published since the attempt began."""
        memory = Memory(self._embedder, self._entries)
        name = candidate.survey.name
        memory.refuse_known_description(name, verdict.proposal["description"])
        memory.refuse_known_program(candidate.source)
        for record in self._library.records():
            if record.name == name:
                own = self._library.run_of(record) == self.settings.run
                if own and record.sha256 == candidate.record.sha256:
                    return  # the process was killed between publishing and writing the verdict
                problem = f"another process has published a task {name} meanwhile"
                raise TaskError(problem, "Propose something else", cause="novelty")
        settings = self.settings
        candidate.publish(self._library, settings.model, run=settings.run, attempt=verdict.attempt)

    def _add(self, verdict: Verdict) -> None:
        if verdict.attempt <= len(self._verdicts):
            self._verdicts[verdict.attempt - 1] = verdict  # made again
        else:
            self._verdicts.append(verdict)
            self._sizes.append(len(self._entries))
        self._watch.done(verdict)

    def _check_stale(self) -> None:
        """End the run if the model only proposes known tasks.

        Raises:
            Stopped: if the last attempts all proposed known tasks.
        """
        recent = self._verdicts[-STALE:]
        if len(recent) == STALE and all(verdict.cause == "novelty" for verdict in recent):
            raise Stopped(
                f"the last {STALE} attempts proposed known tasks. The last refusal: "
                f"{recent[-1].problem}"
            )

    # After a stop.

    def _resume(self) -> None:
        """Read the verdicts of an earlier start of the run, or begin it."""
        known = "\n".join(f"{entry.name} {digest(entry.source)}" for entry in self._entries)
        base = hashlib.sha256(known.encode()).hexdigest()[:16]
        if not (self.folder / "run.json").exists():
            self._recording.write_settings(replace(self.settings, base=base))
        elif self.settings.base not in (None, base):
            self._watch.line("the library has changed since the run began: prompts will differ")
        verdicts = read_verdicts(self.folder)
        entries = recall(self._library, weak=self._weak) if verdicts else []
        own = {entry.name: entry for entry in entries}
        for verdict in verdicts:
            if verdict.attempt != len(self._verdicts) + 1:
                break
            if verdict.accepted:
                if verdict.name not in own:
                    raise LibraryError(
                        f"{verdict.id} of attempt {verdict.attempt} is not in "
                        f"{self._library.root} any more. Begin a new run"
                    )
                self._entries.append(own[verdict.name])
            self._add(verdict)
            if self._again and verdict.cause == "api":
                self._failed.append(verdict.attempt)
