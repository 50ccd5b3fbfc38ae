"""Write the tasks of a library as a Markdown table, without simulating anything.

`python -m gensim_envs.pages.table > docs/gallery.md` renews the table of the suite's own library.
"""

from __future__ import annotations

from collections.abc import Iterable

from gensim_envs.library import Library, Record, shipped
from gensim_envs.pages.columns import TASKS
from gensim_envs.pages.facts import Task, author
from gensim_envs.pages.render import render
from gensim_envs.registration import load_program
from gensim_envs.seeds import SURVEY
from gensim_envs.task.spec import TaskSpec


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
    return render("table.md", tasks=tasks, columns=TASKS)


def shipped_table() -> str:
    """The table of the suite's own library."""
    library = shipped()
    return table(
        Task(record, first_draw(library, record), author(library, record))
        for record in library.records()
    )


if __name__ == "__main__":
    print(shipped_table(), end="")
