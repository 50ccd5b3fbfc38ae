"""The shipped library as a whole: what it has to offer, and that its tasks differ."""

from __future__ import annotations

from collections import Counter

import gymnasium as gym
import pytest

from gensim_envs.library import shipped
from gensim_envs.program import HandWritten
from gensim_envs.registration import load_program
from gensim_envs.task.spec import TaskSpec

LIBRARY = shipped()
ROWS = LIBRARY.rows()
GENERATED = [row for row in ROWS if not row.hand_written]
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


def spec_of(row_id: str, split: str = "train", seed: int = 3) -> TaskSpec:
    program = load_program(LIBRARY, LIBRARY.row(row_id))
    return program.draw(split, seed).spec


def kinds(spec: TaskSpec) -> frozenset[str]:
    return frozenset(type(item.asset).__name__ for item in spec.items)


def relations(spec: TaskSpec) -> frozenset[str]:
    return frozenset(goal.relation for goal in spec.goals)


def test_every_task_of_ravens_and_cliport_is_there() -> None:
    hand_written = {row.name for row in ROWS if row.hand_written}
    assert hand_written == OF_RAVENS | OF_CLIPORT
    assert {f"gensim/{name}-v0" for name in hand_written} <= set(gym.registry)


def test_generated_tasks_differ_in_assets_relations_or_number_of_goals() -> None:
    specs = [spec_of(row.id) for row in GENERATED]
    looks = Counter((kinds(spec), relations(spec), len(spec.goals)) for spec in specs)
    assert len(GENERATED) >= 12
    assert max(looks.values()) == 1, looks
    assert sum(len(spec.goals) >= 3 for spec in specs) >= 6
    assert set.union(*(set(relations(spec)) for spec in specs)) == {"at", "on", "inside", "along"}


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


def test_hand_written_tasks_run_in_process_and_generated_ones_do_not() -> None:
    for row in ROWS:
        assert isinstance(load_program(LIBRARY, row), HandWritten) == row.hand_written
