"""Films of episodes: the scene, and beside it what the agent saw and where it wanted to go."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agents.errors import AgentsError
from agents.evaluation.rollout import Row, Step, episode

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from agents.policies.base import Agent

Picture = NDArray[np.uint8]

COLORS = {"pick": (255, 40, 40), "place": (40, 120, 255)}
"""Of heat maps and marks."""

_WIDTH, _HEIGHT = 640, 480  # pixels of each half
_SCALE = 2  # pixels of the film for one of the observation
_MARK = 9  # pixels: radius of a mark
_ARROW = 26  # pixels: length of the line that shows a turn
_SECONDS_TO_LOOK = 1.0  # for which the film stands still before each action and at the end


def check_writable(folder: Path) -> None:
    """See to it that films can be made, before long work.

    Raises:
        AgentsError: where a package is missing, or the folder cannot be made.
    """
    try:
        import imageio_ffmpeg  # noqa: F401
        from PIL import Image  # noqa: F401
    except ModuleNotFoundError as error:
        raise AgentsError(
            f"films need {error.name}: pip install -e '.[agents,video]', or leave out --videos"
        ) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AgentsError(f"{folder} cannot be made: {error.strerror}") from error


def film(agent: Agent, row: Row, seed: int, path: Path) -> None:
    """Play an episode and film it.

    Args:
        agent: who plays.
        row: what is played.
        seed: of the episode.
        path: of the .mp4 file.

    Raises:
        AgentsError: where it cannot be written.
    """
    from gensim_envs.utils.video import write_video

    env = row.make(render_mode="rgb_array_list")
    # Who acts on a vector has no picture; a second env that is treated alike has.
    twin = row.make(obs_mode="rgbd") if row.obs_mode == "state" else None
    try:
        fps = int(env.metadata["render_fps"])
        write_video(path, frames(env, agent, row, seed, fps, twin), fps)
    except OSError as error:
        raise AgentsError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        env.close()
        if twin is not None:
            twin.close()


def frames(
    env: gym.Env[Any, Any],
    agent: Agent,
    row: Row,
    seed: int,
    fps: int,
    twin: gym.Env[Any, Any] | None = None,
) -> Iterator[Picture]:
    """The pictures of an episode's film, (480, 1280, 3) each.

    Args:
        env: made for `row` with render_mode="rgb_array_list".
        agent: who plays.
        row: what is played.
        seed: of the episode.
        fps: frames a second.
        twin: the same env with obs_mode="rgbd", where `env` gives no pictures.
    """
    pause, last = round(_SECONDS_TO_LOOK * fps), None
    seen = None if twin is None else twin.reset(seed=seed, options=row.options)[0]
    for number, step in enumerate(episode(env, agent, seed, row.options), 1):
        above = step.observation if seen is None else seen
        title = f"{row.env}, seed {seed}, step {number}"
        side = panel(above["color"], agent.heatmaps(), env, step, title)
        shots: Any = env.render()
        before = shots[0] if last is None else last
        for scene in itertools.chain([before] * pause, shots):
            yield np.concatenate([scene, side], axis=1)
        last = shots[-1]
        if twin is not None:
            seen = twin.step(step.action)[0]
    for _ in range(pause):  # an episode has at least one step
        yield np.concatenate([last, side], axis=1)


def panel(
    color: Picture,
    heatmaps: dict[str, NDArray[np.float32]] | None,
    env: gym.Env[Any, Any],
    step: Step,
    title: str,
) -> Picture:
    """What the agent saw, with its heat maps and its action drawn on, and words under it.

    Args:
        color: (160, 320, 3) the table from above.
        heatmaps: "pick" and "place", (160, 320) each, or None.
        env: whose action bounds are the edges of the picture.
        step: that was taken.
        title: a line of text.

    Returns:
        (480, 640, 3).
    """
    from PIL import Image, ImageDraw, ImageFont

    seen = color.astype(np.float64)
    for name, heat in (heatmaps or {}).items():
        share = 0.7 * _visible(heat)[..., np.newaxis]
        seen = seen * (1 - share) + np.array(COLORS[name]) * share
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    view = Image.fromarray(np.rint(seen).astype(np.uint8))
    size = (view.width * _SCALE, view.height * _SCALE)
    sheet.paste(view.resize(size, Image.Resampling.NEAREST))
    draw = ImageDraw.Draw(sheet)
    _marks(draw, step.action, env.action_space, size)
    font = ImageFont.load_default(17)
    result = f"reward {step.reward:+.2f}" + (", solved" if step.success else "")
    lines = [title, *textwrap.wrap(step.instruction or "(no instruction)", 72), result]
    draw.multiline_text((12, size[1] + 10), "\n".join(lines), "black", font)
    draw.text((12, _HEIGHT - 28), "pick", COLORS["pick"], font)
    draw.text((60, _HEIGHT - 28), "place", COLORS["place"], font)
    return np.asarray(sheet)


def _visible(heat: NDArray[np.float32]) -> NDArray[np.float64]:
    """A heat map within 0..1; the root lets weak places show beside a sharp peak."""
    above = np.asarray(heat, np.float64) - float(heat.min())
    return np.sqrt(above / (float(above.max()) or 1.0))


def _marks(draw: ImageDraw, action: NDArray[np.float32], space: Any, size: tuple[int, int]) -> None:
    """A ring where it picks and one where it places, each with its heading, and a line between."""
    width, height = size
    spots = []
    for start in (0, 3):
        x, y, yaw = (float(value) for value in action[start : start + 3])
        low, high = space.low[start : start + 2], space.high[start : start + 2]
        # Rows go along x and columns along y.
        down = (x - low[0]) / (high[0] - low[0]) * height
        across = (y - low[1]) / (high[1] - low[1]) * width
        spots.append((across, down, yaw))
    draw.line([spots[0][:2], spots[1][:2]], "white", 1)
    for color, (across, down, yaw) in zip(COLORS.values(), spots, strict=True):
        end = across + _ARROW * np.sin(yaw), down + _ARROW * np.cos(yaw)
        for ink, thick in (("white", 5), (color, 3)):
            draw.line([(across, down), end], ink, thick)
            draw.circle((across, down), _MARK, outline=ink, width=thick)
