"""A child of the worker, which runs one program: requests and answers through its pipes."""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import time
from dataclasses import dataclass
from io import FileIO
from typing import Any, Literal

MEGABYTE = 2**20
GRACE_SECONDS = 0.5  # the worker stops itself first, which tells the line
CPU_SECONDS = 600  # in a child's life
_PAGE = os.sysconf("SC_PAGE_SIZE")


Work = Literal["draw", "draw unseen", "record"]
"""What a program is asked for: a spec, one whose visibility is not checked, or a recording."""


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
    """A child cannot be used any more; the text says what its program did, "" where unknown."""


class Child:
    """The locked-down process of one program, as its client sees it."""

    def __init__(self, pid: int, requests: int, answers: int, limits: Limits) -> None:
        self.pid = pid
        self._limits = limits
        self._busy = 0.0
        self._is_held = False
        self._requests = FileIO(requests, "wb")
        self._answers = FileIO(answers, "rb")
        self._memory = Memory(pid)
        os.set_blocking(requests, False)

    @property
    def exhausted(self) -> bool:
        """Whether so much of its processor time is spent that another draw might not fit."""
        return self._busy + 2 * self._limits.seconds > CPU_SECONDS

    def hold(self) -> int:
        """Stop the process until the next request, so that it computes nothing in between.

        Returns:
            Bytes of memory beyond mapped files; 0 where the machine does not say.
        """
        os.kill(self.pid, signal.SIGSTOP)  # the zygote has not waited for it, so it is the same
        self._is_held = True
        return self._memory.bytes()

    def ask(self, source: str, split: str, seed: int, work: Work = "draw") -> dict[str, Any]:
        """Send one request and return its answer, which is JSON but not to be trusted."""
        if self._is_held:
            os.kill(self.pid, signal.SIGCONT)
            self._is_held = False
        start = time.monotonic()
        deadline = start + self._limits.seconds + GRACE_SECONDS
        if self._is_ready(self._answers, start):  # or it has ended meanwhile
            was_early = os.read(self._answers.fileno(), 1)
            raise Ended("answered without a request" if was_early else "")
        key = secrets.token_hex(8)
        request = {"id": key, "source": source, "split": split, "seed": seed, "work": work}
        self._send(json.dumps({**request, "seconds": self._limits.seconds}).encode(), deadline)
        answer = _parse(self._receive(deadline))
        if not isinstance(answer, dict) or answer.get("id") != key:
            raise Ended("answered without a request")
        self._busy += time.monotonic() - start
        return answer

    def close(self) -> None:
        self._requests.close()
        self._answers.close()
        self._memory.close()

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
        """Read one line, and nothing after it."""
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
            raise Ended("answered without a request")
        return line

    def _is_ready(self, file: FileIO, deadline: float) -> bool:
        poll = select.poll()
        poll.register(file, select.POLLOUT if file is self._requests else select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


class Memory:
    """The memory of a process, which is asked for after each draw."""

    def __init__(self, pid: int) -> None:
        try:
            self._file: FileIO | None = FileIO(f"/proc/{pid}/statm")
        except OSError:
            self._file = None  # not Linux

    def bytes(self) -> int:
        """Bytes of memory beyond mapped files; 0 where the machine does not say."""
        if self._file is None:
            return 0
        try:
            _, total, files, *_ = map(int, os.pread(self._file.fileno(), 200, 0).split())
        except (OSError, ValueError):
            return 0
        return (total - files) * _PAGE

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse(line: bytes) -> Any:
    try:
        return _JSON.decode(line.decode())
    except (ValueError, RecursionError):
        raise Ended("answered with malformed JSON") from None
