"""The suite plays the same episodes under both ends of the supported range of Gymnasium."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest

ENDS = ("0.29.1", "1.4.0")
ROOT = Path(__file__).parent.parent
PROGRAM = """
import json

import gymnasium as gym

import gensim_envs
from gensim_envs.wrappers import InstructionObservation

BOWL, PILE, WHEEL = (f"gensim/{n}-v0" for n in ("PutBlockInBowl", "SweepingPiles", "BuildWheel"))


def rewards(spec, wrapper=lambda env: env, **options):
    env = wrapper(gym.make(spec, **options))
    steps = [step.reward for step in gensim_envs.transitions(env, gensim_envs.Oracle(env), seed=7)]
    env.close()
    return steps


def vectors(spec, mode, **options):
    envs = gym.make_vec(spec, num_envs=2, vectorization_mode=mode, obs_mode="state", **options)
    observations, infos = envs.reset(seed=7)
    actions = envs.action_space.low
    stepped = envs.step(actions)[0]
    envs.close()
    return [observations.tolist(), stepped.tolist(), list(infos["instruction"])]


if __name__ == "__main__":
    mix = gensim_envs.mix([BOWL, WHEEL])
    spawn = {"vector_kwargs": {"context": "spawn"}}
    played = {
        "rgbd": rewards(BOWL),
        "by module": rewards(f"gensim_envs:{PILE}", obs_mode="state"),
        "mix": rewards(mix, obs_mode="state"),
        "wrapped": rewards(BOWL, InstructionObservation),
        "make_vec": vectors(BOWL, "sync"),
        "workers": vectors(mix, "async", **spawn),
    }
    print(json.dumps({"version": gym.__version__, "played": played}))
"""


def play(folder: Path, *path: Path) -> dict[str, Any]:
    file = folder / "program.py"
    file.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    done = subprocess.run(
        [sys.executable, str(file)],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The episodes under the installed version."""
    return play(tmp_path_factory.mktemp("installed"))["played"]


@pytest.mark.parametrize("version", [end for end in ENDS if end != gymnasium.__version__])
def test_both_ends_of_the_range_play_equal_episodes(
    version: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    target = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    installed = subprocess.run(
        [*pip, "--no-deps", "--target", str(target), f"gymnasium=={version}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if installed.returncode != 0:
        pytest.skip(f"pip cannot install gymnasium {version}: {installed.stderr.strip()[-200:]}")
    found = play(tmp_path, target)
    assert found["version"] == version
    assert found["played"] == expected
