"""The client of the sandbox: query the worker, end it if necessary, and trust no answer."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar, get_args

from gensim_envs import trust
from gensim_envs.errors import Cause, SandboxError, TaskError, blaming
from gensim_envs.sandbox import gate, lockdown
from gensim_envs.sandbox.child import Ended, Limits, Work
from gensim_envs.sandbox.interpreter import START_SECONDS, start_interpreter
from gensim_envs.sandbox.legacy import gate as legacy_gate
from gensim_envs.sandbox.legacy.recording import Recording
from gensim_envs.sandbox.process import Process, refusal
from gensim_envs.task.checks.received import check_received
from gensim_envs.task.drawing import REDRAWS, Draw
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils import scratch
from gensim_envs.utils.decode import DecodeError, decode

T = TypeVar("T")


@functools.lru_cache(maxsize=1000)
def _passes_gate(source: str) -> str:
    """The class name of a program, checked unless it has been; refusals are not kept."""
    return gate.check(source).class_name


class _Life:
    """The state of a `Sandbox` in one process; a forked child starts with a new one."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.process: Process | None = None

    def end(self) -> None:
        """End the worker, if this process has one."""
        process, self.process = self.process, None
        if process is not None and self.pid == os.getpid():
            process.stop()
        elif process is not None:
            process.abandon()


