"""What became of the attempts of one run, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gensim_envs.errors import TaskError
from gensim_envs.generation.embed import Embedder
from gensim_envs.generation.memory import coverage, describe
from gensim_envs.generation.recording import Recording, RecordingError
from gensim_envs.generation.settings import Settings
from gensim_envs.generation.stages import CAUSES, STAGES
from gensim_envs.generation.verdict import Verdict, read_verdicts
from gensim_envs.pages.report.measures import Rate, entropy, self_bleu, spread
from gensim_envs.pages.report.pictures import Shot
from gensim_envs.sandbox import check as gate

MOST_MESSAGES = 3
"""Of a cause, the most frequent first."""
_MOST = 1e12  # tokens or seconds of an attempt; far more than there can be


@dataclass(frozen=True)
class Said:
    """A message that attempts were refused with; # stands for its numbers."""

    text: str
    count: int


@dataclass(frozen=True)
class Outcome:
    """How attempts ended.

    Attributes:
        name: a cause, or "accepted".
        attempts: how many ended so.
        messages: the most frequent.
    """

    name: str
    attempts: int
    messages: list[Said]


@dataclass(frozen=True)
class Repairs:
    """Programs that were refused for one cause and sent back to be repaired.

    Attributes:
        cause: of the refusals.
        programs: how many were sent back.
        accepted: how many of them were of attempts that were accepted in the end.
        messages: the most frequent.
    """

    cause: str
    programs: int
    accepted: int
    messages: list[Said]


@dataclass(frozen=True)
class Usage:
    """What a run took, accepted or not; attempts without a verdict are not in it.

    Attributes:
        accepted: tasks, among which it may be shared out.
        prompt_tokens: of prompts.
        answer_tokens: of answers.
        cost: US dollars, or None where no price was given.
        model_seconds: waiting for answers, added up over attempts, also where several waited at
            once.
        total_seconds: of attempts from start to end, added up in the same way.
        cuts: how often a prompt was cut to fit the model's context.
        changed: calls that a replay answered although their prompt was another by then.
    """

    accepted: int
    prompt_tokens: int
    answer_tokens: int
    cost: float | None
    model_seconds: float
    total_seconds: float
    cuts: int
    changed: int

    def each(self, amount: float | None) -> float | None:
        """An amount for each accepted task; None where there is none."""
        return amount / self.accepted if self.accepted and amount is not None else None


@dataclass(frozen=True)
class Diversity:
    """How much the accepted tasks differ from each other.

    Attributes:
        tasks: how many.
        self_bleu: of their descriptions; low is diverse, None for fewer than two.
        spread: mean of 1 - likeness over pairs of descriptions; None for fewer than two.
        embedder: that said how alike they are.
        drawn: tasks whose assets could be counted.
        entropy: of those assets, in bits: how evenly the tasks use them.
        entropy_share: of the most that it can be, where all assets are used equally.
    """

    tasks: int
    self_bleu: float | None
    spread: float | None
    embedder: str
    drawn: int
    entropy: float
    entropy_share: float


