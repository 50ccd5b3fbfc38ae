"""Ranges of options, declared with their types and checked when a config is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, get_type_hints

from agents.errors import AgentsError


@dataclass(frozen=True)
class Range:
    """The allowed values of a number, or of each of several; annotates the type of a field.

    Attributes:
        low: least value.
        high: greatest value.
        above: whether `low` itself is excluded.
    """

    low: float
    high: float = math.inf
    above: bool = False

    def check(self, name: str, number: float) -> None:
        """Check a number.

        Raises:
            AgentsError: if it is not finite, or not in the range; the message begins with `name`.
        """
        allowed = f"{self.low} or more" if self.high == math.inf else f"{self.low} to {self.high}"
        if self.above:
            allowed = f"more than {self.low}"
        inside = self.low < number if self.above else self.low <= number
        if not (inside and number <= self.high and math.isfinite(number)):
            raise AgentsError(f"{name} is {number}; expected {allowed}")


Natural = Annotated[int, Range(0)]
"""A whole number from 0."""
Positive = Annotated[int, Range(1)]
"""A whole number from 1."""
Width = Annotated[int, Range(1, 10**4)]
"""Units or channels of a layer; a checkpoint may come from anyone, and its network is built."""
Amount = Annotated[float, Range(0)]
"""A number from 0."""
Share = Annotated[float, Range(0, 1)]
"""A number from 0 to 1."""
Dropout = Annotated[float, Range(0, 0.99)]
"""The rate of a dropout."""


class Checked:
    """Base class of dataclasses whose fields are checked against their ranges.

    Raises:
        AgentsError: naming the first field that is out of its range.
    """

    option_prefix: ClassVar[str | None] = None
    """Prefix of the options of a command; None where messages name the field itself."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            value, option = getattr(self, name), name
            if self.option_prefix is not None:
                option = f"--{self.option_prefix}{name.replace('_', '-')}"
            numbers = value if isinstance(value, tuple) else (value,)
            for each in getattr(hint, "__metadata__", ()):
                if isinstance(each, Range) and value is not None:
                    for number in numbers:
                        each.check(option, number)
