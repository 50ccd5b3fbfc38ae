"""The tasks of a library as a Markdown table. Nothing is simulated for it.

`python -m gensim_envs.pages.gallery.table > docs/gallery.md` renews the table of the suite's own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from gensim_envs.library import Library, Record, shipped
from gensim_envs.pages.gallery import facts
from gensim_envs.registration import load_program
from gensim_envs.seeds import SURVEY
from gensim_envs.task.spec import TaskSpec

_COLUMNS = (
    "Task", "What is asked", "First instruction", "Goals", "Assets", "Relations",
    "Oracle", "Actions", "Nothing", "Random", "Written by",
)  # fmt: skip


def first_draw(library: Library, record: Record) -> TaskSpec:
    """The draw from which a record has its instruction.

    Raises:
        LibraryError: where the program is not what was published.
        TaskError: where it fails.
    """
    spec: TaskSpec = load_program(library, record).draw("train", SURVEY.start).spec
    return spec


def table(library: Library, drawn: Sequence[tuple[Record, TaskSpec]]) -> str:
    """The text of a Markdown file: a heading, what the columns say, and a line for each task."""
    lines = [
        "# The tasks",
        "",
        "`gensim gallery` writes this table, and a page with a picture, a clip and the program of",
        "each. Assets and relations are those of one draw; the last figures are the certificate's:",
        "seeds that the oracle solves, its mean number of actions, what doing nothing earns, and",
        "seeds that random actions solve.",
        "",
        _line(_COLUMNS),
        _line(["---"] * len(_COLUMNS)),
    ]
    for record, spec in drawn:
        figures = facts.certificate(record)
        cells = [
            record.id,
            record.summary,
            record.instruction,
            str(len(spec.goals)),
            ", ".join(facts.assets(spec)),
            ", ".join(facts.relations(spec)),
            *(figures[name] for name in ("oracle", "actions", "noop", "random")),
            "hand" if record.hand_written else facts.model(library, record),
        ]
        lines.append(_line([_plain(cell) for cell in cells]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, and that stays within its cell."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", html.escape(one_line, quote=False))


def shipped_table() -> str:
    """The table of the suite's own library."""
    library = shipped()
    return table(library, [(record, first_draw(library, record)) for record in library.records()])


if __name__ == "__main__":
    print(shipped_table(), end="")
