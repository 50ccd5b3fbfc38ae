"""Whether tasks can be seen and need reading, on seeds that were not used for tuning."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium as gym
import shapely

import gensim_envs
from benchmarks.success import RANDOM_STEPS, episode
from gensim_envs import Oracle, OracleError
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import TaskError
from gensim_envs.generation import blind, sight
from gensim_envs.generation.validate import run_episode
from gensim_envs.library import Library, Record, shipped
from gensim_envs.sandbox.program import HandWritten, Program, Sandboxed
from gensim_envs.seeds import BENCHMARK
from gensim_envs.sim.arm.robot import BLADE_SIZE
from gensim_envs.sim.views import PIXEL
from gensim_envs.task.assets import Pile
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.relations import outline
from gensim_envs.utils import files
from gensim_envs.utils.processes import map_in_order
from gensim_envs.utils.progress import Progress

_AFTER = f"after {RANDOM_STEPS} random"
POLICIES = ("oracle", "random", "noop", _AFTER)
HEADER = (
    "env", "oracle", "blind", "blind, late", "reading", "random", "no-op", _AFTER, "out of reach",
    "pixels", "contrast", "not to be seen", "redraws",
)  # fmt: skip
Measure = dict[str, Any]
"""The result of one episode."""


def run(
    ids: Sequence[str], episodes: int, folder: Path | None = None, skip: int = 0
) -> Iterator[tuple[str, ...]]:
    """Rows of the table, one for each task, then one for all.

    Args:
        ids: of the tasks.
        episodes: for each task and each column; sight takes a tenth, in each split.
        folder: keeps the result of each episode, so that an interrupted run goes on where it was.
        skip: number of seeds to leave out, for instance those whose failures have been mended.
    """
    yield HEADER
    library = shipped()
    records = [record for record in library.records() if record.id in ids]
    folder = folder or Path(tempfile.gettempdir()) / f"gensim-truth-{gensim_envs.__version__}"
    kinds = [*POLICIES, "blind", "draw", *["train", "test"]]
    seeds = BENCHMARK[skip:]
    jobs: list[tuple[Record, str, int]] = [
        (record, kind, seed)
        for record in records
        for kind in kinds
        for seed in seeds[: max(1, episodes // 10) if kind in ("train", "test") else episodes]
    ]
    results = _measure_all(library, jobs, folder)
    for record in records:
        yield _row(record.name, [(k, m) for (r, k, _), m in results.items() if r == record.id])
    yield _row("all", [(kind, measure) for (_, kind, _), measure in results.items()])


def measure(record: Record, program: Program, kind: str, seed: int) -> Measure:
    """Run one episode; a draw that fails or an error of the task counts as one without success.

    Args:
        record: of the task.
        program: the task's program.
        kind: one of `POLICIES`, "blind", "draw" (counts redraws), or a split to look at.
        seed: of the episode.
    """
    try:
        if kind == "blind":
            return asdict(blind.play(program, record.bounds, record.max_episode_steps, seed))
        if kind == "draw":
            return {"redraws": program.draw("train", seed).redraws}
        if kind in ("train", "test"):
            found = sight.together(run_episode(program, record.bounds, "oracle", kind, seed).sights)
            checks = sorted({problem.check for problem in found.problems})
            return {"pixels": found.pixels, "contrast": found.contrast, "checks": checks}
        if kind == _AFTER:
            return after_random(record.id, seed)
        value = episode(record.id, kind, seed)
        return {"solved": value > 0 if kind == "noop" else abs(value - 1) < 1e-9}
    except TaskError as error:
        return {"error": str(error)}


def after_random(id: str, seed: int) -> Measure:
    """Whether the oracle solves a task after random actions, none of which breaks a rule.

    Returns:
        "solved", and "gone": whether these actions moved something out of the workspace or off the
        table, where nothing can pick it up.
    """
    env = gym.make(id, obs_mode="state")
    inner: Any = env.unwrapped
    env.action_space.seed(seed)
    env.reset(seed=seed)
    info: dict[str, Any] = {}
    for _ in range(RANDOM_STEPS):
        state = inner.get_state()
        *_, info = inner.step(env.action_space.sample())
        while info["violation"]:
            inner.set_state(state)
            *_, info = inner.step(env.action_space.sample())
    gone, oracle, ended = _is_something_gone(inner), Oracle(env), bool(info["success"])
    with suppress(OracleError):
        while not ended:  # these random actions do not count towards the step limit
            *_, terminated, truncated, info = env.step(oracle.act())
            ended = terminated or truncated
    env.close()
    return {"solved": bool(info["success"]), "gone": gone}


def _is_something_gone(env: TabletopEnv) -> bool:
    """Whether a thing has left the table, or less than a pixel of it is in the workspace.

    A pile has left the workspace with the first crumb that no blade reaches.
    """
    spec, now = env.task_spec, env.world.snapshot()
    (x0, x1), (y0, y1) = WORKSPACE
    area = shapely.box(x0, y0, x1, y1).buffer(-PIXEL)
    reach = shapely.box(x0, y0, x1, y1).buffer(BLADE_SIZE[1] / 2, join_style="mitre")

    def is_gone(k: int) -> bool:
        if k not in now.bodies:
            return not outline(spec, k, now).intersects(area)
        pile = isinstance(spec.items[k].asset, Pile)
        return pile and not reach.contains(shapely.MultiPoint(now.bodies[k][:, :2]))

    return any(
        not now.has(k) or is_gone(k) for k, item in enumerate(spec.items) if item.after is None
    )


def _measure_all(
    library: Library, jobs: Sequence[tuple[Record, str, int]], folder: Path
) -> dict[tuple[str, str, int], Measure]:
    """Measure what no earlier run has measured, over all cores."""
    path = folder / "episodes.jsonl"
    found: dict[tuple[str, str, int], Measure] = {}
    digests = {record.id: record.sha256 for record, *_ in jobs}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        id, sha256, kind, seed, result = json.loads(line)
        if digests.get(id) == sha256:
            found[id, kind, seed] = result
    todo = [job for job in jobs if (job[0].id, *job[1:]) not in found]
    programs = {record.id: _program(library, record) for record, *_ in todo}
    calls = [(record, programs[record.id], kind, seed) for record, kind, seed in todo]
    done = len(jobs) - len(todo)
    with (
        Progress(len(jobs), "truth", "episode", done) as progress,
        closing(map_in_order(measure, calls)) as running,
    ):
        for (record, kind, seed), result in zip(todo, running, strict=True):
            found[record.id, kind, seed] = result
            row = [record.id, record.sha256, kind, seed, result]
            files.append(path, json.dumps(row).encode() + b"\n")
            progress.advance()
    return {(r.id, kind, seed): found[r.id, kind, seed] for r, kind, seed in jobs}


def _program(library: Library, record: Record) -> Program:
    if record.hand_written:
        return HandWritten(record.name, record.file)
    return Sandboxed(record.name, library.source(record))


def _row(name: str, results: Sequence[tuple[str, Measure]]) -> tuple[str, ...]:
    def share(kind: str, key: str = "solved") -> str:
        rows = [result for k, result in results if k == kind and not result.get("gone")]
        return f"{sum(bool(row.get(key)) for row in rows)}/{len(rows)}"

    seen = [result for kind, result in results if kind in ("train", "test")]
    draws = [result for kind, result in results if kind == "draw"]
    repeated = sum(row.get("redraws", 0) for row in draws)
    reading = any(r.get("choice") and r.get("rejected") for kind, r in results if kind == "blind")
    checks = sorted({check for row in seen for check in row.get("checks", ["error"])})
    pixels, contrast = ([row[key] for row in seen if key in row] for key in ("pixels", "contrast"))
    return (
        name, share("oracle"), share("blind"), share("blind", "solved_late"),
        "yes" if reading else "no", share("random"), share("noop"), share(_AFTER),
        str(sum(bool(result.get("gone")) for _, result in results)),
        str(min(pixels, default="?")), str(min(contrast, default="?")), ", ".join(checks) or "-",
        f"{repeated / max(1, repeated + len(draws)):.1%}",
    )  # fmt: skip
