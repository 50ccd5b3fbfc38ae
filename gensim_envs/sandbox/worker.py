"""The worker: a parent process (zygote) that imports everything once, and locked-down children.

A child serves one program: one request a line, one answer a line. A request is `{"id", "source",
"split", "seed", "seconds", "work"}`; its answer `{"id", "ok", "redraws"}` or `{"id", "error",
"spent"}`, where the error is a `TaskError` as JSON. A spent child has used up its memory and must
be ended.
"""

from __future__ import annotations

import builtins
import gc
import json
import math
import os
import signal
import socket
import types
import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gensim_envs import api
from gensim_envs.errors import SandboxError, TaskError
from gensim_envs.sandbox import lockdown
from gensim_envs.sandbox.legacy import recorder
from gensim_envs.sandbox.vocabulary import ALLOWED_BUILTINS
from gensim_envs.task.drawing import draw
from gensim_envs.task.scene import Task

FILE_NAME = "<program>"
MODULE_NAME = "program"
FORK, FORK_WEAK = b"fork", b"fork weak"
MEGABYTE = 2**20
MUTE = "Only describe the scene, with gensim_envs.api, math and plain Python."

# Run once before the lockdown, so that whatever Python, NumPy and Shapely import or open lazily
# is there: a draw that succeeds, and one that raises.
WARM_UP = """
import math
from gensim_envs.api import Block, Scene, Task, Zone

class WarmUp(Task):
    def build(self, scene: Scene) -> None:
        zone = scene.add(Zone("red"))
        block = scene.add(Block(scene.colors(1)[0]))
        scene.goal(f"put the {block} into the red zone", block, inside=zone)
        assert scene.split == "train", f"{math.pi:.2f}"
"""


class _OutOfTime(BaseException):
    """Raised by the timer; a BaseException, so that no `except Exception` takes it."""


class _Timer:
    """Interrupts Python code after a while, so that the error has a line."""

    def __init__(self) -> None:
        self._armed = False
        signal.signal(signal.SIGALRM, self._ring)

    def start(self, seconds: float) -> None:
        self._armed = True
        # It rings again and again, in case that the program takes the first for its own error.
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)

    def stop(self) -> None:
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: object) -> None:
        if self._armed:
            raise _OutOfTime


class Worker:
    """Answers requests.

    Args:
        memory: bytes that a program may use, for the message.
        answer: bytes that an answer may have.
    """

    def __init__(self, memory: int, answer: int) -> None:
        self._memory = memory
        self._answer = answer
        self._compiled: dict[str, types.CodeType] = {}
        self._timer = _Timer()
        self._ballast: bytes | None = bytes(4 * MEGABYTE)  # to be able to answer without memory
        self._work: dict[str, Callable[[str, str, int], dict[str, Any]]] = {
            "draw": self._draw, "draw unseen": self._draw_unseen, "record": self._record
        }  # fmt: skip

    def answer(self, request: dict[str, Any]) -> bytes:
        """The answer to one request, as JSON."""
        try:
            try:
                self._timer.start(request["seconds"])
                answer = self._work[request["work"]](
                    request["source"], request["split"], request["seed"]
                )
                line = json.dumps({"id": request["id"], **answer}, allow_nan=False).encode()
            finally:
                self._timer.stop()
            if len(line) <= self._answer:
                return line
            error = _stopped(f"wrote more than {self._answer} bytes", "Use fewer items.")
        except MemoryError as caught:
            self._ballast = None
            problem = f"used more than {self._memory // MEGABYTE} MB"
            error = _stopped(problem, "Use fewer and smaller lists.", _line_of(caught))
        except _OutOfTime as caught:
            problem = f"ran for more than {request['seconds']:g} s"
            error = _stopped(problem, "Loop less.", _line_of(caught))
        # The program may raise anything, SystemExit included; whatever it is, it is the answer.
        except BaseException as caught:
            error = _explain(caught)
        answer = {"id": request["id"], "error": asdict(error), "spent": self._ballast is None}
        return json.dumps(answer).encode()

    def _draw(self, source: str, split: str, seed: int, *, visible: bool = True) -> dict[str, Any]:
        task = _find_task(self._run(source))
        drawn = draw(task, split, seed, visible=visible)
        return {"ok": drawn.spec.to_json(), "redraws": drawn.redraws}

    def _draw_unseen(self, source: str, split: str, seed: int) -> dict[str, Any]:
        return self._draw(source, split, seed, visible=False)

    def _record(self, source: str, split: str, seed: int) -> dict[str, Any]:
        if source not in self._compiled:
            self._compiled = {source: recorder.code_of(source, FILE_NAME)}
        allowed = _builtins()
        return {"ok": recorder.record(self._compiled[source], allowed, split, seed)}

    def _run(self, source: str) -> dict[str, Any]:
        """Run the program and return the names that it defines, anew for each draw.

        A list at module level would otherwise carry something over from one draw to the next.
        """
        if source not in self._compiled:
            self._compiled = {source: compile(source, FILE_NAME, "exec", dont_inherit=True)}
        namespace = {"__name__": MODULE_NAME, "__builtins__": _builtins()}
        exec(self._compiled[source], namespace)
        return namespace


