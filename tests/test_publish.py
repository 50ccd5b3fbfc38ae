"""Publishing: every stage, every refusal, and a library that is never half written."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest
from quick import one_thread
from tiny import (
    ANSWER,
    TINY,
    content,
    copy_of,
    descendants,
    edit_registry,
    make_library,
    program,
    started,
)

from gensim_envs import register_library
from gensim_envs.cli import main
from gensim_envs.envs.rollout import Episode
from gensim_envs.errors import CrashError, SandboxError, TaskError
from gensim_envs.generation import check, sight, validate
from gensim_envs.generation import publish as stage
from gensim_envs.generation.validate import Policy, Run
from gensim_envs.library import Library, shipped
from gensim_envs.sandbox.client import Protection
from gensim_envs.task.drawing import Draw
from gensim_envs.tasks import sweeping_piles
from gensim_envs.utils import processes
from gensim_envs.utils.naming import snake_case

ID = "gensim/TinyZone-v0"
FILES = [
    "generated/completions/tiny_zone.md",
    "generated/provenance/tiny_zone.json",
    "generated/tiny_zone.py",
    "registry.json",
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library into which one task was published in earnest; not to be changed."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "answer.md").write_text(ANSWER)
    arguments = ["publish", str(folder / "answer.md"), "--model", "a-model", "--workers", "2"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([*arguments, "--library", str(folder / "library")]) == 0
    assert f"published {ID}" in out.getvalue()
    return folder / "library"


@pytest.fixture
def library(published: Path, tmp_path: Path) -> Library:
    return copy_of(published, tmp_path / "library")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A program that is not in the library yet."""
    path = tmp_path / "answer.md"
    path.write_text(program("Another"))
    return path


def run(command: str, file: Path | None, library: Library, *options: str) -> int:
    arguments = [command] if file is None else [command, str(file)]
    return main([*arguments, "--library", str(library.root), *options])


@pytest.fixture
def episodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Policy, list[Episode]]]:
    """What the policies earn on the 20 seeds, to be set by a test, instead of playing."""
    solved, failed = Episode(True, 1.0, 1), Episode(False, 0.0, 4)
    returns: dict[Policy, list[Episode]] = {
        "oracle": [solved] * 20, "noop": [failed] * 20, "random": [failed] * 20,
    }  # fmt: skip

    def play(program: object, bounds: object, policy: Policy, split: str, seed: int) -> Run:
        return Run(returns[policy][seed], "", [])

    monkeypatch.setattr(validate, "run_episode", play)
    monkeypatch.setattr(processes, "processes", one_thread)
    monkeypatch.setattr(check, "SURVEY", range(1_000, 1_020))
    yield returns


