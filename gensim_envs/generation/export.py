"""Fine-tuning data: for each task of a library the pipeline's prompt, and the program.

train.jsonl, held_out.jsonl   OpenAI's chat format, one task a line
manifest.json                 the side of each task and its group of near-duplicates
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError
from scipy.sparse.csgraph import connected_components

from gensim_envs.errors import GensimError, files_as
from gensim_envs.generation.conversation import Proposal, system_message
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.memory import Entry, Memory, skeleton
from gensim_envs.generation.prompts import render
from gensim_envs.generation.providers import estimate
from gensim_envs.generation.providers.client import without_key
from gensim_envs.generation.recording import Message, Prompt, first_problem
from gensim_envs.library import digest
from gensim_envs.utils import files
from gensim_envs.utils.decode import read

TRAIN, HELD_OUT, MANIFEST = "train.jsonl", "held_out.jsonl", "manifest.json"
SIMILAR_DESCRIPTION = 0.30
"""Similarity from which two descriptions keep tasks in one split; novelty refuses from 0.60."""
SIMILAR_PROGRAM = 0.50
"""The same for programs, which novelty refuses from 0.90. Both were chosen on the shipped library,
where they join all variants of a task, such as its sequential form."""

LEAST = 10
"""Minimum number of training examples, as OpenAI requires."""
_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")


class DataError(GensimError):
    """The data or finetune.json is invalid; the message names the file and line."""

    exit_code = 2


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json: the settings of the export, and what is known of each task."""

    format: str
    prompt: Prompt
    held_out: float
    seed: int
    tasks: list[Any]


class _Line(BaseModel):
    messages: Annotated[list[Message], Field(min_length=1)]


@dataclass(frozen=True)
class Example:
    """A task as an example for tuning a model.

    Attributes:
        entry: the task.
        group: number of its group of near-duplicates, from 0.
        held_out: whether it is held out.
        prompt: what the system message contains.
        reference: the task whose program the prompt shows, if any.
    """

    entry: Entry
    group: int
    held_out: bool
    prompt: Prompt = "full"
    reference: Entry | None = None

    @property
    def messages(self) -> tuple[Message, Message, Message]:
        """The pipeline's prompt for this program, without a plan, and the program."""
        entry = self.entry
        proposal = Proposal.model_construct(
            name=entry.name, description=entry.summary, assets=list(entry.facts.assets)
        )
        references = [self.reference] if self.reference else []
        asked = render("implement", proposal=proposal, review=None, references=references)
        answer = f"```python\n{entry.source.strip()}\n```"
        system = system_message(self.prompt, proposal)
        return system, Message("user", asked), Message("assistant", answer)

    @property
    def line(self) -> str:
        """In OpenAI's chat format for fine-tuning."""
        return json.dumps({"messages": [asdict(message) for message in self.messages]}) + "\n"

    @property
    def tokens(self) -> int:
        """Estimated number of tokens."""
        return estimate(message.content for message in self.messages)


def examples(
    entries: Sequence[Entry], share: float, rng: np.random.Generator, prompt: Prompt = "full"
) -> list[Example]:
    """All tasks as examples, with near-duplicates in the same split.

    A short prompt shows the most similar task's program, as the pipeline's does. It is that of a
    training task, and no near-duplicate, which would teach the model to copy.

    Args:
        entries: the tasks.
        share: share of the tasks to hold out, in [0, 1).
        rng: draws which.
        prompt: what their system messages contain.
    """
    groups = near_duplicates(entries)
    held_out = split(groups, share, rng)

    def reference(entry: Entry, group: int) -> Entry | None:
        others = [
            other
            for other, its in zip(entries, groups, strict=True)
            if its != group and its not in held_out
        ]
        nearest = Memory(TfIdf(), others).nearest(entry.name, entry.summary, 1)
        return nearest[0][0] if prompt == "short" and nearest else None

    return [
        Example(entry, group, group in held_out, prompt, reference(entry, group))
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
        share: share of the tasks to hold out.
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
        folder: output folder; created if it does not exist.
        settings: settings of the export, for the manifest.

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


def read_data(folder: Path, key: str = "", least: int = LEAST) -> dict[str, bytes]:
    """The files to tune a model on, unchanged.

    Args:
        folder: contains train.jsonl, and held_out.jsonl if tasks are held out.
        key: must not occur in them.
        least: minimum number of training examples.

    Raises:
        DataError: if a line is not an example or contains a key; the message names the first.
    """
    content: dict[str, bytes] = {}
    for name in (TRAIN, HELD_OUT):
        path = folder / name
        if not os.path.lexists(path):
            if name == TRAIN:
                raise DataError(f"{path} does not exist. Write it with gensim export")
            continue
        with files_as(DataError):
            content[name] = files.read(path)
        lines = content[name].splitlines()
        for number, line in enumerate(lines, 1):
            if problem := _problem(line, key):
                raise DataError(f"{path}, line {number}: {problem}")
        if name == TRAIN and len(lines) < least:
            raise DataError(f"{path} has {len(lines)} examples; at least {least} are needed")
    return {name: each for name, each in content.items() if each}


def prompt_of(folder: Path) -> Prompt | None:
    """What the prompts of exported data contain, as their manifest says; None if it is missing.

    Raises:
        DataError: if the manifest is damaged.
    """
    path = folder / MANIFEST
    with files_as(DataError):
        return read(path, Manifest).prompt if os.path.lexists(path) else None


def _problem(line: bytes, key: str) -> str:
    """The problem of a line, or "". It never quotes the line, which may contain a key."""
    try:
        messages = _Line.model_validate_json(line).messages
    except ValidationError as error:
        return first_problem(error, "it")
    text = line.decode()
    if without_key(text, key) != text or _KEY.search(text):
        return "it contains what looks like a key"
    if not all(message.content.strip() for message in messages):
        return "the content of a message is empty"
    if messages[-1].role != "assistant":
        return "the last message is not the assistant's"
    return ""
