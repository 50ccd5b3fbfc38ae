"""The client's view of the worker process: start it, query it within limits, end it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import tempfile
import threading
from dataclasses import asdict
from typing import Any

from gensim_envs.errors import CrashError, SandboxError
from gensim_envs.sandbox.child import CPU_SECONDS, Child, Ended, Limits, Memory, Work
from gensim_envs.sandbox.interpreter import START_SECONDS, start_worker
from gensim_envs.utils import scratch

MAX_CHILDREN = 8  # each keeps some 10 MB of its own


class Process:
    """The worker: a zygote process with a child for each of the last few programs.

    Not thread-safe: `Sandbox` holds the lock.

    Attributes:
        missing: what this machine lacks to lock children down; "" where it lacks nothing.

    Raises:
        SandboxError: it does not start.
        CrashError: from any method: it has died, through no program.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._in_step = True
        self._children: dict[str, Child] = {}  # by program, the last used last
        self._ended = threading.Event()
        self._folder = tempfile.mkdtemp(dir=scratch.folder())
        ends = _above_standard(*(end.detach() for end in socket.socketpair()))
        self._control, theirs = (socket.socket(fileno=end) for end in ends)
        self._control.settimeout(START_SECONDS)
        options = {"control": theirs.fileno(), "cpu": CPU_SECONDS, **asdict(limits)}
        try:
            self._popen = start_worker(options, self._folder, self._ended)
        except BaseException:
            self._control.close()
            os.rmdir(self._folder)
            raise
        finally:
            theirs.close()
        try:
            first = self._hear()
            if first != "locked" and not first.startswith("open: "):
                reason = first.removeprefix("SandboxError: ")
                raise SandboxError(f"the sandbox's worker did not start: {reason}")
        except BaseException:
            self.stop()
            raise
        memory = Memory(self._popen.pid)
        self._shared = memory.bytes()  # what each child has from the start
        memory.close()
        self.missing = first.removeprefix("open: ") if first != "locked" else ""

    @property
    def pid(self) -> int:
        """Process id of the zygote, which is also the group's."""
        return self._popen.pid

    def ask(self, source: str, split: str, seed: int, work: Work = "draw") -> dict[str, Any]:
        """Return the answer of the program's child: JSON that is not to be trusted.

        Raises:
            Ended: the program ended its process, was too slow or answered nonsense; `end` it.
        """
        child = self._children.pop(source, None)
        if child is None or child.exhausted:
            if child is not None:
                self._kill(child)
            child = self._fork()
        self._children[source] = child
        try:
            answer = child.ask(source, split, seed, work)
            if child.hold() - self._shared > self._limits.memory / MAX_CHILDREN:
                del self._children[source]
                self._kill(child)
            return answer
        except Ended as end:
            if str(end):
                raise
            del self._children[source]
            raise Ended(_describe(self._kill(child))) from None

    def end(self, source: str) -> bool:
        """Kill the program's child, if there is one; its next request gets a new one.

        Returns:
            False where the worker must be stopped as well: it has died, or nothing on this
            machine keeps a program from having started processes of its own.
        """
        child = self._children.pop(source, None)
        if child is not None and self._in_step:
            self._kill(child)
        return not self.missing and self._in_step

    def stop(self) -> None:
        """Kill the children, then all of the process group, and wait for them."""
        # The zygote waits for its children itself; left to init, they may stay as zombies.
        for child in self._children.values():
            with contextlib.suppress(CrashError):
                self._kill(child)
        self._control.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._ended.set()
        self._popen.wait()
        with contextlib.suppress(FileNotFoundError):  # the worker removes it once it has started
            os.rmdir(self._folder)

    def abandon(self) -> None:
        """In a forked process: release the parent's worker without touching it."""
        for child in self._children.values():
            child.close()
        self._control.close()
        self._popen.returncode = 0  # it is not ours to wait for

    def _fork(self) -> Child:
        if len(self._children) >= MAX_CHILDREN:
            self._kill(self._children.pop(next(iter(self._children))))
        their_requests, requests = _above_standard(*os.pipe())
        answers, their_answers = _above_standard(*os.pipe())
        try:
            order = b"fork weak" if self.missing else b"fork"  # the client has refused the others
            pid = self._order(order, [their_requests, their_answers])
        except BaseException:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(their_requests)
            os.close(their_answers)
        return Child(pid, requests, answers, self._limits)

    def _kill(self, child: Child) -> int:
        """Kill a child and return its exit status, negative for a signal."""
        child.close()
        return self._order(str(child.pid).encode(), [])

    def _order(self, order: bytes, files: list[int]) -> int:
        """Send an order to the zygote and return its answer; see `worker.main`."""
        in_step, self._in_step = self._in_step, False
        if not in_step:  # an earlier order was interrupted or not answered
            raise CrashError(_DIED)
        try:
            socket.send_fds(self._control, [order], files)
        except BrokenPipeError:
            raise CrashError(_DIED) from None
        result = int(self._hear())
        self._in_step = True
        return result

    def _hear(self) -> str:
        """Return the zygote's next answer, which can be trusted."""
        try:
            heard = self._control.recv(4096)
        except ConnectionResetError:
            heard = b""
        except TimeoutError:
            raise CrashError("the sandbox's worker does not answer") from None
        if not heard:
            raise CrashError(_DIED)
        return heard.decode()


def _above_standard(*descriptors: int) -> list[int]:
    """Move descriptors off the numbers 0 to 2, which they have where a standard stream is closed.

    A new process gets streams of its own there, and C libraries write to them.
    """
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    return moved


_DIED = "the sandbox's worker has died or was interrupted; the next draw starts another"


def refusal(missing: str, remedy: str = "") -> str:
    """Say that a program that is not the installed library's does not run on this machine."""
    remedy = remedy or (
        "If you trust its library, register it with register_library(path, weak_sandbox=True), "
        "or set GENSIM_WEAK_SANDBOX to its folder"
    )
    return (
        f"this machine cannot isolate a program ({missing}), and only those of the installed "
        f"library run without. {remedy}"
    )


def _describe(status: int) -> str:
    """Describe what a program did from the exit status of its process (negative: a signal)."""
    if status >= 0:
        return "ended its process"
    if status == -signal.SIGSYS:
        return "tried a forbidden system call (a process, a socket or a signal to another process)"
    if status == -signal.SIGXCPU:
        return f"used more than {CPU_SECONDS} s of processor time"
    if status == -signal.SIGKILL:
        return "was killed, or closed its connection"
    return f"crashed its process ({signal.strsignal(-status) or status})"
