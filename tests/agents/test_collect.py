"""Demonstrations of the oracle and of Minari datasets, and their export."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import gensim_envs.datasets
from agents.data import collect as module
from agents.data.collect import Played, collect, from_minari
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.policies.text_encoders import PROBE
from gensim_envs.seeds import TEST, TRAINING

BOWL, CORNER = "gensim/PutBlockInBowl-v0", "gensim/AlignBoxCorner-v0"


@pytest.fixture(scope="module")
def collected() -> tuple[Demonstrations, list[Played]]:
    played: list[Played] = []
    options: dict[str, Any] = {"perturb": ["light"], "progress": played.append}
    return collect([BOWL, CORNER], 2, workers=2, **options), played


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("minari")
    gensim_envs.datasets.record([BOWL], 2, TRAINING.start, root, workers=1)
    return root


def test_the_oracle_demonstrates(collected: tuple[Demonstrations, list[Played]]) -> None:
    demos, played = collected
    assert demos.envs == [BOWL, CORNER]
    assert demos.seeds(BOWL) == demos.seeds(CORNER) == [TRAINING.start, TRAINING.start + 1]
    step = demos[0]
    assert "bowl" in step.instruction and step.color is not None and step.height is not None
    assert 0.01 < step.height.max() < 0.2
    assert [each.done for each in played if each.env == BOWL][-1] == 2


def test_the_number_of_workers_changes_nothing(
    collected: tuple[Demonstrations, list[Played]],
) -> None:
    again = collect([BOWL, CORNER], 2, workers=1, perturb=["light"])
    assert again.sha256() == collected[0].sha256()


def test_states_of_several_envs_have_one_width() -> None:
    demos = collect([BOWL, CORNER], 1, obs_mode="state", workers=1)
    bounds = gensim_envs.common_bounds([BOWL, CORNER])
    assert demos.state_width == 4 + 15 * bounds["items"] + 10 * bounds["targets"]
    assert demos[0].state is not None and demos[0].color is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"envs": ["gensim/Nothing-v0"]}, "gensim list"),
        ({"envs": ["CartPole-v1"]}, "--minari"),
        ({"episodes": 0}, "ask for 1 or more"),
        ({"workers": 0}, "use 1 or more"),
        ({"seed": TEST.start}, "not all for training"),
        ({"perturb": ["weather"]}, "use colors, light, camera"),
    ],
)
def test_bad_use_is_said_at_once(asked: dict[str, Any], said: str) -> None:
    arguments: dict[str, Any] = {"envs": [BOWL], "episodes": 2, "workers": 1} | asked
    with pytest.raises(AgentsError, match=said):
        collect(**arguments)


def test_too_many_failures_are_too_many() -> None:
    empty = Demonstrations("rgbd", [0] * 6, [1] * 6)
    known: dict[int, Demonstrations | str] = {k: empty if k % 2 else "why" for k in range(100, 120)}
    module._give_up_if_most_fail("a", 100, known)
    known[101] = "this is why"
    with pytest.raises(AgentsError, match="11 of 20 seeds, the last time with: why"):
        module._give_up_if_most_fail("a", 100, known)
    del known[105]  # not played yet: it may have been solved
    module._give_up_if_most_fail("a", 100, known)


def test_a_dataset_of_the_suite_is_what_the_oracle_does(recorded: Path) -> None:
    read = from_minari(["gensim/PutBlockInBowl/oracle-v0"], recorded, 2)
    assert read.sha256() == collect([BOWL], 2, workers=1).sha256()


def test_a_dataset_of_states_says_what_they_have_room_for(tmp_path: Path) -> None:
    gensim_envs.datasets.record([BOWL], 1, TRAINING.start, tmp_path, obs_mode="state", workers=1)
    read = from_minari(["gensim/PutBlockInBowl/oracle-v0"], tmp_path)
    assert read.state_bounds == collect([BOWL], 1, obs_mode="state", workers=1).state_bounds


def change(recorded: Path, tmp_path: Path, name: str, value: Any) -> Path:
    """A copy of the dataset whose first episode has other values."""
    import shutil

    root = tmp_path / "changed"
    shutil.copytree(recorded, root)
    main = root / "gensim/PutBlockInBowl/oracle-v0/data/main_data.hdf5"
    with h5py.File(main, "r+") as file:
        group = file["episode_0"]
        if name == "seed":
            group.attrs["seed"] = value
        else:
            old = group[name][()]
            del group[name]
            if value is not None:
                group[name] = np.full_like(old, value)
    return root


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("infos/instruction", None, "no instructions"),
        ("actions", 9.0, "is not between"),
        ("seed", TEST.start, "which is for test"),
        ("infos/success", False, "1 solved episodes, 2 are needed"),
    ],
)
def test_a_dataset_that_does_not_fit_is_refused(
    recorded: Path, tmp_path: Path, name: str, value: Any, said: str
) -> None:
    root = change(recorded, tmp_path, name, value)
    with pytest.raises(AgentsError, match=said):
        from_minari(["gensim/PutBlockInBowl/oracle-v0"], root, 2)


def test_a_dataset_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(AgentsError, match=r"no dataset nothing in .*`gensim demos`"):
        from_minari(["nothing"], tmp_path)


def export(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    options = parser.parse_args(["export", *arguments])
    return int(options.run(options))


def test_export_writes_a_file_that_has_tokens(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "demos.h5"
    source = ["--minari", "gensim/PutBlockInBowl/oracle-v0", "--minari-root", str(recorded)]
    arguments = [*source, "--demos", "2", "--encoder", "words", "--out", str(out)]
    assert export(*arguments) == 0
    demos = Demonstrations.load(out)
    assert demos.episodes == 2
    assert list(demos.tokens["words"]) == [*demos.instructions(), PROBE]
    assert out.stat().st_size / 2 * 100 < 20e6
    with pytest.raises(AgentsError, match="--overwrite"):
        export(*arguments)
    with pytest.raises(AgentsError, match="is no folder"):
        export(*arguments[:-1], str(tmp_path / "nowhere" / "demos.h5"))
