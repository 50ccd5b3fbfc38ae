"""Count the assets, relations, goals, levels and colours of a library's tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gensim_envs.generation.check import Facts
from gensim_envs.generation.memory import Entry, coverage
from gensim_envs.pages.measures import entropy
from gensim_envs.pages.render import counted

_BAR = 32  # characters
_DRAWN = "none: all drawn"


@dataclass(frozen=True)
class Count:
    """A number of tasks: `all`, and those that models wrote."""

    all: int
    generated: int


@dataclass(frozen=True)
class Stats:
    """Statistics of a library.

    Attributes:
        tasks: number of tasks.
        assets: number of tasks by asset.
        relations: number of tasks by relation.
        goals: number of tasks by number of goals.
        levels: number of tasks by levels of stacking.
        colors: number of tasks by colour that the program names.
        entropy: of the assets, in bits.
    """

    tasks: Count
    assets: dict[str, Count]
    relations: dict[str, Count]
    goals: dict[str, Count]
    levels: dict[str, Count]
    colors: dict[str, Count]
    entropy: float

    @property
    def most_used(self) -> str:
        """The asset in most tasks, the first one of several; "" without tasks."""
        return max(self.assets, key=lambda name: self.assets[name].all) if self.tasks.all else ""

    @property
    def share_of_most_used(self) -> float:
        """The share of tasks that use it."""
        return self.assets[self.most_used].all / self.tasks.all if self.most_used else 0.0

    def to_json(self) -> dict[str, Any]:
        """Convert to plain data."""
        most = {"asset": self.most_used, "share": round(self.share_of_most_used, 4)}
        return {**asdict(self), "most_used": most}


def count(entries: Sequence[Entry], generated: Collection[str]) -> Stats:
    """Compute the statistics.

    Args:
        entries: the tasks.
        generated: names of those that models wrote.
    """
    all_facts = [entry.facts for entry in entries]
    own_facts = [entry.facts for entry in entries if entry.name in generated]
    levels = max((facts.levels for facts in all_facts), default=0)
    whole, own = _tables(all_facts, levels), _tables(own_facts, levels)
    both = {
        title: {name: Count(number, own[title].get(name, 0)) for name, number in table.items()}
        for title, table in whole.items()
    }
    tasks = Count(len(all_facts), len(own_facts))
    return Stats(tasks, **both, entropy=entropy(whole["assets"].values()))


def _tables(all_facts: Sequence[Facts], levels: int) -> dict[str, dict[str, int]]:
    """Numbers of tasks for each field of `Stats` that is a table."""
    found = coverage(all_facts)
    heights = Counter(facts.levels for facts in all_facts)
    most = max(found.goals)
    return {
        "assets": found.assets,
        "relations": found.relations,
        "goals": {f"{n}{'+' if n == most else ''}": count for n, count in found.goals.items()},
        "levels": {str(n): heights[n] for n in range(1, levels + 1)},
        "colors": {**found.colors, _DRAWN: sum(not facts.colors for facts in all_facts)},
    }


def lines(stats: Stats) -> Iterator[str]:
    """Format the statistics as text with bars of # for generated and = for hand-written tasks."""
    yield (
        f"{counted(stats.tasks.all, 'task')}, {stats.tasks.generated} of them generated "
        "(# generated, = written by hand)"
    )
    # Kinds are sorted by count, numbers by value.
    yield from _bars("assets", _ranked(stats.assets))
    yield from _bars("relations", _ranked(stats.relations))
    yield from _bars("goals", stats.goals)
    yield from _bars("levels of stacking", stats.levels)
    yield from _bars("fixed colors", _ranked(stats.colors))
    if stats.most_used:
        yield ""
        yield (
            f"most used asset: {stats.most_used}, in {stats.share_of_most_used:.0%} of the tasks; "
            f"entropy of the assets {stats.entropy:.2f} bits"
        )


def _ranked(found: Mapping[str, Count]) -> dict[str, Count]:
    return dict(sorted(found.items(), key=lambda pair: -pair[1].all))


def _bars(title: str, found: Mapping[str, Count]) -> Iterator[str]:
    yield from ("", f"{title:<20} {'all':>5} {'gen.':>5}")
    most = max((each.all for each in found.values()), default=0)
    scale = _BAR / max(most, _BAR)  # characters a task, at most one
    for name, each in found.items():
        whole, own = round(each.all * scale), round(each.generated * scale)
        bar = "#" * own + "=" * (whole - own)
        yield f"  {name:<18} {each.all:>5} {each.generated:>5}  {bar}".rstrip()
