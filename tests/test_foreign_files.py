"""Libraries and runs that somebody sent, with links and files that would do harm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import PROVENANCE, TINY, content, edit_registry, make_library, record

from gensim_envs import trust
from gensim_envs.cli import main
from gensim_envs.datasets import DatasetError, find
from gensim_envs.errors import FileError, GensimError, LibraryError
from gensim_envs.generation.recording import Answer, Call, Message, Recording, RecordingError
from gensim_envs.generation.verdict import Verdict, read_verdicts, write_verdict
from gensim_envs.library import Library
from gensim_envs.pages.runs import summary
from gensim_envs.registration import register_library
from gensim_envs.utils import files
from gensim_envs.utils.video import write_video

FILES = [
    "generated/tinyzone.py",
    "generated/completions/tinyzone.md",
    "generated/provenance/tinyzone.json",
]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user, beside what somebody sent; nothing in it may change."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "setup.py").write_text("precious")
    return folder


@pytest.fixture
def sent(tmp_path: Path) -> Library:
    library = Library(tmp_path / "sent")
    (library.root / "generated").mkdir(parents=True)
    library.registry.write_text('{"tasks": []}')
    return library


def test_listing_deletes_nothing_that_a_journal_names(sent: Library, mine: Path) -> None:
    (sent.root / "generated").rmdir()
    (sent.root / "generated").symlink_to(mine)
    (sent.root / ".publishing").write_text('{"files": ["generated/setup.py"]}')
    before = content(sent.root)
    assert main(["list", "--library", str(sent.root)]) == 0
    assert content(sent.root) == before
    with pytest.raises(GensimError):
        sent.publish(record(), TINY, PROVENANCE, None)
    assert content(mine) == {"setup.py": b"precious"}


@pytest.mark.parametrize("name", FILES)
def test_publishing_writes_through_no_link(sent: Library, mine: Path, name: str) -> None:
    path = sent.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(mine / "setup.py")
    with pytest.raises(GensimError, match="symbolic link"):
        sent.publish(record(), TINY, PROVENANCE, "an answer")
    assert content(mine) == {"setup.py": b"precious"}


@pytest.mark.parametrize("folder", ["generated", "generated/provenance", "generated/completions"])
def test_publishing_into_a_linked_folder_writes_nothing_there(
    sent: Library, mine: Path, folder: str
) -> None:
    path = sent.root / folder
    shutil.rmtree(path, ignore_errors=True)
    path.symlink_to(mine)
    with pytest.raises(GensimError):
        sent.publish(record(), TINY, PROVENANCE, "an answer")
    assert content(mine) == {"setup.py": b"precious"}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


ODD = (fifo, loop, device, folder)


@pytest.mark.parametrize("make", ODD)
def test_what_is_not_a_regular_file_is_an_error_at_once(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    library = make_library(tmp_path / "library", "TinyZone")
    program = library.root / FILES[0]
    program.unlink()
    make(program)
    with pytest.raises(LibraryError, match=r"tinyzone\.py cannot be read: "):
        library.source(record())
    library.registry.unlink()
    make(library.registry)
    with pytest.raises(LibraryError, match=r"registry\.json cannot be read: "):
        register_library(library.root)
    assert main(["list", "--library", str(library.root)]) == 1
    (library.root / "elsewhere").mkdir()
    make(library.root / "elsewhere" / ".publishing")
    with pytest.raises(GensimError, match="publishing"):
        Library(library.root / "elsewhere").publish(record(), TINY, PROVENANCE, None)


@pytest.mark.parametrize("where", ["registry.json", ""])
def test_importing_warns_by_name_and_never_hangs(tmp_path: Path, where: str) -> None:
    """`GENSIM_LIBRARY` may be anything, and hold anything."""
    for number, make in enumerate(ODD[:3]):
        library = tmp_path / str(number)
        if where:
            library.mkdir()
        make(library / where if where else library)
        done = subprocess.run(
            [sys.executable, "-c", "import gensim_envs, gymnasium; print(len(gymnasium.registry))"],
            env={**os.environ, "GENSIM_LIBRARY": str(library)},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert int(done.stdout) > 50
        assert "GENSIM_LIBRARY: /" in done.stderr


def test_a_run_writes_and_reads_through_no_link(tmp_path: Path, mine: Path) -> None:
    run = tmp_path / "run"
    (run / "attempts").mkdir(parents=True)
    call, answer = Call(1, "propose", (Message("user", "x" * 2000),)), Answer("text")
    for name in ("0001.jsonl", "0001.json", "0001.py"):
        (run / "attempts" / name).symlink_to(mine / "setup.py")
    with pytest.raises(GensimError, match="symbolic link"):
        Recording(run).append(call, answer)
    with pytest.raises(GensimError, match="symbolic link"):
        read_verdicts(run)
    write_verdict(run, Verdict(1, program="new"))  # replaces the links themselves
    shutil.rmtree(run / "attempts")
    (run / "attempts").symlink_to(mine)
    for write in (
        lambda: Recording(run).append(call, answer),
        lambda: write_verdict(run, Verdict(1, program="new")),
    ):
        with pytest.raises(GensimError):
            write()
    assert content(mine) == {"setup.py": b"precious"}


def test_a_file_of_holes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"text" * 2**20)
    assert len(files.read(path)) == 2**22  # small ones may be of zeros
    for start in (0, 2**27):
        with path.open("wb") as file:
            file.seek(start)
            file.write(b"text" * 1000)
            file.truncate(200 * 2**20)
        with pytest.raises(FileError, match="holes"):
            files.read(path)
    path.write_bytes(bytes(2**26))
    assert files.read(path) == bytes(2**26)


def test_deleting_and_making_folders_follows_no_link(tmp_path: Path, mine: Path) -> None:
    sent = tmp_path / "sent"
    (sent / "deep").mkdir(parents=True)
    (sent / "deep" / "linked").symlink_to(mine)
    (sent / "linked").symlink_to(mine)
    for act in (files.remove, files.make_folder):
        with pytest.raises(FileError):
            act(sent / "linked" / "folder", sent)
    with pytest.raises(FileError):
        files.make_folder(sent / "linked", sent)
    with pytest.raises(FileError, match="symbolic link"):
        files.refuse_links(sent)
    files.remove(sent / "linked", sent)
    files.remove(sent / "deep", sent)
    files.remove(sent / "deep", sent)  # it is gone already
    files.make_folder(sent / "a" / "b", sent)
    files.refuse_links(sent)
    assert [path.name for path in sent.iterdir()] == ["a"]
    assert content(mine) == {"setup.py": b"precious"}


def test_a_video_replaces_a_link(tmp_path: Path, mine: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "video.mp4"
    path.symlink_to(mine / "setup.py")
    write_video(path, [np.zeros((64, 64, 3), np.uint8)] * 2, 10)
    assert not path.is_symlink() and path.read_bytes()[4:8] == b"ftyp"
    assert content(mine) == {"setup.py": b"precious"}


def test_copying_a_folder_follows_no_link(tmp_path: Path, mine: Path) -> None:
    theirs, own = tmp_path / "theirs", tmp_path / "own"
    (theirs / "deep").mkdir(parents=True)
    (theirs / "deep" / "file").write_text("text")
    files.copy(theirs, own)
    assert content(own) == {"deep/file": b"text"}
    (theirs / "secret").symlink_to(mine / "setup.py")
    with pytest.raises(FileError, match="symbolic link"):
        files.copy(theirs, own)
    (theirs / "secret").unlink()
    shutil.rmtree(own)
    own.mkdir()
    (own / "deep").symlink_to(mine)
    with pytest.raises(FileError):
        files.copy(theirs, own)
    assert content(mine) == {"setup.py": b"precious"}


@pytest.mark.parametrize(
    "row",
    [
        {"summary": "\x1b]0;owned\x07\x1b[2J"},
        {"certificate": {"oracle": "\x1b[2J"}},
        {"\x1b[2J": 1},
        {"id": "gensim/\x1b[2J-v0"},
    ],
)
def test_no_row_acts_on_the_terminal(
    tmp_path: Path, row: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    library = make_library(tmp_path / "library", "TinyZone")
    edit_registry(library, lambda records: records[0].update(row))  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["list", "--library", str(library.root)]) == 1
    said = "".join(capsys.readouterr())
    assert said and said.replace("\n", "").isprintable()


def test_a_library_of_too_many_records_is_refused(sent: Library) -> None:
    sent.registry.write_text(json.dumps({"tasks": [{}] * 10_001}))
    with pytest.raises(LibraryError, match="more than 10000 records"):
        sent.read()


def test_warnings_about_broken_records_are_few(sent: Library) -> None:
    sent.registry.write_text(json.dumps({"tasks": [{"id": k} for k in range(1000)]}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert register_library(sent.root) == []
    assert len(caught) == 11
    assert "990 further records are broken" in str(caught[-1].message)


def test_a_run_of_too_many_or_too_long_lines_is_refused(tmp_path: Path) -> None:
    attempts = tmp_path / "attempts"
    attempts.mkdir()
    write_verdict(tmp_path, Verdict(1, proposal={"description": "word " * 100_000}))
    [verdict] = read_verdicts(tmp_path)
    assert len(summary(verdict)) == 1000
    (attempts / "0001.jsonl").write_bytes(b"\n" * 5001)
    with pytest.raises(RecordingError, match="more than 5000 lines"):
        Recording(tmp_path).calls(1)
    (attempts / "0001.jsonl").write_bytes(b"\n" * 2**26 + b"x")
    with pytest.raises(RecordingError, match="larger than"):
        Recording(tmp_path).calls(1)
    (attempts / "0001.py").write_bytes(b"#" * 2**22 + b"x")
    with pytest.raises(RecordingError, match="larger than"):
        read_verdicts(tmp_path)


@pytest.mark.parametrize("named", ["~nobody-of-this-name/x", "loop", f"/{'a' * 5000}"])
def test_no_path_ends_a_command_with_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    loop(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENSIM_WEAK_SANDBOX", named)
    monkeypatch.setenv("MINARI_DATASETS_PATH", named)
    assert not trust.is_weak(tmp_path)
    with pytest.raises((DatasetError, OSError)):  # commands print both in a line
        find(Path(named))
    for words in (
        ["list", "--library", named],
        ["check", named],
        ["report", named],
        ["demos", "BlockInsertion", "--episodes", "1", "--out", named],
        ["publish", named, "--library", named],
        ["import", named, "--library", named],
        ["finetune", "--data", named, "--model", "m"],
    ):
        assert main(words) in (0, 1, 2)
