"""Read the folder of a run, and compute the figures of its report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gensim_envs.errors import TaskError
from gensim_envs.generation.embed import TfIdf, embedder
from gensim_envs.generation.memory import coverage, describe
from gensim_envs.generation.providers import ProviderError
from gensim_envs.generation.recording import Recording, Settings
from gensim_envs.generation.verdict import CAUSES, STAGES, Verdict, read_verdicts
from gensim_envs.pages.measures import Rate, entropy, self_bleu, spread
from gensim_envs.pages.snapshots import Snapshot
from gensim_envs.sandbox.gate import check as gate
from gensim_envs.utils import files

MOST_MESSAGES = 3
"""Messages that are listed for a cause."""
MOST_COMPARED = 1000
"""Tasks over which diversity is computed, since each is compared with all others."""
_LONGEST = 1000  # characters of a description, as in a proposal


@dataclass(frozen=True)
class MessageCount:
    """A message, and how often it or one that differs only in numbers occurred."""

    text: str
    count: int


@dataclass(frozen=True)
class Outcome:
    """Attempts that ended in one way.

    Attributes:
        name: the cause of refusal, or "accepted".
        attempts: number of them.
        messages: the most frequent ones.
    """

    name: str
    attempts: int
    messages: list[MessageCount]


@dataclass(frozen=True)
class Repairs:
    """Programs that were refused for one cause and returned to the model for repair.

    Attributes:
        cause: of the refusals.
        programs: number of programs.
        accepted: number of programs of attempts that were accepted in the end.
        messages: the most frequent ones.
    """

    cause: str
    programs: int
    accepted: int
    messages: list[MessageCount]


@dataclass(frozen=True)
class Usage:
    """Tokens, cost and time of all attempts that have a verdict.

    Attributes:
        accepted: number of accepted tasks.
        prompt_tokens: of prompts.
        answer_tokens: of answers.
        cost: US dollars, or None without a price.
        model_seconds: of waiting for answers, summed over attempts that may overlap.
        total_seconds: of attempts from start to end, summed likewise.
        cuts: number of prompts that were cut to fit the model's context.
        changed: number of replayed calls whose prompt differs from the recorded one.
    """

    accepted: int
    prompt_tokens: int
    answer_tokens: int
    cost: float | None
    model_seconds: float
    total_seconds: float
    cuts: int
    changed: int

    def per_task(self, amount: float | None) -> float | None:
        """An amount per accepted task; None without one."""
        return amount / self.accepted if self.accepted and amount is not None else None


@dataclass(frozen=True)
class Diversity:
    """Diversity of the accepted tasks.

    Attributes:
        tasks: number of tasks, the first `MOST_COMPARED` of the run.
        self_bleu: of their descriptions; lower is more diverse. None for fewer than two tasks.
        spread: mean of 1 - similarity over pairs of descriptions; None for fewer than two tasks.
        embedder: that measures similarity.
        drawn: number of tasks whose assets could be counted.
        entropy: of the assets over tasks, in bits.
        entropy_share: of the maximum, which is reached if all assets are used equally often.
    """

    tasks: int
    self_bleu: float | None
    spread: float | None
    embedder: str
    drawn: int
    entropy: float
    entropy_share: float


@dataclass
class Run:
    """The contents of a run's folder, and its figures.

    Attributes:
        name: of the folder.
        settings: of the run.
        verdicts: in the order of attempts.
        unfinished: numbers of attempts that have calls but no verdict.
        price: US dollars for a million tokens of prompts, and of answers; None if unknown.
        label: its name in the report.
        snapshots: of its accepted tasks by attempt.
    """

    name: str
    settings: Settings
    verdicts: list[Verdict]
    unfinished: list[int] = field(default_factory=list)
    price: tuple[float, float] | None = None
    label: str = ""
    snapshots: dict[int, Snapshot] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, price: tuple[float, float] | None) -> Run:
        """Read a folder.

        Raises:
            RecordingError: if it is not a run, or is damaged.
        """
        recording = Recording(folder)
        settings = recording.settings
        verdicts = read_verdicts(folder)
        ended = {verdict.attempt for verdict in verdicts}
        begun = [k for k in recording.attempts() if k not in ended and recording.calls(k)]
        return cls(files.absolute(folder).name, settings, verdicts, begun, price)

    @property
    def accepted(self) -> list[Verdict]:
        """Accepted attempts."""
        return [verdict for verdict in self.verdicts if verdict.accepted]

    @property
    def evaluated(self) -> list[Verdict]:
        """Attempts that rates are computed over: all but those that a failed call ended."""
        return [verdict for verdict in self.verdicts if verdict.cause != "api"]

    @property
    def shown_settings(self) -> dict[str, Any]:
        """The settings of the run, without its id."""
        return {key: value for key, value in asdict(self.settings).items() if key != "run"}

    @cached_property
    def first(self) -> dict[str, Rate]:
        """Rates of attempts whose first program passed each stage."""
        # Without repairs it is also the last program.
        return self._rates([{*v.first, *([] if v.refusals else v.passed)} for v in self.evaluated])

    @cached_property
    def passed(self) -> dict[str, Rate]:
        """Rates of attempts that passed each stage, after repairs."""
        return self._rates([set(verdict.passed) for verdict in self.evaluated])

    def _rates(self, passed: list[set[str]]) -> dict[str, Rate]:
        # A single prompt has no proposal to judge.
        stages = STAGES if self.settings.scheme == "chain" else STAGES[1:]
        return {
            stage: Rate.wilson(sum(stage in each for each in passed), len(passed))
            for stage in stages
        }

    @property
    def stages(self) -> list[tuple[str, Rate, Rate]]:
        """The stages with their rates before and after repairs."""
        return [(stage, self.first[stage], rate) for stage, rate in self.passed.items()]

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """Attempts by how they ended, including causes that did not occur."""
        problems: dict[str, list[str]] = {name: [] for name in ("accepted", *CAUSES)}
        for verdict in self.verdicts:
            problems[verdict.cause or "accepted"].append(verdict.problem)
        return [Outcome(name, len(texts), _frequent(texts)) for name, texts in problems.items()]

    @cached_property
    def repairs(self) -> list[Repairs]:
        """Programs that were returned for repair by cause, the most frequent first."""
        found: dict[str, list[tuple[str, bool]]] = {}
        for verdict in self.verdicts:
            for cause, message in verdict.refusals:
                found.setdefault(cause, []).append((message, verdict.accepted))
        repairs = []
        for cause, refused in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            messages, accepted = zip(*refused, strict=True)
            repairs.append(Repairs(cause, len(refused), sum(accepted), _frequent(messages)))
        return repairs

    @cached_property
    def usage(self) -> Usage:
        """Tokens, cost and time."""
        prompt, answer = (sum(v.tokens[k] for v in self.verdicts) for k in (0, 1))
        model, total = (
            round(sum(v.seconds.get(key, 0.0) for v in self.verdicts), 3)
            for key in ("model", "total")
        )
        price = self.price
        cost = None if price is None else (prompt * price[0] + answer * price[1]) / 1e6
        cuts = sum(sum(v.cuts.values()) for v in self.verdicts)
        changed = sum(len(v.changed) for v in self.verdicts)
        return Usage(len(self.accepted), prompt, answer, cost, model, total, cuts, changed)

    @cached_property
    def diversity(self) -> Diversity:
        """Diversity of the accepted tasks."""
        try:
            chosen = embedder(self.settings.embedder)
        except ProviderError:  # the run's own is not installed here, or needs a server
            chosen = TfIdf()
        tasks = self.accepted[:MOST_COMPARED]
        summaries = [summary(verdict) for verdict in tasks]
        texts = [describe(v.name, s) for v, s in zip(tasks, summaries, strict=True)]
        facts = [each.facts for each in self.snapshots.values() if each.facts is not None]
        assets = coverage(facts).assets
        bits, most = entropy(assets.values()), entropy([1] * len(assets))
        return Diversity(
            len(texts),
            self_bleu(summaries),
            spread(chosen.likeness(texts, texts)) if len(texts) > 1 else None,
            chosen.name,
            len(facts),
            bits,
            round(bits / most, 4),
        )

    def to_json(self) -> dict[str, Any]:
        """Data for report.json, without programs and pictures."""
        figures = ("first", "passed", "outcomes", "repairs", "usage", "diversity")
        return {
            "label": self.label,
            "settings": self.shown_settings,
            "attempts": len(self.verdicts),
            "evaluated": len(self.evaluated),
            "unfinished": self.unfinished,
            **{name: getattr(self, name) for name in figures},
            "verdicts": [
                {key: value for key, value in asdict(verdict).items() if key != "program"}
                for verdict in self.verdicts
            ],
        }


def summary(verdict: Verdict) -> str:
    """Describe a task in a sentence: its program's docstring, or else its proposal."""
    try:
        docstring = gate(verdict.program).docstring
    except TaskError:
        docstring = ""
    found = docstring.strip().split("\n")[0] or str(verdict.proposal.get("description", ""))
    return found[:_LONGEST]


def _frequent(messages: Iterable[str]) -> list[MessageCount]:
    """The most frequent messages.

    Messages that differ only in numbers are counted together; the most frequent one is shown.
    """
    alike: dict[str, Counter[str]] = {}
    for text in filter(None, messages):
        alike.setdefault(re.sub(r"\d+(\.\d+)?", "#", text), Counter())[text] += 1
    counts = [
        MessageCount(min(texts, key=lambda text: (-texts[text], text)), texts.total())
        for texts in alike.values()
    ]
    return sorted(counts, key=lambda each: (-each.count, each.text))[:MOST_MESSAGES]