@pytest.fixture
def little_play(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two episodes of blind play, and few looks at what can be seen."""
    monkeypatch.setattr(validate, "BLIND", range(100, 102))
    monkeypatch.setattr(sight, "STARTS", range(2))


# --- accepted ---------------------------------------------------------------------------------


def test_publishing_writes_program_row_provenance_and_completion(published: Path) -> None:
    assert sorted(content(published)) == FILES
    library = Library(published)
    record = library.record(ID)
    assert library.source(record) == TINY
    assert record.summary == "Put a block into a zone."
    assert record.bounds == {"items": 2, "places": 0, "targets": 1, "steps": 1}
    assert record.max_episode_steps == 4
    assert record.certificate["oracle"] >= 18
    assert record.certificate["noop"] == 0
    assert record.certificate["random"] == 0
    assert (published / FILES[0]).read_text() == ANSWER
    provenance = json.loads((published / FILES[1]).read_text())
    assert provenance["model"] == "a-model"
    assert set(provenance) == {"model", "published", "suite", "sandbox"}


def test_a_published_task_can_be_made(published: Path) -> None:
    before = dict(gym.registry)
    try:
        register_library(published)
        env = gym.make(ID, obs_mode="state")
        assert env.reset(seed=5)[1]["instruction"].startswith("put the ")
        env.close()
    finally:
        gym.registry.clear()
        gym.registry.update(before)


def test_a_row_is_equal_to_the_byte_in_another_library_and_with_one_worker(
    published: Path, tmp_path: Path
) -> None:
    file = tmp_path / "program.py"
    file.write_text(TINY)
    other = Library(tmp_path / "other")
    assert run("publish", file, other, "--workers", "1", "--model", "another") == 0
    assert other.registry.read_bytes() == (published / "registry.json").read_bytes()


def test_a_program_may_be_published_as_it_is(
    library: Library, file: Path, episodes: object, little_play: None
) -> None:
    before = content(library.root)
    assert run("publish", file, library) == 0
    after = content(library.root)
    assert (library.root / "generated/another.py").read_text() == program("Another")
    assert {name for name in after if before.get(name) != after[name]} == {
        "registry.json",
        "generated/another.py",
        "generated/provenance/another.json",
        "generated/completions/another.md",
    }


def test_files_are_named_after_classes() -> None:
    names = ["BuildWheel", "PutBlockInBowl", "LShapedABC", "Task2", "HTTPServer"]
    assert [snake_case(name) for name in names] == [
        "build_wheel", "put_block_in_bowl", "l_shaped_abc", "task2", "http_server",
    ]  # fmt: skip


# --- refused ----------------------------------------------------------------------------------


def with_build(*lines: str, extra: str = "") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f'''"""A task."""

from gensim_envs.api import Ball, Block, Box, Pose, Scene, Task, Zone
{extra}

class Another(Task):
    """A task."""

    def build(self, scene: Scene) -> None:
{body}
'''


BLOCK = 'block = scene.add(Block("red"))'
MARK = "mark = scene.mark(block, Pose(0.5, 0.2))"
IN_THE_AIR = with_build(
    BLOCK, MARK, 'scene.goal("hang the red block above the mark", block, at=mark.pose.up(0.2))'
)
EASY = with_build(
    'zone = scene.add(Zone("red", width=0.48), at=Pose(0.5, -0.25))',
    'box = scene.add(Box("blue", extents=(0.36, 0.36, 0.03)))',
    'scene.goal("move the blue box into the red zone", box, inside=zone)',
)
REFUSED = {
    "gate": ("gate", "os", with_build(BLOCK, extra="import os")),
    "no program": ("parse", "neither a class X(Task) nor", "I would rather not."),
    "no Python": ("parse", "SyntaxError", with_build("block = = 3")),
    "cut off": ("parse", "SyntaxError", "```python\n" + TINY.rstrip()[:-20]),
    "colour": (
        "semantics",
        "'green'",
        with_build(
            BLOCK, 'zone = scene.add(Zone("blue"))',
            'scene.goal("put the red block into the green zone", block, inside=zone)',
        ),
    ),
    "off the table": (
        "spec",
        "off the table",
        with_build(
            BLOCK,
            'scene.goal("move the red block", block, at=scene.mark(block, Pose(0.9, 0.0)))',
        ),
    ),
    "overlap": (
        "spec",
        "intersects",
        with_build(
            'blocks = scene.add(Block("red"), count=2)',
            'spots = scene.mark(blocks[0], [Pose(0.5, 0.0), Pose(0.51, 0.0)])',
            'scene.goal("move the red blocks", blocks, at=spots)',
        ),
    ),
    "not shown": (
        "spec",
        "nothing in the picture shows",
        with_build(BLOCK, 'scene.goal("move the red block", block, at=Pose(0.5, 0.2))'),
    ),
    "no randomness": (
        "spec",
        "different seeds",
        with_build(
            'block = scene.add(Block("red"), at=Pose(0.4, 0.0))',
            MARK, 'scene.goal("move the red block", block, at=mark)',
        ),
    ),
    "two lines": (
        "spec",
        "cannot be printed",
        with_build(BLOCK, MARK, r'scene.goal("move\nthe red block", block, at=mark)'),
    ),
    "runtime": ("runtime", "line 11: ZeroDivisionError", with_build(BLOCK, "half = 1 / 0")),
    "oracle": ("oracle", "the oracle fails on 3 of the first 3 seeds", IN_THE_AIR),
    "random": ("oracle", "random actions solve", EASY),
}  # fmt: skip


@pytest.mark.parametrize(("cause", "problem", "text"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_tells_its_cause_and_leaves_the_library_as_it_was(
    library: Library,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    cause: str,
    problem: str,
    text: str,
) -> None:
    file.write_text(text)
    before = content(library.root)
    assert run("publish", file, library, "--workers", "2") == 1
    assert content(library.root) == before
    said = capsys.readouterr().err
    assert f"refused ({cause})" in said
    assert problem in said


def test_half_a_character_in_a_sentence_is_refused(
    library: Library, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    goal = r'scene.goal("move \ud800 the red block", block, at=mark)'
    file.write_text(with_build(BLOCK, MARK, goal))
    before = content(library.root)
    assert run("publish", file, library) == 1
    assert content(library.root) == before
    said = capsys.readouterr().err
    assert "refused (" in said
    assert "\\ud800" in said


def test_a_refusal_makes_no_library(tmp_path: Path, file: Path) -> None:
    file.write_text("Nothing.")
    assert run("publish", file, Library(tmp_path / "new")) == 1
    assert not (tmp_path / "new").exists()


def returns_of(count: int, total: int = 20, each: float = 0.0) -> list[Episode]:
    failed = Episode(False, each, 4)
    return [Episode(True, 1.0, 1)] * count + [failed] * (total - count)


@pytest.mark.parametrize(
    ("policy", "results", "problem"),
    [
        ("oracle", returns_of(18), None),
        (
            "oracle",
            returns_of(17),
            "the oracle fails on 3 of the first 20 seeds, and must solve 18 of 20; on seed 19",
        ),
        ("noop", returns_of(0, each=0.25), "a no-op policy gets a return of 0.25"),
        ("noop", returns_of(1), "a no-op policy gets a return of 1"),
        ("random", returns_of(0, each=0.5), None),
        ("random", returns_of(1), "random actions solve 1 of 20"),
    ],
)
def test_the_results_of_policies_decide(
    library: Library,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    episodes: dict[Policy, list[Episode]],
    little_play: None,
    policy: Policy,
    results: list[Episode],
    problem: str | None,
) -> None:
    episodes[policy] = results
    before = content(library.root)
    code = run("publish", file, library)
    if problem is None:
        assert code == 0
        assert len(library.records()) == 2
    else:
        assert code == 1
        assert content(library.root) == before
        said = capsys.readouterr().err
        assert "refused (oracle)" in said
        assert problem in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ANSWER, f"{ID} is already published, and is the same program"),
        (TINY.replace("0.08", "0.09"), f"{ID} is already in"),
    ],
)
def test_publishing_twice_is_refused_before_anything_is_measured(
    library: Library,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    problem: str,
) -> None:
    monkeypatch.setattr(validate, "certify", None)
    file.write_text(text)
    before = content(library.root)
    assert run("publish", file, library) == 1
    assert content(library.root) == before
    assert problem in capsys.readouterr().err


def test_where_a_program_cannot_be_locked_in_it_takes_an_option(
    library: Library,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    episodes: object,
) -> None:
    weak = Protection(processes=True, network=False, files=True, description="weak: udp")
    monkeypatch.setattr(stage, "protection", lambda: weak)
    before = content(library.root)
    assert run("publish", file, library) == 1
    assert content(library.root) == before
    assert "--weak-sandbox" in capsys.readouterr().err
    assert run("publish", file, library, "--weak-sandbox") == 0
    provenance = json.loads((library.root / "generated/provenance/another.json").read_text())
    assert provenance["sandbox"] == "weak: udp"


def die(*_: object) -> None:
    os._exit(1)


def test_a_worker_that_dies_refuses_the_task_and_leaves_the_library_as_it_was(
    library: Library,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validate, "run_episode", die)
    before = content(library.root)
    assert run("publish", file, library, "--workers", "1") == 1
    assert content(library.root) == before
    said = capsys.readouterr().err
    assert said.startswith("refused (oracle): a worker process died twice at the same work")


def survives(number: int, mark: Path) -> int:
    """3 always kills its process, 5 only the first time."""
    if number == 3 or (number == 5 and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGSEGV if number == 3 else signal.SIGKILL)
    return number


def test_a_process_that_dies_is_replaced_and_only_its_job_is_lost(tmp_path: Path) -> None:
    jobs = [(number, tmp_path / str(number)) for number in range(8)]
    with contextlib.closing(processes.map_in_order(survives, jobs, 2, lambda error: -1)) as results:
        assert list(results) == [0, 1, 2, -1, 4, 5, 6, 7]
    with pytest.raises(CrashError, match="twice"):
        list(processes.map_in_order(survives, jobs[3:4], 2))


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from gensim_envs.utils.processes import map_in_order\n"
        "print(list(map_in_order(abs, [(1,)], 1)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "WorkerError" in done.stderr and "__main__" in done.stderr


def test_a_process_that_starts_does_not_receive_ctrl_c() -> None:
    code = """
import signal
from gensim_envs.utils.processes import processes
if __name__ == "__main__":
    with processes(1) as executor:
        print(signal.SIGINT in executor.submit(signal.pthread_sigmask, 0, []).result())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"  # it is blocked from the process's first instruction on


def test_processes_that_are_left_early_end_without_a_word() -> None:
    before = set(threading.enumerate())
    with contextlib.suppress(KeyboardInterrupt), processes.processes(2) as executor:
        next(processes.in_order(executor, time.sleep, [(0.0,), *[(60.0,)] * 40]))
        raise KeyboardInterrupt
    for thread in set(threading.enumerate()) - before:
        thread.join(20)  # a traceback of one of them fails the test
        assert not thread.is_alive()


# --- stopped ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "seconds"), [("gate:", 0.3), ("specs:", 1.0)])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_while_publishing_no_process_and_no_file_is_left(
    library: Library, file: Path, stage: str, seconds: float, how: signal.Signals
) -> None:
    file.write_text(Path(sweeping_piles.__file__).read_text())  # it takes long
    before = content(library.root)
    command = [sys.executable, "-m", "gensim_envs.cli", "publish", str(file)]
    child = subprocess.Popen(
        [*command, "--library", str(library.root), "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    assert any(line.startswith(stage) for line in child.stdout)
    time.sleep(seconds)  # for processes to be started; that they were is seen below
    below = descendants(child.pid)
    assert below
    if how == signal.SIGINT:
        os.killpg(child.pid, how)  # as a terminal does
    else:
        child.kill()
    _, error = child.communicate(timeout=30)
    assert child.returncode == (130 if how == signal.SIGINT else -how)
    assert "Traceback" not in error
    deadline = time.monotonic() + 20
    while any(started(pid) == since for pid, since in below.items()):
        assert time.monotonic() < deadline, "a process was left"
        time.sleep(0.05)
    assert content(library.root) == before


# --- measured again ---------------------------------------------------------------------------


def test_certify_finds_a_row_as_it_was_published(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(library.root)
    assert run("certify", None, library, ID, "--workers", "2") == 0
    assert "20/20, as published" in capsys.readouterr().out
    assert content(library.root) == before


def test_certify_finds_a_row_that_differs(
    library: Library, capsys: pytest.CaptureFixture[str], episodes: dict[Policy, list[Episode]]
) -> None:
    episodes["oracle"] = returns_of(19)
    before = content(library.root)
    assert run("certify", None, library, "TinyZone") == 1
    assert "19/20, differs from its record" in capsys.readouterr().out
    assert content(library.root) == before


def test_certify_finds_a_task_that_would_be_refused_now(
    library: Library, capsys: pytest.CaptureFixture[str], episodes: dict[Policy, list[Episode]]
) -> None:
    episodes["oracle"] = returns_of(3)
    assert run("certify", None, library) == 1
    assert f"{ID}: refused (oracle)" in capsys.readouterr().out


def test_certify_goes_on_after_a_program_that_was_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], episodes: object
) -> None:
    library = make_library(tmp_path / "two", "Another", "TinyZone")
    path = library.root / "generated" / "another.py"
    path.write_text("changed")
    assert run("certify", None, library) == 1
    said = capsys.readouterr().out
    assert f"gensim/Another-v0: {path} is not the program that was published" in said
    assert f"{ID}: 20/20" in said


def test_certify_counts_broken_rows(
    library: Library, capsys: pytest.CaptureFixture[str], episodes: object
) -> None:
    edit_registry(library, lambda records: records.append("nonsense"))
    assert run("certify", None, library) == 1
    assert "a record: expected an object, not 'nonsense'" in capsys.readouterr().err


# --- rebuilt ----------------------------------------------------------------------------------


def test_regenerating_an_unchanged_library_touches_no_byte(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    before, stamp = content(library.root), library.registry.stat().st_mtime_ns
    assert run("regenerate", None, library, "--workers", "2") == 0
    assert content(library.root) == before
    assert library.registry.stat().st_mtime_ns == stamp
    assert "is unchanged" in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, "", "no json", '{"tasks": [7]}', '{"tasks": []}'])
