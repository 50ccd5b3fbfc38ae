"""The sandbox as its users see it: one warm worker for each process, gone when it should be."""

from __future__ import annotations

import contextlib
import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from corpus import GOOD, REFUSED, UNPARSABLE, Ungated, in_build
from hypothesis import given, settings
from hypothesis import strategies as st

import gensim_envs
from gensim_envs.errors import CrashError, SandboxError, TaskError
from gensim_envs.sandbox import child, client, gate, interpreter, process
from gensim_envs.sandbox.child import Limits
from gensim_envs.sandbox.client import Sandbox, protection, shared
from gensim_envs.sandbox.program import HandWritten
from gensim_envs.task.drawing import Draw
from gensim_envs.utils.processes import processes

TASKS = Path(gensim_envs.__file__).parent / "tasks"
OTHER = GOOD.replace("GoodTask", "OtherTask")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def exists(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def drawn_here(program: HandWritten) -> list[Draw]:
    return [program.draw(split, seed) for split in ("train", "test") for seed in range(3)]


def test_draws_hand_written_tasks_as_a_process_of_ours(sandbox: Sandbox) -> None:
    """Equal seeds give equal specs: there, and in a worker of its own."""
    paths = sorted(TASKS.glob("[a-z]*.py"))
    programs = [
        HandWritten(gate.check(path.read_text()).class_name, f"gensim_envs/tasks/{path.name}")
        for path in paths
    ]
    with processes(1) as executor:  # whose arithmetic is as portable as the sandbox's
        for path, here in zip(paths, executor.map(drawn_here, programs), strict=True):
            drawn = [
                sandbox.draw(path.read_text(), split, seed)
                for split in ("train", "test")
                for seed in range(3)
            ]
            assert drawn == here, path.name
            assert drawn[0] != drawn[1]


@pytest.mark.parametrize("name", ["open", "attribute walk", "way too long"])
def test_gate_stands_before_the_worker(name: str) -> None:
    with Sandbox() as sandbox:
        with pytest.raises(TaskError) as caught:
            sandbox.draw(REFUSED[name][0], "train", 0)
        assert caught.value.cause == "gate"
        assert sandbox.worker_pid is None


@pytest.mark.parametrize("name", ["surrogate", "null", "empty"])
def test_no_python_is_refused(name: str) -> None:
    for kind in (Sandbox, Ungated):
        with kind() as sandbox, pytest.raises(TaskError):
            sandbox.draw(UNPARSABLE[name][0], "train", 0)


def test_gate_reads_a_program_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.draw(GOOD, "train", 0)
    monkeypatch.setattr("gensim_envs.sandbox.gate.check", lambda source: pytest.fail("again"))
    sandbox.draw(GOOD, "train", 1)


def test_programs_take_turns_in_one_worker(sandbox: Sandbox) -> None:
    worker = sandbox.draw(GOOD, "train", 0) and sandbox.worker_pid
    names = [f"Task{k}" for k in range(process.MAX_CHILDREN + 2)]
    for name in [*names, *names, *names[:2], *names[:2]]:
        assert sandbox.draw(GOOD.replace("GoodTask", name), "train", 0).spec.name == name
    assert sandbox.worker_pid == worker


def test_an_error_leaves_the_worker_warm(sandbox: Sandbox) -> None:
    sandbox.draw(GOOD, "train", 0)
    worker = sandbox.worker_pid
    for body in ("x = 1 / 0", "x = [0] * 10 ** 9 * 9", "scene.colors(99)"):
        with pytest.raises(TaskError):
            sandbox.draw(in_build(body), "train", 0)
    sandbox.draw(GOOD, "train", 0)
    assert sandbox.worker_pid == worker


def test_exhausted_children_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "CPU_SECONDS", 21)
    with Sandbox() as sandbox:
        drawn = [sandbox.draw(GOOD, "train", 0) for _ in range(5)]
    assert drawn == [drawn[0]] * 5


def test_close_twice_and_draw_again() -> None:
    sandbox = Sandbox()
    sandbox.close()
    sandbox.draw(GOOD, "train", 0)
    worker = sandbox.worker_pid
    sandbox.close()
    sandbox.close()
    assert worker is not None and not exists(worker)
    sandbox.draw(GOOD, "train", 0)
    sandbox.close()


def test_ends_when_nobody_refers_to_it() -> None:
    sandbox = Sandbox()
    sandbox.draw(GOOD, "train", 0)
    worker = sandbox.worker_pid
    del sandbox
    gc.collect()
    assert worker is not None and not exists(worker)


def test_a_killed_worker_is_replaced() -> None:
    with Sandbox() as sandbox:
        sandbox.draw(GOOD, "train", 0)
        assert sandbox.worker_pid is not None
        os.killpg(sandbox.worker_pid, signal.SIGKILL)
        with pytest.raises(CrashError, match="has died"):
            sandbox.draw(GOOD, "train", 0)
        sandbox.draw(GOOD, "train", 0)


def test_an_interrupt_leaves_no_answer_behind() -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Sandbox() as sandbox:
            sandbox.draw(GOOD, "train", 0)
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                sandbox.draw(in_build("for x in range(10 ** 9 * 9):\n    pass"), "train", 0)
            assert sandbox.draw(GOOD, "train", 0).spec.name == "GoodTask"
    finally:
        signal.signal(signal.SIGALRM, before)


def test_threads_take_turns() -> None:
    with Sandbox() as sandbox, ThreadPoolExecutor(4) as pool:
        sources = [GOOD, OTHER] * 10
        drawn = list(pool.map(lambda source: sandbox.draw(source, "train", 7), sources))
        assert [draw.spec.name for draw in drawn] == ["GoodTask", "OtherTask"] * 10


