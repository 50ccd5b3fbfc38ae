"""The name of a task in its three forms: `BuildWheel`, `build_wheel`, `Build Wheel`."""

from __future__ import annotations

import re

_EDGE = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_SMALL = "A|An|And|At|By|For|From|In|Into|Of|On|Or|The|To|With"


def snake_case(name: str) -> str:
    """`BuildWheel` -> `build_wheel`."""
    return re.sub(_EDGE, "_", name).lower()


def words(name: str) -> str:
    """`CloseTheGate` -> `Close the Gate`."""
    apart = re.sub(_EDGE, " ", name)
    return re.sub(rf" ({_SMALL})\b", lambda match: match.group().lower(), apart)
