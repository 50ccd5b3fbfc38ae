"""How good an agent is: episodes over fixed test seeds, in processes, and a report in JSON.

An episode is a function of agent, env, split, perturbation and seed alone. Which process plays it,
and after what, leaves no trace in it, so results do not depend on the number of workers.
"""

from __future__ import annotations

import argparse
import concurrent.futures as cf
import functools
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

import gensim_envs
from agents.data.datasets import check_spaces
from agents.data.workers import cores, processes
from agents.errors import AgentsError
from agents.evaluation import report
from agents.evaluation.rollout import (
    BASELINES,
    MAKE_ERRORS,
    Outcome,
    Player,
    Row,
    of_suite,
    outcome,
)
from gensim_envs.seeds import TEST, TRAINING

if TYPE_CHECKING:
    from agents.policies.base import Agent

PERTURBATIONS: dict[str, Any] = {
    "colors": "test", "camera": 0.02, "light": 1.0, "distractors": 4, "instruction": "wrong",
}  # fmt: skip
"""What `--perturb KEY` puts into `reset(options={"perturb": {KEY: ...}})`."""
PRETRAINED = Path(__file__).parents[1] / "pretrained"
"""The checkpoint that is evaluated where none is named."""
SPLITS = ("train", "test")

_CHUNK = 5  # episodes that a process is given at once
_COMPARED = TEST[:10]  # seeds over which splits are compared


def evaluate(
    player: Player,
    envs: Sequence[str] = (),
    *,
    seeds: Sequence[int],
    splits: Sequence[str] = ("train",),
    perturb: Mapping[str, Any] | None = None,
    workers: int | None = None,
    videos: Path | None = None,
    films: int = 5,
) -> dict[str, Any]:
    """Play episodes and report, in a form that can be written as JSON.

    In a script, call it under `if __name__ == "__main__":`, since it starts processes.

    Args:
        player: who plays.
        envs: ids; those on which the agent was trained where none are given.
        seeds: one episode of each env and split for each.
        splits: "train", "test" or both. With both, an env that shows no colour or shape in "test"
            that it does not show in "train" has no row for "test", nor has one of another suite.
        perturb: what each reset is given as `options["perturb"]`.
        workers: processes; None for one on each core.
        videos: folder for films of episodes that failed; None for no films.
        films: how many at most, of each row in turn.

    Returns:
        The report; see `agents.evaluation.report.summary`.

    Raises:
        AgentsError: before any episode, where the agent cannot play these envs or a seed is one
            of training.
    """
    began = time.monotonic()
    _check(seeds, splits, workers, films)
    if videos is not None:
        from agents.evaluation.videos import check_writable

        check_writable(videos)
    agent = player.load()
    about: Any = getattr(agent, "about", None)  # of a trained one
    envs = envs or (about.envs if about is not None else ())
    if not envs:
        raise AgentsError(f"{player.name} was trained on no task; name some with --env or --tasks")
    rows, left_out = _rows(agent, list(dict.fromkeys(envs)), splits, dict(perturb or {}))
    foreign = [env for env in envs if not of_suite(env)]
    if foreign and (perturb or videos is not None):
        raise AgentsError(
            f"{foreign[0]} is not of this suite, whose tasks alone can be perturbed and filmed; "
            "leave out --perturb and --videos"
        )
    if not rows:
        raise AgentsError(f"nothing is left to play: {left_out[0]['why']}; use --split train")
    outcomes = _play_all(player, rows, seeds, workers or cores())
    if videos is not None:
        _film_all(player, outcomes, videos, films, workers or cores())
    return {
        "agent": player.name or about.agent,
        "checkpoint": None if player.checkpoint is None else str(player.checkpoint),
        **report.summary(outcomes, left_out, seeds),
        "seconds": round(time.monotonic() - began, 1),
        "versions": report.versions(),
        "machine": report.machine(),
    }


def _check(seeds: Sequence[int], splits: Sequence[str], workers: int | None, films: int) -> None:
    if not seeds:
        raise AgentsError("there are no episodes to play; ask for at least 1")
    trained = [seed for seed in seeds if seed in TRAINING]
    if trained:
        raise AgentsError(f"{trained[0]} is a training seed; evaluate on seeds of TEST, {TEST}")
    wrong = [split for split in splits if split not in SPLITS]
    if wrong or not splits:
        raise AgentsError(f"split is {splits!r}; use train, test or both")
    if workers is not None and workers < 1:
        raise AgentsError(f"workers is {workers}; use at least 1")
    if films < 0:
        raise AgentsError(f"films is {films}; use at least 0")


