"""Evaluation: what is played, what is counted, and what is refused before anything is played."""

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
from agents.errors import AgentsError
from agents.evaluation import report
from agents.evaluation.evaluate import PERTURBATIONS, PRETRAINED, evaluate
from agents.evaluation.rollout import Outcome, Player, Row, episode, outcome
from agents.policies import nothing, oracle
from agents.policies.base import load_agent
from gensim_envs.seeds import TEST, TRAINING

BOWL, INSERTION, WHEEL = (
    "gensim/PutBlockInBowl-v0",
    "gensim/BlockInsertion-v0",
    "gensim/BuildWheel-v0",
)
ORACLE, NOTHING, RANDOM = Player("oracle"), Player("nothing"), Player("random")


def row(env: str, obs_mode: str = "state", perturb: Mapping[str, Any] | None = None) -> Row:
    return Row(env, "train", tuple((perturb or {}).items()), obs_mode, ())


def figures(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: result[key] for key in ("success", "return", "seeds", "rows", "left_out")}


def test_results_do_not_depend_on_the_number_of_workers() -> None:
    envs, seeds = [BOWL, INSERTION], TEST[:7]
    one, two = (evaluate(RANDOM, envs, seeds=seeds, workers=count) for count in (1, 2))
    assert figures(one) == figures(two)
    steps = [each["steps"] for r in one["rows"] for each in r["outcomes"]]
    assert len(steps) == 14 and min(steps) > 1


