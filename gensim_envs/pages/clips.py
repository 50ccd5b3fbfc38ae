"""Clips of tasks: one episode that the oracle solves, as a video and two pictures.

A folder keeps four files a task, so that only tasks that changed are recorded again:

    BuildWheel-v0.start.webp    the scene at the start
    BuildWheel-v0.solved.webp   the scene at the end
    BuildWheel-v0.mp4           the episode
    BuildWheel-v0.json          what was recorded; written last, the others count only with it
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import gensim_envs
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import FileError, TaskError
from gensim_envs.generation.check import refusing
from gensim_envs.library import Library, LibraryError, Record
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.pages.snapshots import Recorded, close_up, record_episode, webp
from gensim_envs.registration import load_program
from gensim_envs.seeds import CERTIFICATE
from gensim_envs.sim.video import FPS
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils import files
from gensim_envs.utils.decode import Range, Using, read
from gensim_envs.utils.video import write_video

CLIP_FPS = 12
MOST_FRAMES = 6 * CLIP_FPS
"""Longer episodes are shown faster."""
_HOLD = CLIP_FPS  # frames for which the end is shown before the clip starts again
_STILL = close_up(640)
SOURCES = (
    "envs", "oracle", "pages/clips.py", "pages/snapshots.py", "sim", "task", "utils/video.py",
)  # fmt: skip
"""Code that decides what a clip shows."""


@dataclass(frozen=True)
class _Note:
    """What the JSON file of a clip holds.

    Attributes:
        key: a digest of everything that decides what it shows.
        seed: of `reset`.
        actions: number of the oracle's actions.
        speed: of the video, relative to real time.
        spec: the draw.
    """

    key: str
    seed: Annotated[int, Range(0, 2**62)]
    actions: Annotated[int, Range(0, 10_000)]
    speed: Annotated[float, Range(0, 1000)]
    spec: Annotated[TaskSpec, Using(TaskSpec.from_json)]


@dataclass(frozen=True)
class Clip(_Note):
    """A recorded episode of a task.

    Attributes:
        start: WebP picture of the scene at the start.
        solved: WebP picture of the scene at the end.
        video: H.264.
    """

    start: bytes
    solved: bytes
    video: bytes


def load(folder: Path, record: Record) -> Clip | None:
    """The clip of a record; None if it is missing, damaged, or of another version of the task."""
    note, *parts = _files(folder, record)
    try:
        data = read(note, _Note, root=folder)
        if data.key != _key(record):
            return None
        return Clip(*vars(data).values(), *(files.read(path, root=folder) for path in parts))
    except (FileError, TaskError):
        return None


def make_clip(folder: Path, library: Library, record: Record) -> str | None:
    """Record the oracle on one of the certificate's seeds.

    Returns:
        Why there is no clip, or None if there is one.

    Raises:
        FileError: if a file cannot be written.
        OSError: if the video cannot be written.
        ModuleNotFoundError: if imageio-ffmpeg is missing.
    """
    note, start, solved, video = _files(folder, record)
    files.remove(note)
    try:
        program = load_program(library, record)
        with refusing("oracle"), TabletopEnv(program, record.bounds, obs_mode="state") as env:
            seed, every, played = _record(env, record)
            spec = env.task_spec
    except (TaskError, LibraryError) as error:
        return str(error)
    files.write(start, webp(played.start))
    files.write(solved, webp(played.end))
    write_video(video, played.frames + [played.frames[-1]] * _HOLD, CLIP_FPS)
    speed = every * CLIP_FPS / FPS
    data = _Note(_key(record), seed, len(played.actions), speed, spec)
    files.write(note, json.dumps({**vars(data), "spec": spec.to_json()}).encode())
    return None


def _files(folder: Path, record: Record) -> tuple[Path, Path, Path, Path]:
    stem = record.id.removeprefix("gensim/")
    names = ("json", "start.webp", "solved.webp", "mp4")
    note, start, solved, video = (folder / f"{stem}.{name}" for name in names)
    return note, start, solved, video


def _key(record: Record) -> str:
    """A digest of everything that decides what a clip shows."""
    return hashlib.sha256(json.dumps([asdict(record), _code()]).encode()).hexdigest()


@cache
def _code() -> str:
    """A digest of the code that draws, simulates, solves and renders."""
    package = Path(gensim_envs.__file__).parent
    digest = hashlib.sha256(gensim_envs.__version__.encode())
    for name in SOURCES:
        top = package / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _record(env: TabletopEnv, record: Record) -> tuple[int, int, Recorded]:
    """Record an episode that the oracle solves.

    Returns:
        The seed, which share of the frames was kept (1 of n), and the episode.

    Raises:
        OracleError: if it solves none of the seeds.
    """
    # Equal seeds draw equal colours, so the first seed depends on the task.
    first = int(hashlib.sha256(record.id.encode()).hexdigest(), 16) % len(CERTIFICATE)
    limit = record.max_episode_steps
    for seed in (*CERTIFICATE[first:], *CERTIFICATE[:first]):
        played = record_episode(env, Oracle(env).act, seed, lambda: limit)
        if played.solved:
            every = max(FPS // CLIP_FPS, -(-played.length // MOST_FRAMES))
            replay = iter(played.actions).__next__
            played = record_episode(env, replay, seed, lambda: limit, every, _STILL)
            return seed, every, played
    raise OracleError(
        f"the oracle solves none of {len(CERTIFICATE)} seeds; seed {seed}: {played.problem}"
    )
