"""A task that is quick to publish, and libraries that hold it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gensim_envs.library import Library, Record, digest

TINY = '''"""Put one block into a zone."""

from gensim_envs.api import Block, Scene, Task, Zone


class TinyZone(Task):
    """Put a block into a zone."""

    def build(self, scene: Scene) -> None:
        color, other = scene.colors(2)
        zone = scene.add(Zone(other, width=0.08))
        block = scene.add(Block(color))
        scene.goal(f"put the {color} block into the {other} zone", block, inside=zone)
'''
ANSWER = f"Here is the task.\n\n```python\n{TINY}```\n"
PROVENANCE = {"model": "nobody"}
HAND_WRITTEN = "gensim_envs/tasks/put_block_in_bowl.py"


def record(name: str = "TinyZone") -> Record:
    """A record as publishing TINY, as a class of this name, would make it."""
    return Record(
        id=f"gensim/{name}-v0",
        file=f"generated/{name.lower()}.py",
        sha256=digest(program(name)),
        summary="Put a block into a zone.",
        instruction="put the black block into the cyan zone",
        bounds={"items": 2, "places": 0, "targets": 1, "steps": 1},
        max_episode_steps=4,
        certificate={"oracle": 20, "steps": 1.0, "noop": 0.0, "random": 0, "redraws": 0.0},
    )


def program(name: str = "TinyZone") -> str:
    """TINY, as a class of another name."""
    return TINY.replace("TinyZone", name)


def publish(library: Library, name: str = "TinyZone") -> None:
    """Publish without measuring anything."""
    library.publish(record(name), program(name), PROVENANCE, f"```python\n{program(name)}```\n")


def make_library(root: Path, *names: str) -> Library:
    """A library with a tiny task of each name."""
    library = Library(root)
    for name in names:
        publish(library, name)
    return library


def hand_written_record(id: str) -> Record:
    """A record for one of the suite's own programs, which can stand in any library."""
    source = Library(Path()).program(HAND_WRITTEN)
    bounds = {"items": 10, "places": 10, "targets": 5, "steps": 5}
    return replace(record(), id=id, file=HAND_WRITTEN, sha256=digest(source), bounds=bounds)


def content(root: Path) -> dict[str, bytes]:
    """Every file of a library."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def copy_of(root: Path, to: Path) -> Library:
    """A copy of a library."""
    shutil.copytree(root, to)
    return Library(to)


def edit_registry(library: Library, change: Callable[[list[object]], object]) -> None:
    """Change the list of records by hand, as a user would."""
    data = json.loads(library.registry.read_text())
    change(data["tasks"])
    library.registry.write_text(json.dumps(data))


def in_child(act: Callable[[], int]) -> int:
    """Runs something in a process of its own; its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def descendants(parent: int) -> dict[int, str]:
    """Processes below one, with when they started, since numbers are used again."""
    below: dict[int, str] = {}
    todo = [parent]
    while todo:
        here = todo.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{here}/task").iterdir():
                todo += [int(pid) for pid in (task / "children").read_text().split()]
            if here != parent:
                below[here] = started(here)
    return below


def started(pid: int) -> str:
    """Clock ticks at which a process started; "" where it has ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else fields[18]
