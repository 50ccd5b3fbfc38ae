"""A library stays consistent when writers are killed, interrupted or out of space."""

from __future__ import annotations

import builtins
import errno
import fcntl
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tiny import (
    PROVENANCE,
    TINY,
    content,
    copy_of,
    hand_written_record,
    in_child,
    make_library,
    program,
    publish,
    record,
)

from gensim_envs.errors import FileError, LibraryError
from gensim_envs.library import Library, digest, dump_records, journal, parse_record
from gensim_envs.library import library as module
from gensim_envs.library.renaming import rename_class
from gensim_envs.utils import files

FILES = [
    "generated/completions/tinyzone.md",
    "generated/provenance/tinyzone.json",
    "generated/tinyzone.py",
    "registry.json",
]
PUBLISHED, REFUSED = 0, 3


@pytest.fixture
def after(tmp_path: Path) -> dict[str, bytes]:
    """What a library with one more task than `before` holds."""
    return content(make_library(tmp_path / "after", "Other", "TinyZone").root)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return make_library(tmp_path / "before", "Other").root


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync, which only matters for a power failure that no test can cause."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


def copies(root: Path) -> Iterator[Library]:
    for number in range(2000):
        yield copy_of(root, root.with_name(f"{root.name}{number}"))
    raise AssertionError("it never succeeded")


# --- reading ----------------------------------------------------------------------------------


def test_a_published_task_is_four_files_and_reads_back(tmp_path: Path) -> None:
    library = make_library(tmp_path / "new", "TinyZone")
    assert sorted(content(library.root)) == FILES
    assert library.records() == [record()]
    assert library.source(library.record("gensim/TinyZone-v0")) == TINY
    assert json.loads((library.root / FILES[1]).read_text()) == PROVENANCE


def test_records_are_sorted_a_line_each_and_survive_json() -> None:
    records = [record("Zebra"), record("Ape")]
    lines = dump_records(records).splitlines()
    assert len(lines) == 4
    assert [r["id"] for r in json.loads(dump_records(records))["tasks"]] == [
        "gensim/Ape-v0",
        "gensim/Zebra-v0",
    ]
    assert parse_record(json.loads(json.dumps(asdict(records[0])))) == records[0]


def test_writing_the_same_records_touches_no_byte(before: Path) -> None:
    library = Library(before)
    stamp = library.registry.stat().st_mtime_ns
    assert library.write_records(library.records()) is False
    assert library.registry.stat().st_mtime_ns == stamp
    assert library.write_records([]) is True
    assert library.records() == []


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"colour": "red"}, "'colour' is unknown"),
    "wrong type": ({"summary": 3}, "summary: expected a text"),
    "bool for int": ({"max_episode_steps": True}, "max_episode_steps: expected an integer"),
    "text for bounds": ({"bounds": "2"}, "bounds: expected an object"),
    "bound of a wrong type": (
        {"bounds": {"items": "2", "places": 0, "targets": 1, "steps": 1}},
        "bounds: expected an integer",
    ),
    "bound of nothing": (
        {"bounds": {"items": 0, "places": 0, "targets": 1, "steps": 1}},
        "from 1 to 10000, not 0",
    ),
    "bound that fills the memory": (
        {"bounds": {"items": 10**8, "places": 0, "targets": 1, "steps": 1}},
        "from 1 to 10000, not 100000000",
    ),
    "bound missing": ({"bounds": {"items": 2}}, "'places' is missing"),
    "no steps": ({"max_episode_steps": 0}, "max_episode_steps: expected a number from 1"),
    "path escape": ({"file": "../evil.py"}, "file is '../evil.py'"),
    "path escape within": ({"file": "generated/../../evil.py"}, "file is"),
    "absolute path": ({"file": "/etc/evil.py"}, "file is '/etc/evil.py'"),
    "no program": ({"file": "generated/evil.sh"}, "file is"),
    "nul in path": ({"file": "generated/e\0.py"}, "file: expected one line of printable"),
    "lower case": ({"id": "gensim/tiny-v0"}, "an id is gensim/<ClassName>-v<N>"),
    "no version": ({"id": "gensim/TinyZone"}, "an id is gensim/<ClassName>-v<N>"),
    "odd version": ({"id": "gensim/TinyZone-v00"}, "an id is gensim/<ClassName>-v<N>"),
    "foreign namespace": ({"id": "CartPole-v1"}, "an id is gensim/<ClassName>-v<N>"),
    "not printable": ({"summary": "a\x1b[31m"}, "summary: expected one line of printable"),
    "half a character": ({"instruction": "\ud800"}, "instruction: expected one line of printable"),
    "summary without end": ({"summary": "a" * 10_000}, "summary: expected a text of 0 to 1000"),
    "hash of another kind": ({"sha256": "abc"}, "not 64 hexadecimal digits"),
    "figure that is not one": ({"certificate": {"steps": float("nan")}}, "expected a number"),
    "figure without end": ({"certificate": {"steps": 10**400}}, "expected a number"),
    "figure that acts": (
        {"certificate": {"oracle": "\x1b[2J"}},
        "certificate: expected an integer",
    ),
    "figures without end": (
        {"certificate": {"oracle": [0] * 5000}},
        "certificate: expected an integer",
    ),
}


