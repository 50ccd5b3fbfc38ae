"""Recording demonstrations for training, and their export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gensim_envs
from agents.__main__ import main
from agents.data.demonstrations import Demonstrations
from agents.policies.text_encoders import PROBE
from agents.training.collect import collect
from gensim_envs.errors import GensimError
from gensim_envs.seeds import TEST, TRAINING

BOWL, CORNER = "gensim/PutBlockInBowl-v0", "gensim/AlignBoxCorner-v0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two demonstrations of each of two tasks, in random light."""
    out: Path = tmp_path_factory.mktemp("recorded")
    collect([CORNER, BOWL], 2, out, workers=2, perturb=["light"])
    return out


def test_the_oracle_demonstrates(folder: Path) -> None:
    demos = Demonstrations.load(folder)
    assert demos.envs == [CORNER, BOWL]
    assert demos.seeds(BOWL) == demos.seeds(CORNER) == [TRAINING.start, TRAINING.start + 1]
    step = demos[demos.steps_of(BOWL)[0]]
    assert "bowl" in step.instruction and step.color is not None and step.height is not None
    assert 0.01 < step.height.max() < 0.2


def test_neither_workers_nor_extension_change_the_content(folder: Path, tmp_path: Path) -> None:
    for episodes in (1, 2):
        again = collect([CORNER, BOWL], episodes, tmp_path, workers=1, perturb=["light"])
    assert again.sha256() == Demonstrations.load(folder).sha256()
    other = collect([BOWL], 2, tmp_path / "other", workers=1)
    assert other.sha256() != again.first(2, [BOWL]).sha256()


def test_states_of_several_envs_have_one_width(tmp_path: Path) -> None:
    demos = collect([BOWL, CORNER], 1, tmp_path, obs_mode="state", workers=1)
    bounds = gensim_envs.common_bounds([BOWL, CORNER])
    assert demos.envs == [BOWL, CORNER] and demos.state_bounds == bounds
    assert demos.state_width == gensim_envs.StateLayout.of(bounds).size
    assert demos[0].state is not None and demos[0].color is None


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"envs": ["gensim/Nothing-v0"]}, "gensim list"),
        ({"envs": ["CartPole-v1"]}, "--data"),
        ({"episodes": 0}, "episodes is 0; expected 1 or more"),
        ({"workers": 0}, "workers is 0; expected 1 or more"),
        ({"seed": TEST.start}, "not all for training"),
        ({"perturb": ["weather"]}, "use colors, light, camera, distractors"),
    ],
)
def test_invalid_arguments_are_refused(asked: dict[str, Any], message: str, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"envs": [BOWL], "episodes": 2, "workers": 1} | asked
    with pytest.raises(GensimError, match=message):
        collect(**arguments, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_datasets_are_found_by_id(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    demos = Demonstrations.load(Path("gensim/PutBlockInBowl/disturbed-v0"))
    assert demos.envs == [BOWL]


def test_training_on_a_missing_dataset_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", "--policy", "bc_state", "--data", "no", "--out", str(tmp_path / "run")]
    assert main(train) == 1
    assert "no has no Minari dataset" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_export_writes_tokens_beside_the_demonstrations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = ["export", "--env", BOWL, "--workers", "1", "--out", str(tmp_path)]
    assert main([*export, "--demos", "1", "--encoder", "none"]) == 0
    assert not Demonstrations.load(tmp_path).tokens
    assert main([*export, "--demos", "2", "--encoder", "words"]) == 0
    demos = Demonstrations.load(tmp_path)
    assert demos.episodes == 2
    assert set(demos.tokens["words"]) == {*demos.instructions(), PROBE}
    assert demos.sha256() in capsys.readouterr().out
    assert main([*export, "--demos", "1", "--encoder", "none"]) == 1
    assert "holds 2 episodes, more than the 1 asked for" in capsys.readouterr().err


def test_export_adds_tokens_to_datasets(folder: Path) -> None:
    assert main(["export", "--data", str(folder), "--encoder", "words"]) == 0
    demos = Demonstrations.load(folder)
    assert {*demos.instructions(), PROBE} == set(demos.tokens["words"])
