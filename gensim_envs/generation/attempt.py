"""One attempt at a task, from a proposal to a candidate for publishing or a refusal."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import Executor
from dataclasses import dataclass

from gensim_envs.errors import TaskError
from gensim_envs.generation import check, validate
from gensim_envs.generation.conversation import Conversation, Proposal
from gensim_envs.generation.propose import Idea, implement, propose, repair, single_prompt
from gensim_envs.generation.providers import ApiError
from gensim_envs.generation.publish import Candidate
from gensim_envs.generation.recording import Settings
from gensim_envs.generation.reflect import check_votes, read_instructions, vote
from gensim_envs.generation.verdict import Verdict
from gensim_envs.library import file_of
from gensim_envs.sandbox.gate import extract


def make_attempt(
    talk: Conversation, idea: Idea, settings: Settings, executor: Executor, weak: bool = False
) -> tuple[Verdict, Candidate | None]:
    """Make one attempt, up to publishing, which must happen in order.

    Args:
        talk: the conversation with the model.
        idea: the inputs of the proposal.
        settings: settings of the run.
        executor: runs draws and episodes.
        weak: run programs also where this machine cannot isolate them.

    Returns:
        (verdict, candidate); the candidate is None if the attempt was refused.

    Raises:
        ProviderError: if no call can succeed.
        Stopped: if the run is to stop.
    """
    began = time.monotonic()
    verdict, candidate = Verdict(talk.attempt), None
    try:
        with check.refusing("runtime"):
            candidate = _Attempt(talk, idea, settings, executor, verdict, weak).make()
    except (TaskError, ApiError) as error:
        verdict.refuse(error)
    verdict.tokens, verdict.cuts = list(talk.tokens), dict(talk.cuts)
    verdict.changed = list(talk.changed)
    total = time.monotonic() - began
    verdict.seconds = {"model": round(talk.seconds, 3), "total": round(total, 3)}
    return verdict, candidate


@dataclass
class _Attempt:
    """The state of an attempt; its verdict is filled in on the way."""

    talk: Conversation
    idea: Idea
    settings: Settings
    executor: Executor
    verdict: Verdict
    weak: bool

    def make(self) -> Candidate:
        talk, verdict, memory = self.talk, self.verdict, self.idea.memory
        proposal = propose(talk, self.idea) if self.settings.scheme == "chain" else None
        if proposal is not None:
            verdict.name, verdict.proposal = proposal.name, proposal.model_dump()
            verdict.passed = ["proposal"]
            answer, verdict.references = implement(talk, memory, proposal)
        else:
            few = self.settings.scheme == "few-shot"
            answer, verdict.references = single_prompt(talk, self.idea, few=few)
        candidate = self._repaired(answer, proposal)
        proposal = proposal or _implied(candidate.survey.name, candidate.survey.summary)
        verdict.proposal = proposal.model_dump()
        read_instructions(talk, candidate.survey.first)
        verdict.passed.append("semantics")
        verdict.votes = vote(talk, memory, proposal, candidate, self.settings.critics)
        check_votes(verdict.votes)
        verdict.passed.append("reflection")
        verdict.id = candidate.record.id
        return candidate

    def _repaired(self, answer: str, proposal: Proposal | None) -> Candidate:
        """The first program that passes; a refused one goes back to the model."""
        verdict = self.verdict
        while True:
            try:
                with check.refusing("runtime"):
                    return self._measured(answer, proposal)
            except TaskError as error:
                if error.cause == "novelty" or len(verdict.refusals) == self.settings.rounds:
                    raise
                earlier = [message for _, message in verdict.refusals]
                verdict.refusals.append([error.cause, str(error)])
                wanted = proposal or _implied(verdict.name or "Task", "as you planned it")
                line = _line(answer, error.line)
                answer = repair(self.talk, wanted, answer, error, line, earlier)
            finally:
                verdict.first = verdict.first or list(verdict.passed)

    def _measured(self, answer: str, proposal: Proposal | None) -> Candidate:
        """Take one program through every check that needs no model."""
        verdict, memory, notice = self.verdict, self.idea.memory, self.talk.notice
        verdict.passed = ["proposal"] if proposal is not None else []
        verdict.program = ""
        notice("gate")
        source, program = check.program_of(answer, mend=True, weak=self.weak)
        verdict.program, verdict.name = source, program.name
        if proposal is not None and program.name != proposal.name:
            problem = f"the class is called {program.name}"
            raise TaskError(problem, f"Call it {proposal.name}", cause="gate")
        verdict.passed.append("gate")
        memory.refuse_known_program(source)
        notice("spec")
        survey = check.survey_in(self.executor, program, source)
        if proposal is None:
            memory.refuse_known_description(survey.name, survey.summary)
        verdict.passed.append("spec")
        notice("oracle")
        certificate = validate.certify(program, survey.bounds, survey.redraws, self.executor)
        verdict.passed.append("oracle")
        return Candidate(source, survey, certificate, file_of(survey.name), answer)


def _line(answer: str, number: int | None) -> str:
    """A line of the program in an answer, or ""."""
    with contextlib.suppress(TaskError, IndexError):
        return extract(answer).splitlines()[number - 1].strip() if number else ""
    return ""


def _implied(name: str, summary: str) -> Proposal:
    """The proposal that a program of a single prompt implies."""
    return Proposal.model_construct(
        name=name, description=summary, assets=[], why_new="not asked for"
    )
