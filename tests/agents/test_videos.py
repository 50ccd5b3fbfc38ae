"""Videos of failed episodes."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from agents.evaluation import videos
from agents.evaluation.evaluate import evaluate
from gensim_envs import Transition
from gensim_envs.seeds import TEST
from gensim_envs.wrappers import pixels_to_action

BOX = "gensim/AlignBoxCorner-v0"


def test_failed_episodes_are_recorded(tmp_path: Path) -> None:
    # Both episodes fail, and one video is asked for.
    evaluate(
        "noop",
        [BOX],
        seeds=TEST[:2],
        workers=1,
        videos=tmp_path / "videos",
        max_videos=1,
    )
    (video,) = (tmp_path / "videos").iterdir()
    assert video.name == f"AlignBoxCorner-v0-train-{TEST[0]}.mp4"
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(video))
    # Four actions, each after a second's pause and with its motion, and a second at the end.
    assert seconds > 6 and frames == pytest.approx(24 * seconds, abs=1)


def test_a_panel_shows_heat_maps_and_the_action() -> None:
    grey = np.full((160, 320, 3), 200, np.uint8)
    heat = {name: np.zeros((160, 320), np.float32) for name in ("pick", "place")}
    heat["pick"][30, 50] = heat["place"][100, 250] = 1
    # The hand picks at row 80, column 160; a quarter turn points along the rows of the picture.
    action = pixels_to_action([80, 160, 9, 120, 60, 0])
    info = {"instruction": "push the grey thing"}
    step = Transition(None, info, action, None, 0.0, False, False, {"success": False})
    plain = videos.panel(grey, None, step, "a title")
    drawn = videos.panel(grey, heat, step, "a title")
    assert drawn.shape == (480, 640, 3)
    changed = {tuple(at // 2) for at in np.argwhere((plain != drawn).any(axis=2))}
    assert changed == {(30, 50), (100, 250)}
    red, _, blue = drawn[61, 101].astype(int)
    assert red > 200 > blue
    red, _, blue = drawn[201, 501].astype(int)
    assert blue > 200 > red
    pick = np.argwhere((plain[:320] == videos.COLORS["pick"]).all(axis=2))
    place = np.argwhere((plain[:320] == videos.COLORS["place"]).all(axis=2))
    assert np.abs(pick[:, 0] - 161).max() <= 11 and 170 < pick[:, 1].max() - 160 < 200
    assert 262 < place[:, 0].max() < 272 and np.abs(place[:, 1] - 121).max() <= 11
    words = plain[320:]
    assert (words < 100).all(axis=2).sum() > 200
