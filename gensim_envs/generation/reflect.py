"""Review a working program with a model: read its instructions back, and vote on keeping it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Annotated, Any

from pydantic import Field

from gensim_envs.errors import TaskError
from gensim_envs.generation.conversation import Conversation, Proposal, Reply, Vote
from gensim_envs.generation.memory import Memory
from gensim_envs.generation.publish import Candidate
from gensim_envs.task.assets import Asset, Pile, Rope, Zone
from gensim_envs.task.goals import Goal, Relation
from gensim_envs.task.relations import supports
from gensim_envs.task.spec import ItemSpec, TaskSpec

NEIGHBOURS = 4
"""Number of similar tasks in the prompt of a critic."""

Number = Annotated[int, Field(ge=1, le=1000)]


class Asked(Reply):
    """A reader's understanding of one instruction; items are given by their numbers."""

    items: Annotated[list[Number], Field(max_length=100)]
    relation: Relation
    targets: Annotated[list[Number], Field(max_length=100)]
    order: Annotated[list[Number], Field(max_length=100)]
    doubt: Annotated[str, Field(max_length=1000)]


class Statement(Reply):
    """A reader's understanding of all instructions."""

    goals: Annotated[list[Asked], Field(max_length=100)]


def read_instructions(talk: Conversation, spec: TaskSpec) -> None:
    """Ask a model that sees only the scene and the sentences for the goals, and compare them.

    Raises:
        TaskError: with cause "semantics" if reader and program disagree, with "parse" if the
            answer is malformed.
    """
    sentences = [goal.instruction for goal in spec.goals]
    statement = talk.ask_json("restate", Statement, things=things(spec), sentences=sentences)
    compare(spec, statement)


