"""A small suite that is killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agents.__main__ import main
from agents.benchmark.freezing import freeze
from agents.benchmark.run import _jobs, selected
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.suites import suite
from agents.training.collect import collect

ENV = "gensim/BlockInsertion-v0"
CLONING = {"steps": 40, "checkpoint-every": 1, "validate-every": 0, "batch-size": 4}
RECORDED = f"{ENV[7:]}-state-light-camera-disturb0.5-3"
DIVERGING = CLONING | {"learning-rate": 1e30, "warmup": 0}
RANDOMISED = CLONING | {"steps": 1, "perturb": ["light", "camera"], "disturb": 0.5}
EXPERIMENTS = [
    {"policies": ["oracle"], "tasks": [ENV], "conditions": ["seen", "unseen", "wrong instruction"]},
    {
        "policies": ["bc_state"],
        "tasks": [ENV],
        "demos": [2],
        "options": CLONING,
        "conditions": ["seen"],
    },
    {"policies": ["bc_state"], "tasks": [ENV], "demos": [1], "options": DIVERGING},
    {
        "policies": ["bc_state"],
        "tasks": [ENV],
        "demos": [3],
        "options": RANDOMISED,
        "conditions": [],
        "variant": "moved cameras",
    },
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite with a scripted policy, trained ones, and one that cannot be trained."""
    path = tmp_path_factory.mktemp("suites") / "suites.json"
    made = {
        "name": "tiny", "version": 0, "purpose": "Made for a test", "episodes": 2, "seed": 0,
        "threads": 1, "experiments": EXPERIMENTS,
        "conditions": {
            "seen": {"split": "train"}, "unseen": {"split": "test"},
            "wrong instruction": {"perturb": {"instruction": "wrong"}},
        },
    }  # fmt: skip
    path.write_text(json.dumps({"lists": {}, "suites": [made]}))
    freeze(path)
    return path


def command(file: Path, out: Path, *more: str) -> list[str]:
    return ["benchmark", "--suites", str(file), "--suite", "tiny", "--out", str(out), *more]


