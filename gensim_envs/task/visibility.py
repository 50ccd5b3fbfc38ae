"""What of a draw can be told apart in the view from above, from its geometry and colours alone.

It does not render, so that a seed gives the same draw in every observation mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gensim_envs.errors import SightError
from gensim_envs.task.assets import COLORS, Asset, KitBoard, Mark
from gensim_envs.task.assets.base import MARK_COLOR
from gensim_envs.task.colors import LEAST_DIFFERENCE, difference, distinguishable
from gensim_envs.task.spec import TaskSpec

Check = Literal["size", "background", "place", "alike"]
"""What can be wrong: a thing is too small or hidden, it does not stand out from what it lies on, an
item has the colour of its place, or two things that a sentence tells apart look the same."""

_LEAST_EXTENT = 0.0094  # metres: three pixels of the view from above


@dataclass(frozen=True)
class Problem:
    """Something that cannot be seen.

    Attributes:
        check: what is wrong.
        goal: number of the goal, from 0.
        text: the problem, naming the thing.
        remedy: what to do about it.
    """

    check: Check
    goal: int
    text: str
    remedy: str

    @property
    def error(self) -> SightError:
        """As a refusal of the task or of the draw."""
        return SightError(self.text, self.remedy, goal=self.goal + 1, redraw=True)


def check_draw(spec: TaskSpec) -> None:
    """Check that everything in one draw can be told apart.

    Raises:
        SightError: with `redraw`, naming the goal and the thing.
    """
    for problem in problems(spec):
        raise problem.error


def problems(spec: TaskSpec) -> Iterator[Problem]:
    """What geometry and colours say cannot be seen, goal by goal."""
    for number, goal in enumerate(spec.goals):
        yield from alike(spec, number)
        for k in sorted({*goal.items, *goal.bases}):
            if min(spec.items[k].asset.size[:2]) < _LEAST_EXTENT:
                yield Problem(
                    "size", number, f"the {spec.items[k].asset} is less than 3 pixels wide",
                    "Make it larger",
                )  # fmt: skip
        pairs = {
            (spec.items[item].asset, spec.items[base].asset)
            for item in goal.items
            for base in goal.bases
        }
        for item, base in sorted(pairs, key=str):
            if not _stands_out(item, base):
                yield same_color(number, item, base)


def same_color(number: int, item: Asset, base: Asset) -> Problem:
    """The problem of an item that has the colour of its place."""
    return Problem(
        "place", number, f"the {item} and its place, the {base}, cannot be told apart by colour",
        "Draw their colours together, with one call of scene.colors",
    )  # fmt: skip


def alike(spec: TaskSpec, number: int) -> Iterator[Problem]:
    """Items and bases of a goal that look like different things which it does not name."""
    goal = spec.goals[number]
    named = {spec.items[k].asset for k in {*goal.items, *goal.bases}}
    others = {item.asset for item in spec.items} - named
    for item in sorted(named, key=str):
        for other in sorted(others, key=str):
            if looks_like(item, other):
                # All marks are painted in the same colour.
                marks = "Mark things of other shapes, or use the marks in one goal"
                remedy = "Give them other colours, or sizes that differ by 1 cm"
                yield Problem(
                    "alike", number, f"the {item} and the {other} look the same",
                    marks if isinstance(item, Mark) else remedy,
                )  # fmt: skip


def looks_like(a: Asset, b: Asset) -> bool:
    """Whether two things are of the same kind, colour and size, as far as the picture shows."""
    if isinstance(a, Mark) and isinstance(b, Mark) and a.order != b.order:
        return False
    if type(a) is not type(b) or a.variant != b.variant or distinguishable(a.color, b.color):
        return False
    return all(abs(x - y) < 0.01 for x, y in zip(a.size, b.size, strict=True))


def _stands_out(item: Asset, place: Asset) -> bool:
    if isinstance(place, (Mark, KitBoard)):
        return difference(COLORS[item.color], MARK_COLOR) >= LEAST_DIFFERENCE
    return distinguishable(item.color, place.color)
