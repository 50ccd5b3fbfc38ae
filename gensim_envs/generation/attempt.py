"""One attempt at a task, from an idea to a program that may be published, or to why not."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from typing import Any

from gensim_envs.errors import Cause, TaskError
from gensim_envs.generation import check, publish, validate
from gensim_envs.generation.conversation import Conversation, Proposal
from gensim_envs.generation.memory import Entry, View
from gensim_envs.generation.propose import Idea, Scheme, implement, propose, repair, single_prompt
from gensim_envs.generation.reflect import judge_votes, read_instructions, vote
from gensim_envs.library import Record

STAGES = ("proposal", "gate", "spec", "oracle", "semantics", "reflection", "published")
"""What a task passes, in order; novelty is judged along the way and again at the end."""


@dataclass
class Verdict:
    """How one attempt went.

    Attributes:
        attempt: its number.
        cause: why it was refused, or None where it was accepted.
        problem: in words, with the remedy.
        name: of the task, as far as it has one.
        id: of the record, where it was accepted.
        proposal: what was proposed.
        references: tasks whose code was shown.
        passed: stages that the last program passed.
        first: stages that the first program passed, before any repair.
        refusals: [cause, message] of each program that was refused and repaired.
        votes: of the critics.
        tokens: of prompts, and of answers.
        seconds: "model": waiting for answers; "total": from start to end.
        cuts: calls whose prompt was cut to fit the model's context, and how often.
        changed: calls that a replay answered although their prompt is another now.
        program: the last one, as far as there is one.
    """

    attempt: int
    cause: Cause | None = None
    problem: str = ""
    name: str = ""
    id: str = ""
    proposal: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    refusals: list[list[str]] = field(default_factory=list)
    votes: list[list[str]] = field(default_factory=list)
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    seconds: dict[str, float] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    program: str = ""

    @property
    def accepted(self) -> bool:
        """Whether it is in the library."""
        return self.cause is None

    def refuse(self, cause: Cause, problem: str) -> None:
        """Set down why it was refused."""
        self.cause, self.problem, self.id = cause, problem, ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Draft:
    """What is to be published.

    Attributes:
        record: of the registry.
        source: the program.
        answer: that it came in.
        entry: as it will be remembered.
    """

    record: Record
    source: str
    answer: str
    entry: Entry


@dataclass(frozen=True)
class Rules:
    """How attempts go, the same for all of a run.

    Attributes:
        scheme: the whole chain, or a single prompt with or without examples.
        rounds: repairs at most.
        critics: who vote.
    """

    scheme: Scheme
    rounds: int
    critics: int


def make_attempt(
    talk: Conversation, idea: Idea, rules: Rules, executor: Executor, notice: Callable[[str], None]
) -> tuple[Verdict, Draft | None]:
    """One attempt, up to what must be done in order: publishing.

    Args:
        talk: with the model.
        idea: what it is to be about.
        rules: of the run.
        executor: processes for simulation.
        notice: called with the name of each stage as it begins.

    Returns:
        (verdict, draft); there is a draft where nothing speaks against publishing.

    Raises:
        ApiError, ProviderError, Stopped: from the provider; see there.
    """
    began = time.monotonic()
    verdict = Verdict(talk.attempt)
    try:
        draft: Draft | None = _draft(talk, idea, rules, executor, notice, verdict)
    except TaskError as error:
        verdict.refuse(error.cause, str(error))
        draft = None
    settle(verdict, talk, began)
    return verdict, draft


def settle(verdict: Verdict, talk: Conversation, began: float) -> None:
    """Write down what an attempt took."""
    verdict.tokens, verdict.cuts = list(talk.tokens), dict(talk.cuts)
    verdict.changed = list(talk.changed)
    total = time.monotonic() - began
    verdict.seconds = {"model": round(talk.seconds, 3), "total": round(total, 3)}


def _draft(
    talk: Conversation, idea: Idea, rules: Rules, executor: Executor,
    notice: Callable[[str], None], verdict: Verdict,
) -> Draft:  # fmt: skip
    if rules.scheme == "chain":
        proposal = propose(talk, idea)
        verdict.name, verdict.proposal = proposal.name, proposal.model_dump()
        verdict.passed = ["proposal"]
        answer, verdict.references = implement(talk, idea.view, proposal)
    else:
        proposal = None
        answer, verdict.references = single_prompt(talk, idea, few=rules.scheme == "few-shot")
        verdict.passed = ["proposal"]
    for round in range(rules.rounds + 1):
        try:
            source, survey, certificate = _try(
                answer, proposal, idea.view, executor, notice, verdict
            )
            break
        except TaskError as error:
            if not round:
                verdict.first = list(verdict.passed)
            if error.cause == "novelty" or round == rules.rounds:
                raise
            verdict.refusals.append([error.cause, str(error)])
            asked = proposal or _unproposed(verdict.name or "Task", "as you planned it")
            answer = repair(talk, asked, answer, error)
    verdict.first = verdict.first or list(verdict.passed)
    proposal = proposal or _unproposed(survey.name, survey.summary)
    entry = Entry(survey.name, survey.summary, source, check.facts(source, survey.first))
    verdict.proposal = proposal.model_dump()
    read_instructions(talk, survey.first)
    verdict.passed.append("semantics")
    verdict.votes = vote(
        talk, idea.view, proposal, source, survey.first, certificate.to_json(), rules.critics
    )
    judge_votes(verdict.votes)
    verdict.passed.append("reflection")
    record = publish.row_of(source, survey, certificate)
    verdict.id = record.id
    return Draft(record, source, answer, entry)


def _try(
    answer: str, proposal: Proposal | None, view: View, executor: Executor,
    notice: Callable[[str], None], verdict: Verdict,
) -> tuple[str, check.Survey, validate.Certificate]:  # fmt: skip
    """One program through everything that needs no model."""
    verdict.passed = ["proposal"]
    verdict.program = ""
    notice("gate")
    source, program = check.program_of(answer)
    verdict.program, verdict.name = source, program.name
    if proposal is not None and program.name != proposal.name:
        raise TaskError(
            f"the class is called {program.name}", f"Call it {proposal.name}", cause="gate"
        )
    verdict.passed.append("gate")
    view.refuse_twin_of_program(source)
    notice("spec")
    survey = executor.submit(check.survey_source, source).result()
    if proposal is None:
        view.refuse_twin_of_description(survey.name, survey.summary)
    verdict.passed.append("spec")
    notice("oracle")
    certificate = validate.certify(program, survey.bounds, survey.redraws, executor=executor)
    verdict.passed.append("oracle")
    return source, survey, certificate


def _unproposed(name: str, summary: str) -> Proposal:
    """What a single prompt has proposed, as far as its program says."""
    return Proposal.model_construct(
        name=name, description=summary, assets=[], why_new="not asked for"
    )