def test_a_killed_benchmark_resumes(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    oracle, cloning = (
        out / "experiments" / name for name in (f"oracle-{ENV[7:]}", f"bc_state-{ENV[7:]}-2")
    )
    killed = kill_when(
        lambda: (oracle / "experiment.json").exists() and lines(cloning / "run" / "log.jsonl") > 2,
        [sys.executable, "-m", "agents", *command(file, out, "--workers", "1")],
    )
    assert killed and not (cloning / "experiment.json").exists()
    kept = (oracle / "experiment.json").stat().st_mtime_ns
    begun = lines(cloning / "run" / "log.jsonl")
    assert 0 < begun < CLONING["steps"]

    assert main(command(file, out, "--workers", "2")) == 1  # since one experiment cannot be trained
    assert (oracle / "experiment.json").stat().st_mtime_ns == kept
    results = json.loads((out / "results.json").read_text())
    *first, randomised = results["experiments"]
    assert [each["name"] for each in first] == [oracle.name, cloning.name]
    check_experiments(*first)
    made = {path.name for path in (out / "demos").iterdir() if path.is_dir()}
    assert made == {f"{ENV[7:]}-state-2", RECORDED}
    assert randomised["name"] == f"bc_state-{ENV[7:]}-3-moved_cameras"
    assert f"--data DIR/demos/{RECORDED}" in randomised["commands"][0]
    (failed,) = results["failed"]
    assert failed["name"] == f"bc_state-{ENV[7:]}-1"
    assert "try a smaller --learning-rate" in failed["error"]
    assert "try a smaller --learning-rate" in capsys.readouterr().err
    text = (out / "results.md").read_text()
    assert "| oracle | 100 (34-100), 100 | 100 (34-100), 100 |" in text

    # Results of other numbers of episodes do not mix.
    capsys.readouterr()
    assert main(command(file, out, "--policy", "oracle", "--episodes", "1")) == 2
    assert "with --episodes 2, not of the current" in capsys.readouterr().err
    assert main(command(file, out, "--policy", "oracle", "--episodes", "2")) == 0
    assert (oracle / "experiment.json").stat().st_mtime_ns == kept

    # Tables do not wait for plots.
    (out / "results.md").unlink()
    with monkeypatch.context() as patch:
        patch.setattr("agents.benchmark.plots.plot", full)
        assert main(command(file, out, "--policy", "oracle")) == 2
    assert "| oracle | 100" in (out / "results.md").read_text()

    # What it trained is what the command that it reports trains in one go.
    reported = results["experiments"][1]["commands"][0].replace("DIR", str(out)).split()[3:]
    again = [*reported, "--out", str(tmp_path / "again")]
    assert main(again) == 0
    names = ("log.jsonl", "model.safetensors")
    assert all(
        (tmp_path / "again" / name).read_bytes() == (cloning / "run" / name).read_bytes()
        for name in names
    )


def test_demonstrations_are_recorded_as_the_experiment_says(file: Path, tmp_path: Path) -> None:
    tiny = suite("tiny", file)
    record, _ = _jobs(tiny, tiny.experiments[-1:], tmp_path, 1)
    record.work()
    made = Demonstrations.load(tmp_path / "demos" / RECORDED).sha256()

    other, perturb = tmp_path / "other", ("light", "camera")
    options = {"obs_mode": "state", "workers": 1, "perturb": perturb, "disturb": 0.5}
    assert made == collect([ENV], 3, other, **options).sha256()


def test_a_checkpoint_tells_how_its_demonstrations_were_recorded(tmp_path: Path) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    collect([ENV], 1, data / "light", obs_mode="state", workers=1, perturb=["light"], disturb=0.5)
    collect([ENV], 1, data / "plain", obs_mode="state", workers=1)
    train = ["train", "--policy", "bc_state", "--steps", "1", "--validate-every", "0"]
    assert main([*train, "--data", str(data), "--out", str(run)]) == 0
    told = json.loads((run / "config.json").read_text())["training"]
    light, plain = {"perturb": ["light"], "disturb": 0.5}, {"perturb": [], "disturb": 0.2}
    assert told["recorded_with"] == [light, plain] and not {"perturb", "disturb"} & told.keys()


def full(*_: object) -> list[str]:
    raise AgentsError("no space is left")


def check_experiments(oracle: dict[str, Any], cloning: dict[str, Any]) -> None:
    (seen,) = oracle["conditions"]["seen"]["results"]
    assert (seen["env"], seen["split"], seen["success"], seen["episodes"]) == (ENV, "train", 1, 2)
    assert oracle["conditions"]["unseen"]["results"][0]["split"] == "test"
    assert oracle["conditions"]["seen"]["seeds"] == [30_000, 30_001]
    assert oracle["seconds"]["train"] is None and cloning["seconds"]["train"] > 0
    (wrong,) = oracle["conditions"]["wrong instruction"]["results"]  # which an oracle ignores
    assert wrong["paired"] == {"both": 2, "gained": 0, "lost": 0, "neither": 0}
    assert seen["paired"] is None and "outcomes" not in seen
    assert {"cpu", "cores", "gpu"} <= set(oracle["machine"])
    assert (cloning["demos"], cloning["kind"], cloning["seed"]) == (2, "single", 0)


def lines(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


def kill_when(ready: Any, arguments: list[str]) -> bool:
    """Run a command and kill it as soon as a condition holds; returns whether it was killed."""
    process = subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": os.getcwd()})
    deadline = time.monotonic() + 120
    while process.poll() is None and not ready() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_a_folder_belongs_to_one_suite(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suite.json").write_text('{"name": "quick", "version": 3, "sha256": ""}')
    assert main(command(file, tmp_path)) == 2
    assert "holds results of version 3 of suite 'quick'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--policy", "sac"], "no policy 'sac'; it has bc_state, oracle"),
        (["--demos", "1000"], "no number of demonstrations 1000; it has 1, 2"),
        (["--pool", "ten"], "no pool 'ten'"),
        (["--episodes", "0"], "--episodes is 0"),
        (["--workers", "0"], "'0' is not a whole number from 1"),
    ],
)
def test_invalid_options_are_refused(
    more: list[str], message: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(file, tmp_path, *more)) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_selected_experiments_include_those_they_start_from() -> None:
    generalise = suite("generalise")
    chosen = selected(
        generalise,
        policies=["transporter"],
        envs=["gensim/RainbowStack-v0"],
        demos=[5],
        pools=["ten"],
    )
    assert [each.name for each in chosen] == [
        "transporter-ten-50",
        "transporter-ten-50-RainbowStack-v0-5",
        "transporter-RainbowStack-v0-5",
    ]
    assert selected(generalise) == list(generalise.experiments)
    with pytest.raises(AgentsError, match="no experiment that fits"):
        selected(generalise, envs=["gensim/BuildCar-v0"], demos=[1])
