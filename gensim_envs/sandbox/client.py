"""The user's side of the sandbox: starts the worker, asks it, ends it, and trusts nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Self, get_args

from gensim_envs.sandbox import gate, lockdown
from gensim_envs.task.errors import Cause, TaskError
from gensim_envs.task.scene import Draw
from gensim_envs.task.spec import TaskSpec

MEGABYTE = 2**20
START_SECONDS = 60.0  # for a first import on a busy machine; half a second is usual
GRACE_SECONDS = 0.5  # the worker stops itself first, which tells the line
CPU_SECONDS = 600  # in a worker's life
MAX_SOURCE = MEGABYTE  # characters, where the gate is off

# Without `site` (no .pth file runs) and without the caller's variables; the package is entered
# as an empty shell, since its `__init__` registers environments, of which the worker needs none.
_BOOT = """
import json, os, sys, types
options = json.loads(sys.argv[1])
sys.path.extend(options["path"])
for name, folder in options["packages"].items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
if "deed" in options:
    from gensim_envs.sandbox import lockdown
    os._exit(lockdown.probe(options["deed"]))
try:
    from gensim_envs.sandbox.worker import main
    main(options)
except Exception as error:
    line = json.dumps({"failed": f"{type(error).__name__}: {error}"[:2000]})
    os.write(options["answers"], line.encode() + b"\\n")
"""
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # equal seeds, equal specs: in every worker
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: wall-clock time of one draw.
        memory: bytes on top of what the idle worker has mapped.
        answer: bytes of one answer.
    """

    seconds: float = 10.0
    memory: int = 1024 * MEGABYTE
    answer: int = 4 * MEGABYTE


class _Ended(Exception):
    """The worker is of no use any more; the text says what the program did."""


