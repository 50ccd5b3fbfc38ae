"""Jobs in processes: their order and failures, and that none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from agents.benchmark.jobs import Job, run
from agents.errors import AgentsError


def note(file: Path, word: str) -> None:
    with file.open("a") as written:
        written.write(f"{word} ")


def meet(folder: Path, own: str, other: str) -> None:
    """Wait for another job that waits for this one."""
    (folder / own).touch()
    deadline = time.monotonic() + 60
    while not (folder / other).exists():
        assert time.monotonic() < deadline, "the other job was not begun"
        time.sleep(0.01)


def complain(text: str) -> None:
    raise AgentsError(text)


def wait_forever(file: Path) -> None:
    file.write_text(str(os.getpid()))
    time.sleep(3600)


def do(jobs: list[Job], workers: int = 1) -> tuple[dict[str, str], list[str]]:
    ended: list[str] = []
    return run(jobs, workers, lambda job, error: ended.append(job.name)), ended


def test_a_job_runs_after_those_that_it_needs(tmp_path: Path) -> None:
    file, log = tmp_path / "order", tmp_path / "log"
    jobs = [
        Job("second", partial(note, file, "second"), log, frozenset({"first"})),
        Job("first", partial(note, file, "first"), log, frozenset({"done long ago"})),
    ]
    assert do(jobs, workers=2) == ({}, ["first", "second"])
    assert file.read_text() == "first second "


def test_as_many_run_at_once_as_there_are_workers(tmp_path: Path) -> None:
    jobs = [
        Job(a, partial(meet, tmp_path, a, b), tmp_path / "log") for a, b in ("xy", "yx")
    ]  # fmt: skip
    assert do(jobs, workers=2)[0] == {}


def test_a_failure_fails_dependent_jobs_only(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log"
    jobs = [
        Job("bad", partial(complain, "no such demos"), log),
        Job("killed", partial(signal.raise_signal, signal.SIGKILL), log),
        Job("broken", partial(int, "seven"), log),
        Job("next", partial(print, "never"), log, frozenset({"bad"})),
        Job("after", partial(print, "never"), log, frozenset({"next"})),
        Job("mute", partial(print, "never"), Path("/proc/none/log")),
        Job("good", partial(print, "well"), log),
    ]
    errors, ended = do(jobs)
    assert set(ended) == {job.name for job in jobs}
    assert errors.pop("bad") == "no such demos"
    assert errors.pop("killed").startswith("its process was killed")
    assert errors.pop("mute").startswith("/proc/none/log cannot be written")
    assert errors.pop("broken").startswith("ValueError: invalid literal")
    assert errors == {
        "next": "it needs bad, which failed",
        "after": "it needs next, which failed",
    }
    output = log.read_text()
    assert "well" in output and "Traceback" in output and "never" not in output


def test_jobs_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    path, file = tmp_path / "script.py", tmp_path / "pid"
    path.write_text(
        "import sys, pathlib, functools, test_jobs as t\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "wait = functools.partial(t.wait_forever, file)\n"
        "if __name__ == '__main__':\n"
        "    t.do([t.Job('long', wait, file.with_name('log'))])\n"
    )
    paths = os.pathsep.join((str(Path(__file__).parent), str(Path.cwd())))
    parent = subprocess.Popen([sys.executable, path, file], env={**os.environ, "PYTHONPATH": paths})
    try:
        pid = int(eventually(lambda: file.read_text() if file.exists() else ""))
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def eventually(look: object) -> str:
    """The result of a function as soon as it is true."""
    assert callable(look)
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return str(found)
