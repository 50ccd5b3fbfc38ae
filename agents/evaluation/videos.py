"""Videos of episodes: the scene, and beside it the observation with heat maps and the action."""

from __future__ import annotations

import contextlib
import itertools
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agents.errors import AgentsError
from agents.evaluation.playing import Setting, play
from gensim_envs import Transition
from gensim_envs.utils import files
from gensim_envs.wrappers import action_to_pixels

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from agents.policies.base import Policy

Image = NDArray[np.uint8]

COLORS = {"pick": (255, 40, 40), "place": (40, 120, 255)}
"""Colours of heat maps and markers."""

_WIDTH, _HEIGHT = 640, 480  # pixels of each half
_SCALE = 2  # pixels of the video for one of the observation
_MARKER = 9  # pixels: radius of a marker
_ARROW = 26  # pixels: length of the line that shows a heading
_PAUSE = 1.0  # seconds for which the video pauses before each action and at the end


def check_writable(folder: Path) -> None:
    """Check that videos can be recorded, before long work.

    Raises:
        AgentsError: if a package is missing.
        FileError: if the folder cannot be created.
    """
    try:
        import imageio_ffmpeg  # noqa: F401
        from PIL import Image  # noqa: F401
    except ModuleNotFoundError as error:
        raise AgentsError(
            f"videos need {error.name}: pip install -e '.[agents,video]', or omit --videos"
        ) from error
    with files.errors(folder, "created"):
        folder.mkdir(parents=True, exist_ok=True)


def record(policy: Policy, setting: Setting, seed: int, path: Path) -> None:
    """Play an episode and write a video of it.

    Args:
        policy: that acts.
        setting: what is played.
        seed: of the episode.
        path: of the .mp4 file.

    Raises:
        FileError: if the file cannot be written.
    """
    from gensim_envs.utils.video import write_video

    with contextlib.ExitStack() as opened:
        env = opened.enter_context(closing(setting.make(render_mode="rgb_array_list")))
        mirror = None
        if setting.obs_mode == "state":  # which has no image, so a mirrored rgbd env provides one
            mirror = opened.enter_context(closing(setting.make(obs_mode="rgbd")))
        with files.errors(path):
            frames = _frames(env, mirror, policy, setting, seed)
            write_video(path, frames, int(env.metadata["render_fps"]))


def _frames(
    env: gym.Env[Any, Any], mirror: gym.Env[Any, Any] | None, policy: Policy, setting: Setting,
    seed: int,
) -> Iterator[Image]:  # fmt: skip
    """The frames of the video of an episode, (480, 1280, 3) each.

    Args:
        env: of `setting`, with render_mode="rgb_array_list".
        mirror: the same env with obs_mode="rgbd", if `env` has no images.
        policy: that acts.
        setting: what is played.
        seed: of the episode.
    """
    pause, last = round(_PAUSE * env.metadata["render_fps"]), None
    mirrored = None if mirror is None else mirror.reset(seed=seed, options=setting.options)[0]
    for number, step in enumerate(play(env, policy, seed, setting.options), 1):
        observation = step.observation if mirrored is None else mirrored
        title = f"{setting.env}, seed {seed}, step {number}"
        side = panel(observation["color"], policy.heatmaps(), step, title)
        shots: Any = env.render()
        before = shots[0] if last is None else last
        for scene in itertools.chain([before] * pause, shots):
            yield np.concatenate([scene, side], axis=1)
        last = shots[-1]
        if mirror is not None:
            mirrored = mirror.step(step.action)[0]
    for _ in range(pause):  # an episode has at least one step
        yield np.concatenate([last, side], axis=1)


def panel(
    color: Image,
    heatmaps: dict[str, NDArray[np.float32]] | None,
    step: Transition,
    title: str,
) -> Image:
    """The observation with heat maps and the action drawn on it, and text below.

    Args:
        color: (160, 320, 3).
        heatmaps: "pick" and "place", (160, 320) each, or None.
        step: that was taken.
        title: first line of the text.

    Returns:
        (480, 640, 3).
    """
    import PIL.Image as pil
    from PIL import ImageDraw, ImageFont

    blended = color.astype(np.float64)
    for name, heat in (heatmaps or {}).items():
        share = 0.7 * _visible(heat)[..., np.newaxis]
        blended = blended * (1 - share) + np.array(COLORS[name]) * share
    sheet = pil.new("RGB", (_WIDTH, _HEIGHT), "white")
    view = pil.fromarray(np.rint(blended).astype(np.uint8))
    size = (view.width * _SCALE, view.height * _SCALE)
    sheet.paste(view.resize(size, pil.Resampling.NEAREST))
    draw = ImageDraw.Draw(sheet)
    _draw_action(draw, step.action)
    font = ImageFont.load_default(17)
    result = f"reward {step.reward:+.2f}" + (", solved" if step.success else "")
    lines = [title, *textwrap.wrap(step.info.get("instruction") or "(no instruction)", 72), result]
    draw.multiline_text((12, size[1] + 10), "\n".join(lines), "black", font)
    draw.text((12, _HEIGHT - 28), "pick", COLORS["pick"], font)
    draw.text((60, _HEIGHT - 28), "place", COLORS["place"], font)
    return np.asarray(sheet)


def _visible(heat: NDArray[np.float32]) -> NDArray[np.float64]:
    """A heat map within 0..1; the root makes weak values visible beside a sharp peak."""
    above = np.asarray(heat, np.float64) - float(heat.min())
    return np.sqrt(above / (float(above.max()) or 1.0))


def _draw_action(draw: ImageDraw, action: NDArray[np.float32]) -> None:
    """Draw a ring with a heading at pick and place each, and a line between them."""
    pixels = action_to_pixels(action).reshape(2, 3)
    points = [((column + 0.5) * _SCALE, (row + 0.5) * _SCALE) for row, column, _ in pixels]
    draw.line(points, "white", 1)
    for color, (across, down), yaw in zip(COLORS.values(), points, action[2::3], strict=True):
        # Rows are along x and columns along y.
        end = across + _ARROW * np.sin(yaw), down + _ARROW * np.cos(yaw)
        for ink, thick in (("white", 5), (color, 3)):
            draw.line([(across, down), end], ink, thick)
            draw.circle((across, down), _MARKER, outline=ink, width=thick)