def things(spec: TaskSpec) -> list[str]:
    """The scene as a reader sees it: equal items in one line, with their numbers from 1.

    Only fixed items have positions.
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
        return f"{100 * asset.length:.0f} cm long"
    if isinstance(asset, Pile):
        return f"{asset.bodies} crumbs, {100 * asset.spread:.0f} cm across"
    return " x ".join(f"{100 * side:.0f}" for side in asset.size) + " cm"


def compare(spec: TaskSpec, statement: Statement) -> None:
    """Compare a reader's understanding with the program's goals.

    Raises:
        TaskError: with cause "semantics", naming the first goal on which they disagree.
    """
    if len(statement.goals) != len(spec.goals):
        raise TaskError(
            f"the {len(spec.goals)} instructions state {len(statement.goals)} goals",
            "Describe exactly one goal in each instruction",
            cause="semantics",
        )
    rows = zip(spec.goals, statement.goals, supports(spec), strict=True)
    for number, (goal, asked, below) in enumerate(rows, 1):
        if problem := _disagreement(spec, goal, asked, below):
            raise TaskError(
                f"the instruction {goal.instruction!r} {problem}",
                "State the goal in the instruction",
                cause="semantics",
                goal=number,
            )


def _disagreement(spec: TaskSpec, goal: Goal, asked: Asked, below: set[int]) -> str:
    """Why a reader's goal is not the program's, or ""."""
    if asked.doubt.strip():
        return f"is in doubt: {asked.doubt.strip()}"
    if any(n > len(spec.items) for n in [*asked.items, *asked.targets, *asked.order]):
        return "is read as one about objects that are not in the scene"
    items, targets, order = (
        [n - 1 for n in each] for each in (asked.items, asked.targets, asked.order)
    )
    if _kinds(spec, items) != _kinds(spec, goal.items):
        return (
            f"asks to move {_listed(spec, items)}, but the goal moves {_listed(spec, goal.items)}"
        )
    if not _same_relation(spec, goal, asked.relation, targets, below):
        return f"states the relation {asked.relation!r}, but the goal is {goal.relation!r}"
    bases = {place.base for place in goal.places if place.base is not None}
    strict = goal.relation in ("on", "inside")
    if strict and not set(_kinds(spec, targets)) & set(_kinds(spec, bases)):
        return (
            f"asks to put them {goal.relation} {_listed(spec, targets)}, but the goal is "
            f"{goal.relation} {_listed(spec, sorted(bases))}"
        )
    if not _same_pairs(spec, goal, items, targets):
        return "assigns items to targets differently"
    if order and not _same_order(spec, goal, order):
        return f"states the order {_listed(spec, order)}, but the goal has another"
    return ""


def _same_relation(
    spec: TaskSpec, goal: Goal, relation: str, targets: Sequence[int], below: set[int]
) -> bool:
    """Whether a relation describes the goal; poses can amount to several relations."""
    bases = {place.base for place in goal.places if place.base is not None} & set(targets)
    if goal.relation == relation:
        return True
    if goal.relation == "at":
        # On items that are there already, or on or in the base to which the poses are relative.
        return relation in ("on", "inside") and bool(bases | (below & set(targets)))
    if goal.relation == "inside":
        return relation == "on" and any(isinstance(spec.items[k].asset, Zone) for k in bases)
    # A row may be anywhere.
    return relation == "at" and bool(bases or goal.relation in ("along", "row"))


def _same_pairs(spec: TaskSpec, goal: Goal, items: Sequence[int], targets: Sequence[int]) -> bool:
    """Whether the items go to the targets that a reader names, if one is named for each.

    There are no pairs if any item may go to any place; see `task.progress.match`.
    """
    bases = [place.base for place in goal.places if place.base is not None]
    apart = len(bases) == len(goal.places) == len(goal.items) == len(items) == len(targets)
    if not apart or len(_kinds(spec, goal.items)) == 1 or goal.relation == "inside":
        return True
    mine = Counter((_kind(spec, a), _kind(spec, b)) for a, b in zip(goal.items, bases, strict=True))
    theirs = Counter((_kind(spec, a), _kind(spec, b)) for a, b in zip(items, targets, strict=True))
    return mine == theirs


def _same_order(spec: TaskSpec, goal: Goal, order: Sequence[int]) -> bool:
    """Whether the goal's places, lowest first, take the items in a reader's order."""
    ranks = [place.pose.z for place in goal.places]
    if len(goal.items) != len(goal.places) or len(order) != len(goal.items):
        return True
    theirs = [_kind(spec, item) for item in order]
    if len(set(ranks)) == len(ranks):
        pairs = sorted(zip(ranks, goal.items, strict=True))
        return theirs == [_kind(spec, item) for _, item in pairs]
    mine = [_kind(spec, item) for item in goal.items]
    return theirs in (mine, mine[::-1])


def _kind(spec: TaskSpec, item: int) -> Hashable:
    return spec.items[item].asset


def _kinds(spec: TaskSpec, items: Any) -> Counter[Hashable]:
    """Number of each kind; equal items are exchangeable."""
    return Counter(_kind(spec, item) for item in dict.fromkeys(items))


def _listed(spec: TaskSpec, items: Sequence[int]) -> str:
    counts = Counter(str(spec.items[item].asset) for item in items)
    return " and ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"


def vote(
    talk: Conversation, memory: Memory, proposal: Proposal, candidate: Candidate, critics: int
) -> list[list[str]]:
    """Ask critics whether a program is worth keeping.

    Returns:
        [vote, reason] of each critic; the vote is "unreadable" if the answer is malformed.
    """
    sentences = [goal.instruction for goal in candidate.survey.first.goals]
    nearest = memory.nearest(proposal.name, proposal.description, NEIGHBOURS)
    neighbours = [entry for entry, _ in nearest]
    votes = []
    for _ in range(critics):
        try:
            ballot = talk.ask_json(
                "reflect", Vote, proposal=proposal, source=candidate.source, sentences=sentences,
                neighbours=lambda cut: neighbours[: NEIGHBOURS >> cut],
                certificate=candidate.certificate,
            )  # fmt: skip
            votes.append([ballot.vote, ballot.why])
        except TaskError as error:
            votes.append(["unreadable", error.problem])
    return votes


def check_votes(votes: Sequence[Sequence[str]]) -> None:
    """Check that more than half of the critics vote yes.

    Raises:
        TaskError: with cause "reflection" and the first reason against it, if not.
    """
    against = [why for word, why in votes if word != "yes"]
    if votes and 2 * len(against) >= len(votes):
        raise TaskError(
            f"{len(against)} of {len(votes)} critics vote against it: {against[0]}",
            "Propose something else",
            cause="reflection",
        )