def test_regenerating_rebuilds_lost_and_mangled_rows_to_the_byte(
    library: Library, text: str | None, episodes: object
) -> None:
    before = content(library.root)
    library.registry.unlink()
    if text is not None:
        library.registry.write_text(text)
    assert run("regenerate", None, library) == 0
    assert content(library.root) == before


def test_regenerating_mends_a_row_that_was_tampered_with(
    library: Library, episodes: object, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(library.root)
    edit_registry(library, lambda records: records[0].update(max_episode_steps=99))  # type: ignore[attr-defined]
    assert run("regenerate", None, library) == 0
    assert content(library.root) == before
    assert "was rewritten" in capsys.readouterr().out


def test_regenerating_named_tasks_leaves_the_others(
    library: Library, episodes: object, capsys: pytest.CaptureFixture[str]
) -> None:
    own = next(record for record in shipped().records() if not record.hand_written)
    for file in (own.file, f"generated/provenance/{Path(own.file).stem}.json"):
        shutil.copy(shipped().root / file, library.root / file)
    other = replace(own, summary="Not measured again.")
    before = library.records()
    library.write_records([replace(before[0], max_episode_steps=99), other])
    assert run("regenerate", None, library, ID) == 0
    assert {record.id: record for record in library.records()} == {ID: before[0], own.id: other}
    capsys.readouterr()
    assert run("regenerate", None, library, "gensim/Nothing-v0") == 1
    assert "has no program of Nothing" in capsys.readouterr().err


def test_regenerating_drops_no_record_whose_program_is_missing(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in FILES[1:3]:
        (library.root / name).unlink()
    before = content(library.root)
    assert run("regenerate", None, library) == 1
    assert content(library.root) == before
    said = capsys.readouterr().err
    assert f"has records whose programs are missing here: {ID}. Restore their programs" in said
    edit_registry(library, lambda records: records[0].update(summary=7))  # type: ignore[attr-defined]
    assert run("regenerate", None, library) == 1
    assert ID in capsys.readouterr().err


def test_regenerating_the_library_of_another_checkout_drops_no_hand_written_record(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    own = next(record for record in shipped().records() if record.hand_written)
    library.write_records([*library.records(), own])
    before = content(library.root)
    assert run("regenerate", None, library) == 1
    assert content(library.root) == before
    said = capsys.readouterr().err
    assert f"missing here: {own.id}. Run gensim in the checkout that has these" in said


@pytest.mark.parametrize("lost", FILES[1:3])
def test_regenerating_wants_program_and_provenance(
    library: Library, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    (library.root / lost).unlink()
    before = content(library.root)
    assert run("regenerate", None, library) == 1
    assert content(library.root) == before
    assert "tiny_zone has no pro" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        (FILES[1], b"no json", "tiny_zone.json is malformed: it is not valid JSON"),
        (FILES[1], b"\xff", "tiny_zone.json is malformed: it is not valid JSON"),
        (FILES[2], b"\xff", "tiny_zone.py is not encoded as UTF-8"),
        (FILES[2], b"import os", "generated/tiny_zone.py"),
    ],
)
def test_regenerating_names_the_file_that_is_wrong(
    library: Library, capsys: pytest.CaptureFixture[str], name: str, data: bytes, problem: str
) -> None:
    (library.root / name).write_bytes(data)
    before = content(library.root)
    assert run("regenerate", None, library) == 1
    assert content(library.root) == before
    assert problem in capsys.readouterr().err


def test_regenerating_refuses_two_programs_of_one_class(
    library: Library, capsys: pytest.CaptureFixture[str], episodes: object
) -> None:
    for name, copy in ((FILES[1], "provenance/zone.json"), (FILES[2], "zone.py")):
        (library.root / "generated" / copy).write_bytes((library.root / name).read_bytes())
    before = content(library.root)
    assert run("regenerate", None, library) == 1
    assert content(library.root) == before
    assert "both define TinyZone" in capsys.readouterr().err


def test_regenerating_what_no_longer_passes_writes_nothing(
    library: Library,
    capsys: pytest.CaptureFixture[str],
    episodes: dict[Policy, list[Episode]],
) -> None:
    episodes["random"] = returns_of(20)
    before = content(library.root)
    assert run("regenerate", None, library) == 1
    assert content(library.root) == before
    assert "refused (oracle): generated/tiny_zone.py: random actions" in capsys.readouterr().err


def test_checking_and_publishing_need_no_extra() -> None:
    code = "import sys, gensim_envs.generation.publish; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"openai", "pydantic", "sklearn", "torch"} & set(modules)


def test_what_a_registry_could_not_be_read_with_refuses_the_task() -> None:
    """It would end a run at each of its starts."""
    spec = check.program_of(TINY)[1].draw("train", 0).spec
    bounds = {"items": 2, "places": 0, "targets": 1, "steps": 1}
    survey = check.Survey("TinyZone", 0, "long " * 300, bounds, 0.0, spec)
    certificate = validate.Certificate(20, 1.0, 0.0, 0, 0.0, 0.0, 0.0, False, 100, 50.0)
    with pytest.raises(TaskError, match="summary"):
        _ = stage.Candidate(TINY, survey, certificate, "generated/tinyzone.py").record


class Odd:
    """A task that draws well and then makes whatever uses its scenes fail."""

    name = "Odd"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def draw(self, split: str, seed: int) -> Draw:
        raise self.error


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), RecursionError(), KeyError(3), CrashError("CrashError")]
)
def test_whatever_a_task_raises_is_its_refusal(error: Exception) -> None:
    with pytest.raises(TaskError, match=type(error).__name__) as caught:
        check.survey(Odd(error), TINY)
    assert caught.value.cause == "spec"
    with ThreadPoolExecutor(1) as executor, pytest.raises(TaskError) as caught:
        bounds = {"items": 2, "places": 0, "targets": 1, "steps": 1}
        validate.certify(Odd(error), bounds, 0.0, executor)
    assert caught.value.cause == "oracle"


@pytest.mark.parametrize("error", [SandboxError("x"), PermissionError("x")])
def test_what_is_the_machines_fault_is_raised_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)):
        check.survey(Odd(error), TINY)


def test_a_survey_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_SECONDS", 0.05)
    with pytest.raises(TaskError, match="together"):
        check.survey(check.program_of(TINY)[1], TINY)