@dataclass(frozen=True)
class Record:
    """What a run's folder says.

    Attributes:
        name: of the folder.
        settings: of the run.
        verdicts: in the order of attempts.
        unfinished: attempts that have calls but no verdict.
    """

    name: str
    settings: Settings
    verdicts: list[Verdict]
    unfinished: list[int]

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Read a folder.

        Raises:
            RecordingError: where it is no run, is damaged, or has no verdict yet.
        """
        recording = Recording(folder)
        settings = Settings.of(recording)
        verdicts = read_verdicts(folder)
        if not verdicts:
            raise RecordingError(f"{folder} has no verdict yet: none of its attempts has ended")
        for verdict in verdicts:
            _check(folder, verdict)
        ended = {verdict.attempt for verdict in verdicts}
        begun = [k for k in recording.attempts() if k not in ended and recording.calls(k)]
        return cls(folder.resolve().name, settings, verdicts, begun)

    @property
    def accepted(self) -> list[Verdict]:
        """Attempts whose tasks are in the library."""
        return [verdict for verdict in self.verdicts if verdict.accepted]

    @property
    def judged(self) -> list[Verdict]:
        """Attempts that say something about the model: those that no failed call has ended."""
        return [verdict for verdict in self.verdicts if verdict.cause != "api"]

    def rates(self, *, first: bool) -> dict[str, Rate]:
        """How many attempts passed each stage, with their first program or after repairs."""
        passed = [_first(v) if first else set(v.passed) for v in self.judged]
        return {
            stage: Rate.wilson(sum(stage in each for each in passed), len(passed))
            for stage in STAGES
        }

    def outcomes(self) -> list[Outcome]:
        """Every way to end, also those that did not come about; they add up to the attempts."""
        problems: dict[str, list[str]] = {name: [] for name in ("accepted", *CAUSES)}
        for verdict in self.verdicts:
            problems[verdict.cause or "accepted"].append(verdict.problem)
        return [Outcome(name, len(said), _frequent(said)) for name, said in problems.items()]

    def repairs(self) -> list[Repairs]:
        """What programs were sent back for."""
        found: dict[str, list[tuple[str, bool]]] = {}
        for verdict in self.verdicts:
            for cause, message in verdict.refusals:
                found.setdefault(cause, []).append((message, verdict.accepted))
        return [
            Repairs(
                cause, len(said), sum(accepted for _, accepted in said),
                _frequent(message for message, _ in said),
            )
            for cause, said in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        ]  # fmt: skip

    def usage(self, price: tuple[float, float] | None) -> Usage:
        """What the attempts took.

        Args:
            price: US dollars for a million tokens of prompts, and of answers.
        """
        prompt, answer = (sum(v.tokens[k] for v in self.verdicts) for k in (0, 1))
        model, total = (
            round(sum(v.seconds.get(key, 0.0) for v in self.verdicts), 3)
            for key in ("model", "total")
        )
        cost = None if price is None else (prompt * price[0] + answer * price[1]) / 1e6
        cuts = sum(sum(v.cuts.values()) for v in self.verdicts)
        changed = sum(len(v.changed) for v in self.verdicts)
        return Usage(len(self.accepted), prompt, answer, cost, model, total, cuts, changed)

    def diversity(self, embedder: Embedder, shots: Iterable[Shot]) -> Diversity:
        """How the accepted tasks differ.

        Args:
            embedder: says how alike they are.
            shots: of the accepted tasks.
        """
        summaries = [summary(verdict) for verdict in self.accepted]
        texts = [describe(v.name, s) for v, s in zip(self.accepted, summaries, strict=True)]
        facts = [shot.facts for shot in shots if shot.facts is not None]
        assets = coverage(facts).assets
        bits, most = entropy(assets.values()), entropy([1] * len(assets))
        return Diversity(
            len(texts),
            self_bleu(summaries),
            spread(embedder.likeness(texts, texts)) if len(texts) > 1 else None,
            embedder.name,
            len(facts),
            bits,
            round(bits / most, 4),
        )


def summary(verdict: Verdict) -> str:
    """A task in a sentence: its program's docstring, which every scheme has, else its proposal."""
    try:
        docstring = gate(verdict.program).docstring
    except TaskError:
        docstring = ""
    return docstring.strip().split("\n")[0] or str(verdict.proposal.get("description", ""))


def _check(folder: Path, verdict: Verdict) -> None:
    """What types do not say: that pairs are pairs, and that amounts and depths can be shown.

    Raises:
        RecordingError: naming the file.
    """
    pairs: list[Sequence[Any]] = [verdict.tokens, *verdict.refusals, *verdict.votes]
    amounts = [*verdict.tokens, *verdict.seconds.values(), *verdict.cuts.values()]
    problem = ""
    if any(len(pair) != 2 for pair in pairs):
        problem = "tokens, a refusal or a vote is no pair"
    elif not all(0 <= amount < _MOST for amount in amounts):
        problem = "tokens, seconds or cuts are out of range"
    try:
        verdict.to_json()
    except RecursionError:
        problem = "it is nested too deep"
    if problem:
        path = Recording(folder).path(verdict.attempt).with_suffix(".json")
        raise RecordingError(f"{path} is damaged: {problem}")


def _first(verdict: Verdict) -> set[str]:
    """Stages that the first program passed; where it was never repaired, it was also the last."""
    return {*verdict.first, *([] if verdict.refusals else verdict.passed)}


def _frequent(messages: Iterable[str]) -> list[Said]:
    """The most frequent messages; those that differ in numbers only are counted together."""
    counts = Counter(re.sub(r"\d+(\.\d+)?", "#", text) for text in messages if text)
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Said(text, count) for text, count in order[:MOST_MESSAGES]]


def settings_shown(settings: Settings) -> dict[str, Any]:
    """What of the settings tells runs apart, by the name of its option."""
    shown = asdict(settings)
    del shown["run"]
    return shown
