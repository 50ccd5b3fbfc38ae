"""Check what `make demo` has written: the video plays, and the dataset loads.

It also checks that the editable install which the demo runs in exposes `gensim_envs` alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OUT = Path("out/demo")
EPISODES = 5
SIZE = (640, 480)  # pixels
FPS = 24


def check_video(path: Path) -> None:
    """The video has frames of the stated size, for some seconds, and something moves."""
    import imageio_ffmpeg
    import numpy as np

    frames = imageio_ffmpeg.read_frames(str(path))
    meta = next(frames)
    assert meta["source_size"] == SIZE, meta
    assert meta["fps"] == FPS, meta
    pictures = [np.frombuffer(frame, np.uint8) for frame in frames]
    assert len(pictures) > 5 * FPS, f"{path} has {len(pictures)} frames"
    assert abs(len(pictures) / FPS - meta["duration"]) < 0.5, meta
    moved = np.abs(pictures[0].astype(int) - pictures[-1]) > 50
    assert moved.mean() > 0.01, f"nothing moves in {path}"
    print(f"{path}: {len(pictures)} frames, {meta['duration']:.0f} s")


def check_dataset(root: Path) -> None:
    """Minari finds the dataset, and every episode ends solved."""
    os.environ["MINARI_DATASETS_PATH"] = str(root.resolve())
    import minari

    (name,) = minari.list_local_datasets()
    dataset = minari.load_dataset(name)
    assert dataset.total_episodes == EPISODES, dataset.total_episodes
    for episode in dataset.iterate_episodes():
        assert episode.terminations[-1] and episode.rewards.sum() > 0.999, episode.id
        assert len(episode.observations["color"]) == len(episode.actions) + 1
    print(f"{name}: {dataset.total_episodes} episodes, {dataset.total_steps} actions")


def check_install() -> None:
    """Outside the checkout only gensim_envs can be imported."""
    find = "import importlib.util as i; print([bool(i.find_spec(n)) for n in {!r}])"
    names = ("gensim_envs", "agents", "benchmarks")
    found = subprocess.run(
        [sys.executable, "-c", find.format(names)], cwd="/", capture_output=True, text=True
    )
    assert found.stdout.strip() == str([True, False, False]), found
    print("installed: gensim_envs, and no other package of the checkout")


if __name__ == "__main__":
    check_video(OUT / "oracle.mp4")
    check_dataset(OUT / "datasets")
    check_install()
