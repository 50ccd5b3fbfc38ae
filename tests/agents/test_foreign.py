"""Envs that are not of the suite."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from foreign import ID
from toys import HIGH, LOW, add, save

from agents.__main__ import main
from agents.data.demonstrations import Demonstrations, Sample


def evaluated(out: Path, *who: str) -> dict[str, object]:
    command = ["evaluate", *who, "--episodes", "12", "--workers", "1", "--json", str(out)]
    assert main(command) == 0
    (row,) = json.loads(out.read_text())["results"]
    assert (row["env"], row["split"], row["steps"]) == (ID, "train", 12)
    return dict(row)


PLAIN = ID.partition(":")[2]


def demonstrations(path: Path, env: str = PLAIN) -> Path:
    rng = np.random.default_rng(0)
    demos = Demonstrations("state", LOW, HIGH)
    for seed in range(200):
        state = np.float32(rng.uniform(-1, 1, 6))
        action = LOW + (state + 1) / 2 * (HIGH - LOW)
        add(demos, env, seed, [Sample("", action, state=state)])
    return save(demos, path)


def test_cloning_is_evaluated_on_an_env_of_another_suite(tmp_path: Path) -> None:
    data, out = demonstrations(tmp_path / "data"), tmp_path / "run"
    assert main([
        "train", "--policy", "bc_state", "--data", str(data), "--out", str(out), "--steps", "1500",
        "--validate-every", "0", "--device", "cpu", "--bc_state.width", "64",
        "--bc_state.dropout", "0", "--learning-rate", "5e-3",
    ]) == 0  # fmt: skip
    cloned = evaluated(tmp_path / "report.json", "--checkpoint", str(out), "--env", ID)
    by_chance = evaluated(tmp_path / "other.json", "--policy", "random", "--env", ID)
    assert cloned["success"] == 1 and by_chance["success"] == 0


def test_reinforcement_learns_on_an_env_of_another_suite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "run", tmp_path / "report.json"
    assert main([
        "train", "--policy", "ppo", "--env", ID, "--out", str(out), "--steps", "32", "--parallel",
        "1", "--ppo.n_steps", "16", "--ppo.batch_size", "16", "--ppo.hidden", "8",
    ]) == 0  # fmt: skip
    evaluated(report, "--checkpoint", str(out), "--env", ID, "--split", "train", "test")
    (left_out,) = json.loads(report.read_text())["left_out"]
    assert left_out["env"] == ID and "not of this suite" in left_out["why"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--policy", "oracle"], "choose another policy for it"),
        (["--policy", "random", "--perturb", "light"], "omit --perturb"),
        (["--policy", "random", "--split", "test"], "use --split train"),
    ],
)
def test_what_only_the_suite_has_is_refused(
    more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--env", ID, "--episodes", "1", *more]) == 2
    assert message in capsys.readouterr().err


def test_dagger_needs_an_oracle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, hostile = demonstrations(tmp_path / "a"), demonstrations(tmp_path / "b", ID)
    out = tmp_path / "run"
    train = ["train", "--policy", "dagger", "--validate-every", "0", "--out", str(out), "--data"]
    # A dataset must not choose which module is imported; its user may.
    assert main([*train, str(hostile)]) == 2
    assert "which is not registered" in capsys.readouterr().err
    assert main([*train, str(plain), "--env", ID]) == 2
    assert f"{PLAIN} has no oracle" in capsys.readouterr().err
    assert not list(out.glob("demos*"))
