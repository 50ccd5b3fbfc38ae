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
_TITLES = {"levels": "levels of stacking", "colors": "fixed colors"}
_RANKED = ("assets", "relations", "colors")  # by count; the others are sorted by value


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
        tables: number of tasks by "assets", "relations", number of "goals", "levels" of stacking,
            and "colors" that the program names.
        entropy: of the assets, in bits.
    """

    tasks: Count
    tables: dict[str, dict[str, Count]]
    entropy: float

    @property
    def most_used(self) -> tuple[str, float]:
        """The asset in most tasks, the first one of several, and its share; "" without tasks."""
        if not self.tasks.all:
            return "", 0.0
        assets = self.tables["assets"]
        name = max(assets, key=lambda name: assets[name].all)
        return name, assets[name].all / self.tasks.all

    def to_json(self) -> dict[str, Any]:
        """Convert to plain data."""
        asset, share = self.most_used
        most = {"asset": asset, "share": round(share, 4)}
        data = asdict(self)
        tasks, tables = data["tasks"], data["tables"]
        return {"tasks": tasks, **tables, "entropy": self.entropy, "most_used": most}


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
    return Stats(tasks, both, entropy=entropy(whole["assets"].values()))


def _tables(all_facts: Sequence[Facts], levels: int) -> dict[str, dict[str, int]]:
    """Numbers of tasks for each table of `Stats`."""
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
    for name, table in stats.tables.items():
        yield from _bars(_TITLES.get(name, name), table, ranked=name in _RANKED)
    asset, share = stats.most_used
    if asset:
        yield ""
        yield (
            f"most used asset: {asset}, in {share:.0%} of the tasks; "
            f"entropy of the assets {stats.entropy:.2f} bits"
        )


def _bars(title: str, found: Mapping[str, Count], *, ranked: bool) -> Iterator[str]:
    yield from ("", f"{title:<20} {'all':>5} {'gen.':>5}")
    most = max((each.all for each in found.values()), default=0)
    scale = _BAR / max(most, _BAR)  # characters a task, at most one
    rows = sorted(found.items(), key=lambda row: -row[1].all) if ranked else found.items()
    for name, each in rows:
        whole, own = round(each.all * scale), round(each.generated * scale)
        bar = "#" * own + "=" * (whole - own)
        yield f"  {name:<18} {each.all:>5} {each.generated:>5}  {bar}".rstrip()
