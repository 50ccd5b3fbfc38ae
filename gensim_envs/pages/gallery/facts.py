"""What is said about a task: read off its record, its program and one draw of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gensim_envs.library import Library, Record
from gensim_envs.task.goals import RELATIONS, Goal
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils.naming import words


@dataclass(frozen=True)
class Thing:
    """Equal things on the table.

    Attributes:
        count: how many.
        name: as a sentence calls one of them, "red block".
        color: its name.
        role: "fixed", "distractor", or nothing where it is to be moved.
    """

    count: int
    name: str
    color: str
    role: str


def assets(spec: TaskSpec) -> list[str]:
    """Kinds of things on the table, `Block` or `Peg Stand`, in alphabetical order."""
    return sorted({words(type(item.asset).__name__) for item in spec.items})


def relations(spec: TaskSpec) -> list[str]:
    """The relations that goals ask for, in one fixed order."""
    asked = {goal.relation for goal in spec.goals}
    return [relation for relation in RELATIONS if relation in asked]


def things(spec: TaskSpec) -> list[Thing]:
    """Everything on the table, equal things together, in the order of the program."""
    counts = Counter(
        (
            str(item.asset),
            item.asset.color,
            "fixed" if item.fixed else "distractor" if item.distractor else "",
        )
        for item in spec.items
    )
    return [Thing(count, *key) for key, count in counts.items()]


def moved(spec: TaskSpec, goal: Goal) -> list[str]:
    """What a goal is about, equal things together."""
    counts = Counter(str(spec.items[item].asset) for item in goal.items)
    return [times(count, name) for name, count in counts.items()]


def times(count: int, name: str) -> str:
    """Equal things; no plural, since a name can be any noun."""
    return name if count == 1 else f"{count} \u00d7 {name}"


def counted(count: int, noun: str) -> str:
    """`1 goal`, `2 goals`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def model(library: Library, record: Record) -> str:
    """Who wrote a generated program, as its provenance says."""
    path = library.root / "generated" / "provenance" / f"{Path(record.file).stem}.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["model"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "unknown"


def certificate(record: Record) -> dict[str, str]:
    """The figures of a certificate, named for people; a question mark for what is not there."""
    found = record.certificate

    def number(name: str, pattern: str, scale: int = 1) -> str:
        value = found.get(name)
        return pattern.format(scale * value) if isinstance(value, (int, float)) else "?"

    return {
        "oracle": number("oracle", "{}/20"),
        "actions": number("steps", "{:.3g}"),
        "noop": number("noop", "{:g}"),
        "random": number("random", "{}/20"),
        "redraws": number("redraws", "{:.3g}%", 100),
    }
