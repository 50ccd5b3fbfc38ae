"""The library as data to tune a model on: what the pipeline asks for a program, and the program.

train.jsonl, held_out.jsonl   OpenAI's chat format, a line for each task
manifest.json                 which task is where, in which group of near-duplicates
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from gensim_envs.generation.conversation import Proposal, system_message
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.memory import Entry, skeleton
from gensim_envs.generation.prompts import render
from gensim_envs.generation.providers import estimate
from gensim_envs.generation.recording import Message
from gensim_envs.library import digest

TRAIN, HELD_OUT, MANIFEST = "train.jsonl", "held_out.jsonl", "manifest.json"
KIN_DESCRIPTION = 0.30
"""Likeness from which two descriptions keep their tasks together; novelty refuses from 0.60."""
KIN_PROGRAM = 0.50
"""The same for programs, which novelty refuses from 0.90. Both were chosen on the shipped library,
where they join every pair of variants, such as a task and its sequential form."""


@dataclass(frozen=True)
class Example:
    """A task as a model is tuned on it.

    Attributes:
        entry: the task.
        group: number of its group of near-duplicates, from 0.
        held_out: which side it is on.
    """

    entry: Entry
    group: int
    held_out: bool

    @property
    def messages(self) -> tuple[Message, Message, Message]:
        """What the pipeline asks for this program, short of plan and references; the program."""
        entry = self.entry
        proposal = Proposal.model_construct(
            name=entry.name, description=entry.summary, assets=list(entry.facts.assets)
        )
        prompt = render("implement", proposal=proposal, review=None, references=[])
        answer = f"```python\n{entry.source.strip()}\n```"
        return system_message(code=True), Message("user", prompt), Message("assistant", answer)

    @property
    def line(self) -> str:
        """In OpenAI's chat format for fine-tuning."""
        messages = [{"role": m.role, "content": m.content} for m in self.messages]
        return json.dumps({"messages": messages}) + "\n"

    @property
    def tokens(self) -> int:
        """By estimate."""
        return estimate(message.content for message in self.messages)


def examples(entries: Sequence[Entry], share: float, rng: np.random.Generator) -> list[Example]:
    """Every task as an example, near-duplicates on one side.

    Args:
        entries: the tasks.
        share: of them to hold out, 0 up to but not including 1.
        rng: draws which.
    """
    groups = kin(entries)
    held_out = split(groups, share, rng)
    return [
        Example(entry, group, group in held_out)
        for entry, group in zip(entries, groups, strict=True)
    ]


def kin(entries: Sequence[Entry]) -> list[int]:
    """Number of each task's group: tasks that are alike, or joined by a row of such, share it."""
    if not entries:
        return []
    texts = [entry.text for entry in entries]
    programs = [skeleton(entry.source) for entry in entries]
    alike = TfIdf().likeness(texts, texts) >= KIN_DESCRIPTION
    alike |= TfIdf().likeness(programs, programs) >= KIN_PROGRAM
    return [int(label) for label in connected_components(alike, directed=False)[1]]


def split(groups: Sequence[int], share: float, rng: np.random.Generator) -> set[int]:
    """Groups to hold out: in random order, each that brings their tasks nearer to the share.

    At least one task is asked for unless the share is 0, and at least one group is left.

    Args:
        groups: number of each task's group.
        share: of the tasks.
        rng: draws the order.
    """
    numbers, sizes = np.unique(np.asarray(groups, dtype=int), return_counts=True)
    wanted = max(1, round(share * len(groups))) if share else 0
    held: set[int] = set()
    count = 0
    for k in rng.permutation(len(numbers)):
        nearer = abs(count + sizes[k] - wanted) < abs(count - wanted)
        if nearer and len(held) + 1 < len(numbers):
            held.add(int(numbers[k]))
            count += int(sizes[k])
    return held


def write(found: Sequence[Example], folder: Path, settings: dict[str, Any]) -> None:
    """Write the examples and their manifest.

    Args:
        found: the examples.
        folder: where to; it is made.
        settings: that led to them, for the manifest.

    Raises:
        OSError: where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (TRAIN, HELD_OUT):
        lines = [example.line for example in found if example.held_out == (name == HELD_OUT)]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    tasks = [
        {
            "name": example.entry.name,
            "side": "held_out" if example.held_out else "train",
            "group": example.group,
            "sha256": digest(example.entry.source),
            "tokens": example.tokens,
        }
        for example in found
    ]
    manifest = json.dumps({**settings, "tasks": tasks}, indent=1) + "\n"
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
