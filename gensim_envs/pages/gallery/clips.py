"""A task as people see it: one episode that the oracle solves, as a clip and two pictures.

They are kept in a folder, four files for a task, so that only what has changed is filmed again:

    BuildWheel-v0.start.webp    the scene at the start
    BuildWheel-v0.solved.webp   the scene at the end
    BuildWheel-v0.mp4           the way there
    BuildWheel-v0.json          what was filmed, written last: without it, the others do not count
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import gensim_envs
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import TaskError
from gensim_envs.library import Library, LibraryError, Record
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.registration import load_program
from gensim_envs.seeds import CERTIFICATE
from gensim_envs.sim.cameras import CLOSE_UP
from gensim_envs.sim.video import FPS, Film, Frame
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils.files import write
from gensim_envs.utils.video import write_picture, write_video

CLIP_FPS = 12
MOST_FRAMES = 6 * CLIP_FPS
"""Longer episodes are shown faster."""
_HOLD = CLIP_FPS  # frames: the end stays for a second before the clip starts anew
# Twice what is kept of it, since TinyRenderer has jagged edges.
_STILL = replace(CLOSE_UP, shape=(960, 1280), focal=CLOSE_UP.focal * 1280 / 480)
_UNSEEN = 10**9  # keeps no frame but the first: for how long an episode is
_SOURCES = ("env.py", "gallery/clips.py", "oracle.py", "sim", "sweeping.py", "task", "video.py")


@dataclass(frozen=True)
class Clip:
    """What was filmed of a task.

    Attributes:
        spec: the task as it was drawn.
        seed: of `reset`.
        actions: that the oracle took.
        speed: how much faster than life the clip is.
        start: picture of the scene at the start, WebP.
        solved: picture of the scene at the end, WebP.
        film: H.264.
    """

    spec: TaskSpec
    seed: int
    actions: int
    speed: float
    start: bytes
    solved: bytes
    film: bytes


def load(folder: Path, record: Record) -> Clip | None:
    """The clip of a record as it is now; None where it is not there, or is of something else."""
    note, *files = _files(folder, record)
    try:
        data = json.loads(note.read_bytes())
        if data["key"] != _key(record):
            return None
        start, solved, film = (path.read_bytes() for path in files)
        spec = TaskSpec.from_json(data["spec"])
        return Clip(spec, data["seed"], data["actions"], data["speed"], start, solved, film)
    except (FileNotFoundError, ValueError, KeyError, TypeError, TaskError):
        return None


def shoot(folder: Path, library: Library, record: Record) -> str | None:
    """Film the oracle on one of the certificate's seeds.

    Returns:
        Why there is no clip; None where there is one.

    Raises:
        OSError: where the disk does not take it.
        RuntimeError: where imageio-ffmpeg is missing.
    """
    note, start, solved, film = _files(folder, record)
    note.unlink(missing_ok=True)
    try:
        env = TabletopEnv(load_program(library, record), record.bounds, obs_mode="state")
        try:
            seed, actions, length = _solve(env, record)
            every = max(FPS // CLIP_FPS, -(-length // MOST_FRAMES))
            frames, first, last = _filmed(env, seed, actions, every)
            spec = env.spec_drawn
        finally:
            env.close()
    except (TaskError, OracleError, LibraryError) as error:
        return str(error)
    write_picture(start, first)
    write_picture(solved, last)
    write_video(film, frames + [frames[-1]] * _HOLD, CLIP_FPS)
    data = {
        "key": _key(record), "seed": seed, "actions": len(actions), "speed": every * CLIP_FPS / FPS,
        "spec": spec.to_json(),
    }  # fmt: skip
    write(note, json.dumps(data).encode())
    return None


def _files(folder: Path, record: Record) -> tuple[Path, Path, Path, Path]:
    stem = record.id.removeprefix("gensim/")
    names = ("json", "start.webp", "solved.webp", "mp4")
    note, start, solved, film = (folder / f"{stem}.{name}" for name in names)
    return note, start, solved, film


def _key(record: Record) -> str:
    """A digest of all that decides what a clip shows."""
    return hashlib.sha256(json.dumps([asdict(record), _suite()]).encode()).hexdigest()


@cache
def _suite() -> str:
    """A digest of the code that draws, simulates, solves and films."""
    package = Path(gensim_envs.__file__).parent
    found = hashlib.sha256(gensim_envs.__version__.encode())
    for name in _SOURCES:
        top = package / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.read_bytes())
    return found.hexdigest()


def _solve(env: TabletopEnv, record: Record) -> tuple[int, list[Any], int]:
    """A seed that is solved, its actions, and how many frames a film of it has.

    Raises:
        OracleError: where there is none.
    """
    # Equal seeds draw equal colours, so that tasks do not all start with the same one.
    first = int(hashlib.sha256(record.id.encode()).hexdigest(), 16) % len(CERTIFICATE)
    why = ""
    for seed in (*CERTIFICATE[first:], *CERTIFICATE[:first]):
        env.reset(seed=seed)
        oracle = Oracle(env)
        actions: list[Any] = []
        try:
            with closing(Film(env.world, moving=True, camera=CLOSE_UP, every=_UNSEEN)) as film:
                film.start()
                while len(actions) < record.max_episode_steps:
                    actions.append(oracle.act())
                    if env.step(actions[-1])[2]:
                        film.leave()
                        return seed, actions, film.length
            why = f"seed {seed} is not solved in {len(actions)} actions"
        except OracleError as error:
            why = f"seed {seed}: {error}"
    raise OracleError(f"the oracle solves none of {len(CERTIFICATE)} seeds; {why}")


def _filmed(
    env: TabletopEnv, seed: int, actions: list[Any], every: int
) -> tuple[list[Frame], Frame, Frame]:
    """An episode's frames, and a smooth picture of its start and of its end."""
    env.reset(seed=seed)
    with closing(Film(env.world, moving=True, camera=CLOSE_UP, every=every)) as film:
        film.start()
        first = smooth(film.picture(_STILL))
        for action in actions:
            env.step(action)
        film.leave()
        frames = [*film.take(), film.picture()]
        return frames, first, smooth(film.picture(_STILL))


def smooth(picture: Frame) -> Frame:
    """Half as wide and high, (2h, 2w, 3) -> (h, w, 3)."""
    height, width, _ = picture.shape
    cells = picture.reshape(height // 2, 2, width // 2, 2, 3)  # (h, 2, w, 2, 3)
    return np.asarray(cells.mean(axis=(1, 3)).round(), dtype=np.uint8)
