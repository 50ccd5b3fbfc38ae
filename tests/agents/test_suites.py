"""Frozen suites: that they fit the registry, and what keeps them from changing unnoticed."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from agents.__main__ import main
from agents.benchmark.experiments import RunExperiment
from agents.benchmark.freezing import check, freeze, program_hashes
from agents.errors import AgentsError
from agents.evaluation.evaluate import PERTURBATIONS
from agents.policies.learned import policy_config
from agents.suites import SUITES, suite, task_list
from agents.training.config import TrainConfig
from agents.training.train import train
from gensim_envs.datasets import PERTURBATIONS as RECORDED
from gensim_envs.utils import cli

NAMES = [each["name"] for each in json.loads(SUITES.read_text())["suites"]]
POOLS = ["five", "ten", "twenty", "forty", "sixty"]
BLOCK = {"policies": ["oracle"], "tasks": "two"}
TASK = "gensim/ParkTheToyCars-v0"


def written(path: Path, experiments: list[dict[str, Any]], version: int = 0) -> Path:
    """A file with one suite, frozen."""
    made = {
        "lists": {
            "two": {"purpose": "Two", "tasks": ["gensim/BuildWheel-v0", "gensim/BuildCar-v0"]}
        },
        "suites": [{
            "name": "made", "version": version, "purpose": "Made for a test", "episodes": 2,
            "seed": 0, "threads": 1, "experiments": experiments,
            "conditions": {"seen": {"split": "train"}, "unseen": {"split": "test"}},
        }],
    }  # fmt: skip
    path.write_text(json.dumps(made))
    freeze(path)
    return path


def edited(path: Path, **changes: Any) -> Path:
    """The file with other entries in its suite."""
    data = json.loads(path.read_text())
    data["suites"][0] |= changes
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_suite_fits_the_shipped_registry(name: str) -> None:
    found = suite(name)
    check(found)
    assert set(found.programs) == {env for each in found.experiments for env in each.envs}
    assert freeze(SUITES) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_options_of_a_shipped_suite_are_those_of_training(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Checkpoints to start from do not exist yet.
    monkeypatch.setattr(
        "agents.training.train.default_policy_config", lambda name, _: policy_config(name, {})
    )
    found = suite(name)
    one_of_each = {(c.policy, c.kind, *c.options): c for c in found.experiments}.values()
    commands = [
        RunExperiment(c, found, 1, tmp_path / "demos", tmp_path).command() for c in one_of_each
    ]
    assert any(commands)
    for command in filter(None, commands):
        call: Any = cli.parse(train, "train", command)
        assert call.keywords["config"].out.parent.parent == tmp_path / "experiments"


def test_perturbations_are_those_of_the_evaluate_command() -> None:
    found = {
        condition.name: condition
        for each in suite("quick").experiments
        for condition in each.conditions
    }
    perturbed = [condition.perturb for condition in found.values() if condition.perturb]
    assert perturbed == list(PERTURBATIONS.values())


def test_training_takes_the_perturbations_that_recordings_have() -> None:
    annotation = get_type_hints(TrainConfig)["perturb"]
    assert get_args(get_args(annotation)[0]) == tuple(RECORDED)


def test_pools_grow_and_leave_out_what_is_held_out() -> None:
    pools = [set(task_list(name)) for name in POOLS]
    assert [len(pool) for pool in pools] == [5, 10, 20, 40, 60]
    assert all(small < large for small, large in itertools.pairwise(pools))
    new = set(task_list("near")) | set(task_list("far"))
    assert len(new) == 10 and not pools[-1] & new
    with pytest.raises(AgentsError, match="unknown task list 'eleven'"):
        task_list("eleven")


def test_experiments_are_named_and_start_from_earlier_ones() -> None:
    found = {each.name: each for each in suite("generalise").experiments}
    start = found["transporter-ten-50"]
    assert (start.kind, len(start.envs), start.conditions) == ("multi", 10, ())
    few, none = (found[f"transporter-ten-50-ParkTheToyCars-v0-{k}"] for k in (5, 0))
    assert (few.kind, few.envs, few.demos) == ("few-shot", ("gensim/ParkTheToyCars-v0",), 5)
    assert (none.kind, few.start, none.start) == ("zero-shot", start.name, start.name)
    assert found["transporter-ParkTheToyCars-v0-5"].kind == "single"


def test_experiments_of_other_seeds_start_from_their_own(tmp_path: Path) -> None:
    pool = {"policies": ["pointer"], "pool": "two", "demos": [3], "conditions": []}
    few = {"policies": ["pointer"], "tasks": [TASK], "start": {"pool": "two", "demos": 3}}
    blocks = [pool | {"seeds": [0, 2]}, few | {"seeds": [2], "demos": [5]}, few | {"demos": [5]}]
    found = suite("made", written(tmp_path / "suites.json", blocks)).experiments
    assert [(each.name, each.start, each.seed) for each in found] == [
        ("pointer-two-3", None, 0),
        ("pointer-two-3-seed2", None, 2),
        (f"pointer-two-3-seed2-{TASK[7:]}-5", "pointer-two-3-seed2", 2),
        (f"pointer-two-3-{TASK[7:]}-5", "pointer-two-3", 0),
    ]


def test_variants_are_part_of_names(tmp_path: Path) -> None:
    pool = {"policies": ["pointer"], "pool": "two", "demos": [3], "variant": "more words"}
    start = {"pool": "two", "demos": 3, "variant": "more words"}
    few = {"policies": ["pointer"], "tasks": [TASK], "demos": [5], "start": start}
    blocks = [pool, few, few | {"variant": "high rate"}]
    found = suite("made", written(tmp_path / "suites.json", blocks)).experiments
    assert [(each.name, each.start, each.variant) for each in found] == [
        ("pointer-two-3-more_words", None, "more words"),
        (f"pointer-two-3-more_words-{TASK[7:]}-5", "pointer-two-3-more_words", None),
        (f"pointer-two-3-more_words-{TASK[7:]}-5-high_rate", "pointer-two-3-more_words",
         "high rate"),
    ]  # fmt: skip


def test_a_changed_program_is_refused_by_name() -> None:
    quick = suite("quick")
    env = "gensim/BlockInsertion-v0"
    other = replace(quick, programs=quick.programs | {env: "0" * 64})
    with pytest.raises(
        AgentsError, match=rf"program of {env} has changed .* raise the suite's version"
    ):
        check(other)
    with pytest.raises(AgentsError, match="gensim/Nowhere-v0 is not registered"):
        program_hashes(["gensim/Nowhere-v0"])


def test_a_changed_suite_needs_a_new_version(tmp_path: Path) -> None:
    path = written(tmp_path / "suites.json", [BLOCK])
    first = suite("made", path)
    changed: list[dict[str, Any]] = [
        {"episodes": 3},
        {"programs": {}},
        {"experiments": [BLOCK | {"options": {"steps": 7}}]},
    ]
    for changes in changed:
        with pytest.raises(AgentsError, match=r"'made' .* has changed since version 0"):
            suite("made", edited(written(tmp_path / "suites.json", [BLOCK]), **changes))
    with pytest.raises(AgentsError, match="Raise its version to 1"):
        freeze(edited(path, episodes=3))
    assert freeze(edited(path, episodes=3, version=1)) == ["made"]
    second = suite("made", path)
    assert (second.version, second.programs) == (1, first.programs)
    assert second.sha256 != first.sha256


def test_a_list_belongs_to_the_suites_that_use_it(tmp_path: Path) -> None:
    path = written(
        tmp_path / "suites.json", [{"policies": ["transporter"], "pool": "two", "demos": [1]}]
    )
    data = json.loads(path.read_text())
    data["lists"]["two"]["tasks"].reverse()
    path.write_text(json.dumps(data))
    with pytest.raises(AgentsError, match="has changed since"):
        suite("made", path)


@pytest.mark.parametrize(
    ("experiments", "message"),
    [
        ([{"policies": ["oracle"]}], "block 1 .* either tasks, one policy each, or a pool"),
        ([BLOCK | {"tasks": "three"}], "unknown task list 'three'; use two"),
        ([BLOCK | {"conditions": ["dark"]}], "unknown condition 'dark'; use seen, unseen"),
        ([BLOCK | {"task": "two"}], r"experiments\[0\]: 'task' is unknown"),
        ([BLOCK | {"tasks": [1]}], r"experiments\[0\].tasks: expected a text"),
        ([BLOCK | {"demos": 10}], r"experiments\[0\].demos: expected a list"),
        ([BLOCK | {"seeds": [0.5]}], r"experiments\[0\].seeds\[0\]: expected an integer"),
        ([BLOCK | {"seeds": []}], r"experiments\[0\].seeds: expected a list of 1 to"),
        ([BLOCK | {"variant": "../seed1"}], "variant: expected words in lower case"),
        ([BLOCK | {"demos": [5], "start": {"pool": "two"}}], r"\[0\].start: 'demos' is missing"),
        ([BLOCK | {"demos": [0]}], "needs one to start from"),
        ([BLOCK, BLOCK], "two experiments 'oracle-BuildWheel-v0'"),
        ([BLOCK | {"start": {"pool": "two", "demos": 5}}], "starts from 'oracle-two-5'"),
    ],
)  # fmt: skip
def test_an_invalid_suite_is_refused(
    experiments: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(AgentsError, match=message):
        written(tmp_path / "suites.json", experiments)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"unseen": {"splt": "test"}}, "'splt' is unknown"),
        ({"unseen": {"split": "tset"}}, "expected 'train' or 'test'"),
        ({"unseen": ["test"]}, "expected an object"),
    ],
)
def test_an_invalid_condition_is_refused(
    conditions: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = edited(written(tmp_path / "suites.json", [BLOCK]), conditions=conditions, version=1)
    with pytest.raises(AgentsError, match=rf"conditions\['unseen'\].*{message}"):
        freeze(path)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"options": {"stepz": 3}}, "'pointer-ParkTheToyCars-v0-1': unrecognized options: --stepz"),
        ({"policies": ["oracel"]}, "unknown policy 'oracel'; choose one of transporter"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_recorded(
    block: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    block = {"policies": ["pointer"], "tasks": [TASK], "demos": [1]} | block
    path, out = written(tmp_path / "suites.json", [block]), tmp_path / "out"
    command = ["benchmark", "--suites", str(path), "--suite", "made", "--out", str(out)]
    assert main(command) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_suite_that_was_never_frozen_is_refused(tmp_path: Path) -> None:
    path = edited(written(tmp_path / "suites.json", [BLOCK]), frozen={})
    with pytest.raises(AgentsError, match=r"is not frozen. Run python -m agents freeze --file /"):
        suite("made", path)


def test_the_freeze_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "suites.json", [BLOCK])
    assert main(["freeze", "--file", str(path)]) == 0
    assert main(["freeze", "--file", str(edited(path, seed=1, version=2))]) == 0
    assert main(["freeze", "--file", str(edited(path, seed=2))]) == 2
    assert main(["freeze", "--file", str(tmp_path / "none.json")]) != 0
    out, err = capsys.readouterr()
    assert out == "nothing has changed\nfrozen: made\n"
    assert "Raise its version to 3" in err and "none.json cannot be read" in err
