"""Facts about a task, read from its record, its program and one draw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gensim_envs.library import Library, Record
from gensim_envs.pages.render import multiple
from gensim_envs.task.goals import RELATIONS, Goal
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils.naming import words


@dataclass(frozen=True)
class Thing:
    """A group of identical items on the table.

    Attributes:
        count: number of them.
        name: of one of them, "red block".
        color: its name.
        role: "fixed", "distractor", or "" if it is to be moved.
    """

    count: int
    name: str
    color: str
    role: str


@dataclass(frozen=True)
class Task:
    """A task and one draw of it.

    Attributes:
        record: from its library.
        spec: the draw.
        author: the model that wrote it; "" if it is hand-written.
    """

    record: Record
    spec: TaskSpec
    author: str

    @property
    def key(self) -> str:
        """Its id within a page."""
        return self.record.id.removeprefix("gensim/")

    @property
    def title(self) -> str:
        """Its name as words."""
        return words(self.record.name)

    @property
    def origin(self) -> str:
        """`generated` or `hand-written`."""
        return "generated" if self.author else "hand-written"

    @property
    def assets(self) -> list[str]:
        """Kinds of things on the table, "Block" or "Peg Stand", in alphabetical order."""
        return sorted({words(type(item.asset).__name__) for item in self.spec.items})

    @property
    def relations(self) -> list[str]:
        """Relations of its goals, in the order of the API."""
        used = {goal.relation for goal in self.spec.goals}
        return [relation for relation in RELATIONS if relation in used]

    @property
    def things(self) -> list[Thing]:
        """Everything on the table, in the order of the program."""
        counts = Counter(
            (
                str(item.asset),
                item.asset.color,
                "fixed" if item.fixed else "distractor" if item.distractor else "",
            )
            for item in self.spec.items
        )
        return [Thing(count, *key) for key, count in counts.items()]

    def moved(self, goal: Goal) -> str:
        """The items of a goal."""
        counts = Counter(str(self.spec.items[item].asset) for item in goal.items)
        return ", ".join(multiple(count, name) for name, count in counts.items())

    def certified(self, name: str, pattern: str) -> str:
        """A figure of the certificate, or "?" if it has none of this name."""
        value = self.record.certificate.get(name)
        return pattern.format(value) if isinstance(value, (int, float)) else "?"

    def flag(self, name: str) -> str:
        """`yes` or `no` of the certificate, or "?" if it has none of this name."""
        value = self.record.certificate.get(name)
        return "?" if not isinstance(value, bool) else "yes" if value else "no"


def author(library: Library, record: Record) -> str:
    """The model that wrote a program, according to its provenance; "" if it is hand-written."""
    if record.hand_written:
        return ""
    return str(library.provenance(record).get("model") or "unknown")
