"""All cases, by what they are about."""

from __future__ import annotations

from end_states import Case, inside, limits, on, patterns, places, regions, rules, soft

TABLE: dict[str, list[Case]] = {
    "places": places.CASES,
    "on": on.CASES,
    "inside": inside.CASES,
    "regions": regions.CASES,
    "patterns": patterns.CASES,
    "rules": rules.CASES,
    "soft": soft.CASES,
    "limits": limits.CASES,
}
