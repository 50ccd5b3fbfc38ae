"""Ask for a proposal, and for the program of a proposal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import gensim_envs.api
from gensim_envs.errors import TaskError
from gensim_envs.generation.conversation import Conversation, Curriculum, Pick, Proposal, Review
from gensim_envs.generation.memory import Entry, Memory
from gensim_envs.generation.reference import asset_lines
from gensim_envs.task.assets import ASSETS

PAST = 12
"""Number of known tasks that the prompt for a proposal shows."""
CANDIDATES = 10
"""Number of tasks among which references are picked."""
REFERENCES = 4
"""Maximum number of tasks whose code the prompt for a program shows."""


@dataclass(frozen=True)
class Idea:
    """The inputs of the prompt for a proposal.

    Attributes:
        memory: the known tasks.
        rng: samples the tasks that prompts show.
        target: skill that the tasks should lead to, or "".
        step: step of a curriculum towards the target, or "".
        refused: recently refused tasks, each with the reason.
    """

    memory: Memory
    rng: np.random.Generator
    target: str = ""
    step: str = ""
    refused: Sequence[str] = ()


def propose(talk: Conversation, idea: Idea) -> Proposal:
    """Ask for a new task.

    Raises:
        TaskError: if the second proposal cannot be used either; with cause "parse" if it is
            malformed, has a name of the API or uses an unknown asset, with "novelty" if it is
            known.
    """

    def check(proposal: Proposal) -> None:
        if proposal.name in gensim_envs.api.__all__:
            raise TaskError(
                f"the API has a {proposal.name} already", "Give the task a name of its own",
                cause="parse",
            )  # fmt: skip
        idea.memory.refuse_known_description(proposal.name, proposal.description)

    past = idea.memory.sample(idea.rng, PAST)
    return talk.ask_json(
        "propose", Proposal, names={"assets": ASSETS}, check=check, assets=asset_lines(),
        past=lambda cut: past[: PAST >> cut], coverage=idea.memory.coverage(), refused=idea.refused,
        target=idea.target, step=idea.step, example=_example(past),
    )  # fmt: skip


def _example(past: Sequence[Entry]) -> str:
    """A known task as a proposal, in JSON; placeholders would be copied by small models."""
    name, summary, assets = "BallIntoBowl", "Put the ball into the bowl.", ["Ball", "Bowl"]
    if past:
        name, summary, assets = past[0].name, past[0].summary, list(past[0].facts.assets)
    why = f"No other task combines {' and '.join(assets)} in this way."
    proposal = Proposal.model_construct(name=name, description=summary, assets=assets, why_new=why)
    return json.dumps(proposal.model_dump(), ensure_ascii=False)


def curriculum(talk: Conversation, target: str, steps: int) -> list[str]:
    """Ask for the steps towards a target.

    Raises:
        TaskError: with cause "parse", if an answer is malformed.
    """
    found = talk.ask_json(
        "curriculum", Curriculum, target=target, steps=steps, assets=asset_lines()
    ).steps
    if len(found) != steps:
        raise TaskError(f"the curriculum has {len(found)} steps, not {steps}", cause="parse")
    return found


def implement(talk: Conversation, memory: Memory, proposal: Proposal) -> tuple[str, list[str]]:
    """Pick references, review the API and ask for the program.

    The prompts with the API reference follow one another, so that a server with one slot reads it
    once. A model that knows the API from tuning is asked for the program at once, with that of the
    most similar task, as in its training data.

    Returns:
        (the answer, names of the references).

    Raises:
        TaskError: with cause "parse", if an answer is malformed.
    """
    nearest = memory.nearest(proposal.name, proposal.description, CANDIDATES)
    candidates = [entry for entry, _ in nearest]
    if talk.prompt == "short":
        shown = candidates[:1]
        answer = talk.ask("implement", proposal=proposal, review=None, references=_fewer(shown))
        return answer, [entry.name for entry in shown]
    by_name = {entry.name: entry for entry in candidates}
    pick = talk.ask_json(
        "pick", Pick, names={"references": by_name}, proposal=proposal, candidates=candidates,
        most=REFERENCES,
    )  # fmt: skip
    review = talk.ask_json("review", Review, proposal=proposal)
    references = [by_name[name] for name in dict.fromkeys(pick.references)][:REFERENCES]
    answer = talk.ask("implement", proposal=proposal, review=review, references=_fewer(references))
    return answer, [entry.name for entry in references]


def single_prompt(talk: Conversation, idea: Idea, *, few: bool) -> tuple[str, list[str]]:
    """Ask for idea and program at once, as a baseline of the chain, with examples or without.

    Returns:
        (the answer, names of the references).
    """
    references = idea.memory.sample(idea.rng, REFERENCES) if few else []
    answer = talk.ask("single", references=_fewer(references), target=idea.target)
    return answer, [entry.name for entry in references]


def repair(
    talk: Conversation, proposal: Proposal, answer: str, refusal: TaskError, line: str,
    earlier: Sequence[str],
) -> str:  # fmt: skip
    """Ask for a refused program again, with the reason.

    Args:
        talk: the conversation.
        proposal: the task.
        answer: the last answer.
        refusal: the reason for its refusal.
        line: line of the program that the refusal concerns, or "".
        earlier: the reasons for earlier refusals.
    """
    return talk.ask(
        "repair", proposal=proposal, answer=lambda cut: answer[: 8000 >> cut], refusal=refusal,
        line=line, earlier=earlier,
    )  # fmt: skip


def _fewer(references: list[Entry]) -> Callable[[int], list[Entry]]:
    """One example fewer for each cut."""
    return lambda cut: references[: max(0, len(references) - cut)]
