"""Accepted tasks as a report shows them: what is on the table, and a small picture."""

from __future__ import annotations

import struct
import zlib
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import TaskError
from gensim_envs.generation.check import Facts, facts
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.pages.gallery.clips import smooth
from gensim_envs.sandbox.program import Sandboxed
from gensim_envs.seeds import CERTIFICATE, SURVEY
from gensim_envs.sim.cameras import CLOSE_UP
from gensim_envs.sim.video import Film, Frame

_WIDTH, _HEIGHT = 320, 240
# Twice what is kept of it, since TinyRenderer has jagged edges.
_CAMERA = replace(
    CLOSE_UP, shape=(2 * _HEIGHT, 2 * _WIDTH), focal=CLOSE_UP.focal * 2 * _WIDTH / 480
)
_ROOMY = {"items": 500, "targets": 500, "steps": 500}  # a run does not keep a task's own bounds


@dataclass(frozen=True)
class Shot:
    """A task, drawn once.

    Attributes:
        facts: what it is made of; None where it cannot be drawn.
        picture: PNG, or nothing.
        solved: whether the picture shows it solved by the oracle, or as it starts.
        problem: why something is missing.
    """

    facts: Facts | None = None
    picture: bytes = b""
    solved: bool = False
    problem: str = ""


def shoot(name: str, source: str) -> Shot:
    """Draw a program in the sandbox, let the oracle solve it, and take a picture.

    Args:
        name: of the task.
        source: its program.
    """
    program = Sandboxed(name, source)
    found: Facts | None = None
    try:
        found = facts(source, program.draw("train", SURVEY.start).spec)
        with closing(TabletopEnv(program, _ROOMY, obs_mode="state")) as env:
            env.reset(seed=CERTIFICATE.start)
            with closing(Film(env.world, moving=False, camera=_CAMERA)) as film:
                start = film.picture()
                problem = _solve(env)
                picture = start if problem else film.picture()
    except (TaskError, SyntaxError) as error:
        return Shot(found, problem=str(error))
    return Shot(found, png(smooth(picture)), not problem, problem)


def _solve(env: TabletopEnv) -> str:
    """Let the oracle act; returns why it could not solve the task, or ""."""
    oracle = Oracle(env)
    try:
        for _ in range(2 * env.spec_drawn.bounds["steps"] + 2):
            if env.step(oracle.act())[2]:
                return ""
    except OracleError as error:
        return str(error)
    return "the oracle does not solve it in time"


def png(picture: Frame) -> bytes:
    """A picture (height, width, 3) as PNG; written here since nothing that is needed writes one."""
    height, width, _ = picture.shape
    rows = picture.reshape(height, width * 3)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    # Each row begins with its filter, 2: what is kept is the difference to the row above.
    filtered = np.hstack([np.full((height, 1), 2, np.uint8), rows - above])
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(filtered.tobytes(), 9)
    chunks = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