def test_the_policy_that_ships_plays_its_tasks(tmp_path: Path) -> None:
    file, task = tmp_path / "shipped.json", "gensim/NestTheTrays-v0"
    assert main(["evaluate", "--env", task, "--episodes", "4", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["success"] >= 0.75  # 99 % of 100
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 20e6
    assert len(load_agent(PRETRAINED).about.envs) == 10


def test_the_command_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "report.json"
    command = ["evaluate", "--agent", "oracle", "--env", BOWL, WHEEL, "--episodes", "3",
               "--split", "train", "test", "--workers", "2", "--json", str(file)]  # fmt: skip
    assert main(command) == 0
    result = json.loads(file.read_text())
    assert (result["success"], result["episodes"]) == (1.0, 3)
    assert result["return"] == pytest.approx(1, abs=1e-9)
    assert result["seeds"] == [30_000, 30_001, 30_002]
    assert [(r["env"], r["split"]) for r in result["rows"]] == [
        (BOWL, "train"), (BOWL, "test"), (WHEEL, "train"),
    ]  # fmt: skip
    # Its colours are always red, blue and green, so no split is unseen.
    assert [(each["env"], each["split"]) for each in result["left_out"]] == [(WHEEL, "test")]
    for each in result["rows"]:
        assert each["episodes"] == len(each["outcomes"]) == 3 and each["perturb"] == {}
        assert each["steps"] == sum(o["steps"] for o in each["outcomes"])
        assert each["success_interval"] == report.wilson(3, 3)
    assert {"agent", "versions", "machine", "seconds", "command"} <= set(result)
    text = capsys.readouterr().out
    assert "unseen" in text and "100.0%" in text and f"left out: {WHEEL}, test" in text


def test_doing_nothing_earns_nothing() -> None:
    result = evaluate(NOTHING, [BOWL], seeds=TEST[:2], workers=1)
    assert (result["success"], result["return"]) == (0, 0)
    assert [each["steps"] for each in result["rows"][0]["outcomes"]] == [8, 8]


def test_the_instruction_is_given_anew_at_each_step() -> None:
    env = row(WHEEL).make()
    steps = list(episode(env, oracle.Agent(), TEST[0]))
    said = [step.instruction for step in steps]
    env.close()
    assert steps[-1].success and len(said) == 9
    assert len(set(said)) == 3 and said == sorted(said, key=said.index)  # one goal after the other


def test_an_episode_has_the_perturbation() -> None:
    wrong, right = row(BOWL, "rgbd", {"instruction": "wrong"}), row(BOWL, "rgbd")
    env = right.make()
    first = [next(episode(env, nothing.Agent(), TEST[0], each.options)) for each in (right, wrong)]
    env.close()
    assert first[0].instruction != first[1].instruction
    np.testing.assert_array_equal(first[0].observation["color"], first[1].observation["color"])


def test_what_perturb_may_be_is_what_resets_take() -> None:
    env = row(BOWL, "rgbd").make()
    for key, value in PERTURBATIONS.items():
        env.reset(seed=TEST[0], options={"perturb": {key: value}})
    env.close()


def test_a_draw_that_cannot_be_perturbed_is_said_and_not_counted() -> None:
    full = row(INSERTION, "state", {"distractors": 8})  # more than its vector has room for
    env = full.make()
    refused = outcome(env, nothing.Agent(), TEST[0], full.options)
    env.close()
    assert refused.refused is not None and "distractors" in refused.refused
    played = Outcome(TEST[1], True, 1.0, 2)
    result = report.summary({full: [refused, played]}, [], TEST[:2])
    assert (result["success"], result["rows"][0]["episodes"]) == (1, 1)
    assert list(result["rows"][0]["refused"]) == [str(TEST[0])]
    result = report.summary({full: [refused], row(BOWL): [played]}, [], TEST[:1])
    assert [each["env"] for each in result["left_out"]] == [INSERTION]
    with pytest.raises(AgentsError, match="distractors"):
        report.summary({full: [refused]}, [], TEST[:1])


@pytest.mark.parametrize("rate", [(0, 20), (15, 148), (81, 263), (20, 20)])
def test_a_rate_lies_within_the_score_interval(rate: tuple[int, int]) -> None:
    solved, trials = rate
    low, high = report.wilson(*rate)
    # Each end is the probability from which the rate is 1.96 of its standard deviations away.
    for end in (low, high):
        if 0 < end < 1:
            spread = math.sqrt(end * (1 - end) / trials)
            assert abs(solved / trials - end) == pytest.approx(1.96 * spread, rel=1e-4)
    assert 0 <= low <= solved / trials <= high <= 1 and low < high


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = list(np.random.default_rng(0).normal(0.5, 0.1, 400))
    low, high = report.bootstrap(values)
    half = 1.96 * np.std(values) / math.sqrt(len(values))
    assert (low, high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), abs=5e-4)
    assert report.bootstrap(values) == [low, high]


@pytest.mark.parametrize(
    "player, envs, options, message",
    [
        (ORACLE, [BOWL], {"seeds": [TRAINING[5]]}, "100005 is a training seed"),
        (ORACLE, [BOWL], {"seeds": []}, "no episodes"),
        (ORACLE, [BOWL], {"splits": ["unseen"]}, "use train, test or both"),
        (ORACLE, [BOWL], {"workers": 0}, "workers is 0"),
        (ORACLE, ["gensim/Nothing-v0"], {}, "gensim list"),
        (ORACLE, ["CartPole-v1"], {}, "CartPole-v1 has actions Discrete"),
        (ORACLE, [], {}, "trained on no task"),
        (Player("transporter"), [BOWL], {}, "--checkpoint"),
        (Player(checkpoint=Path("nowhere")), [BOWL], {}, "nowhere is no checkpoint"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_refused(
    player: Player, envs: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AgentsError, match=message):
        evaluate(player, envs, **{"seeds": TEST[:1], **options})


def test_actions_other_than_the_six_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    make = Row.make
    monkeypatch.setattr(
        Row, "make",
        lambda self, **more: gym.wrappers.TransformAction(
            make(self, **more), lambda a: a, gym.spaces.Discrete(3)
        ),
    )  # fmt: skip
    with pytest.raises(AgentsError, match="six bounded numbers"):
        evaluate(ORACLE, [BOWL], seeds=TEST[:1])


@pytest.mark.parametrize(
    "command, message",
    [
        (["--agent", "oracle", "--env", BOWL, "--episodes", "0"], "episodes is 0"),
        (["--agent", "oracle", "--env", BOWL, "--json", "/proc/none/x.json"], "cannot be written"),
        (["--checkpoint", "nowhere"], "nowhere is no checkpoint"),
    ],
)
def test_bad_use_is_one_line_and_exit_2(
    command: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *command]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
