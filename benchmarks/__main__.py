"""Print the tables: `python -m benchmarks [TABLE...] [--episodes N]`."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium as gym

from benchmarks import arm, fusion, generation, speed, steadiness, success, truth
from gensim_envs import __version__
from gensim_envs.library.records import class_of

BLOCK = "gensim/BlockInsertion-v0"  # its instruction says nothing that the picture does not
KITS = "gensim/AssemblingKits-v0"  # meshes, which pybullet is slow to give back


def main() -> None:
    """Run the tables that were asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--episodes", type=int, default=50, help="for each env and each column")
    parser.add_argument("--resets", type=int, default=10_000, help="of the memory table")
    parser.add_argument("--attempts", type=int, help="of replay and overlap")
    parser.add_argument("--env", default=BLOCK, help="of the transporter table")
    parser.add_argument("--demos", type=int, default=100, help="that its networks learn from")
    parser.add_argument("--minutes", type=float, help="that each is trained for; else not at all")
    parser.add_argument("--tasks", nargs="+", default=(), help="class names; all by default")
    parser.add_argument("--folder", type=Path, help="of truth: keeps episodes, to go on later")
    parser.add_argument("--skip", type=int, default=0, help="of truth: seeds at the start, if used")
    parser.add_argument("--mutations", type=int, default=10_000, help="of fuzz, of all kinds")
    parser.add_argument("--seed", type=int, default=0, help="of fuzz")
    tables: dict[str, Callable[[argparse.Namespace], Iterator[tuple[str, ...]]]] = {
        "success": lambda o: success.run(_ids(o), o.episodes),
        "fusion": lambda o: fusion.run(_ids(o), max(1, o.episodes // 5)),
        "arm": lambda o: arm.run(_ids(o), o.episodes),
        "latency": lambda o: speed.latency(o.episodes),
        "soft": lambda o: speed.soft(max(1, o.episodes // 10)),
        "scaling": lambda o: speed.scaling(4 * o.episodes),
        "startup": lambda o: speed.start_up(5),
        "memory": lambda o: steadiness.memory([*speed.TASKS, KITS], o.resets),
        "replay": lambda o: generation.replay(o.attempts),
        "overlap": lambda o: generation.overlap(o.attempts or 24),
        "growth": lambda o: generation.growth(),
        "transporter": _transporter,
        "truth": lambda o: truth.run(_ids(o), o.episodes, o.folder, o.skip),
        "fuzz": _fuzz,
        "sameness": lambda o: steadiness.sameness(_ids(o), o.episodes),
    }
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(tables))
    options = parser.parse_args()
    unknown = set(options.tables) - set(tables)
    if unknown:
        parser.error(f"there is no table {sorted(unknown)[0]!r}; choose from {', '.join(tables)}")
    print(f"gensim-envs {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    for name in options.tables or tables:
        print(f"\n### {name}\n", flush=True)
        for number, row in enumerate(tables[name](options)):
            print(f"| {' | '.join(row)} |", flush=True)
            if number == 0:
                print("|" + "---|" * len(row))


def _ids(options: argparse.Namespace) -> list[str]:
    """The ids of the tasks that were asked for."""
    ids = sorted(id for id in gym.registry if id.startswith("gensim/"))
    known = {class_of(id): id for id in ids}
    if unknown := set(options.tasks) - set(known):
        raise SystemExit(f"there is no task {sorted(unknown)[0]!r}; see gensim list")
    return [known[name] for name in options.tasks] or ids


def _transporter(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    # Here, since the other tables need no torch.
    from benchmarks import transporter

    return transporter.run(options.env, options.demos, options.episodes, options.minutes)


def _fuzz(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    from benchmarks import fuzz

    return fuzz.table(options.mutations, options.seed)


if __name__ == "__main__":
    main()
