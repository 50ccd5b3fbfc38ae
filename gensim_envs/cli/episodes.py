"""Commands that run the oracle: play and demos."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
from tyro.conf import Positional

from gensim_envs.cli.shared import Folder, check_writable, find, open_library, warn
from gensim_envs.datasets import Disturbed
from gensim_envs.datasets import record as record_dataset
from gensim_envs.envs.rollout import transitions
from gensim_envs.library import is_shipped
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.printing import printable
from gensim_envs.registration import register_library, spec
from gensim_envs.seeds import TRAINING
from gensim_envs.sim.video import FPS
from gensim_envs.utils.cli import Positive, Seed, Share, UsageError, Workers
from gensim_envs.utils.progress import Progress
from gensim_envs.utils.video import write_video


def play(
    id: Positional[str],
    *,
    seed: Seed = 0,
    video: Path | None = None,
    motion: Literal["direct", "arm"] = "direct",
    library: Folder = None,
) -> int:
    """Let the oracle solve a task, in a window or a video.

    Args:
        id: id or class name of the task.
        seed: seed of the episode.
        video: write a video to this .mp4 file instead of opening a window.
        motion: "arm" simulates a UR5e that carries out the actions.
    """
    opened = open_library(library)
    record = find(opened, id)
    if video is not None:
        if video.suffix != ".mp4" or video.is_dir():
            raise UsageError(f"--video {video} is not the name of an .mp4 file")
        check_writable(video.absolute().parent)
    mode = "human" if video is None else "rgb_array_list"
    try:
        env = gym.make(spec(opened, record), render_mode=mode, obs_mode="state", motion=motion)
    except RuntimeError as error:
        hint = ". Or use --video FILE.mp4" if video is None else ""
        raise UsageError(f"{error}{hint}") from error
    solved = _play(env, f"{record.id}, seed {seed}", seed)
    if video is not None:
        frames: Any = env.render()
        write_video(video, [*frames, *frames[-1:] * FPS], FPS)
        print(f"wrote {video} ({len(frames)} frames)")
    env.close()
    return 0 if solved else 1


def _play(env: gym.Env[Any, Any], title: str, seed: int) -> bool:
    """Play an episode and print a line for each action; returns whether the task was solved."""
    oracle = Oracle(env)
    solved = False
    steps = transitions(
        env,
        lambda *_: oracle.act(),
        seed=seed,
        start=lambda _, info: print(f"{title}: {info['instruction']}"),
    )
    try:
        for count, step in enumerate(steps, 1):
            solved, info = step.success, step.next_info
            print(f"  action {count}: progress {info['progress']:.2f}, {info['instruction']}")
    except OracleError as error:
        warn(str(error))
    return solved


def demos(
    ids: Positional[tuple[str, ...]],
    *,
    out: Path,
    episodes: Positive = 100,
    seed: Seed = TRAINING.start,
    split: Literal["train", "test"] = "train",
    disturb: Share = 0.0,
    workers: Workers = None,
    library: Folder = None,
) -> None:
    """Record the oracle's episodes as Minari datasets.

    Args:
        ids: ids or class names of tasks.
        out: folder of the datasets.
        episodes: number of episodes of each task.
        seed: seed of the first episode.
        split: split of colours and shapes.
        disturb: share of the executed actions that go wrong; the recorded ones are the oracle's.
    """
    opened = open_library(library)
    if not ids:
        raise UsageError("name at least one task. See gensim demos --help")
    records = [find(opened, name) for name in ids]
    if not is_shipped(opened):
        register_library(opened.root)
    for record in records:
        if gym.spec(record.id).kwargs != spec(opened, record).kwargs:
            raise UsageError(f"{record.id} is also in another library. Unset GENSIM_LIBRARY")
    with Progress(episodes * len(records), "episodes") as progress:
        summaries = record_dataset(
            [record.id for record in records],
            episodes,
            seed,
            out,
            split=split,
            behaviour=Disturbed(disturb) if disturb else None,
            workers=workers,
            progress=lambda played: None if played.reason else progress.advance(),
        )
    for summary in summaries:
        print(
            f"{summary.id}: {summary.episodes} episodes, {summary.steps} actions, "
            f"{summary.size / 1e6:.1f} MB in {summary.path}"
        )
        for failed, reason in summary.failed_seeds.items():
            print(printable(f"  seed {failed} was skipped: {reason}"))
    print(f"read them with MINARI_DATASETS_PATH={out}")
