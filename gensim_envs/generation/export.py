"""Write a library as fine-tuning data: the pipeline's prompt for each program, and the program.

train.jsonl, held_out.jsonl   OpenAI's chat format, one task a line
manifest.json                 the side of each task and its group of near-duplicates
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
from gensim_envs.utils import files

TRAIN, HELD_OUT, MANIFEST = "train.jsonl", "held_out.jsonl", "manifest.json"
SIMILAR_DESCRIPTION = 0.30
"""Similarity from which two descriptions keep tasks on one side; novelty refuses from 0.60."""
SIMILAR_PROGRAM = 0.50
"""The same for programs, which novelty refuses from 0.90. Both were chosen on the shipped library,
where they join all variants of a task, such as its sequential form."""


@dataclass(frozen=True)
class Example:
    """A task as an example to tune a model on.

    Attributes:
        entry: the task.
        group: number of its group of near-duplicates, from 0.
        held_out: whether it is held out.
    """

    entry: Entry
    group: int
    held_out: bool

    @property
    def messages(self) -> tuple[Message, Message, Message]:
        """The pipeline's prompt for this program, without plan and references, and the program."""
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
        """An estimate of their number."""
        return estimate(message.content for message in self.messages)


def examples(entries: Sequence[Entry], share: float, rng: np.random.Generator) -> list[Example]:
    """All tasks as examples, with near-duplicates on one side.

    Args:
        entries: the tasks.
        share: of the tasks to hold out, in [0, 1).
        rng: draws which.
    """
    groups = near_duplicates(entries)
    held_out = split(groups, share, rng)
    return [
        Example(entry, group, group in held_out)
        for entry, group in zip(entries, groups, strict=True)
    ]


def near_duplicates(entries: Sequence[Entry]) -> list[int]:
    """The group of each task; similar tasks share one, also through others."""
    if not entries:
        return []
    texts = [entry.text for entry in entries]
    programs = [skeleton(entry.source) for entry in entries]
    similar = TfIdf().likeness(texts, texts) >= SIMILAR_DESCRIPTION
    similar |= TfIdf().likeness(programs, programs) >= SIMILAR_PROGRAM
    return [int(label) for label in connected_components(similar, directed=False)[1]]


def split(groups: Sequence[int], share: float, rng: np.random.Generator) -> set[int]:
    """Choose groups to hold out: in random order, each that brings the held-out share closer.

    At least one task is wanted unless the share is 0, and at least one group stays for training.

    Args:
        groups: the group of each task.
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
        folder: where; it is created.
        settings: that led to them, for the manifest.

    Raises:
        FileError: if they cannot be written.
    """
    for name in (TRAIN, HELD_OUT):
        lines = [example.line for example in found if example.held_out == (name == HELD_OUT)]
        files.write(folder / name, "".join(lines).encode())
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
    files.write(folder / MANIFEST, manifest.encode())
