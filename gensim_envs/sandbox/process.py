"""The worker's process as its client sees it: starting, asking within a time limit, ending."""

from __future__ import annotations

import contextlib
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
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

MEGABYTE = 2**20
START_SECONDS = 60.0  # for a first import on a busy machine; half a second is usual
GRACE_SECONDS = 0.5  # the worker stops itself first, which tells the line
CPU_SECONDS = 600  # in a worker's life

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
    text = ascii(f"{type(error).__name__}: {error}")[:2000]
    os.write(options["reports"], text.encode() + b"\\n")
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
    """The worker is of no use any more; the text says what the program did."""


class Process:
    """A worker and the pipes to it. Not thread-safe: `Sandbox` holds the lock.

    Raises:
        RuntimeError: the worker does not start.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._program: str | None = None  # the one that the present child serves
        self._busy = 0.0  # seconds that the present child has worked at most
        self._ended = threading.Event()
        self._folder = tempfile.mkdtemp(prefix="gensim-")
        pipes = {"requests": os.pipe(), "answers": os.pipe(), "reports": os.pipe()}
        theirs = {key: ends[0 if key == "requests" else 1] for key, ends in pipes.items()}
        self._requests = FileIO(pipes["requests"][1], "wb")
        self._answers = FileIO(pipes["answers"][0], "rb")
        self._reports = FileIO(pipes["reports"][0], "rb")
        for file in (self._requests, self._answers, self._reports):
            os.set_blocking(file.fileno(), False)
        options = {
            **theirs,
            "memory": limits.memory,
            "answer_bytes": limits.answer,
            "cpu": CPU_SECONDS,
        }
        try:
            self._popen = _start(options, self._folder, self._ended)
        finally:
            for end in theirs.values():
                os.close(end)
        try:
            first = self._report(time.monotonic() + START_SECONDS)
        except BaseException:
            self.stop()
            raise
        self._locked = first == "locked"
        if first not in ("locked", "open"):
            self.stop()
            raise RuntimeError(f"the sandbox's worker did not start: {first or 'it died'}")

    @property
    def pid(self) -> int:
        """Of the worker and of the group of all its processes."""
        return self._popen.pid

    def ask(self, source: str, split: str, seed: int) -> dict[str, Any]:
        """Sends one request and returns its answer, which is JSON but not to be trusted.

        Raises:
            Ended: the program ended its process, was too slow or spoke nonsense; call `recover`.
        """
        start = time.monotonic()
        deadline = start + self._limits.seconds + GRACE_SECONDS
        worn = self._busy + 2 * (deadline - start) > CPU_SECONDS
        if self._program is not None and (worn or self._program != source):
            self._end_program()
        self._program = source
        key = secrets.token_hex(8)
        request = {"id": key, "source": source, "split": split, "seed": seed}
        line = json.dumps({**request, "seconds": self._limits.seconds}).encode()
        self._send(line, deadline)
        answer = self._receive(deadline)
        if not isinstance(answer, dict) or answer.get("id") != key:
            raise Ended("answered what was not asked")
        self._busy += time.monotonic() - start
        return answer

    def recover(self) -> bool:
        """Kills the child after something went wrong, so that the next request gets a new one.

        Returns:
            False where the worker must be stopped: it does not follow, or nothing on this
            machine keeps the child from having started processes of its own.
        """
        if not self._locked:
            return False
        try:
            if self._program is not None:
                self._popen.terminate()  # the worker takes it as an order to kill its child
                self._report(time.monotonic() + GRACE_SECONDS)
            while select.select([self._answers], [], [], 0)[0]:
                os.read(self._answers.fileno(), 2**16)
        except Ended:
            return False
        self._program, self._busy = None, 0.0
        return True

    def _end_program(self) -> None:
        """Has the child end; the next request starts another."""
        deadline = time.monotonic() + GRACE_SECONDS
        self._send(b"end", deadline)
        if self._report(deadline) != "0" or select.select([self._answers], [], [], 0)[0]:
            raise Ended("did not end when told to")
        self._program, self._busy = None, 0.0

    def stop(self) -> None:
        """Ends the worker, which first waits for its killed child, then kills all of the group."""
        for file in (self._requests, self._answers, self._reports):
            file.close()
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._ended.set()
        self._popen.wait()
        with contextlib.suppress(FileNotFoundError):  # the worker removes it once it has started
            os.rmdir(self._folder)

    def abandon(self) -> None:
        """In a forked child: lets go of the parent's worker without touching it."""
        for file in (self._requests, self._answers, self._reports):
            file.close()
        self._popen.returncode = 0  # it is not ours to wait for

    def _send(self, line: bytes, deadline: float) -> None:
        data = memoryview(line + b"\n")
        while data:
            self._wait(deadline, self._requests)
            try:
                data = data[os.write(self._requests.fileno(), data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Ended("ended its process") from None

    def _receive(self, deadline: float) -> Any:
        """One line of JSON, and nothing after it."""
        buffer = bytearray()
        while b"\n" not in buffer:
            ready = self._wait(deadline, self._answers, self._reports)
            if self._answers.fileno() not in ready:
                self._program = None
                raise Ended(_describe(self._report(deadline)))
            buffer += os.read(self._answers.fileno(), 2**16)
            if len(buffer) > self._limits.answer + 1000:
                raise Ended(f"wrote more than {self._limits.answer} bytes")
        line, _, rest = bytes(buffer).partition(b"\n")
        if rest:
            raise Ended("answered what was not asked")
        return _parse(line)

    def _report(self, deadline: float) -> str:
        """A line of the worker itself, which can be trusted; "" where it has died."""
        buffer = bytearray()
        while not buffer.endswith(b"\n"):
            self._wait(deadline, self._reports)
            chunk = os.read(self._reports.fileno(), 2**12)
            if not chunk:
                return ""
            buffer += chunk
        return buffer.decode().strip()

    def _wait(self, deadline: float, *files: FileIO) -> set[int]:
        """Waits until one of our ends is ready to be read, or written in the case of requests."""
        poll = select.poll()
        for file in files:
            poll.register(file, select.POLLOUT if file is self._requests else select.POLLIN)
        left = deadline - time.monotonic()
        ready = {number for number, _ in poll.poll(left * 1000)} if left > 0 else set()
        if not ready:
            raise Ended(f"ran for more than {self._limits.seconds:g} s")
        return ready


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


def start_interpreter(options: dict[str, Any], folder: str) -> subprocess.Popen[bytes]:
    here = Path(__file__).resolve().parent
    options = {
        "parent": os.getpid(),
        # Where this process found NumPy and Shapely; behind the standard library.
        "path": [entry for entry in sys.path if os.path.isabs(entry)],
        "packages": {"gensim_envs": str(here.parent), "gensim_envs.sandbox": str(here)},
        **options,
    }
    files = [options[key] for key in ("requests", "answers", "reports") if key in options]
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


def _describe(report: str) -> str:
    """What the program did, from the worker's report of how its child ended."""
    status = int(report or 0)  # negative: by which signal
    if status >= 0:
        return "ended its process"
    if status == -signal.SIGSYS:
        return "tried a forbidden system call (a process, a socket or a signal to another process)"
    if status == -signal.SIGXCPU:
        return f"used more than {CPU_SECONDS} s of processor time"
    return f"crashed its process ({signal.strsignal(-status) or status})"
