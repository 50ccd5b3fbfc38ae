"""What the tasks of a library are made of, counted: all of them, and those that models wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gensim_envs.generation.memory import Entry, coverage
from gensim_envs.pages.gallery.facts import counted
from gensim_envs.pages.report.measures import entropy

_BAR = 32  # letters
_DRAWN = "none: all drawn"


@dataclass(frozen=True)
class Count:
    """Tasks that have something: `all` of them, and those that models wrote."""

    all: int
    generated: int


@dataclass(frozen=True)
class Stats:
    """The statistics of a library.

    Attributes:
        tasks: how many there are.
        assets: tasks that use each.
        relations: tasks that ask for each.
        goals: tasks with each number of goals.
        levels: tasks with each height of stacking.
        colors: tasks whose program names each colour.
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
        """The asset in most tasks, the first of those that are equal; "" without tasks."""
        return max(self.assets, key=lambda name: self.assets[name].all) if self.tasks.all else ""

    @property
    def share_of_most_used(self) -> float:
        """Of all tasks."""
        return self.assets[self.most_used].all / self.tasks.all if self.most_used else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        most = {"asset": self.most_used, "share": round(self.share_of_most_used, 4)}
        return {**asdict(self), "most_used": most}


def count(entries: Sequence[Entry], generated: Collection[str]) -> Stats:
    """Count.

    Args:
        entries: the tasks.
        generated: names of those that models have written.
    """
    all_facts = [entry.facts for entry in entries]
    own_facts = [entry.facts for entry in entries if entry.name in generated]
    whole, own = coverage(all_facts), coverage(own_facts)
    levels = [Counter(facts.levels for facts in some) for some in (all_facts, own_facts)]
    heights = range(1, max(levels[0], default=0) + 1)
    unnamed = Count(*(sum(not facts.colors for facts in some) for some in (all_facts, own_facts)))
    goals = [
        {f"{n}{'+' if n == max(each.goals) else ''}": k for n, k in each.goals.items()}
        for each in (whole, own)
    ]
    return Stats(
        Count(whole.tasks, own.tasks),
        _both(whole.assets, own.assets),
        _both(whole.relations, own.relations),
        _both(*goals),
        _both(*({str(n): each[n] for n in heights} for each in levels)),
        {**_both(whole.colors, own.colors), _DRAWN: unnamed},
        entropy(whole.assets.values()),
    )


def _both(whole: Mapping[str, int], own: Mapping[str, int]) -> dict[str, Count]:
    return {name: Count(number, own.get(name, 0)) for name, number in whole.items()}


def lines(stats: Stats) -> Iterator[str]:
    """The statistics as text with bars: # a model's tasks, = those written by hand."""
    yield (
        f"{counted(stats.tasks.all, 'task')}, {stats.tasks.generated} of them generated "
        "(# generated, = written by hand)"
    )
    for title, found in (
        ("assets", stats.assets), ("relations", stats.relations), ("goals", stats.goals),
        ("levels of stacking", stats.levels), ("fixed colors", stats.colors),
    ):  # fmt: skip
        yield ""
        yield f"{title:<20} {'all':>5} {'gen.':>5}"
        # Kinds are ranked, numbers stay in order.
        ranked = found if title in ("goals", "levels of stacking") else _ranked(found)
        yield from _bars(ranked)
    if stats.most_used:
        yield ""
        yield (
            f"most used asset: {stats.most_used}, in {stats.share_of_most_used:.0%} of the tasks; "
            f"entropy of the assets {stats.entropy:.2f} bits"
        )


def _ranked(found: Mapping[str, Count]) -> dict[str, Count]:
    return dict(sorted(found.items(), key=lambda pair: -pair[1].all))


def _bars(found: Mapping[str, Count]) -> Iterator[str]:
    most = max((each.all for each in found.values()), default=0)
    letters = _BAR / max(most, _BAR)  # for a task; one letter at most
    for name, each in found.items():
        whole, own = round(each.all * letters), round(each.generated * letters)
        bar = "#" * own + "=" * (whole - own)
        yield f"  {name:<18} {each.all:>5} {each.generated:>5}  {bar}".rstrip()
