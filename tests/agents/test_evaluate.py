"""Evaluation: settings, outcomes, and errors that are raised before any episode."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from agents.__main__ import main
from agents.benchmark.experiments import _without_episodes
from agents.errors import AgentsError
from agents.evaluation import results
from agents.evaluation.command import PRETRAINED
from agents.evaluation.evaluate import PERTURBATIONS, evaluate
from agents.evaluation.playing import Outcome, Setting, canonical, outcome, play
from agents.policies import scripted
from agents.policies.learned import LearnedPolicy
from gensim_envs.errors import PerturbationError, TaskError
from gensim_envs.seeds import TEST, TRAINING
from gensim_envs.utils.statistics import wilson

BOWL, INSERTION, WHEEL = (
    "gensim/PutBlockInBowl-v0",
    "gensim/BlockInsertion-v0",
    "gensim/BuildWheel-v0",
)
ORACLE, NOOP, RANDOM = "oracle", "noop", "random"


def row(env: str, obs_mode: str = "state", perturb: Mapping[str, Any] | None = None) -> Setting:
    return Setting(env, "train", perturb or {}, obs_mode)


def figures(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: result[key] for key in ("success", "return", "seeds", "results", "left_out")}


def test_results_do_not_depend_on_the_number_of_workers() -> None:
    envs, seeds = [BOWL, INSERTION], TEST[:7]
    one, two = (evaluate(RANDOM, envs, seeds=seeds, workers=count) for count in (1, 2))
    assert figures(one) == figures(two)
    steps = [each["steps"] for r in one["results"] for each in r["outcomes"]]
    assert len(steps) == 14 and min(steps) > 1


def test_the_shipped_policy_plays(tmp_path: Path) -> None:
    file, task = tmp_path / "shipped.json", "gensim/ColorOrderedBlocksOnPallet-v0"
    assert main(["evaluate", "--env", task, "--episodes", "8", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["success"] >= 0.75  # all of 8
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 20e6
    assert len(LearnedPolicy.from_pretrained(PRETRAINED).spec.envs) == 10


def test_the_shipped_pointer_plays_with_kit_pieces_that_it_has_not_seen() -> None:
    folder = PRETRAINED.with_name("pointer")
    report = evaluate(folder, ["gensim/KitInBowlInSquare-v0"], seeds=TEST[:8], splits=["test"])
    assert report["success"] >= 0.75  # all of 8
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3e6


def test_the_command_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "report.json"
    command = ["evaluate", "--policy", "oracle", "--env", BOWL, WHEEL, "--episodes", "3",
               "--split", "train", "test", "--workers", "2", "--json", str(file)]  # fmt: skip
    assert main(command) == 0
    result = json.loads(file.read_text())
    assert (result["success"], result["episodes"]) == (1.0, 3)
    assert result["return"] == pytest.approx(1, abs=1e-9)
    assert result["seeds"] == [30_000, 30_001, 30_002]
    assert [(r["env"], r["split"]) for r in result["results"]] == [
        (BOWL, "train"), (BOWL, "test"), (WHEEL, "train"), (WHEEL, "test"),
    ]  # fmt: skip
    assert result["left_out"] == []
    for each in result["results"]:
        assert each["episodes"] == len(each["outcomes"]) == 3 and each["perturb"] == {}
        assert each["steps"] == sum(o["steps"] for o in each["outcomes"])
        assert each["success_interval"] == list(wilson(3, 3))
    assert {"policy", "versions", "machine", "seconds", "command"} <= set(result)
    text = capsys.readouterr().out
    assert "unseen" in text and "100.0%" in text


def test_a_noop_has_no_return() -> None:
    result = evaluate(NOOP, [BOWL], seeds=TEST[:2], workers=1)
    assert (result["success"], result["return"]) == (0, 0)
    assert [each["steps"] for each in result["results"][0]["outcomes"]] == [8, 8]


def test_a_policy_gets_the_current_instruction_at_each_step() -> None:
    env = row(WHEEL).make()
    steps = list(play(env, scripted.OraclePolicy(), TEST[0]))
    said = [step.info["instruction"] for step in steps]
    env.close()
    assert steps[-1].success and len(said) == 9
    assert len(set(said)) == 2 and said == sorted(said, key=said.index)  # one goal after the other


def test_an_episode_has_the_perturbation() -> None:
    wrong, right = row(BOWL, "rgbd", {"instruction": "wrong"}), row(BOWL, "rgbd")
    env = right.make()
    first = [
        next(play(env, scripted.NoopPolicy(), TEST[0], each.options)) for each in (right, wrong)
    ]
    env.close()
    assert first[0].info["instruction"] != first[1].info["instruction"]
    np.testing.assert_array_equal(first[0].observation["color"], first[1].observation["color"])


@pytest.mark.parametrize("written", [BOWL, BOWL[:-3], f"gensim_envs:{BOWL}", f"agents:{BOWL[:-3]}"])
def test_a_task_of_the_suite_is_known_by_every_id_that_gymnasium_takes(written: str) -> None:
    assert canonical(written) == BOWL
    result = evaluate(NOOP, [written], seeds=TEST[:1], splits=["train", "test"], workers=1)
    assert [each["env"] for each in result["results"]] == [BOWL, BOWL]


def test_ids_of_other_envs_stay() -> None:
    for env in ("CartPole-v1", "CartPole", "agents:Other-v0", "gensim/NoTask", "not an id"):
        assert canonical(env) == env


def test_a_failed_evaluation_leaves_no_report(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("old")
    for name in ("old.json", "new.json"):
        assert main(["evaluate", "--checkpoint", "nowhere", "--json", str(tmp_path / name)]) == 2
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("old.json", "old")]


def test_resets_accept_all_perturbations() -> None:
    env = row(BOWL, "rgbd").make()
    for perturb in PERTURBATIONS.values():
        env.reset(seed=TEST[0], options={"perturb": perturb})
    env.close()


def test_episodes_are_paired_by_seed() -> None:
    def result(*outcomes: tuple[int, bool]) -> dict[str, Any]:
        its = [{"seed": seed, "success": success} for seed, success in outcomes]
        return {"env": BOWL, "outcomes": its}

    plain = {"results": [result((0, True), (1, True), (2, False), (3, True))]}
    short = _without_episodes(result((1, False), (2, True), (0, True)), plain)
    assert short["paired"] == {"both": 1, "gained": 1, "lost": 1, "neither": 0}
    assert "outcomes" not in short
    assert _without_episodes(result((7, True)), plain)["paired"] is None
    assert _without_episodes(result((0, True)), None)["paired"] is None


def test_policies_for_any_number_of_items_see_distractors() -> None:
    report = evaluate(
        PRETRAINED.with_name("pointer"), ["gensim/NestTheTrays-v0"], seeds=TEST[:1],
        perturb={"distractors": 4}, workers=1,
    )  # fmt: skip
    assert report["results"][0]["episodes"] == 1 and not report["results"][0]["refused"]


def test_a_refused_perturbation_is_reported_and_not_counted() -> None:
    full = row(INSERTION, "state", {"distractors": 8})  # more than its vector has room for
    env = full.make()
    refused = outcome(env, scripted.NoopPolicy(), TEST[0], full.options)
    env.close()
    assert refused.refused is not None and "distractors" in refused.refused
    played = Outcome(TEST[1], True, 1.0, 2)
    result = results.summary({full: [refused, played]}, [], TEST[:2])
    assert (result["success"], result["results"][0]["episodes"]) == (1, 1)
    assert list(result["results"][0]["refused"]) == [str(TEST[0])]
    result = results.summary({full: [refused], row(BOWL): [played]}, [], TEST[:1])
    assert [each["env"] for each in result["left_out"]] == [INSERTION]
    with pytest.raises(AgentsError, match="distractors"):
        results.summary({full: [refused]}, [], TEST[:1])


class Broken(gym.Env[Any, Any]):
    """Raises an error from `reset`."""

    def __init__(self, error: Exception) -> None:
        self.action_space = gym.spaces.Box(-1, 1, (6,), np.float32)
        self.error = error

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        raise self.error


def test_only_errors_of_a_seed_count_as_refused() -> None:
    """A ValueError of an env is a bug; it must not leave the success rate."""
    policy = scripted.NoopPolicy()
    for error in (PerturbationError("too many"), TaskError("no room", redraw=True)):
        assert outcome(Broken(error), policy, 0).refused is not None
    for bug in (ValueError("a bug"), TaskError("wrong")):
        with pytest.raises(type(bug)):
            outcome(Broken(bug), policy, 0)


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = list(np.random.default_rng(0).normal(0.5, 0.1, 400))
    low, high = results.bootstrap(values)
    half = 1.96 * np.std(values) / math.sqrt(len(values))
    assert (low, high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), abs=5e-4)
    assert results.bootstrap(values) == [low, high]


@pytest.mark.parametrize(
    "source, envs, options, message",
    [
        (ORACLE, [BOWL], {"seeds": [TRAINING[5]]}, "100005 is a training seed"),
        (ORACLE, [BOWL], {"seeds": []}, "seeds is empty"),
        (ORACLE, [BOWL], {"splits": ["unseen"]}, "use train, test or both"),
        (ORACLE, ["gensim/Nothing-v0"], {}, "gensim list"),
        (ORACLE, ["CartPole-v1"], {}, "CartPole-v1 has actions Discrete"),
        (ORACLE, [], {}, "trained on no task"),
        ("transporter", [BOWL], {}, "--checkpoint"),
        (Path("nowhere"), [BOWL], {}, "nowhere is not a checkpoint"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_refused(
    source: str | Path, envs: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AgentsError, match=message):
        evaluate(source, envs, **{"seeds": TEST[:1], **options})


def test_other_action_spaces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    make = Setting.make
    monkeypatch.setattr(
        Setting, "make",
        lambda self, **more: gym.wrappers.TransformAction(
            make(self, **more), lambda a: a, gym.spaces.Discrete(3)
        ),
    )  # fmt: skip
    with pytest.raises(AgentsError, match="six bounded numbers"):
        evaluate(ORACLE, [BOWL], seeds=TEST[:1])


@pytest.mark.parametrize(
    "command, message",
    [
        (["--policy", "oracle", "--env", BOWL, "--episodes", "0"], "--episodes is 0"),
        (["--policy", "oracle", "--env"], "--env needs at least one value"),
        (["--env", "--policy", "oracle"], "--env needs at least one value"),
        (["--policy", "oracle", "--env", BOWL, "--workers", "0"], "not a whole number from 1"),
        (["--policy", "oracle", "--env", BOWL, "--json", "/proc/none/x.json"], "cannot be written"),
        (["--checkpoint", "nowhere"], "nowhere is not a checkpoint"),
    ],
)
def test_errors_are_one_line(
    command: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *command]) in (1, 2)
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
