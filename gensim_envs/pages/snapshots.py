"""Record episodes, and take a picture of each task that a run accepted."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from PIL import Image

from gensim_envs.envs.rollout import transitions
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import SandboxError, TaskError
from gensim_envs.generation.check import Facts, facts, refusing
from gensim_envs.generation.validate import max_steps
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.sandbox.program import Sandboxed
from gensim_envs.seeds import CERTIFICATE, SURVEY
from gensim_envs.sim.cameras import CLOSE_UP, Camera
from gensim_envs.sim.video import Frame, VideoRecorder

NO_FRAMES = 10**9
"""Keeps the first frame only; the others are counted without being rendered."""
_BOUNDS = dict.fromkeys(("items", "places", "targets", "steps"), 500)
"""A run does not store a task's own bounds."""


def close_up(width: int) -> Camera:
    """A camera for pictures of this width, 4:3."""
    return replace(CLOSE_UP, shape=(width * 3 // 4, width), focal=CLOSE_UP.focal * width / 480)


def webp(picture: Frame) -> bytes:
    """A picture as a WebP file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=90)
    return file.getvalue()


_CAMERA = close_up(320)


class Recorded(NamedTuple):
    """A played episode.

    Attributes:
        actions: all of them.
        solved: whether they solve the task.
        problem: why they do not.
        frames: of the video, which may be empty but for the first and the last one.
        length: number of frames of a video in real time.
        start: picture of the scene at the start.
        end: likewise at the end.
    """

    actions: list[Any]
    solved: bool
    problem: str
    frames: list[Frame]
    length: int
    start: Frame
    end: Frame


def record_episode(
    env: TabletopEnv,
    act: Callable[[], Any],
    seed: int,
    limit: Callable[[], int],
    every: int = NO_FRAMES,
    still: Camera | None = None,
) -> Recorded:
    """Play an episode.

    Args:
        env: what is played.
        act: chooses the next action.
        seed: of `reset`.
        limit: gives the largest number of actions, after the reset.
        every: keep every n-th frame of a video in real time.
        still: camera of the two pictures; by default that of the video.
    """
    actions: list[Any] = []
    solved, problem = False, ""
    with closing(VideoRecorder(env.world, motion=True, camera=CLOSE_UP, every=every)) as video:
        starts: list[Frame] = []

        def start(*_: Any) -> None:
            video.start()
            starts.append(video.render(still))

        try:
            for step in transitions(env, lambda *_: act(), seed=seed, start=start):
                actions.append(step.action)
                solved = step.success
                if len(actions) == limit():
                    break
        except OracleError as error:
            problem = str(error)
        if not solved and not problem:
            problem = f"the oracle does not solve it in {len(actions)} actions"
        video.return_home()
        frames = [*video.pop_frames(), video.render()]
        return Recorded(
            actions, solved, problem, frames, video.length, starts[0], video.render(still)
        )


@dataclass(frozen=True)
class Snapshot:
    """A picture of one draw of a task.

    Attributes:
        facts: about the draw; None if it failed.
        picture: a WebP file, or empty.
        solved: whether the picture shows the task solved by the oracle, or its start.
        problem: why something is missing.
    """

    facts: Facts | None = None
    picture: bytes = b""
    solved: bool = False
    problem: str = ""


def take_snapshot(name: str, source: str, weak: bool = False) -> Snapshot:
    """Draw a program in the sandbox, let the oracle solve it, and take a picture.

    Args:
        name: of the task.
        source: its program.
        weak: run it also where this machine cannot isolate it.
    """
    program = Sandboxed(name, source, weak)
    found: Facts | None = None
    try:
        with refusing("runtime"):
            found = facts(source, program.draw("train", SURVEY.start).spec)
        with refusing("oracle"), TabletopEnv(program, _BOUNDS, obs_mode="state") as env:
            played = record_episode(
                env,
                Oracle(env).act,
                CERTIFICATE.start,
                lambda: max_steps(env.task_spec.bounds),
                still=_CAMERA,
            )
    except (TaskError, SandboxError) as error:
        return Snapshot(found, problem=str(error))
    picture = played.end if played.solved else played.start
    return Snapshot(found, webp(picture), played.solved, played.problem)
