"""The worker's process as its client sees it: starting, asking within a time limit, ending."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any

MEGABYTE = 2**20
START_SECONDS = 60.0  # for a first import on a busy machine; half a second is usual
GRACE_SECONDS = 0.5  # the worker stops itself first, which tells the line
CPU_SECONDS = 600  # in a child's life
MAX_CHILDREN = 8  # each keeps some 10 MB of its own

# Without `site` (no .pth file runs) and without the caller's variables; the package is entered
# as an empty shell, since its `__init__` registers environments, of which the worker needs none.
BOOT = """
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
    os.write(options["control"], ascii(f"{type(error).__name__}: {error}")[:2000].encode())
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


class Ended(Exception):
    """A child is of no use any more; the text says what the program did, "" where unknown."""


class _Child:
    """The locked-down process of one program, as seen through its pipes."""

    def __init__(self, pid: int, requests: int, answers: int, limits: Limits) -> None:
        self.pid = pid
        self._limits = limits
        self._busy = 0.0
        self._requests = FileIO(requests, "wb")
        self._answers = FileIO(answers, "rb")
        os.set_blocking(requests, False)

    @property
    def worn(self) -> bool:
        """Whether so much of its processor time is spent that another draw might not fit."""
        return self._busy + 2 * self._limits.seconds > CPU_SECONDS

    def ask(self, source: str, split: str, seed: int) -> dict[str, Any]:
        """Sends one request and returns its answer, which is JSON but not to be trusted."""
        start = time.monotonic()
        deadline = start + self._limits.seconds + GRACE_SECONDS
        if self._is_ready(self._answers, start):  # or it has ended meanwhile
            was_early = os.read(self._answers.fileno(), 1)
            raise Ended("answered what was not asked" if was_early else "")
        key = secrets.token_hex(8)
        request = {"id": key, "source": source, "split": split, "seed": seed}
        self._send(json.dumps({**request, "seconds": self._limits.seconds}).encode(), deadline)
        answer = _parse(self._receive(deadline))
        if not isinstance(answer, dict) or answer.get("id") != key:
            raise Ended("answered what was not asked")
        self._busy += time.monotonic() - start
        return answer

    def close(self) -> None:
        self._requests.close()
        self._answers.close()

    def _send(self, line: bytes, deadline: float) -> None:
        data = memoryview(line + b"\n")
        while data:
            if not self._is_ready(self._requests, deadline):
                raise Ended(f"ran for more than {self._limits.seconds:g} s")
            try:
                data = data[os.write(self._requests.fileno(), data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Ended("") from None

    def _receive(self, deadline: float) -> bytes:
        """One line, and nothing after it."""
        buffer = bytearray()
        while b"\n" not in buffer:
            if not self._is_ready(self._answers, deadline):
                raise Ended(f"ran for more than {self._limits.seconds:g} s")
            chunk = os.read(self._answers.fileno(), 2**16)
            if not chunk:
                raise Ended("")
            buffer += chunk
            if len(buffer) > self._limits.answer + 1000:
                raise Ended(f"wrote more than {self._limits.answer} bytes")
        line, _, rest = bytes(buffer).partition(b"\n")
        if rest:
            raise Ended("answered what was not asked")
        return line

    def _is_ready(self, file: FileIO, deadline: float) -> bool:
        poll = select.poll()
        poll.register(file, select.POLLOUT if file is self._requests else select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


class Process:
    """The worker: a nursery with a child for each of the last few programs.

    Not thread-safe: `Sandbox` holds the lock.

    Raises:
        RuntimeError: it does not start; from any method: it has died, through no program.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._in_step = True
        self._children: dict[str, _Child] = {}  # by program, the last used last
        self._ended = threading.Event()
        self._folder = tempfile.mkdtemp(prefix="gensim-")
        self._control, theirs = map(_above_standard_streams, socket.socketpair())
        self._control.settimeout(START_SECONDS)
        options = {"control": theirs.fileno(), "cpu": CPU_SECONDS, **asdict(limits)}
        try:
            self._popen = _start(options, self._folder, self._ended)
        except BaseException:
            self._control.close()
            os.rmdir(self._folder)
            raise
        finally:
            theirs.close()
        try:
            first = self._hear()
            if first not in ("locked", "open"):
                raise RuntimeError(f"the sandbox's worker did not start: {first}")
        except BaseException:
            self.stop()
            raise
        self._locked = first == "locked"

    @property
    def pid(self) -> int:
        """Of the nursery, and of the group of all its processes."""
        return self._popen.pid

    def ask(self, source: str, split: str, seed: int) -> dict[str, Any]:
        """The answer of the program's child, which is JSON but not to be trusted.

        Raises:
            Ended: the program ended its process, was too slow or spoke nonsense; `end` it.
        """
        child = self._children.pop(source, None)
        if child is None or child.worn:
            if child is not None:
                self._kill(child)
            child = self._fork()
        self._children[source] = child
        try:
            return child.ask(source, split, seed)
        except Ended as end:
            if str(end):
                raise
            del self._children[source]
            raise Ended(_describe(self._kill(child))) from None

    def end(self, source: str) -> bool:
        """Kills the program's child, if there is one; its next request gets a new one.

        Returns:
            False where the worker must be stopped as well: it has died, or nothing on this
            machine keeps a program from having started processes of its own.
        """
        child = self._children.pop(source, None)
        if child is not None and self._in_step:
            self._kill(child)
        return self._locked and self._in_step

    def stop(self) -> None:
        """Kills the children, then all of the process group, and waits for them."""
        # The nursery waits for its children itself; left to init, they may stay as zombies.
        for child in self._children.values():
            with contextlib.suppress(RuntimeError):
                self._kill(child)
        self._control.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._ended.set()
        self._popen.wait()
        with contextlib.suppress(FileNotFoundError):  # the worker removes it once it has started
            os.rmdir(self._folder)

    def abandon(self) -> None:
        """In a forked process: lets go of the parent's worker without touching it."""
        for child in self._children.values():
            child.close()
        self._control.close()
        self._popen.returncode = 0  # it is not ours to wait for

    def _fork(self) -> _Child:
        if len(self._children) >= MAX_CHILDREN:
            self._kill(self._children.pop(next(iter(self._children))))
        their_requests, requests = os.pipe()
        answers, their_answers = os.pipe()
        try:
            pid = self._order(b"fork", [their_requests, their_answers])
        except BaseException:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(their_requests)
            os.close(their_answers)
        return _Child(pid, requests, answers, self._limits)

    def _kill(self, child: _Child) -> int:
        """How the child had ended: its exit status, or minus the signal."""
        child.close()
        return self._order(str(child.pid).encode(), [])

    def _order(self, order: bytes, files: list[int]) -> int:
        """Has the nursery do something; see `worker.main`."""
        in_step, self._in_step = self._in_step, False
        if not in_step:  # an earlier order was interrupted or not answered
            raise RuntimeError(_DIED)
        try:
            socket.send_fds(self._control, [order], files)
        except BrokenPipeError:
            raise RuntimeError(_DIED) from None
        result = int(self._hear())
        self._in_step = True
        return result

    def _hear(self) -> str:
        """What the nursery says, which can be trusted."""
        try:
            heard = self._control.recv(4096)
        except ConnectionResetError:
            heard = b""
        except TimeoutError:
            raise RuntimeError("the sandbox's worker does not answer") from None
        if not heard:
            raise RuntimeError(_DIED)
        return heard.decode()


_DIED = "the sandbox's worker has died or was interrupted; the next draw starts another"


def _above_standard_streams(sock: socket.socket) -> socket.socket:
    """The socket with a descriptor from 3 on: those of closed standard streams are reused."""
    with sock:
        return socket.socket(fileno=fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 3))


def _start(options: dict[str, Any], folder: str, ended: threading.Event) -> subprocess.Popen[bytes]:
    """Starts a worker from a thread that lives as long as it.

    The kernel ends the worker with the *thread* that started it. The main thread lasts; for any
    other a parked one of our own is used.
    """
    if threading.current_thread() is threading.main_thread():
        return start_interpreter(options, folder)
    result: list[subprocess.Popen[bytes] | BaseException] = []
    started = threading.Event()

    def run() -> None:
        try:
            result.append(start_interpreter(options, folder))
        except BaseException as error:
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


def start_interpreter(options: dict[str, Any], folder: str) -> subprocess.Popen[bytes]:
    here = Path(__file__).resolve().parent
    options = {
        "parent": os.getpid(),
        # Where this process found NumPy and Shapely; behind the standard library.
        "path": [entry for entry in sys.path if os.path.isabs(entry)],
        "packages": {"gensim_envs": str(here.parent), "gensim_envs.sandbox": str(here)},
        **options,
    }
    files = [options["control"]] if "control" in options else []
    return subprocess.Popen(
        [sys.executable, "-S", "-s", "-P", "-c", BOOT, json.dumps(options)],
        env=_ENVIRONMENT,
        cwd=folder,
        pass_fds=files,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _parse(line: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(line, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Ended("answered what is no JSON") from None


def _describe(status: int) -> str:
    """What the program did, from how its process ended (negative: by which signal)."""
    if status >= 0:
        return "ended its process"
    if status == -signal.SIGSYS:
        return "tried a forbidden system call (a process, a socket or a signal to another process)"
    if status == -signal.SIGXCPU:
        return f"used more than {CPU_SECONDS} s of processor time"
    if status == -signal.SIGKILL:
        return "was killed, or closed its connection"
    return f"crashed its process ({signal.strsignal(-status) or status})"
