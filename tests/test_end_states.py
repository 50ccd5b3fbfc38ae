"""The judge agrees with a person about end states that were made by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from conftest import BOUNDS, Program
from end_states import Case, play
from end_states.table import TABLE

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.task.goals import RELATIONS

CASES = [pytest.param(case, id=f"{group}: {case.name}") for group in TABLE for case in TABLE[group]]


@pytest.mark.parametrize("case", CASES)
def test_the_judge_agrees_with_a_person(case: Case) -> None:
    env = TabletopEnv(Program(case.build), BOUNDS, obs_mode="state")
    info = play(env, case)
    env.close()
    assert info["success"] == case.done
    assert (info["progress"] == 1) == case.done
    assert case.violation in info["violation"]
    assert bool(info["violation"]) == bool(case.violation)


def test_the_table_covers_every_relation_on_both_sides() -> None:
    found: Counter[tuple[str, bool]] = Counter()
    for case in (case for group in TABLE.values() for case in group):
        spec = Program(case.build).draw("train", 0).spec
        found.update({(goal.relation, case.done) for goal in spec.goals})
    assert all(found[relation, side] > 0 for relation in RELATIONS for side in (True, False))
    verdicts = Counter(case.done for group in TABLE.values() for case in group)
    assert min(verdicts.values()) >= 100
