"""What other readers make of a program that works: what does it ask for, is it worth keeping?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from gensim_envs.errors import TaskError
from gensim_envs.generation.conversation import Conversation, Proposal, Reply, Vote
from gensim_envs.generation.memory import Memory
from gensim_envs.generation.prompts import render
from gensim_envs.task.assets import Asset, Pile, Rope, Zone
from gensim_envs.task.checks import supports
from gensim_envs.task.goals import Goal
from gensim_envs.task.spec import ItemSpec, TaskSpec

NEIGHBOURS = 4
"""Tasks of the library that critics are shown."""

Number = Annotated[int, Field(ge=1, le=1000)]


class Asked(Reply):
    """What one instruction asks for, as a reader understands it; things go by their numbers."""

    items: Annotated[list[Number], Field(max_length=100)]
    relation: Literal["at", "on", "inside", "along"]
    targets: Annotated[list[Number], Field(max_length=100)]
    order: Annotated[list[Number], Field(max_length=100)]
    doubt: Annotated[str, Field(max_length=1000)]


class Statement(Reply):
    """What all instructions ask for."""

    goals: Annotated[list[Asked], Field(max_length=100)]


def read_instructions(talk: Conversation, spec: TaskSpec) -> None:
    """Let somebody who sees only scene and sentences say what is asked for, and compare.

    Raises:
        TaskError: with cause "semantics" where reader and program disagree, with "parse" where
            the answer is malformed.
    """
    sentences = [goal.instruction for goal in spec.goals]
    statement = talk.ask_json(
        "restate",
        Statement,
        lambda cut: render("restate", things=things(spec), sentences=sentences),
    )
    compare(spec, statement)


def things(spec: TaskSpec) -> list[str]:
    """The scene as a reader sees it: equal things in one line, with their numbers from 1.

    Where something starts is said only of what is fixed.
    """
    lines: dict[Hashable, tuple[list[int], str]] = {}
    for k, item in enumerate(spec.items):
        key = (item.asset, item.start if item.fixed else None)
        numbers, _ = lines.setdefault(key, ([], _thing(item)))
        numbers.append(k + 1)
    return [f"{', '.join(map(str, numbers))}: {text}" for numbers, text in lines.values()]


def _thing(item: ItemSpec) -> str:
    asset = item.asset
    kind = type(asset).__name__
    also = "" if kind.lower() in asset.called else f" ({kind})"
    where = f", fixed at x {item.start.x:.2f}, y {item.start.y:.2f}" if item.fixed else ""
    return f"{asset}{also}, {_size(asset)}{where}"


def _size(asset: Asset) -> str:
    if isinstance(asset, Rope):
        return f"{100 * asset.LENGTH:.0f} cm long"
    if isinstance(asset, Pile):
        return f"{asset.bodies} crumbs, {100 * asset.spread:.0f} cm across"
    return " x ".join(f"{100 * side:.0f}" for side in asset.size) + " cm"


def compare(spec: TaskSpec, statement: Statement) -> None:
    """Hold what a reader understood against what the program asks for.

    Raises:
        TaskError: with cause "semantics", naming the first goal on which they disagree.
    """
    if len(statement.goals) != len(spec.goals):
        raise TaskError(
            f"a reader sees {len(statement.goals)} goals in {len(spec.goals)} sentences",
            "Let each sentence say one goal",
            cause="semantics",
        )
    below = supports(spec)
    for number, (goal, asked) in enumerate(zip(spec.goals, statement.goals, strict=True), 1):
        problem = _disagreement(spec, goal, asked, below[number - 1])
        if problem:
            raise TaskError(
                f"of {goal.instruction!r} {problem}",
                "Let the sentence say what the goal is",
                cause="semantics",
                goal=number,
            )


def _disagreement(spec: TaskSpec, goal: Goal, asked: Asked, below: set[int]) -> str:
    """Why a reader's goal is not the program's, or nothing."""
    if asked.doubt.strip():
        return f"a reader says: {asked.doubt.strip()}"
    numbers = [*asked.items, *asked.targets, *asked.order]
    if any(number > len(spec.items) for number in numbers):
        return "a reader names things that are not there"
    if _kinds(spec, [n - 1 for n in asked.items]) != _kinds(spec, goal.items):
        return (
            f"a reader would move {_listed(spec, [n - 1 for n in asked.items])}, the goal moves "
            f"{_listed(spec, goal.items)}"
        )
    bases = {place.base for place in goal.places if place.base is not None}
    told = [n - 1 for n in asked.targets]
    if not _same_relation(spec, goal, asked.relation, told, below):
        return f"a reader understands {asked.relation!r}, the goal is {goal.relation!r}"
    strict = goal.relation in ("on", "inside")
    if strict and not set(_kinds(spec, told)) & set(_kinds(spec, bases)):
        return (
            f"a reader would put them {goal.relation} {_listed(spec, told)}, the goal is about "
            f"{_listed(spec, sorted(bases))}"
        )
    if not _same_pairs(spec, goal, [n - 1 for n in asked.items], told):
        return "a reader would pair things and places in another way"
    if asked.order and not _same_order(spec, goal, [n - 1 for n in asked.order]):
        return f"a reader expects the order {_listed(spec, [n - 1 for n in asked.order])}"
    return ""


def _same_relation(
    spec: TaskSpec, goal: Goal, said: str, told: Sequence[int], below: set[int]
) -> bool:
    """Whether the words are fair for the goal: poses can amount to any relation to their frame."""
    bases = {place.base for place in goal.places if place.base is not None} & set(told)
    if goal.relation == said:
        return True
    if goal.relation == "at":
        # On what is already there, in a fixture or on a zone that the poses are given in.
        return said in ("on", "inside") and bool(bases | (below & set(told)))
    if goal.relation == "inside":
        return said == "on" and any(isinstance(spec.items[k].asset, Zone) for k in bases)
    return said == "at" and bool(bases or goal.relation == "along")


def _same_pairs(spec: TaskSpec, goal: Goal, items: Sequence[int], told: Sequence[int]) -> bool:
    """Whether each of several unlike things goes where a reader puts it, where he says it of each.

    Where any of the things may go to any of the places there are no pairs; see `goals.match`.
    """
    bases = [place.base for place in goal.places if place.base is not None]
    apart = len(bases) == len(goal.places) == len(goal.items) == len(items) == len(told)
    if not apart or len(_kinds(spec, goal.items)) == 1 or goal.relation == "inside":
        return True
    mine = Counter((_kind(spec, a), _kind(spec, b)) for a, b in zip(goal.items, bases, strict=True))
    theirs = Counter((_kind(spec, a), _kind(spec, b)) for a, b in zip(items, told, strict=True))
    return mine == theirs


def _same_order(spec: TaskSpec, goal: Goal, order: Sequence[int]) -> bool:
    """Whether the goal's places, lowest first, take the items in the order that a reader names."""
    ranks = [place.pose.z for place in goal.places]
    if len(goal.items) != len(goal.places) or len(order) != len(goal.items):
        return True
    if len(set(ranks)) == len(ranks):
        pairs = sorted(zip(ranks, goal.items, strict=True))
        mine = [_kind(spec, item) for _, item in pairs]
        return mine == [_kind(spec, item) for item in order]
    mine = [_kind(spec, item) for item in goal.items]
    theirs = [_kind(spec, item) for item in order]
    return theirs in (mine, mine[::-1])