def _builtins() -> dict[str, Any]:
    allowed = {name: getattr(builtins, name) for name in ALLOWED_BUILTINS}
    modules = {"gensim_envs.api": (api, api.__all__), "math": (math, dir(math))}

    def restricted_import(
        name: str,
        globals: object = None,
        locals: object = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        if level or name not in modules or (name != "math" and not fromlist):
            raise ImportError(f"{name} cannot be imported; only names from gensim_envs.api, math")
        # A copy: a program that changes its module changes nobody else's.
        module, names = modules[name]
        copy = types.ModuleType(name)
        vars(copy).update({key: getattr(module, key) for key in names if key[0] != "_"})
        return copy

    return {
        **allowed,
        "__build_class__": builtins.__build_class__,
        "__import__": restricted_import,
        "AssertionError": AssertionError,
    }


def _find_task(namespace: dict[str, Any]) -> type[Task]:
    found = [
        value
        for value in namespace.values()
        if isinstance(value, type) and issubclass(value, Task) and value.__module__ == MODULE_NAME
    ]
    if len(found) != 1:
        problem = f"the program defines {len(found)} classes that derive from Task"
        raise TaskError(problem, "Define exactly one.", cause="gate", line=1)
    return found[0]


def _stopped(problem: str, remedy: str, line: int | None = None) -> TaskError:
    return TaskError(f"the program {problem}", remedy, cause="runtime", line=line)


def _explain(error: BaseException) -> TaskError:
    """Turn what a program raised into a TaskError with its line."""
    line = _line_of(error)
    if isinstance(error, TaskError):
        error.line = line if error.line is None else error.line
        return error
    if isinstance(error, SyntaxError) and error.filename == FILE_NAME:
        problem = f"{type(error).__name__}: {error.msg}"
        return TaskError(problem, "Correct the syntax.", cause="parse", line=error.lineno)
    text = f"{type(error).__name__}: {_text_of(error)}"[:300]
    if isinstance(error, PermissionError):
        return _stopped(f"tried what the sandbox forbids ({text})", MUTE, line)
    return TaskError(text, "Correct this line.", cause="runtime", line=line)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:
        return f"(its text raised {type(failure).__name__})"


def _line_of(error: BaseException) -> int | None:
    """The innermost line of the program that the error passed through, or None."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _warm_up(worker: Worker) -> None:
    for split, expected in (("train", "ok"), ("test", "error")):
        request = {"id": "", "source": WARM_UP, "split": split, "seed": 0, "seconds": 60}
        request["work"] = "draw"
        line = worker.answer(request)
        if expected not in json.loads(line):
            raise RuntimeError(f"the warm-up program answered {line[:1000]!r}")


def _serve(
    worker: Worker, files: tuple[int, int], limits: dict[str, int], parent: int, weak: bool
) -> None:
    """Lock this child of the zygote down, and answer requests for one program.

    Where it cannot be locked down it ends, except that `weak` goes on.
    """
    lockdown.die_with(parent)
    with open(files[0], "rb") as requests, open(files[1], "wb") as answers:
        if _lock_down(limits) and not weak:
            return
        for line in requests:
            answers.write(worker.answer(json.loads(line)) + b"\n")
            answers.flush()


def _lock_down(limits: dict[str, int]) -> str:
    """Lock this process down and return what is missing, "" where nothing is."""
    lockdown.limit(limits["memory"], limits["cpu"])
    layers = lockdown.deny_all()
    return ", ".join(f"{name} is {state}" for name, state in layers.items() if state != "on")


def main(options: dict[str, Any]) -> None:
    """Import everything once, then fork a locked-down child for each program.

    A program that escapes Python's restrictions can then corrupt only its own draws.
    The zygote itself runs no program and reads nothing that a child wrote. It does what the
    client says: `fork`, with the two ends of a child's pipes, is answered with the child's
    process id; a process id, by killing that child and answering how it had ended. Its first
    message is "locked", or "open: " and what this machine lacks; then a child serves only after
    `fork weak`.

    Args:
        options: `control` (file descriptor of a socket), `parent` (process id), `memory` and
            `answer` (bytes), `cpu` (seconds).
    """
    lockdown.die_with(options["parent"])
    lockdown.forget_arguments()
    warnings.simplefilter("ignore")
    worker = Worker(options["memory"], options["answer"])
    _warm_up(worker)
    # An empty folder that no longer exists: nothing can be made in it, nothing is left of it.
    os.rmdir(os.getcwd())
    gc.collect()
    gc.freeze()  # or each full collection would walk through NumPy and Shapely again
    missing = _try_lockdown(options)
    here = os.getpid()
    control = socket.socket(fileno=options["control"])
    control.send(f"open: {missing}".encode() if missing else b"locked")
    while True:
        order, files, _, _ = socket.recv_fds(control, 64, 2)
        if not order:
            return
        if order in (FORK, FORK_WEAK):
            child = os.fork()
            if child == 0:
                try:
                    control.close()
                    _serve(worker, (files[0], files[1]), options, here, order == FORK_WEAK)
                finally:
                    os._exit(0)  # never into the loop of the zygote
            for file in files:
                os.close(file)
            control.send(str(child).encode())
        else:
            os.kill(int(order), signal.SIGKILL)  # a child that has ended keeps its own status
            status = os.waitstatus_to_exitcode(os.waitpid(int(order), 0)[1])
            control.send(str(status).encode())


def _try_lockdown(options: dict[str, Any]) -> str:
    """Lock a child down, which then tries to start a process.

    Returns:
        What is missing on this machine; "" where the kernel kills the child for that.

    Raises:
        SandboxError: no limits can be set, and why.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                missing = _lock_down(options)
            except Exception as error:
                os.write(writer, f"!{error}".encode())
                os._exit(0)
            os.write(writer, missing.encode())
            if os.fork():
                os.wait()
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said.startswith("!"):
        raise SandboxError(said[1:])
    return said or ("" if status == -signal.SIGSYS else "a program can start processes")
