"""Ranges of options, declared with their types and checked when a config is made."""

from __future__ import annotations

import math
import sys
from typing import Annotated, ClassVar, get_type_hints

from agents.errors import AgentsError
from gensim_envs.utils.decode import Range

Natural = Annotated[int, Range(0)]
"""A whole number from 0."""
Positive = Annotated[int, Range(1)]
"""A whole number from 1."""
Width = Annotated[int, Range(1, 10**4)]
"""Units or channels of a layer; a checkpoint may come from anyone, and its network is built."""
Amount = Annotated[float, Range(0)]
"""A number from 0."""
Rate = Annotated[float, Range(1e-12)]
"""A number above 0."""
Share = Annotated[float, Range(0, 1)]
"""A number from 0 to 1."""
Dropout = Annotated[float, Range(0, 0.99)]
"""The rate of a dropout."""


class Checked:
    """Base class of dataclasses whose fields are checked against their ranges.

    Raises:
        AgentsError: naming the first field that is out of its range.
    """

    option_prefix: ClassVar[str]
    """Prefix of the options of a command, such as "ppo."."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            value, option = getattr(self, name), f"--{self.option_prefix}{name.replace('_', '-')}"
            numbers = value if isinstance(value, tuple) else () if value is None else (value,)
            for each in getattr(hint, "__metadata__", ()):
                for number in numbers if isinstance(each, Range) else ():
                    if not math.isfinite(number):
                        raise AgentsError(f"{option} is {number}; expected a finite number")
                    if not each.least <= number <= each.most:
                        above = each.most == sys.float_info.max
                        allowed = "or more" if above else f"to {each.most}"
                        raise AgentsError(f"{option} is {number}; expected {each.least} {allowed}")