# ------------------------------------------------------------------------- before the episodes


def _rows(
    agent: Agent,
    envs: Sequence[str],
    splits: Sequence[str],
    perturb: dict[str, Any],
) -> tuple[list[Row], list[dict[str, str]]]:
    """What is played, each seen to fit the agent, and what is left out and why."""
    rows, left_out = [], []
    about = getattr(agent, "about", None)
    bounds: dict[str, int] = {}
    if about is not None and agent.obs_mode == "state" and any(map(of_suite, envs)):
        # A vector is as long as the longest of the tasks in training.
        bounds = about.state_bounds or _common_bounds(about.envs)
    for env in envs:
        padded = tuple(bounds.items()) if of_suite(env) else ()
        own = [
            Row(env, split, tuple(perturb.items()), agent.obs_mode, padded)
            for split in SPLITS
            if split in splits
        ]
        _check_fit(own[0], agent)
        why = None
        if not of_suite(env):
            why = "envs that are not of this suite have one split"
        elif len(own) == 2 and not _looks(own[1]) - _looks(own[0]):
            why = f"{len(_COMPARED)} draws show no colour or shape that those of train do not"
        if why is not None and own[-1].split == "test":
            left_out.append({"env": env, "split": "test", "why": why})
            own.pop()
        rows += own
    return rows, left_out


def _common_bounds(envs: Iterable[str]) -> dict[str, int]:
    try:
        return gensim_envs.common_bounds(envs)
    except MAKE_ERRORS as error:
        raise AgentsError(
            f"the length of state vectors is not known: {error}. `gensim list` shows the ids"
        ) from error


def _check_fit(row: Row, agent: Agent) -> None:
    """See to it that the agent can play the env.

    Raises:
        AgentsError: naming what does not fit.
    """
    bounds = dict(row.bounds)
    if bounds and any(most > bounds[k] for k, most in _common_bounds([row.env]).items()):
        raise AgentsError(
            f"{row.env} has {_common_bounds([row.env])} and the state vector of the checkpoint is "
            f"for at most {bounds}; train an agent on it"
        )
    env = row.make()
    try:
        learned = hasattr(agent, "about")  # the others act on no observation
        obs_mode = row.obs_mode if learned else None
        check_spaces(row.env, obs_mode, env.observation_space, env.action_space)
        agent.begin(env, np.random.default_rng(0))
    finally:
        env.close()


def _looks(row: Row) -> set[tuple[str, str, int]]:
    """Kind, colour and shape of all that some draws put on the table."""
    env = row.make(obs_mode="rgbd")
    looks: set[tuple[str, str, int]] = set()
    try:
        for seed in _COMPARED:
            env.reset(seed=seed)
            assets = [item.asset for item in env.get_wrapper_attr("task_spec").items]
            looks |= {(type(asset).__name__, asset.color, asset.variant) for asset in assets}
    finally:
        env.close()
    return looks


# --------------------------------------------------------------------------------- the episodes


@functools.cache
def _agent(player: Player) -> Agent:
    """The agent, loaded once in each process."""
    return player.load()


def _play(player: Player, row: Row, seeds: Sequence[int]) -> list[Outcome]:
    """Play some seeds of a row; runs in a worker."""
    agent, env = _agent(player), row.make()
    try:
        return [outcome(env, agent, seed, row.options) for seed in seeds]
    finally:
        env.close()


def _play_all(
    player: Player, rows: Sequence[Row], seeds: Sequence[int], workers: int
) -> dict[Row, list[Outcome]]:
    """All outcomes of each row, in the order of the seeds."""
    chunks = [seeds[k : k + _CHUNK] for k in range(0, len(seeds), _CHUNK)]
    jobs = [(row, chunk) for row in rows for chunk in chunks]
    with processes(min(workers, len(jobs))) as executor:
        futures = [executor.submit(_play, player, row, chunk) for row, chunk in jobs]
        _follow(futures, [len(chunk) for _, chunk in jobs])
        parts = [future.result() for future in futures]
    outcomes: dict[Row, list[Outcome]] = {row: [] for row in rows}
    for (row, _), part in zip(jobs, parts, strict=True):
        outcomes[row] += part
    return outcomes


