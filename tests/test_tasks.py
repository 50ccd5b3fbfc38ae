"""The shipped library as a whole: its variety, and what the documentation says of it."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import gymnasium as gym
import numpy as np
import pytest

from gensim_envs import Oracle, api
from gensim_envs.errors import Cause
from gensim_envs.generation.check import levels
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.memory import MOST_OF_AN_ASSET, Memory, recall
from gensim_envs.library import shipped
from gensim_envs.registration import load_program
from gensim_envs.sandbox.program import HandWritten
from gensim_envs.task.assets import ASSETS
from gensim_envs.task.spec import TaskSpec

LIBRARY = shipped()
ROWS = LIBRARY.records()
GENERATED = [record for record in ROWS if not record.hand_written]
OF_RAVENS = {
    "AlignBoxCorner", "AssemblingKits", "BlockInsertion", "ManipulatingRope", "PackingBoxes",
    "PalletizingBoxes", "PlaceRedInGreen", "StackBlockPyramid", "SweepingPiles", "TowersOfHanoi",
}  # fmt: skip
"""The tasks of Transporter Networks (arXiv 2010.14406)."""
OF_CLIPORT = {
    "AlignRope", "AssemblingKitsSeq", "PackingBoxesPairs", "PackingObjectsGroup",
    "PackingObjectsSeq", "PackingShapes", "PutBlockInBowl", "SeparatingPiles",
    "StackBlockPyramidSeq", "TowersOfHanoiSeq",
}  # fmt: skip
"""Those that CLIPort (arXiv 2109.12098) added."""


@functools.cache
def spec_of(row_id: str, split: str = "train", seed: int = 3) -> TaskSpec:
    program = load_program(LIBRARY, LIBRARY.record(row_id))
    return program.draw(split, seed).spec


def kinds(spec: TaskSpec) -> frozenset[str]:
    return frozenset(type(item.asset).__name__ for item in spec.items)


def relations(spec: TaskSpec) -> frozenset[str]:
    return frozenset(goal.relation for goal in spec.goals)


def test_every_task_of_ravens_and_cliport_is_there() -> None:
    hand_written = {record.name for record in ROWS if record.hand_written}
    assert hand_written == OF_RAVENS | OF_CLIPORT
    assert {f"gensim/{name}-v0" for name in hand_written} <= set(gym.registry)


def test_generated_tasks_are_many_and_of_one_to_eleven_goals() -> None:
    assert len(GENERATED) >= 40
    specs = [spec_of(record.id) for record in GENERATED]
    assert {len(spec.goals) for spec in specs} >= {*range(1, 10), 11}
    used = set.union(*(set(relations(spec)) for spec in specs))
    assert used >= {"at", "on", "inside", "along", "left of", "behind", "next to", "between"}


def test_no_asset_is_in_too_many_generated_tasks_and_each_is_in_two() -> None:
    specs = [spec_of(record.id) for record in GENERATED]
    uses = Counter(name for spec in specs for name in kinds(spec))
    # A zone is the plainest way to show a place, so it may be in a few more.
    zones = uses.pop("Zone")
    assert max(uses.values()) <= MOST_OF_AN_ASSET * len(specs), uses.most_common(3)
    assert zones <= 0.4 * len(specs)
    uses["Zone"] = zones
    made = set(ASSETS) - {"Mark"}  # which a scene paints itself
    assert {name: uses[name] for name in made if uses[name] < 2} == {}


def has(*names: str) -> Callable[[TaskSpec], bool]:
    return lambda spec: bool(kinds(spec) & set(names))


def loads_what_moves(spec: TaskSpec) -> bool:
    """Whether things come to be on or in something that can be moved itself."""
    bases = {place.base for goal in spec.goals for place in goal.places
             if goal.relation in ("on", "inside") and place.base is not None}  # fmt: skip
    return any(not spec.items[base].fixed for base in bases)


@pytest.mark.parametrize(
    "kind",
    [
        has("Rope"), has("Pile"), has("Fixture", "KitBoard", "PegStand"),
        has("Container", "Bowl"), has("Household"), lambda spec: levels(spec) > 3,
        loads_what_moves,
    ],
    ids=["ropes", "piles", "insertion", "containers", "household", "high stacks", "movable"],
)  # fmt: skip
def test_every_kind_of_task_is_generated_at_least_five_times(
    kind: Callable[[TaskSpec], bool],
) -> None:
    assert sum(kind(spec_of(record.id)) for record in GENERATED) >= 5


def test_no_two_generated_tasks_are_closer_than_the_novelty_bound() -> None:
    entries = {entry.name: entry for entry in recall(LIBRARY)}
    own = [entries[record.name] for record in GENERATED]
    for k, entry in enumerate(own):
        others = Memory(TfIdf(), own[:k] + own[k + 1 :])
        others.refuse_known_program(entry.source)
        others.refuse_known_description(entry.name, entry.summary)


@pytest.mark.parametrize("name", sorted(OF_CLIPORT))
def test_the_splits_of_a_language_task_draw_what_the_other_never_shows(name: str) -> None:
    """Colours, or the kinds of kit pieces and household objects."""
    seen: dict[str, set[str]] = {}
    for split in ("train", "test"):
        specs = [spec_of(f"gensim/{name}-v0", split, seed) for seed in range(12)]
        seen[split] = {
            look
            for spec in specs
            for item in spec.items
            for look in (item.asset.color, getattr(item.asset, "shape", ""),
                         getattr(item.asset, "kind", ""))
        }  # fmt: skip
    assert seen["train"] - seen["test"]
    assert seen["test"] - seen["train"]


@pytest.mark.parametrize(
    "name",
    ["AlignBoxCorner", "AssemblingKits", "BlockInsertion", "MultiLevelInsertion", "NestTheTrays",
     "TowersOfHanoiSeq"],
)  # fmt: skip
def test_what_fits_is_let_go_two_millimetres_off(name: str) -> None:
    env = gym.make(f"gensim/{name}-v0", obs_mode="state")
    for direction in np.arange(8) * np.pi / 4:
        env.reset(seed=7)
        action = Oracle(env).act()
        action[3:5] += 0.002 * np.cos(direction), 0.002 * np.sin(direction)
        action[5] += math.radians(2) * np.sign(-action[5])
        assert env.step(action)[1] > 0, math.degrees(direction)


def test_hand_written_tasks_run_in_process_and_generated_ones_do_not() -> None:
    for record in ROWS:
        assert isinstance(load_program(LIBRARY, record), HandWritten) == record.hand_written


def test_the_documentation_names_every_cause_and_all_that_programs_import() -> None:
    text = (Path(__file__).parents[1] / "docs" / "tasks.md").read_text(encoding="utf-8")
    causes = set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE))
    assert causes == set(get_args(Cause))
    for name in set(api.__all__) - {"Group", "Item", "Scene", "Task"}:
        assert re.search(rf"`[^`\n]*\b{name}\b", text), name
