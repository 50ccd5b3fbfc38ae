"""Rows -> a page and a table in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gensim_envs.errors import TaskError
from gensim_envs.library import Library, LibraryError, Record
from gensim_envs.pages.gallery import clips, facts
from gensim_envs.pages.gallery.page import Entry, page
from gensim_envs.pages.gallery.table import first_draw, table
from gensim_envs.utils.files import write
from gensim_envs.utils.processes import in_order, processes

PAGE, TABLE, CLIPS = "index.html", "table.md", "clips"


def build(
    library: Library,
    records: Sequence[Record],
    out: Path,
    *,
    workers: int | None = None,
    tick: Callable[[Record, str | None], object] = lambda record, problem: None,
) -> tuple[Path, int]:
    """Write the page and the table of some tasks, and keep their clips for the next time.

    It may be stopped at any moment: clips that are finished are not filmed again.

    Args:
        library: of the tasks.
        records: the tasks, in the order of the page.
        out: folder of index.html, table.md and clips/.
        workers: processes; all cores if not said. The result does not depend on it.
        tick: called for each task with why it is left out, or None.

    Returns:
        The page, and how many tasks are on it.

    Raises:
        OSError: where the disk does not take it.
    """
    folder = out / CLIPS
    folder.mkdir(parents=True, exist_ok=True)
    drawn, entries = [], []
    missing = [record for record in records if clips.load(folder, record) is None]
    jobs = [(folder, library, record) for record in missing]
    with processes(workers if jobs else 1) as executor:
        problems = in_order(executor, clips.shoot, jobs)
        for record in records:
            problem = next(problems) if record in missing else None
            try:
                if problem is None:
                    spec = first_draw(library, record)
                    entries.append(_entry(folder, library, record))
                    drawn.append((record, spec))
            except (LibraryError, TaskError) as error:
                problem = str(error)
            tick(record, problem)
    write(out / TABLE, table(library, drawn).encode())
    write(out / PAGE, page(entries).encode())
    return out / PAGE, len(entries)


def _entry(folder: Path, library: Library, record: Record) -> Entry:
    """What the page shows of a record whose clip is there.

    Raises:
        LibraryError: where something was changed meanwhile.
    """
    clip = clips.load(folder, record)
    if clip is None:
        raise LibraryError(f"{folder} was changed meanwhile; run it again")
    author = "" if record.hand_written else facts.model(library, record)
    return Entry(record, clip, library.source(record), author)
