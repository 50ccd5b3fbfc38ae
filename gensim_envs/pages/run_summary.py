"""A run and its figures, from which the report's columns are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gensim_envs.pages.measures import Rate
from gensim_envs.pages.runs import Diversity, Outcome, Repairs, RunData, Usage
from gensim_envs.pages.snapshots import Snapshot


@dataclass(frozen=True)
class RunSummary:
    """A run and its figures; see runs.py.

    Attributes:
        data: the contents of its folder.
        label: its name in the report.
        first: rates of first programs by stage.
        passed: rates after repairs by stage.
        outcomes: attempts by how they ended.
        repairs: programs that were returned for repair by cause.
        usage: tokens, cost and time.
        diversity: of its accepted tasks.
        snapshots: of its accepted tasks by attempt.
    """

    data: RunData
    label: str
    first: dict[str, Rate]
    passed: dict[str, Rate]
    outcomes: list[Outcome]
    repairs: list[Repairs]
    usage: Usage
    diversity: Diversity
    snapshots: Mapping[int, Snapshot]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the run, without its id."""
        return {
            key: value
            for key, value in asdict(self.data.settings).items()
            if key not in ("run", "base")
        }

    @property
    def stages(self) -> list[tuple[str, Rate, Rate]]:
        """The stages with their rates before and after repairs."""
        return [(stage, self.first[stage], rate) for stage, rate in self.passed.items()]

    def to_json(self) -> dict[str, Any]:
        """Data for report.json, without programs and pictures."""
        own = ("data", "label", "snapshots")
        return {
            "label": self.label,
            "settings": self.settings,
            "attempts": len(self.data.verdicts),
            "evaluated": len(self.data.evaluated),
            "unfinished": self.data.unfinished,
            **{name: value for name, value in vars(self).items() if name not in own},
            "verdicts": [
                {key: value for key, value in verdict.to_json().items() if key != "program"}
                for verdict in self.data.verdicts
            ],
        }
