"""Turn a model's answer into an environment, a video and a dataset, all below out/demo/.

`make demo` runs this. Each step is one public call, or one `gensim` command, that you can copy.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import minari

import gensim_envs
from gensim_envs.cli import main as gensim
from gensim_envs.datasets import DatasetError, record
from gensim_envs.sandbox.client import protection
from gensim_envs.seeds import TRAINING
from gensim_envs.utils.video import write_video

ANSWER = Path(os.path.relpath(Path(__file__).parent / "completions" / "build_temple.md"))
OUT = Path("out") / "demo"
SEED = 3
EPISODES = 5


def publish(library: Path) -> str:
    """Publish the model's answer, once it has passed every check; returns the new env's id."""
    command = ["publish", str(ANSWER), "--library", str(library), "--model", "example"]
    guard = protection()
    if not (guard.processes and guard.network):
        print(f"  {guard.description}; the answer is part of this repository, so the demo goes on")
        command.append("--weak-sandbox")
    print(f"  $ gensim {' '.join(command)}")
    code = gensim(command)
    if code:
        sys.exit(code)
    (env_id,) = gensim_envs.register_library(library)
    return env_id


def solve(env_id: str, video: Path) -> None:
    """Let the oracle solve one episode and record a video of it."""
    env = gym.make(env_id, render_mode="rgb_array_list")
    oracle = gensim_envs.Oracle(env)
    total, count, success = 0.0, 0, False
    for step in gensim_envs.transitions(env, lambda *_: oracle.act(), seed=SEED):
        if count == 0:
            shapes = (f"{key} {array.shape}" for key, array in step.observation.items())
            print(f"  observation: {', '.join(shapes)}")
        total, count, success = total + step.reward, count + 1, step.success
        print(f"  action {count}, {step.info['instruction']!r}: reward {step.reward:.2f}")
    frames: Any = env.render()
    fps = env.metadata["render_fps"]
    env.close()
    if not success:
        sys.exit(f"the oracle did not solve seed {SEED} of {env_id}")
    write_video(video, [*frames, *frames[-1:] * fps], fps)
    seconds = len(frames) / fps
    print(f"  solved in {count} actions, return {total:.2f}; {seconds:.0f} s of video")


def collect(env_id: str, out: Path) -> Path:
    """Record the oracle's episodes and read them with Minari; returns the dataset's folder."""
    (summary,) = record([env_id], EPISODES, TRAINING.start, out)
    data = Path(os.path.relpath(summary.path / "data"))
    dataset = minari.MinariDataset(data)
    lengths = [len(episode.actions) for episode in dataset.iterate_episodes()]
    print(f"  {summary.episodes} episodes of {min(lengths)} to {max(lengths)} actions")
    print(f"  {summary.size / 1e6:.1f} MB; open it with minari.MinariDataset({str(data)!r})")
    return data


def main() -> None:
    """Run the three steps."""
    began = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    library, video = OUT / "library", OUT / "oracle.mp4"
    print(f"1. Publish the task in {ANSWER.name}")
    env_id = publish(library)
    print(f"2. Make {env_id} with gym.make and let the oracle solve it")
    solve(env_id, video)
    print("3. Record a dataset of demonstrations")
    data = collect(env_id, OUT / "datasets")
    print(f"Done in {time.monotonic() - began:.0f} s.")
    for what, where in (("library", library), ("video", video), ("dataset", data)):
        print(f"  {what:8} {where}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print(f"\nstopped; finished parts are in {OUT}", file=sys.stderr)
        sys.exit(130)
    except DatasetError as error:
        sys.exit(f"demo: {error}")