def _follow(futures: Sequence[cf.Future[Any]], sizes: Sequence[int]) -> None:
    """Wait, and show how far it is: a bar on a terminal, lines elsewhere."""
    size_of = dict(zip(futures, sizes, strict=True))
    total, done, said = sum(sizes), 0, 0.0
    with tqdm(total=total, unit="episode", disable=not sys.stderr.isatty()) as bar:
        for future in cf.as_completed(futures):
            future.result()
            done += size_of[future]
            bar.update(size_of[future])
            if bar.disable and done >= said + total / 5:
                said = done
                print(f"{done} of {total} episodes", file=sys.stderr, flush=True)


def _film_all(
    player: Player, outcomes: Mapping[Row, Sequence[Outcome]], videos: Path, most: int, workers: int
) -> None:
    """Play failed episodes again, and film them: the first of each row, then the second, ..."""
    failed = {
        row: [o.seed for o in its if not (o.success or o.refused)] for row, its in outcomes.items()
    }
    longest = max(map(len, failed.values()))
    jobs = [(row, its[k]) for k in range(longest) for row, its in failed.items() if k < len(its)]
    del jobs[most:]
    if not jobs:
        return
    with processes(min(workers, len(jobs))) as executor:
        futures = [executor.submit(_film, player, row, seed, videos) for row, seed in jobs]
        for future in futures:
            print(f"wrote {future.result()}", file=sys.stderr, flush=True)


def _film(player: Player, row: Row, seed: int, videos: Path) -> Path:
    """Film one episode; runs in a worker."""
    from agents.evaluation import videos as films

    name = "-".join([row.env.split("/")[-1], row.split, *dict(row.perturb), str(seed)])
    path = videos / f"{name}.mp4"
    films.film(_agent(player), row, seed, path)
    return path


# ----------------------------------------------------------------------------------- the command


def add_parser(commands: Any) -> None:
    """Add `python -m agents evaluate`."""
    text = "Play episodes over fixed test seeds and report success."
    parser = commands.add_parser("evaluate", help=text, description=text)
    parser.set_defaults(run=run)
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--checkpoint", type=Path, metavar="DIR", help="of a trained agent; else "
                     "the one that is shipped")  # fmt: skip
    who.add_argument("--agent", choices=BASELINES, help="an agent that needs no training")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--env", nargs="+", action="extend", default=[], metavar="ID",
                      help="tasks; else those that the agent was trained on")  # fmt: skip
    what.add_argument("--tasks", metavar="NAME", help="a list of tasks in suites.json")
    parser.add_argument("--episodes", type=int, default=100, metavar="N",
                        help="of each task and split (%(default)s)")  # fmt: skip
    parser.add_argument("--split", nargs="+", choices=SPLITS, default=["train"],
                        help="colours seen in training, unseen ones, or both (train)")  # fmt: skip
    parser.add_argument("--perturb", nargs="+", choices=PERTURBATIONS, default=[], metavar="KEY",
                        help=f"perturb each episode: {', '.join(PERTURBATIONS)}")  # fmt: skip
    parser.add_argument("--workers", type=int, metavar="N", help="processes; one on each core")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--videos", type=Path, metavar="DIR", help="film failed episodes there")
    parser.add_argument("--films", type=int, default=5, metavar="N",
                        help="how many at most (%(default)s)")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """`python -m agents evaluate`."""
    if not 1 <= options.episodes <= len(TEST):
        raise AgentsError(f"episodes is {options.episodes}; ask for 1 to {len(TEST)}")
    if options.json is not None:
        report.check_writable(options.json)
    player = _player(options)
    result = evaluate(
        player,
        _envs(options),
        seeds=list(TEST[: options.episodes]),
        splits=options.split,
        perturb={key: PERTURBATIONS[key] for key in options.perturb},
        workers=options.workers,
        videos=options.videos,
        films=options.films,
    )
    result["command"] = " ".join(["python -m agents", *sys.argv[1:]])
    print(report.table(result))
    if options.json is not None:
        report.write(options.json, result)
        print(f"wrote {options.json}", file=sys.stderr)
    return 0


def _player(options: argparse.Namespace) -> Player:
    if options.agent is not None:
        return Player(options.agent)
    folder = options.checkpoint or PRETRAINED
    if options.checkpoint is None and not folder.is_dir():
        raise AgentsError(
            f"no checkpoint is shipped in {folder}; name one with --checkpoint, or an agent that "
            "needs none with --agent"
        )
    return Player(checkpoint=folder)


def _envs(options: argparse.Namespace) -> Sequence[str]:
    if options.tasks is None:
        return list(options.env)
    from agents.benchmark.suites import task_list

    return task_list(options.tasks)
