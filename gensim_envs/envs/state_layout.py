"""The layout of the state vector, as plain data.

Its imports need only NumPy, so that a policy can read state vectors on a machine without the
simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import ArrayLike, NDArray

from gensim_envs.task.goals import RELATIONS

Fields = tuple[tuple[str, int], ...]
"""(name, number of entries) of each field, in their order."""

_EPISODE: Fields = (("spatula", 1),)
_THING: Fields = (("kind", 1), ("color", 3), ("position", 3), ("yaw", 2))
_ITEM: Fields = (("present", 1), *_THING, ("size", 3), ("variant", 1))
_PLACE: Fields = (("present", 1), *_THING, ("base_variant", 1), ("variant", 1))
_GOAL: Fields = (("unsolved", 1), ("goals_met", 1), ("progress", 1))
_TARGET: Fields = (("present", 1), ("relation", len(RELATIONS)), ("position", 3), ("yaw", 2))


@dataclass(frozen=True)
class StateBlock:
    """Rows of equal fields, one after the other in a state vector.

    Attributes:
        start: index of the first entry.
        rows: number of rows.
        fields: of each row.
    """

    start: int
    rows: int
    fields: Fields

    @cached_property
    def width(self) -> int:
        """Entries of a row."""
        return sum(size for _, size in self.fields)

    @property
    def stop(self) -> int:
        """Index after the last entry."""
        return self.start + self.rows * self.width

    def columns(self, field: str) -> slice:
        """Return the columns of a field within a row.

        Raises:
            KeyError: if there is no such field.
        """
        start = 0
        for name, size in self.fields:
            if name == field:
                return slice(start, start + size)
            start += size
        raise KeyError(
            f"no field {field!r}; there are {', '.join(name for name, _ in self.fields)}"
        )

    def view(self, states: NDArray[Any]) -> NDArray[Any]:
        """The rows (..., rows, width) of state vectors (..., n), as a view that can be written."""
        inner = states[..., self.start : self.stop]
        return inner.reshape(*states.shape[:-1], self.rows, self.width)

    def field(self, states: NDArray[Any], name: str) -> NDArray[Any]:
        """A field (..., rows, size) of state vectors (..., n), as a view that can be written."""
        return self.view(states)[..., self.columns(name)]

    def fill(self, state: NDArray[Any], first: int, count: int, **values: ArrayLike) -> None:
        """Set fields of `count` rows from row `first` on; values broadcast to (count, size)."""
        rows = self.view(state)[first : first + count]
        for name, value in values.items():
            rows[:, self.columns(name)] = value


@dataclass(frozen=True)
class StateLayout:
    """The parts of a state vector (`obs_mode="state"`).

    Attributes:
        episode: one row about the whole episode: `spatula` (1 where the tool is the spatula).
        items: a row for each item, bead or crumb: `present` (0 or 1; 0 also for what has not
            appeared yet or has fallen off the table), `kind` (/ 100), `color` (red, green and blue,
            0..1), `position` (x, y, z in metres), `yaw` (its sine and cosine), `size` (x, y, z in
            metres), `variant` (which object or shape of its kind, / 100). `gensim_envs.nouns`
            tells what kinds and variants are called.
        places: a row for each slot that an item has for others, such as a kit's silhouettes:
            `present`, `kind` and `color` of the item, `position`, `yaw`, `base_variant` (of the
            item, / 100), `variant` (of the slot: which shape fits, / 100). What else can hold
            things, such as a zone or a bowl, is described by its row of `items`.
        goal: only in a privileged vector; one row: `unsolved` (0 or 1), `goals_met` (their share),
            `progress`.
        in_goal: only in a privileged vector: for each row of `items`, whether the item is part of
            the current goal (0 or 1).
        targets: only in a privileged vector; a row for each place of the current goal: `present`,
            `relation` (one-hot, in the order of `task.goals.RELATIONS`), `position`, `yaw`.
    """

    episode: StateBlock
    items: StateBlock
    places: StateBlock
    goal: StateBlock
    in_goal: StateBlock
    targets: StateBlock

    @classmethod
    def of(cls, bounds: Mapping[str, int], privileged: bool = False) -> StateLayout:
        """The layout for a task's upper bounds, {"items": ..., "places": ..., "targets": ...}."""
        items, told = bounds["items"], int(privileged)
        rows = (
            (1, _EPISODE), (items, _ITEM), (bounds["places"], _PLACE), (told, _GOAL),
            (told * items, (("in_goal", 1),)), (told * bounds["targets"], _TARGET),
        )  # fmt: skip
        blocks: list[StateBlock] = []
        for count, block_fields in rows:
            blocks.append(StateBlock(blocks[-1].stop if blocks else 0, count, block_fields))
        return cls(*blocks)

    @property
    def size(self) -> int:
        """Entries of a state vector."""
        return self.targets.stop