@pytest.mark.parametrize(("change", "problem"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_record_is_an_error_that_names_record_and_cause(
    change: dict[str, Any], problem: str
) -> None:
    data = {**asdict(record()), **change}
    with pytest.raises(LibraryError) as caught:
        parse_record(data)
    assert repr(data["id"]) in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("field", asdict(record()))
def test_a_record_without_a_field_is_an_error_that_names_it(field: str) -> None:
    data = asdict(record())
    del data[field]
    with pytest.raises(LibraryError, match=f"'{field}' is missing"):
        parse_record(data)


@pytest.mark.parametrize("data", [None, 3, "gensim/TinyZone-v0", []])
def test_a_record_that_is_not_an_object_is_an_error(data: object) -> None:
    with pytest.raises(LibraryError, match="a record: expected an object"):
        parse_record(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"not json", b"[]", b'{"tasks": {}}', b"null", b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "words", "list", "object", "null", "bytes", "deep"],
)
def test_a_registry_that_cannot_be_read_is_an_error_that_names_it(
    before: Path, data: bytes
) -> None:
    library = Library(before)
    library.registry.write_bytes(data)
    with pytest.raises(LibraryError, match=r"before/registry\.json"):
        library.read()


def test_a_broken_record_hides_no_other(before: Path) -> None:
    library = Library(before)
    records = [
        asdict(record("Other")),
        {**asdict(record()), "file": "/x.py"},
        asdict(record("Other")),
        7,
    ]
    library.registry.write_text(json.dumps({"tasks": records}))
    good, broken = library.read()
    assert good == [record("Other")]
    # The second record of an id says so, but the first one can be made.
    assert [entry.id for entry in broken] == ["gensim/TinyZone-v0", None, None]
    assert "duplicate id" in broken[1].problem


@pytest.mark.parametrize("data", [TINY.replace("0.08", "0.09").encode(), b"", b"\xff"])
def test_a_changed_program_is_refused_by_record_and_file(before: Path, data: bytes) -> None:
    library = Library(before)
    path = before / "generated" / "other.py"
    path.write_bytes(data)
    with pytest.raises(LibraryError) as caught:
        library.source(record("Other"))
    assert "gensim/Other-v0" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_program_with_other_line_ends_is_a_changed_program(before: Path) -> None:
    path = before / "generated" / "other.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(LibraryError, match="sha256"):
        Library(before).source(record("Other"))


def test_a_missing_program_is_refused_by_record_and_file(before: Path) -> None:
    path = before / "generated" / "other.py"
    path.unlink()
    with pytest.raises(LibraryError, match=r"gensim/Other-v0: .*other\.py cannot be read"):
        Library(before).source(record("Other"))


def test_an_unknown_id_is_an_error_that_names_it(before: Path) -> None:
    with pytest.raises(LibraryError, match="no record 'gensim/Nobody-v0'"):
        Library(before).record("gensim/Nobody-v0")


# --- what may join ----------------------------------------------------------------------------


def refuses(library: Library, problem: str, act: Callable[[], object]) -> None:
    """The act is refused and changes no byte."""
    before = content(library.root)
    with pytest.raises(LibraryError, match=problem):
        act()
    assert content(library.root) == before


def test_a_task_joins_only_once(before: Path) -> None:
    library = Library(before)
    refuses(library, "already published, and is the same", lambda: publish(library, "Other"))
    changed = program("Other").replace("0.08", "0.09")
    new = replace(record("Other"), sha256=digest(changed))
    refuses(
        library,
        "is already in .* Choose another class name",
        lambda: library.publish(new, changed, PROVENANCE, None),
    )
    again = replace(record("Other"), id="gensim/Another-v0")
    refuses(library, "already", lambda: library.publish(again, program("Other"), PROVENANCE, None))


@pytest.mark.parametrize("file", FILES[:3])
def test_no_file_without_a_record_is_overwritten(before: Path, file: str) -> None:
    (before / file).write_text("mine")
    library = Library(before)
    refuses(library, f"{file} exists, but no record refers to it", lambda: publish(library))


def test_an_answer_that_lies_in_its_place_already_may_be_published(before: Path) -> None:
    library = Library(before)
    (before / FILES[0]).write_text(f"```python\n{TINY}```\n")
    publish(library)
    assert sorted(record.name for record in library.records()) == ["Other", "TinyZone"]


def test_publishing_drops_no_broken_record(before: Path) -> None:
    library = Library(before)
    records = [{**asdict(record("Other")), "summary": None}]
    library.registry.write_text(json.dumps({"tasks": records}))
    refuses(library, "Repair or delete this record", lambda: publish(library))


def test_a_record_that_could_not_be_read_again_is_not_written(before: Path) -> None:
    library = Library(before)
    odd = replace(record(), summary="two\nlines")
    refuses(library, "summary", lambda: library.publish(odd, TINY, PROVENANCE, None))
    refuses(library, "summary", lambda: library.write_records([odd]))


def test_half_a_character_in_an_answer_stops_nothing(before: Path) -> None:
    library = Library(before)
    library.publish(record(), TINY, PROVENANCE, "odd \ud800 answer")
    assert (before / FILES[0]).read_text() == "odd ? answer"


# --- killed at any line -----------------------------------------------------------------------


def at_lines(act: Callable[[int], object]) -> None:
    """From here on, `act(n)` is called before the n-th line that is run and may write."""
    modules = {module.__file__, journal.__file__, files.__file__}
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in modules:
            return None
        if event == "line":
            count += 1
            act(count)
        return trace

    sys.settrace(trace)


def at_line(number: int, act: Callable[[], object]) -> None:
    """From here on, `act` is called before the n-th line that is run and may write."""
    at_lines(lambda count: act() if count == number else None)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def on_disk(root: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


def lines_that_matter(root: Path, act: Callable[[Library], object]) -> list[int]:
    """The numbers of the lines before which `act` on a copy of a library has changed the disk."""
    library = copy_of(root, root.with_name(f"{root.name}-watched"))
    numbers: list[int] = []
    disk: dict[Path, bytes | None] = {}

    def look(number: int) -> None:
        nonlocal disk
        if (now := on_disk(library.root)) != disk or not numbers:
            numbers.append(number)
            disk = now

    old = sys.gettrace()
    try:
        at_lines(look)
        act(library)
    finally:
        sys.settrace(old)
    return numbers


def kill_at_every_line(root: Path, act: Callable[[Library], object]) -> Iterator[Library]:
    """Copies of a library, each after `act` on it has been killed one line later, or not at all.

    Of lines between which nothing changes on the disk, it is killed at the first only.
    """
    numbers = [*lines_that_matter(root, act), None]
    for number, library in zip(numbers, copies(root), strict=False):

        def run(number: int | None = number, library: Library = library) -> int:
            if number is not None:
                at_line(number, die)
            act(library)
            return PUBLISHED

        status = in_child(run)
        yield library
        assert status == (PUBLISHED if number is None else -signal.SIGKILL)


def opened(library: Library) -> dict[str, bytes]:
    """What a library holds once a command that writes has opened it."""
    library.recover()
    return content(library.root)


def test_killed_at_any_line_a_library_is_as_it_was_or_has_the_whole_task(
    before: Path, after: dict[str, bytes], quick_disk: None
) -> None:
    was = content(before)
    seen = []
    for library in kill_at_every_line(before, publish):
        now = opened(library)
        assert now in (was, after)
        seen.append(now == after)
        if not seen[-1]:
            publish(library)
            assert content(library.root) == after
    # It was killed before and after the record was there, and what is there stays.
    assert seen.count(False) > 10
    assert seen.count(True) > 1
    assert seen == sorted(seen)


def test_killed_at_any_line_a_first_publish_leaves_nothing_or_all(
    tmp_path: Path, quick_disk: None
) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    whole = content(make_library(tmp_path / "whole", "TinyZone").root)
    seen = set()
    for library in kill_at_every_line(root, publish):
        library.recover()
        now = content(library.root)
        assert now in ({}, whole)
        seen.add(len(now))
    assert seen == {0, len(whole)}


def test_killed_at_any_line_new_records_are_there_or_not(before: Path, quick_disk: None) -> None:
    was = content(before)
    seen = set()
    for library in kill_at_every_line(before, lambda library: library.write_records([])):
        now = opened(library)
        assert now == was or now["registry.json"] == dump_records([]).encode()
        assert set(now) == set(was)
        seen.add(now["registry.json"])
    assert len(seen) == 2


def test_undoing_that_is_killed_too_is_undone_later(before: Path, quick_disk: None) -> None:
    was = content(before)
    halfway = None
    for library in kill_at_every_line(before, publish):
        if (library.root / FILES[2]).exists() and (library.root / ".publishing").exists():
            halfway = library.root
            break
    assert halfway is not None
    dirty = halfway.rename(halfway.with_name("dirty"))
    count = 0
    for library in kill_at_every_line(dirty, Library.recover):
        assert opened(library) == was
        count += 1
    assert count > 3


# A stop between a file's last line and its closing leaves the closing to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_stopped_with_ctrl_c_at_any_line_a_library_is_as_it_was_or_has_the_whole_task(
    before: Path, after: dict[str, bytes], quick_disk: None
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    was = content(before)
    seen = set()
    old = sys.gettrace()
    for number, library in enumerate(copies(before), 1):
        try:
            at_line(number, stop)
            publish(library)
            break
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(old)
        now = content(library.root)
        # Only the journal may be left, where the task was there already.
        journal = now.pop(".publishing", None)
        assert now == after or (now, journal) == (was, None)
        now = opened(library)
        assert now in (was, after)
        seen.add(now == after)
    assert seen == {True, False}


# --- removing and renaming --------------------------------------------------------------------

NEW_ID = "gensim/WallOfBlocks-v0"


def remove(library: Library) -> None:
    library.remove("gensim/TinyZone-v0")


def rename(library: Library) -> None:
    library.rename("gensim/TinyZone-v0", "WallOfBlocks")


@pytest.fixture
def both(tmp_path: Path) -> Path:
    return make_library(tmp_path / "both", "Other", "TinyZone").root


def test_a_removed_task_leaves_no_file_and_no_record(both: Path, before: Path) -> None:
    assert Library(both).remove("gensim/TinyZone-v0") == record()
    assert content(both) == content(before)


def test_a_renamed_task_keeps_all_but_its_name(both: Path) -> None:
    library = Library(both)
    new = library.rename("gensim/TinyZone-v0", "WallOfBlocks")
    source = program("WallOfBlocks")
    file = "generated/wall_of_blocks.py"
    assert new == replace(record(), id=NEW_ID, file=file, sha256=digest(source))
    assert library.records() == [record("Other"), new]
    assert library.source(new) == source
    stem = "wall_of_blocks"
    assert [name for name in sorted(content(both)) if "other" not in name] == [
        f"generated/completions/{stem}.md", f"generated/provenance/{stem}.json",
        f"generated/{stem}.py", "registry.json",
    ]  # fmt: skip
    assert "class TinyZone" in (both / f"generated/completions/{stem}.md").read_text()
    assert library.provenance(new) == {**PROVENANCE, "renamed_from": ["gensim/TinyZone-v0"]}
    library.rename(NEW_ID, "WallTwo")
    latest = library.record("gensim/WallTwo-v0")
    assert library.provenance(latest)["renamed_from"] == ["gensim/TinyZone-v0", NEW_ID]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Other", "gensim/Other-v0 is already"),
        ("TinyZone", "uses the name TinyZone already"),
        ("Zone", "uses the name Zone already"),
        ("tiny", "'tiny' is not a class name"),
        ("../Tiny", "is not a class name"),
        ("Tinyzone", "gensim/TinyZone-v0 is already in"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(both: Path, name: str, problem: str) -> None:
    library = Library(both)
    refuses(library, problem, lambda: library.rename("gensim/TinyZone-v0", name))


def test_renaming_changes_the_name_alone() -> None:
    source = TINY.replace("color, other", 'note = "TinyZone é"  # TinyZone\r\n        color, other')
    assert rename_class(source, "TinyZone", "Wall") == source.replace(
        "class TinyZone", "class Wall"
    )
    odd = source.replace("zone = ", "TinyZone = 3\n        zone = ")
    assert "Wall = 3" in rename_class(odd, "TinyZone", "Wall")
    with pytest.raises(LibraryError, match="also the name of something else"):
        rename_class(source.replace("color, other =", "self.TinyZone ="), "TinyZone", "Wall")


@pytest.mark.parametrize("act", [remove, rename])
def test_only_generated_tasks_that_are_there_can_be_changed(
    before: Path, act: Callable[[Library], None]
) -> None:
    library = Library(before)
    refuses(library, "no record 'gensim/TinyZone-v0'", lambda: act(library))
    library.write_records([hand_written_record("gensim/TinyZone-v0")])
    refuses(library, "one of the suite's own tasks", lambda: act(library))


@pytest.mark.parametrize("act", [remove, rename])
def test_killed_at_any_line_a_task_is_changed_wholly_or_not_at_all(
    both: Path, quick_disk: None, act: Callable[[Library], None]
) -> None:
    was = content(both)
    changed = copy_of(both, both.with_name("changed"))
    act(changed)
    seen = []
    for library in kill_at_every_line(both, act):
        now = opened(library)
        assert now in (was, content(changed.root))
        seen.append(now != was)
    assert seen == sorted(seen)
    assert set(seen) == {True, False}


@pytest.mark.parametrize("act", [remove, rename])
def test_a_full_disk_changes_no_task(both: Path, act: Callable[[Library], None]) -> None:
    was = content(both)
    for free, library in enumerate(copies(both)):
        try:
            with full_disk(free):
                act(library)
            break
        except FileError:
            assert content(library.root) == was
    assert free > 5


def test_a_library_that_may_only_be_read_is_read(
    both: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (both / FILES[2]).write_text(TINY)
    (both / ".publishing").write_text(json.dumps({"files": [FILES[2]]}))
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    was = content(both)
    assert opened(Library(both)) == was


# --- the disk is full -------------------------------------------------------------------------


@contextmanager
def full_disk(free: int) -> Iterator[None]:
    """After `free` more calls that write, nothing can be written any more."""
    left = free

    def limited(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **options)

        return call

    def open_(*args: Any, **options: Any) -> Any:
        if args[1:] == ("rb",):
            return builtins.open(*args, **options)
        file = limited(builtins.open)(*args, **options)
        return Writing(file)

    class Writing:
        def __init__(self, file: Any) -> None:
            self.file = file
            self.write, self.flush = limited(file.write), limited(file.flush)
            self.fileno = file.fileno

        def __enter__(self) -> Writing:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "open", open_, raising=False)
        patch.setattr(os, "fsync", limited(os.fsync))
        patch.setattr(os, "replace", limited(os.replace))
        patch.setattr(os, "mkdir", limited(os.mkdir))
        yield


def test_a_disk_that_fills_at_any_write_leaves_a_library_as_it_was(
    before: Path, after: dict[str, bytes]
) -> None:
    was = content(before)
    for free, library in enumerate(copies(before)):
        try:
            with full_disk(free):
                publish(library)
            break
        except FileError as error:
            assert "no space is left on the disk" in str(error)
        assert content(library.root) == was
    assert free > 20
    assert content(library.root) == after


@pytest.mark.parametrize("size", [0, 100, 600])
def test_a_file_that_may_not_grow_leaves_a_library_as_it_was(before: Path, size: int) -> None:
    library, was = Library(before), content(before)

    def run() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            publish(library)
        except FileError as error:
            return REFUSED if "no space is left on the disk" in str(error) else 1
        return PUBLISHED

    assert in_child(run) == REFUSED
    assert content(before) == was
    publish(library)


@pytest.mark.parametrize("root", ["/proc/nowhere/library", "{file}", "{file}/library"])
def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(
    tmp_path: Path, root: str
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    path = root.format(file=file)
    with pytest.raises(FileError, match=path):
        publish(Library(Path(path)))


# --- several at once --------------------------------------------------------------------------


def at_once(acts: list[Callable[[], object]]) -> list[int]:
    """Runs each in a process of its own, all let go at the same time."""
    wait, go = os.pipe()
    children = []
    for act in acts:
        child = os.fork()
        if child == 0:
            code = 99
            try:
                os.close(go)
                os.read(wait, 1)
                act()
                code = PUBLISHED
            except LibraryError:
                code = REFUSED
            finally:
                os._exit(code)
        children.append(child)
    os.close(wait)
    os.close(go)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_publishers_at_once_all_end_up_in_the_library(before: Path) -> None:
    names = [f"Task{k}" for k in range(8)]
    library = Library(before)
    codes = at_once([lambda name=name: publish(library, name) for name in names])  # type: ignore[misc]
    assert codes == [PUBLISHED] * 8
    records, broken = library.read()
    assert not broken
    assert [record.name for record in records] == ["Other", *names]
    assert [library.source(record) for record in records] == [
        program(record.name) for record in records
    ]
    assert len(content(before)) == 3 * 9 + 1


def test_of_publishers_of_one_task_at_once_one_wins(before: Path, after: dict[str, bytes]) -> None:
    codes = at_once([lambda: publish(Library(before))] * 6)
    assert sorted(codes) == [PUBLISHED] + [REFUSED] * 5
    assert content(before) == after


def test_a_reader_sees_old_records_or_new_ones(before: Path, quick_disk: None) -> None:
    library = Library(before)
    old, new = library.records(), [record(f"Task{k}") for k in range(10, 99)]

    def write() -> int:
        for _ in range(200):
            library.write_records(new)
            library.write_records(old)
        return PUBLISHED

    child = os.fork()
    if child == 0:
        os._exit(write())
    seen = []
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        seen.append(library.records())
        assert seen[-1] in (old, new)
    assert old in seen
    assert new in seen


def test_recovery_disturbs_no_publisher(before: Path) -> None:
    (before / FILES[2]).write_text(TINY)
    journal = {"files": [FILES[2]]}
    (before / ".publishing").write_text(json.dumps(journal))
    lock = os.open(before, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert FILES[2] in opened(Library(before))
    os.close(lock)
    assert FILES[2] not in opened(Library(before))


# --- a library from elsewhere -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["../mine.py", "{home}/mine.py", "generated/../../mine.py"])
def test_a_journal_cannot_have_foreign_files_deleted(
    tmp_path: Path, before: Path, name: str
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("mine")
    journal = {"files": [name.format(home=tmp_path)]}
    (before / ".publishing").write_text(json.dumps(journal))
    with pytest.raises(LibraryError, match=r"the journal .*\.publishing names"):
        Library(before).recover()
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "x", "files": 3}'])
def test_a_damaged_journal_is_reported_and_stops_publishing(before: Path, text: str) -> None:
    (before / ".publishing").write_text(text)
    library = Library(before)
    refuses(library, r"the journal .*\.publishing is malformed", lambda: publish(library))


def test_a_link_in_a_library_does_not_lead_deletions_elsewhere(tmp_path: Path) -> None:
    """Reading such a library works; writing to it is refused."""
    mine = tmp_path / "project" / "setup.py"
    mine.parent.mkdir()
    mine.write_text("mine")
    root = tmp_path / "library"
    root.mkdir()
    (root / "generated").symlink_to(mine.parent)
    (root / "registry.json").write_text(dump_records([]))
    (root / ".publishing").write_text(json.dumps({"files": ["generated/setup.py"]}))
    opened(Library(root))
    with pytest.raises(FileError, match=r"setup\.py cannot be deleted"):
        publish(Library(root))
    assert mine.read_text() == "mine"