def _kind(spec: TaskSpec, item: int) -> Hashable:
    return spec.items[item].asset


def _kinds(spec: TaskSpec, items: Any) -> Counter[Hashable]:
    """How many of each kind; which one of several equal things does not matter."""
    return Counter(_kind(spec, item) for item in dict.fromkeys(items))


def _listed(spec: TaskSpec, items: Sequence[int]) -> str:
    counts = Counter(str(spec.items[item].asset) for item in items)
    return " and ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"


def vote(
    talk: Conversation,
    memory: Memory,
    proposal: Proposal,
    source: str,
    spec: TaskSpec,
    certificate: dict[str, Any],
    critics: int,
) -> list[list[str]]:
    """Ask critics whether a program is worth keeping; an unreadable vote is not a yes.

    Returns:
        [vote, why] of each.
    """
    sentences = [goal.instruction for goal in spec.goals]
    neighbours = memory.nearest(proposal.name, proposal.description, NEIGHBOURS)

    def prompt(cut: int) -> str:
        return render(
            "reflect", proposal=proposal, source=source, sentences=sentences,
            neighbours=neighbours[: NEIGHBOURS >> cut], certificate=certificate,
        )  # fmt: skip

    votes = []
    for _ in range(critics):
        try:
            ballot = talk.ask_json("reflect", Vote, prompt)
            votes.append([ballot.vote, ballot.why])
        except TaskError as error:
            votes.append(["unreadable", error.problem])
    return votes


def check_votes(votes: Sequence[Sequence[str]]) -> None:
    """More than half must say yes.

    Raises:
        TaskError: with cause "reflection", saying why not.
    """
    against = [why for word, why in votes if word != "yes"]
    if votes and 2 * len(against) >= len(votes):
        raise TaskError(
            f"{len(against)} of {len(votes)} critics are not for it: {against[0]}",
            "Propose something else",
            cause="reflection",
        )