def test_outlives_the_thread_that_started_it() -> None:
    with Sandbox() as sandbox:
        thread = threading.Thread(target=sandbox.draw, args=(GOOD, "train", 0))
        thread.start()
        thread.join()
        worker = sandbox.worker_pid
        time.sleep(0.1)
        sandbox.draw(GOOD, "train", 0)
        assert sandbox.worker_pid == worker


def _draw_shared(pipe: Connection) -> None:
    pipe.send((shared().draw(GOOD, "train", 0), shared().worker_pid))
    pipe.recv()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_each_process_has_a_shared_sandbox_of_its_own(method: str) -> None:
    ours = shared().draw(GOOD, "train", 0)
    worker = shared().worker_pid
    context: Any = multiprocessing.get_context(method)
    here, there = context.Pipe()
    child = context.Process(target=_draw_shared, args=(there,))
    child.start()
    theirs, other = here.recv()
    assert theirs == ours
    assert other != worker and exists(other)
    here.send("end")
    child.join(10)
    assert child.exitcode == 0
    deadline = time.monotonic() + 5
    while exists(other) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not exists(other) or "Z" in Path(f"/proc/{other}/stat").read_text()
    assert shared().draw(GOOD, "train", 0) == ours
    assert shared().worker_pid == worker


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from gensim_envs.sandbox.client import shared
shared().draw(sys.argv[2], "train", 0)
print(shared().worker_pid)
"""


def test_nothing_is_left_when_the_interpreter_ends(tmp_path: Path) -> None:
    root = str(Path(gensim_envs.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, root, GOOD],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert not done.stderr
    assert not exists(int(done.stdout))
    assert not list(tmp_path.iterdir())


def test_no_file_descriptor_and_no_folder_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        with Sandbox() as sandbox:
            sandbox.draw(GOOD, "train", 0)
    assert len(os.listdir("/proc/self/fd")) == before
    assert not list(tmp_path.iterdir())


def test_a_worker_that_cannot_start_is_no_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])
    with Sandbox() as sandbox, pytest.raises(SandboxError, match=r"did not start.*numpy"):
        sandbox.draw(GOOD, "train", 0)


ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 3, 0.5, 1e300, 10**400, "", "red", "x" * 400, [], [[]], {}, {"kind": "Block"}]
)


@pytest.fixture(scope="module")
def good_answer(sandbox: Sandbox) -> str:
    return json.dumps({"ok": sandbox.draw(GOOD, "train", 0).spec.to_json(), "redraws": 0})


def _parts(data: Any) -> list[tuple[Any, Any]]:
    """Each container of a JSON value with each of its keys."""
    if not isinstance(data, dict | list):
        return []
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    inner = [part for key in keys for part in _parts(data[key])]
    return [(data, key) for key in keys] + inner


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10**6), odd=ODD)
def test_a_forged_spec_is_a_spec_or_an_error(good_answer: str, place: int, odd: object) -> None:
    """Any part of a good answer replaced by anything: nothing but the two known errors."""
    answer = json.loads(good_answer)
    parts = _parts(answer)
    container, key = parts[place % len(parts)]
    container[key] = odd
    with contextlib.suppress(child.Ended, TaskError):
        assert client._read(answer)


@pytest.mark.skipif(sys.platform != "linux", reason="the lockdown is Linux's")
def test_protection_is_measured() -> None:
    measured = protection.__wrapped__()
    assert measured.processes and measured.network and measured.files
    assert "everything is denied" in measured.description


@pytest.mark.skipif(sys.platform != "linux", reason="the lockdown is Linux's")
def test_protection_sees_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of unknown architecture has no filter, only Landlock where the kernel has it."""
    boot = "import platform\nplatform.machine = lambda: 'vax'\n"
    monkeypatch.setattr(interpreter, "BOOT", boot + interpreter.BOOT)
    measured = protection.__wrapped__()
    assert not measured.processes and not measured.network
    assert "fork" in measured.description and "udp" in measured.description
    with Sandbox(limits=Limits(seconds=1)) as sandbox:
        sandbox.draw(GOOD, "train", 0, weak=True)
        with pytest.raises(TaskError, match="ran for more than"):
            endless = in_build("for x in range(10 ** 9 * 99):\n    pass")
            sandbox.draw(endless, "train", 0, weak=True)
        sandbox.draw(GOOD, "train", 0, weak=True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's limits need /proc")
def test_a_machine_without_proc_is_named_not_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    boot = """
import builtins
real = builtins.open
def no_proc(file, *args, **options):
    file = file.replace("/proc/", "/nowhere/") if isinstance(file, str) else file
    return real(file, *args, **options)
builtins.open = no_proc
"""
    monkeypatch.setattr(interpreter, "BOOT", boot + interpreter.BOOT)
    with Sandbox() as sandbox, pytest.raises(SandboxError, match=r"/proc .* Mount it"):
        sandbox.draw(GOOD, "train", 0)


@pytest.mark.parametrize("closed", ["2", "1, 2", "0, 1, 2"])
def test_closed_standard_streams_disturb_no_draw(closed: str, tmp_path: Path) -> None:
    code = (
        f"import os, sys\n[os.close(k) for k in ({closed},)]\n"
        "from gensim_envs.sandbox.client import shared\n"
        "for seed in range(2): shared().draw(sys.argv[1], 'train', seed)\n"
        "open(sys.argv[2], 'w').write('drawn')"
    )
    done = subprocess.run([sys.executable, "-c", code, GOOD, tmp_path / "done"], timeout=60)
    assert done.returncode == 0
    assert (tmp_path / "done").read_text() == "drawn"