class Sandbox:
    """Draws specs from untrusted programs.

    The worker starts with the first draw and stays warm. Usable from several threads, which take
    turns, and after a fork, where the child gets a worker of its own. Ends with `close`, with the
    interpreter, and with this process however that ends.

    Args:
        limits: what a program may use.
    """

    def __init__(self, *, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._new_life()

    def draw(self, source: str, split: str, seed: int, *, weak: bool = False) -> Draw:
        """Return the spec that a program describes for a seed.

        Args:
            source: the program's text.
            split: "train" or "test".
            seed: of the only generator that the program sees.
            weak: run the program also where this machine cannot isolate it. Those of the
                installed library always run, with a warning.

        Raises:
            TaskError: the program was refused, failed, or was stopped.
            SandboxError: this machine cannot isolate the program, or the worker does not start.
            CrashError: the worker has died, through no fault of the program's.
        """
        return self._draw(source, split, seed, weak, "draw")

    def draw_unseen(self, source: str, split: str, seed: int, *, weak: bool = False) -> Draw:
        """`draw` without the check of `gensim_envs.task.visibility`, to try a program out."""
        return self._draw(source, split, seed, weak, "draw unseen")

    def _draw(self, source: str, split: str, seed: int, weak: bool, work: Work) -> Draw:
        name = self._check(source)
        life = self._current_life()
        with life.lock:
            drawn = self._ask(life, source, split, seed, _read, weak=weak, work=work)
        with blaming(name or drawn.spec.name):
            check_received(drawn.spec, name, split)
        return drawn

    def record(self, source: str, split: str, seed: int, *, weak: bool = False) -> Recording:
        """Run a program of the original GenSim and return what it did.

        Args:
            source: the program's text.
            split: "train" or "test".
            seed: of everything random.
            weak: as for `draw`.

        Raises:
            TaskError, SandboxError, CrashError: as for `draw`.
        """
        legacy_gate.check(source)
        life = self._current_life()
        with life.lock:
            return self._ask(life, source, split, seed, _read_recording, weak=weak, work="record")

    def _check(self, source: str) -> str | None:
        return _passes_gate(source)

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, which is also its group's; None where none runs."""
        process = self._current_life().process
        return None if process is None else process.pid

    def _ask(
        self, life: _Life, source: str, split: str, seed: int,
        read: Callable[[dict[str, Any]], T | TaskError], *, weak: bool,
        work: Work,
    ) -> T:  # fmt: skip
        if life.process is None:
            life.process = Process(self._limits)
        process, done = life.process, False
        if process.missing and not weak:
            if not trust.is_installed(source):
                raise SandboxError(refusal(process.missing))
            _warn(process.missing)
        try:
            answer = process.ask(source, split, int(seed), work)
            drawn = read(answer)
            done = answer.get("spent") is not True
        except Ended as end:
            raise _stopped(str(end)) from None
        finally:
            # Also after a KeyboardInterrupt, which would leave an answer in the pipe.
            if not done:
                _clean_up(life, process, source)
        if isinstance(drawn, TaskError):
            raise drawn
        return drawn

    def close(self) -> None:
        """End the worker; a later draw starts another."""
        life = self._current_life()
        with life.lock:
            life.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _new_life(self) -> _Life:
        self._life = _Life()
        self._finalizer = weakref.finalize(self, self._life.end)
        return self._life

    def _current_life(self) -> _Life:
        if self._life.pid == os.getpid():
            return self._life
        # Forked: the lock may be held by a thread that does not exist here.
        self._finalizer.detach()
        self._life.end()
        return self._new_life()


@functools.cache
def _warn(missing: str) -> None:
    """Warn once in a process."""
    text = f"this machine cannot isolate programs ({missing}); those of the installed library run"
    warnings.warn(text, stacklevel=6)


_shared = Sandbox()


def shared() -> Sandbox:
    """Return the sandbox that this process shares."""
    return _shared


def _clean_up(life: _Life, process: Process, source: str) -> None:
    keep = False
    try:
        keep = process.end(source)
    finally:
        if not keep:
            life.end()


# --- reading what cannot be trusted -----------------------------------------------------------


def _read(answer: dict[str, Any]) -> Draw | TaskError:
    """Return the spec or the error that an answer holds.

    Raises:
        Ended: it is neither.
    """
    if isinstance(answer.get("ok"), dict):
        redraws = answer.get("redraws")
        if type(redraws) is not int or not 0 <= redraws <= REDRAWS:
            raise Ended("returned an invalid redraw count")
        try:
            return Draw(TaskSpec.from_json(answer["ok"]), redraws)
        except TaskError as error:
            return error
        except Exception as error:
            raise Ended(f"returned an invalid task spec ({type(error).__name__})") from None
    return _read_error(answer)


def _read_recording(answer: dict[str, Any]) -> Recording | TaskError:
    """Return the recording or the error that an answer holds.

    Raises:
        Ended: it is neither.
    """
    if "ok" not in answer:
        return _read_error(answer)
    try:
        return decode(Recording, answer["ok"])
    except DecodeError as error:
        raise Ended(f"recorded what is out of range ({error})") from None


def _read_error(answer: dict[str, Any]) -> TaskError:
    fields = answer.get("error")
    kinds: dict[str, tuple[type, ...]] = {
        "problem": (str,),
        "remedy": (str,),
        "cause": (str,),
        "goal": (int, type(None)),
        "line": (int, type(None)),
        "redraw": (bool,),
    }
    if not isinstance(fields, dict) or set(fields) != set(kinds):
        raise Ended("returned neither a spec nor an error")
    if not all(isinstance(fields[key], kind) for key, kind in kinds.items()):
        raise Ended("returned an invalid error")
    if fields["cause"] not in get_args(Cause):
        raise Ended("returned an invalid error cause")
    short: dict[str, Any] = {k: v[:2000] if isinstance(v, str) else v for k, v in fields.items()}
    return TaskError(**short)


def _stopped(what: str) -> TaskError:
    remedy = "Only describe the scene, with gensim_envs.api, math and plain Python."
    return TaskError(f"the program {what}", remedy, cause="runtime")


# --- what is protected ------------------------------------------------------------------------


@dataclass(frozen=True)
class Protection:
    """The operations that this machine denies to a worker, as measured.

    Attributes:
        processes: whether the worker is prevented from starting processes.
        network: whether it is prevented from opening sockets.
        files: whether it is prevented from reading, writing and listing files.
        description: one line for people.
        missing: the layers of the lockdown that this machine lacks, "" for none.
    """

    processes: bool
    network: bool
    files: bool
    description: str
    missing: str = ""

    @property
    def isolates(self) -> bool:
        """Whether programs that nobody has reviewed may run."""
        return self.processes and self.network and self.files and not self.missing


@functools.cache
def protection() -> Protection:
    """Try each forbidden action in a locked-down process of its own; once in a process of ours.

    Raises:
        SandboxError: the worker does not start at all.
    """
    process = Process(Limits())
    missing = process.missing
    process.stop()
    denied = _denied()
    open_ways = [name for name, is_denied in denied.items() if not is_denied]
    description = (
        f"a program can use: {', '.join(open_ways)}"
        if open_ways
        else f"everything is denied: {', '.join(denied)}"
    )
    return Protection(
        processes=denied["fork"] and denied["exec"],
        network=all(denied[kind] for kind in ("tcp", "udp", "unix", "netlink")),
        files=all(denied[kind] for kind in ("read", "write", "list")),
        description=f"{sys.platform}: {description}" + (f"; {missing}" if missing else ""),
        missing=missing,
    )


def _denied() -> dict[str, bool]:
    """For each forbidden operation whether this machine denies it; all are tried at once."""
    with scratch.temporary() as folder:
        tries = {
            operation: start_interpreter({"operation": operation}, str(folder))
            for operation in get_args(lockdown.Operation)
        }
        try:
            return {
                operation: process.wait(START_SECONDS) in (lockdown.DENIED, -signal.SIGSYS)
                for operation, process in tries.items()
            }
        finally:
            for process in tries.values():
                process.kill()
                process.wait()
