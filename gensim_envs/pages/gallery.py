"""Write the gallery: one page with all tasks of a library, and a table in Markdown.

`python -m gensim_envs.pages.gallery > docs/gallery.md` renews the table of the suite's own library.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gensim_envs.errors import TaskError
from gensim_envs.library import Library, LibraryError, Record, shipped
from gensim_envs.pages import clips, columns
from gensim_envs.pages.clips import Clip
from gensim_envs.pages.facts import Task, author
from gensim_envs.pages.render import render
from gensim_envs.registration import load_program
from gensim_envs.seeds import SURVEY
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils import files
from gensim_envs.utils.processes import map_in_order
from gensim_envs.utils.progress import Progress

PAGE, TABLE, CLIPS = "index.html", "table.md", "clips"


@dataclass(frozen=True)
class Entry:
    """A task of the gallery.

    Attributes:
        task: with the draw that the clip shows.
        clip: of an episode.
        source: its program.
    """

    task: Task
    clip: Clip
    source: str


def write_gallery(
    library: Library, records: Sequence[Record], out: Path, *, workers: int | None = None
) -> tuple[Path, int]:
    """Write the page and the table, and keep the clips.

    It can be stopped at any time: finished clips are not recorded again.

    Args:
        library: of the tasks.
        records: the tasks, in the order of the page.
        out: folder of index.html, table.md and clips/.
        workers: number of processes; by default one for each core. The result does not depend on
            it.

    Returns:
        The page, and the number of tasks on it.

    Raises:
        FileError: if a file cannot be written.
    """
    folder = out / CLIPS
    files.make_folder(folder, out)
    drawn, entries = [], []
    missing = [record for record in records if clips.load(folder, record) is None]
    jobs = [(folder, library, record) for record in missing]
    made = map_in_order(clips.make_clip, jobs, workers, str)
    with contextlib.closing(made) as problems, Progress(len(records), "tasks") as progress:
        for record in records:
            problem = next(problems) if record in missing else None
            try:
                if problem is None:
                    spec = first_draw(library, record)
                    entries.append(entry(folder, library, record))
                    drawn.append(Task(record, spec, entries[-1].task.author))
            except (LibraryError, TaskError) as error:
                problem = str(error)
            progress.advance()
            progress.line(f"{record.id}: {problem or 'done'}")
    files.write(out / TABLE, table(drawn).encode())
    files.write(out / PAGE, page(entries).encode())
    return out / PAGE, len(entries)


def entry(folder: Path, library: Library, record: Record) -> Entry:
    """The entry of a record that has a clip.

    Raises:
        LibraryError: if the clip or the program was changed meanwhile.
    """
    clip = clips.load(folder, record)
    if clip is None:
        raise LibraryError(f"{folder} was changed meanwhile; run the command again")
    return Entry(Task(record, clip.spec, author(library, record)), clip, library.source(record))


def page(entries: Sequence[Entry]) -> str:
    """The whole page, which depends only on the entries."""
    return render("gallery.html", entries=entries, columns=columns)


def first_draw(library: Library, record: Record) -> TaskSpec:
    """The draw from which a record has its instruction.

    Raises:
        LibraryError: if the program differs from its record.
        TaskError: if the program fails.
    """
    spec: TaskSpec = load_program(library, record).draw("train", SURVEY.start).spec
    return spec


def table(tasks: Iterable[Task]) -> str:
    """A Markdown file with a heading, an explanation of the columns, and a line for each task."""
    return render("table.md", tasks=tasks, columns=columns.TASKS)


def shipped_table() -> str:
    """The table of the suite's own library."""
    library = shipped()
    return table(
        Task(record, first_draw(library, record), author(library, record))
        for record in library.records()
    )


if __name__ == "__main__":
    print(shipped_table(), end="")
