"""The `gensim` command: output, exit codes, and one-line errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import pybullet
import pytest
from tiny import ANSWER, TINY, content, edit_registry, make_library, program, record
from tyro.conf import arg

import gensim_envs
from gensim_envs.cli import COMMANDS, main, shared, tasks
from gensim_envs.library import Library, digest
from gensim_envs.utils.cli import parse
from gensim_envs.utils.progress import Progress

ID = "gensim/TinyZone-v0"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library", "Other", "TinyZone")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answer.md"
    path.write_text(ANSWER)
    return path


def run(*arguments: object) -> int:
    """Exit code of a command in this process."""
    return main([str(argument) for argument in arguments])


def gensim(
    *arguments: object, drop: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    inherited = {key: value for key, value in os.environ.items() if key not in drop}
    return subprocess.run(
        [sys.executable, "-m", "gensim_envs.cli", *map(str, arguments)],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


# --- list -------------------------------------------------------------------------------------


def test_list_shows_a_line_for_each_task(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--library", library.root) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "gensim/Other-v0     20/20     ?  Put a block into a zone.",
        "gensim/TinyZone-v0  20/20     ?  Put a block into a zone.",
    ]


def test_list_json_prints_the_records(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json", "--library", library.root) == 0
    assert json.loads(capsys.readouterr().out) == [asdict(record("Other")), asdict(record())]


def test_list_prints_valid_records_names_broken_ones_and_fails(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_registry(library, lambda records: records[0].update(summary=None))  # type: ignore[attr-defined]
    assert run("list", "--library", library.root) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"{ID}  20/20     ?  Put a block into a zone."]
    assert "'gensim/Other-v0': summary: expected a text" in captured.err


def test_list_names_an_invalid_certificate(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_registry(library, lambda records: records[0].update(certificate={"oracle": [1]}))  # type: ignore[attr-defined]
    assert run("list", "--library", library.root) == 1
    assert "'gensim/Other-v0': certificate" in capsys.readouterr().err


def test_list_defaults_to_the_shipped_library() -> None:
    done = gensim("list", "--json", drop=("GENSIM_LIBRARY",))
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)
    assert "gensim/PutBlockInBowl-v0" in [record["id"] for record in records]


def test_list_uses_gensim_library_if_set(library: Library) -> None:
    done = gensim("list", "--json", GENSIM_LIBRARY=str(library.root))
    assert done.returncode == 0, done.stderr
    assert [record["id"] for record in json.loads(done.stdout)] == ["gensim/Other-v0", ID]
    assert done.stderr == ""


def test_a_closed_pipe_ends_a_command_quietly(library: Library) -> None:
    command = [sys.executable, "-m", "gensim_envs.cli", "list", "--library", str(library.root)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == b""


# --- check ------------------------------------------------------------------------------------


def test_check_accepts_a_program_or_an_answer_and_writes_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "program.py"
    bare.write_text(TINY)
    before = content(tmp_path)
    for path in (file, bare):
        assert run("check", path) == 0
        assert "TinyZone: gate and 500 draws of each split passed" in capsys.readouterr().out
    assert content(tmp_path) == before


def test_check_refuses_with_a_cause(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("import os\n" + TINY)
    assert run("check", file) == 1
    assert "refused (gate): line 1:" in capsys.readouterr().err


def test_check_of_a_file_without_code_names_what_is_missing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("I would rather not.\n")
    assert run("check", file) == 1
    problem = capsys.readouterr().err
    assert "neither a class X(Task) nor a Python code block" in problem
    assert "0 code blocks" not in problem


# --- play -------------------------------------------------------------------------------------


def test_play_writes_a_video_of_the_task_in_the_given_library(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = TINY.replace("put the {color}", "carry the {color}")
    changed = Library(tmp_path / "changed")
    changed.publish(replace(record(), sha256=digest(source)), source, {}, None)
    before = dict(gym.registry)
    gensim_envs.register_library(library.root)  # which has a task of this id too
    video = tmp_path / "new" / "video.mp4"
    try:
        arguments = ["TinyZone", "--seed", 3, "--video", video]
        assert run("play", *arguments, "--library", changed.root) == 0
    finally:
        gym.registry.clear()
        gym.registry.update(before)
    output = capsys.readouterr().out
    assert f"{ID}, seed 3: carry the " in output
    assert "action 1: progress 1.00" in output
    decode = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(video), "-f", "rawvideo"]
    done = subprocess.run([*decode, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, 480, 640, 3)
    assert len(frames) > 24
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 50


def test_play_without_a_display_suggests_a_video(library: Library) -> None:
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    done = gensim("play", ID, "--library", library.root, drop=displays)
    assert done.returncode == 2
    assert "needs a display" in done.stderr
    assert "--video FILE.mp4" in done.stderr
    assert "Traceback" not in done.stderr


def test_play_of_an_unknown_task_suggests_similar_ids(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("play", "gensim/TinyZones-v0", "--library", library.root) == 2
    assert f"Similar: {ID}" in capsys.readouterr().err
    for unlike in ("1234567890", "gensim/Nope", "gensim/Nope-v0"):
        assert run("play", unlike, "--library", library.root) == 2
        assert "See gensim list" in capsys.readouterr().err


def test_play_of_a_broken_record_names_the_problem(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_registry(library, lambda records: records[1].update(file="/x.py"))  # type: ignore[attr-defined]
    assert run("play", ID, "--library", library.root) == 1
    assert f"{ID!r}: file is '/x.py'" in capsys.readouterr().err


def test_play_refuses_a_changed_program(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (library.root / "generated/tinyzone.py").write_text(TINY + "\n")
    assert run("play", ID, "--video", "video.mp4", "--library", library.root) == 1
    assert "its sha256 differs" in capsys.readouterr().err
    assert not Path("video.mp4").exists()


@pytest.mark.parametrize("video", ["{file}/video.mp4", "video.txt", "video", "folder.mp4"])
def test_play_with_an_unusable_video_path_is_a_usage_error(
    library: Library,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    video: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.mp4").mkdir()
    video = video.format(file=file)
    assert run("play", ID, "--video", video, "--library", library.root) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert video.removesuffix("/video.mp4") in captured.err


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("gensim_envs.sim.world.World.load", pybullet.error("cannot load a mesh")),
        ("gensim_envs.sim.world.World.rebuild", ZeroDivisionError("odd")),
        ("gensim_envs.task.progress.GoalTracker.update", AssertionError()),
        ("gensim_envs.oracle.moving.Mover.choices", IndexError("\x1b[2J")),
    ],
)
def test_play_of_a_task_that_makes_the_suite_fail_names_it(
    part: str, error: Exception, library: Library, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(part, fail)
    out = tmp_path / "video.mp4"
    assert run("play", ID, "--video", out, "--library", library.root) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"refused (runtime): TinyZone made the suite fail with {type(error).__name__}: "
    )
    assert said.count("\n") == 1
    assert said[:-1].isprintable()


# --- remove, rename -----------------------------------------------------------------------------


def test_remove_deletes_a_task_and_leaves_the_others(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("remove", "TinyZone", "--library", library.root) == 0
    assert capsys.readouterr().out == f"removed {ID} from {library.root}\n"
    assert [record.name for record in library.records()] == ["Other"]
    assert not any("tinyzone" in path for path in content(library.root))


def test_rename_moves_a_task_to_a_new_id_that_plays(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rename", ID, "SmallZone", "--library", library.root) == 0
    assert capsys.readouterr().out == f"renamed {ID} to gensim/SmallZone-v0 in {library.root}\n"
    assert [record.name for record in library.records()] == ["Other", "SmallZone"]
    assert run("doctor", "--library", library.root) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["remove", "Nobody"], 2, "there is no task 'Nobody'"),
        (["rename", "Nobody", "New"], 2, "there is no task 'Nobody'"),
        (["rename", ID, "Other"], 1, "gensim/Other-v0 is already"),
        (["rename", ID, "not a name"], 1, "'not a name' is not a class name"),
        (["rename", ID], 2, "See gensim rename --help"),
    ],
)
def test_remove_and_rename_that_cannot_be_done_change_nothing(
    library: Library,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    problem: str,
) -> None:
    before = content(library.root)
    assert run(*arguments, "--library", library.root) == code
    assert problem in capsys.readouterr().err
    assert content(library.root) == before


# --- doctor -----------------------------------------------------------------------------------


def test_doctor_finds_no_problems_in_a_sound_library(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("doctor", "--library", library.root) == 0
    output = capsys.readouterr().out
    assert f"{library.root}, 2 tasks" in output
    assert "sandbox: " in output
    assert output.splitlines()[-1] == "no problems"


def test_doctor_lists_every_problem(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    edit_registry(library, lambda records: records.append({"id": "gensim/Odd-v0"}))
    (library.root / "generated/tinyzone.py").write_text("changed")
    (library.root / "generated/other.py").unlink()
    assert run("doctor", "--library", library.root) == 1
    output = capsys.readouterr().out
    problems = [line for line in output.splitlines() if line.startswith("PROBLEM")]
    assert len(problems) == 3
    assert output.splitlines()[-1] == "3 problem(s)"
    for name in ("gensim/Odd-v0", "gensim/Other-v0", ID):
        assert sum(name in line for line in problems) == 1


# --- demos ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["Nobody", "--out", "out"],
        [ID],
        [ID, "--out", "out", "--episodes", "0"],
        [ID, "--out", "out", "--seed", "-1"],
        [ID, "--out", "out", "--split", "both"],
        [ID, "--out", "out", "--workers", "none"],
        [ID, "--out", "out", "--disturb", "2"],
    ],
)
def test_demos_with_bad_arguments_is_a_usage_error(
    library: Library, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    before = content(library.root)
    assert run("demos", *arguments, "--library", library.root) == 2
    assert "gensim" in capsys.readouterr().err
    assert content(library.root) == before


def test_demos_into_a_file_names_the_file(
    library: Library, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--episodes", "1", "--workers", "1", "--library", library.root]
    before = dict(gym.registry)
    try:
        assert run("demos", ID, "--out", file, *arguments) == 1
    finally:
        gym.registry.clear()
        gym.registry.update(before)
    assert str(file) in capsys.readouterr().err


# --- usage errors ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["list", "--nonsense"],
        ["play"],
        ["play", ID, "--seed", "x"],
        ["play", ID, "--seed", "-1"],
        ["check"],
        ["generate", "--temperature", "propose=1", "odd=1"],
        ["publish"],
        ["publish", "{file}", "--workers", "0"],
        ["publish", "{file}", "--workers", "1.5"],
    ],
)
def test_bad_arguments_are_a_usage_error_of_one_line(
    arguments: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(each.format(file=file) for each in arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"gensim: .+ See gensim( [a-z]+)? --help\n", captured.err)


@dataclass
class Config:
    envs: Annotated[tuple[str, ...], arg(name="env")] = ()
    split: tuple[str, ...] = ("train",)
    seed: int = 0


def _config(config: Config) -> Config:
    return config


@pytest.mark.parametrize(
    "arguments",
    [
        ["--env", "A", "B", "--seed", "2", "--env=C", "--split", "test"],
        ["--env", "A", "--split", "test", "--env", "B", "C", "--seed", "2"],
        ["--seed", "1", "--env", "A", "B", "C", "--seed", "2", "--split=test"],
    ],
)
def test_a_repeated_option_extends_a_list_and_replaces_a_value(arguments: list[str]) -> None:
    assert parse(_config, "gensim", arguments)() == Config(("A", "B", "C"), ("test",), 2)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "--help") == 0
    output = capsys.readouterr().out
    assert output.startswith(f"usage: gensim {name} ")
    assert "(default: None)" not in output
    assert output.isascii()


def run_and_list_modules(*arguments: str) -> tuple[str, set[str]]:
    """What a command prints in a fresh interpreter, and the modules that are loaded after it."""
    code = f"from gensim_envs.cli import main; import sys; main({arguments!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    output, _, modules = done.stdout.rstrip().rpartition("\n")
    return output, set(modules.split())


def test_help_lists_every_command_and_imports_none() -> None:
    output, modules = run_and_list_modules("--help")
    assert all(f"\n  {name} " in output for name in COMMANDS)
    assert not {"pybullet", "openai", "gensim_envs.cli.tasks"} & modules


def test_a_command_imports_only_its_own_module(library: Library) -> None:
    _, modules = run_and_list_modules("list", "--library", str(library.root))
    assert "gensim_envs.cli.tasks" in modules
    assert not {"pybullet", "pydantic", "gensim_envs.cli.generate"} & modules


def test_a_closed_stderr_loses_the_message_and_keeps_the_exit_code() -> None:
    command = f"{sys.executable} -m gensim_envs.cli nonsense 2>&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")


def directory(path: Path) -> None:
    path.mkdir()


def latin(path: Path) -> None:
    path.write_bytes("é".encode("latin-1"))


def nothing(path: Path) -> None:
    pass


@pytest.mark.parametrize("make", [directory, latin, nothing])
@pytest.mark.parametrize("command", ["check", "publish"])
def test_an_unreadable_file_is_a_usage_error(
    library: Library,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], None],
    command: str,
) -> None:
    path = tmp_path / "odd.md"
    make(path)
    before = content(library.root)
    where = [] if command == "check" else ["--library", library.root]
    assert run(command, path, *where) == 2
    assert f"gensim: file {path} " in capsys.readouterr().err
    assert content(library.root) == before


LINES: dict[str, list[str]] = {
    "list": ["list"],
    "play": ["play", ID, "--video", "video.mp4"],
    "remove": ["remove", ID],
    "rename": ["rename", ID, "New"],
    "certify": ["certify"],
    "regenerate": ["regenerate"],
    "demos": ["demos", ID, "--out", "out"],
    "doctor": ["doctor"],
}
READING = [command for name, command in LINES.items() if name != "regenerate"]


@pytest.mark.parametrize("where", ["nowhere", "answer.md", "answer.md/x", "~nobody-there/x"])
@pytest.mark.parametrize("command", LINES.values(), ids=LINES)
def test_a_missing_library_is_a_usage_error(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    where: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert run(*command, "--library", where) == 2
    assert capsys.readouterr().err.startswith("gensim: ")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("where", ["answer.md", "answer.md/x"])
def test_publish_refuses_a_library_that_is_a_file_before_measuring(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    where: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("publish", file, "--library", where) == 2
    assert f"{file} is not a folder" in capsys.readouterr().err
    assert file.read_text() == ANSWER


def test_a_read_only_library_is_refused_before_measuring(
    file: Path,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Not by its mode: root, as which tests may run, may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    before = content(library.root)
    for command in (["publish", file], ["regenerate"]):
        assert run(*command, "--library", library.root) == 2
        assert f"{library.root} cannot be written" in capsys.readouterr().err
    assert content(library.root) == before


@pytest.mark.parametrize("empty", [True, False])
def test_writing_outside_a_checkout_needs_a_library(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], empty: bool
) -> None:
    monkeypatch.setenv("GENSIM_LIBRARY", "")
    if not empty:
        monkeypatch.delenv("GENSIM_LIBRARY")
    monkeypatch.setattr(shared, "in_checkout", lambda: False)
    for command in (["publish", file], ["regenerate"]):
        assert run(*command) == 2
        assert "use --library DIR or set GENSIM_LIBRARY" in capsys.readouterr().err


# Not regenerate, which mends it.
@pytest.mark.parametrize("command", [*READING, ["publish", "{file}"]])
@pytest.mark.parametrize("text", ["no json", "[]", "\0"])
def test_a_malformed_registry_is_an_error_that_names_it(
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    text: str,
) -> None:
    file = tmp_path / "new.md"
    file.write_text(program("New"))
    monkeypatch.chdir(tmp_path)
    library.registry.write_text(text)
    before = content(library.root)
    code = run(*(each.format(file=file) for each in command), "--library", library.root)
    assert code == 1
    assert f"gensim: {library.registry}" in capsys.readouterr().err
    assert content(library.root) == before


def test_output_is_escaped_if_the_terminal_is_not_utf_8(library: Library) -> None:
    edit_registry(library, lambda records: records[0].update(summary="Größe \u2192 \U0001f600"))  # type: ignore[attr-defined]
    done = gensim("list", "--library", library.root, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "Gr\\xf6\\xdfe" in done.stdout


def test_ctrl_c_prints_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "open_library", stop)
    assert run("list") == 130
    assert capsys.readouterr().err == "gensim: stopped\n"


def test_ctrl_c_while_text_is_executed_gives_the_exit_code_too(tmp_path: Path) -> None:
    """Importing a module executes text, for instance where it defines a dataclass."""
    (tmp_path / "odd.py").write_text(
        "import sys\n"
        "from gensim_envs.utils.cli import run\n"
        "def stop(): exec('raise KeyboardInterrupt')\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(run('odd', '', {'stop': ('odd:stop', '')}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "odd", "stop"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (130, "odd: stopped\n")


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"{gensim_envs.__version__}\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_progress_bar_is_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    stream = SimpleNamespace(
        isatty=lambda: terminal, write=lambda text: written.append(text), flush=lambda: None
    )
    written: list[str] = []
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(60, "TinyZone") as progress:
        progress.advance()
        progress.line("a line")
    assert capsys.readouterr().out == "a line\n"
    assert bool(written) == terminal


def test_progress_does_without_a_bar_where_tqdm_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    with Progress(60, "TinyZone") as progress:
        progress.advance()
        progress.line("a line")
        assert not progress.visible
    assert capsys.readouterr().out == "a line\n"