class _Process:
    """One worker process and its two pipes. Not thread-safe: `Sandbox` holds the lock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._busy = 0.0
        self._ended = threading.Event()
        self._folder = tempfile.mkdtemp(prefix="gensim-")
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self._requests = FileIO(ours_out, "wb")
        self._answers = FileIO(ours_in, "rb")
        os.set_blocking(ours_in, False)
        os.set_blocking(ours_out, False)
        options = {
            "requests": theirs_in,
            "answers": theirs_out,
            "memory": limits.memory,
            "answer_bytes": limits.answer,
            "cpu": CPU_SECONDS,
        }
        try:
            self._popen = _start(options, self._folder, self._ended)
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        try:
            first = self._receive(time.monotonic() + START_SECONDS)
            if "ready" not in first:
                raise _Ended(str(first.get("failed")))
        except _Ended as end:
            self.stop()
            raise RuntimeError(f"the sandbox's worker did not start: {end}") from None
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Of the process and of its group."""
        return self._popen.pid

    @property
    def worn(self) -> bool:
        """Whether so much of its processor time is spent that another draw might not fit."""
        return self._busy + 2 * (self._limits.seconds + GRACE_SECONDS) > CPU_SECONDS

    def ask(self, source: str, split: str, seed: int) -> dict[str, Any]:
        """Sends one request and returns its answer.

        Raises:
            _Ended: the process died, was too slow or spoke nonsense; it must be stopped.
        """
        start = time.monotonic()
        key = secrets.token_hex(8)
        request = {"id": key, "source": source, "split": split, "seed": seed}
        line = json.dumps({**request, "seconds": self._limits.seconds}).encode() + b"\n"
        deadline = start + self._limits.seconds + GRACE_SECONDS
        self._send(line, deadline)
        answer = self._receive(deadline)
        if answer.get("id") != key:
            raise _Ended("answered what was not asked")
        self._busy += time.monotonic() - start
        return answer

    def stop(self) -> int:
        """Kills the whole process group; returns how the worker had ended.

        A process that has already ended keeps its own status.
        """
        self._requests.close()
        self._answers.close()
        # Before it is waited for, so that its number cannot belong to anybody else.
        if self._popen.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._ended.set()
        status = self._popen.wait()
        with contextlib.suppress(FileNotFoundError):  # the worker removes it once it has started
            os.rmdir(self._folder)
        return status

    def abandon(self) -> None:
        """In a forked child: lets go of the parent's worker without touching it."""
        self._requests.close()
        self._answers.close()
        self._popen.returncode = 0  # it is not ours to wait for

    def _send(self, line: bytes, deadline: float) -> None:
        data = memoryview(line)
        while data:
            self._wait(self._requests.fileno(), select.POLLOUT, deadline)
            try:
                data = data[os.write(self._requests.fileno(), data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise _Ended("") from None

    def _receive(self, deadline: float) -> dict[str, Any]:
        """One line of JSON, and nothing after it."""
        buffer = bytearray()
        while b"\n" not in buffer:
            self._wait(self._answers.fileno(), select.POLLIN, deadline)
            try:
                chunk = os.read(self._answers.fileno(), 2**16)
            except BlockingIOError:
                continue
            if not chunk:
                raise _Ended("")
            buffer += chunk
            if len(buffer) > self._limits.answer + 1000:
                raise _Ended(f"wrote more than {self._limits.answer} bytes")
        line, _, rest = bytes(buffer).partition(b"\n")
        answer = _parse(line)
        if rest or not isinstance(answer, dict):
            raise _Ended("answered what was not asked")
        return answer

    def _wait(self, file: int, event: int, deadline: float) -> None:
        left = deadline - time.monotonic()
        poll = select.poll()
        poll.register(file, event)
        if left <= 0 or not poll.poll(left * 1000):
            raise _Ended(f"ran for more than {self._limits.seconds:g} s")


def _start(options: dict[str, Any], folder: str, ended: threading.Event) -> subprocess.Popen[bytes]:
    """Starts a worker from a thread that lives as long as it.

    The kernel ends the worker with the *thread* that started it. The main thread lasts; for any
    other a parked one of our own is used.
    """
    if threading.current_thread() is threading.main_thread():
        return _popen(options, folder)
    result: list[subprocess.Popen[bytes] | BaseException] = []
    started = threading.Event()

    def run() -> None:
        try:
            result.append(_popen(options, folder))
        except BaseException as error:  # noqa: BLE001  raised by the caller
            result.append(error)
            return
        finally:
            started.set()
        ended.wait()

    threading.Thread(target=run, name="gensim-sandbox", daemon=True).start()
    started.wait()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def _popen(options: dict[str, Any], folder: str) -> subprocess.Popen[bytes]:
    here = Path(__file__).resolve().parent
    options = {
        "parent": os.getpid(),
        # Where this process found NumPy and Shapely; behind the standard library.
        "path": [entry for entry in sys.path if os.path.isabs(entry)],
        "packages": {"gensim_envs": str(here.parent), "gensim_envs.sandbox": str(here)},
        **options,
    }
    files = [options[key] for key in ("requests", "answers") if key in options]
    return subprocess.Popen(
        [sys.executable, "-S", "-s", "-P", "-c", _BOOT, json.dumps(options)],
        env=_ENVIRONMENT,
        cwd=folder,
        pass_fds=files,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class _Life:
    """What a `Sandbox` has within one process; a forked child starts a new one."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.process: _Process | None = None
        self.passed: set[bytes] = set()

    def end(self) -> int | None:
        """Ends the worker, if there is one that is ours; returns how it had ended."""
        process, self.process = self.process, None
        if process is None:
            return None
        if self.pid != os.getpid():
            process.abandon()
            return None
        return process.stop()


class Sandbox:
    """Draws specs from programs that nobody has to trust.

    The worker starts with the first draw and stays warm. Usable from several threads, which take
    turns, and after a fork, where the child gets a worker of its own. Ends with `close`, with the
    interpreter, and with this process however that ends.

    Args:
        gate: whether programs are checked before they reach the worker. Off only in tests, to
            show that the worker holds without it.
        limits: what a program may use.
    """

    def __init__(self, *, gate: bool = True, limits: Limits | None = None) -> None:
        self._gate = gate
        self._limits = limits or Limits()
        self._new_life()

    def draw(self, source: str, split: str, seed: int) -> Draw:
        """The spec that a program describes for a seed.

        Args:
            source: the program's text.
            split: "train" or "test".
            seed: of the only generator that the program sees.

        Raises:
            TaskError: the program was refused, failed, or was stopped.
            RuntimeError: the worker does not start, which is no fault of the program's.
        """
        life = self._current_life()
        if self._gate:
            key = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
            if key not in life.passed:
                gate.check(source)
                life.passed.add(key)
        elif len(source) > MAX_SOURCE:
            raise TaskError("the program is too long", "Write a shorter one.", cause="gate")
        with life.lock:
            return self._draw(life, source, split, seed)

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, which is also its group's; None where none runs."""
        process = self._current_life().process
        return None if process is None else process.pid

    def _draw(self, life: _Life, source: str, split: str, seed: int) -> Draw:
        if life.process is not None and life.process.worn:
            life.end()
        if life.process is None:
            life.process = _Process(self._limits)
        done = False
        try:
            answer = life.process.ask(source, split, int(seed))
            drawn = _read(answer)
            done = answer.get("last") is not True
        except _Ended as end:
            status = life.end()
            raise _stopped(str(end) or _describe(status)) from None
        finally:
            # Also after a KeyboardInterrupt, which would leave an answer in the pipe.
            if not done:
                life.end()
        if isinstance(drawn, TaskError):
            raise drawn
        return drawn

    def close(self) -> None:
        """Ends the worker; a later draw starts another."""
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


_shared = Sandbox()


def shared() -> Sandbox:
    """The one warm sandbox of this process."""
    return _shared


# --- reading what cannot be trusted -----------------------------------------------------------


def _parse(line: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(line, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise _Ended("answered what is no JSON") from None


def _read(answer: dict[str, Any]) -> Draw | TaskError:
    """The spec or the error that an answer holds.

    Raises:
        _Ended: it is neither.
    """
    if isinstance(answer.get("ok"), dict):
        redraws = answer.get("redraws")
        if type(redraws) is not int or redraws < 0:
            raise _Ended("answered with an odd number of redraws")
        try:
            return Draw(TaskSpec.from_json(answer["ok"]), redraws)
        except TaskError as error:
            return error
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
        raise _Ended("answered with neither a spec nor an error")
    if not all(isinstance(fields[key], kind) for key, kind in kinds.items()):
        raise _Ended("answered with an odd error")
    if fields["cause"] not in get_args(Cause):
        raise _Ended("answered with an odd cause")
    return TaskError.from_json(
        {key: v[:2000] if isinstance(v, str) else v for key, v in fields.items()}
    )


def _stopped(what: str) -> TaskError:
    remedy = "Only describe the scene, with gensim_envs.api, math and plain Python."
    return TaskError(f"the program {what}", remedy, cause="runtime")


def _describe(status: int | None) -> str:
    """What the program did, from how its process ended (negative: by which signal)."""
    if status is None or status >= 0:
        return "ended its process"
    if status == -signal.SIGSYS:
        return "tried a forbidden system call (a process, a socket or a signal to another process)"
    if status == -signal.SIGXCPU:
        return f"used more than {CPU_SECONDS} s of processor time"
    if status == -signal.SIGKILL:
        return "was killed, or closed its connection"
    return f"crashed its process ({signal.Signals(-status).name})"


# --- what is protected ------------------------------------------------------------------------


@dataclass(frozen=True)
class Protection:
    """What this machine denies to a worker, as measured.

    Attributes:
        processes: it can start no process.
        network: it can open no socket, of whatever kind.
        files: it can read, write and list no file.
        description: one line for people.
    """

    processes: bool
    network: bool
    files: bool
    description: str


def protection() -> Protection:
    """Tries each forbidden deed in a locked-down process of its own; takes about half a second."""
    denied = {deed: _is_denied(deed) for deed in get_args(lockdown.Deed)}
    open_ways = [deed for deed, is_denied in denied.items() if not is_denied]
    description = (
        f"a program can use: {', '.join(open_ways)}" if open_ways else "everything is denied"
    )
    return Protection(
        processes=denied["fork"] and denied["exec"],
        network=all(denied[kind] for kind in ("tcp", "udp", "unix", "netlink")),
        files=all(denied[kind] for kind in ("read", "write", "list")),
        description=f"{sys.platform}: {description}",
    )


def _is_denied(deed: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="gensim-") as folder:
        process = _popen({"deed": deed}, folder)
        try:
            return process.wait(timeout=START_SECONDS) in (lockdown.DENIED, -signal.SIGSYS)
        finally:
            process.kill()
            process.wait()
