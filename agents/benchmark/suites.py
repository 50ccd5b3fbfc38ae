"""Frozen suites: which cells of agents x tasks x demo counts a benchmark has.

`suites.json` holds named lists of tasks and suites. A suite keeps the sha256 of each task's program
and one of itself, so that two results of one suite and version are results of the same thing.
`python -m agents.benchmark.suites` writes both after a suite was changed and its version raised.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import files
from agents.errors import AgentsError

SUITES = Path(__file__).with_name("suites.json")
_SUITE = {
    "name": str, "version": int, "purpose": str, "episodes": int, "seed": int, "threads": int,
    "tracks": dict, "cells": list, "programs": dict, "frozen": dict,
}  # fmt: skip
_LIST = {"purpose": str, "tasks": list}
_BLOCK = {
    "agents": list, "tasks": (list, str), "pool": str, "demos": list, "start": dict,
    "tracks": list, "options": dict,
}  # fmt: skip

Lists = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Track:
    """One way of evaluating a policy.

    Attributes:
        name: column of the tables.
        split: "train" for seen colours, "test" for unseen ones.
        perturb: what `reset(options={"perturb": ...})` gets.
    """

    name: str
    split: str
    perturb: dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One entry of a benchmark: a policy, how it is trained, and on what it is tested.

    Attributes:
        name: of its folder; says all that tells it from the suite's other cells.
        agent: name of the agent.
        envs: tasks that it is trained and tested on; one, unless it is of kind "multi".
        pool: list of tasks that it, or the cell from which it starts, is trained on together.
        demos: demonstrations of each task; None for agents that need none, 0 to test the cell from
            which it starts as it is.
        start: name of the cell whose policy it starts from.
        tracks: how it is tested; where there are none, it is there for others to start from.
        options: of training, where they differ from the agent's own defaults.
    """

    name: str
    agent: str
    envs: tuple[str, ...]
    pool: str | None
    demos: int | None
    start: str | None
    tracks: tuple[Track, ...]
    options: dict[str, Any]

    @property
    def kind(self) -> str:
        """What the cell shows: single, multi, few-shot or zero-shot."""
        if self.start is not None:
            return "few-shot" if self.demos else "zero-shot"
        return "multi" if self.pool is not None else "single"

    @property
    def trained_on(self) -> str:
        """The name of its list of tasks or of its only task, fit for a file's name."""
        return self.pool if self.kind == "multi" and self.pool else _short(self.envs[0])


@dataclass(frozen=True)
class Suite:
    """A frozen benchmark.

    Attributes:
        name: for `--suite`.
        version: raised when anything about it changes.
        purpose: one line.
        episodes: test episodes of each task and track.
        seed: of training.
        threads: of each cell's process. A sum of floats depends on it, so it belongs to the suite.
        cells: in the order in which they are run; a cell comes after the one that it starts from.
        programs: {task: sha256 of its program}.
        sha256: of all this.
    """

    name: str
    version: int
    purpose: str
    episodes: int
    seed: int
    threads: int
    cells: tuple[Cell, ...]
    programs: dict[str, str]
    sha256: str


def task_list(name: str, path: Path = SUITES) -> tuple[str, ...]:
    """The tasks of a named list.

    Raises:
        AgentsError: where there is no such list.
    """
    return _listed(name, _read(path)["lists"], str(path))


def suite(name: str, path: Path = SUITES) -> Suite:
    """A suite, as it was frozen.

    Raises:
        AgentsError: where there is none of this name, or it is not what was frozen.
    """
    data = _read(path)
    found = {each.get("name"): each for each in data["suites"]}
    if name not in found:
        raise AgentsError(f"there is no suite {name!r}; there are {', '.join(map(str, found))}")
    made = _suite(found[name], data["lists"])
    frozen = found[name].get("frozen", {})
    if frozen != {"version": made.version, "sha256": made.sha256}:
        raise AgentsError(
            f"suite {name!r} of {path} is not what was frozen as version {frozen.get('version')}. "
            "Raise its version and run python -m agents.benchmark.suites"
        )
    return made


def suite_names(path: Path = SUITES) -> list[str]:
    """The names of all suites."""
    return [str(each.get("name")) for each in _read(path)["suites"]]


def check(suite: Suite) -> None:
    """See to it that the registered tasks are those for which a suite was frozen.

    Raises:
        AgentsError: naming the task that is missing or has another program.
    """
    now = program_hashes(suite.programs)
    for env, sha256 in suite.programs.items():
        if now[env] != sha256:
            raise AgentsError(
                f"{env} is not the program with which suite {suite.name!r} was frozen as version "
                f"{suite.version}. Restore it, or raise the suite's version and run "
                "python -m agents.benchmark.suites"
            )


def program_hashes(envs: Iterable[str]) -> dict[str, str]:
    """{task: sha256 of its program, as its library's registry has it}.

    Raises:
        AgentsError: naming a task that is not registered, or whose record is broken.
    """
    # Here, so that task lists can be read where there is no simulator.
    import gymnasium as gym

    from gensim_envs.library import Library, LibraryError, shipped

    hashes = {}
    for env in envs:
        if env not in gym.registry:
            raise AgentsError(f"{env} is not registered; `gensim list` shows what is")
        try:
            root = gym.spec(env).kwargs["library"]
            library = shipped() if root is None else Library(Path(root))
            hashes[env] = library.record(env).sha256
        except (KeyError, LibraryError) as error:
            raise AgentsError(f"{env} is no sound task of a library: {error}") from error
    return hashes


def freeze(path: Path = SUITES) -> list[str]:
    """Write the hashes of all suites that are new or whose version was raised.

    Returns:
        The names of these.

    Raises:
        AgentsError: where a suite has changed under its version; nothing is written then.
    """
    data, changed = _read(path), []
    for each in data["suites"]:
        made = _suite(each, data["lists"])
        programs = program_hashes(sorted({env for cell in made.cells for env in cell.envs}))
        each["programs"] = programs
        made = _suite(each, data["lists"])
        now = {"version": made.version, "sha256": made.sha256}
        old = each.get("frozen", {})
        if now == old:
            continue
        if made.version <= old.get("version", -1):
            raise AgentsError(
                f"suite {made.name!r} or a task of it has changed since it was frozen as version "
                f"{old['version']}. Raise its version to {old['version'] + 1}"
            )
        each["frozen"] = now
        changed.append(made.name)
    if changed:
        files.write(path, (_dumps(data) + "\n").encode())
    return changed


# ------------------------------------------------------------------------------------- the file


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AgentsError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AgentsError(f"{path} is no JSON: {error}") from error
    if not isinstance(data, dict) or set(data) != {"lists", "suites"}:
        raise AgentsError(f'{path}: expected {{"lists": {{...}}, "suites": [...]}}')
    return data


def _suite(data: Mapping[str, Any], lists: Lists) -> Suite:
    """A suite from its JSON, with every list's tasks in its hash."""
    where = f"suite {data.get('name')!r}"
    _check_keys(data, _SUITE, where, optional={"programs", "frozen"})
    tracks = {
        name: Track(name, each.get("split", "train"), each.get("perturb", {}))
        for name, each in data["tracks"].items()
    }
    cells: dict[str, Cell] = {}
    for number, block in enumerate(data["cells"], 1):
        for cell in _cells(block, lists, tracks, f"{where}, block {number} of its cells"):
            if cell.name in cells:
                raise AgentsError(f"{where} has two cells {cell.name!r}")
            if cell.start is not None and cell.start not in cells:
                raise AgentsError(f"{where}: {cell.name!r} starts from {cell.start!r}, which is "
                                  "no cell before it")  # fmt: skip
            cells[cell.name] = cell
    meant = {key: value for key, value in data.items() if key != "frozen"}
    meaning = [meant, [cell.envs for cell in cells.values()]]
    return Suite(
        **{key: data[key] for key in ("name", "version", "purpose", "episodes", "seed", "threads")},
        cells=tuple(cells.values()),
        programs=data.get("programs", {}),
        sha256=hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest(),
    )


def _cells(
    block: Mapping[str, Any],
    lists: Lists,
    tracks: Mapping[str, Track],
    where: str,
) -> Iterable[Cell]:
    """The cells of one block: agents x tasks x demo counts."""
    _check_keys(block, _BLOCK, where, optional=set(_BLOCK) - {"agents"})
    if ("pool" in block) == ("tasks" in block):
        raise AgentsError(f"{where} needs either tasks, one policy each, or a pool for one policy")
    used = block.get("tracks", ["seen", "unseen"])
    for track in set(used) - set(tracks):
        raise AgentsError(f"{where}: there is no track {track!r}; there are {', '.join(tracks)}")
    chosen = tuple(tracks[track] for track in used)
    options = block.get("options", {})
    start, pool = block.get("start"), block.get("pool")
    if not start and 0 in block.get("demos", []):
        raise AgentsError(f"{where}: a policy without demonstrations needs another to start from")
    groups = [_listed(pool, lists, where)] if pool else [
        (env,) for env in _listed(block["tasks"], lists, where)
    ]  # fmt: skip
    for agent in block["agents"]:
        for envs in groups:
            for demos in block.get("demos", [None]):
                before = _name(agent, start["pool"], start["demos"]) if start else None
                name = _name(before or agent, pool or _short(envs[0]), demos)
                yield Cell(
                    name, agent, envs, start["pool"] if start else pool, demos, before, chosen,
                    options,
                )  # fmt: skip


def _listed(tasks: str | Sequence[str], lists: Lists, where: str) -> tuple[str, ...]:
    """The tasks of a list, or those that are given."""
    if not isinstance(tasks, str):
        return tuple(tasks)
    if tasks not in lists:
        raise AgentsError(f"{where}: there is no task list {tasks!r}; there are {', '.join(lists)}")
    _check_keys(lists[tasks], _LIST, f"{where}: task list {tasks!r}", optional=set())
    return tuple(lists[tasks]["tasks"])


def _name(*parts: object) -> str:
    return "-".join(str(part) for part in parts if part is not None)


def _short(env: str) -> str:
    return env.removeprefix("gensim/").replace("/", "_")


def _check_keys(
    data: Mapping[str, Any], known: Mapping[str, Any], where: str, optional: set[str]
) -> None:
    for key in [*data, *(set(known) - optional)]:
        if key not in known:
            raise AgentsError(f"{where} has the unknown key {key!r}; use {', '.join(known)}")
        if not isinstance(data.get(key), known[key]):
            raise AgentsError(f"{where}: {key} is {data.get(key)!r:.60}")


def _dumps(data: Any, indent: str = "", first: int = 0) -> str:
    """JSON in which whatever fits a line is on a line."""
    flat = json.dumps(data, ensure_ascii=False)
    if len(indent) + first + len(flat) < 100 or not isinstance(data, (dict, list)):
        return flat
    inner = indent + "  "
    if isinstance(data, list):
        return "[\n" + ",\n".join(inner + _dumps(each, inner) for each in data) + f"\n{indent}]"
    keys = {json.dumps(key, ensure_ascii=False): value for key, value in data.items()}
    lines = (f"{inner}{key}: {_dumps(value, inner, len(key) + 2)}" for key, value in keys.items())
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m agents.benchmark.suites`."""
    parser = argparse.ArgumentParser(
        prog="python -m agents.benchmark.suites", description="Freeze suites that were changed."
    )
    parser.add_argument("--file", type=Path, default=SUITES, help="the suites; the shipped ones")
    try:
        changed = freeze(parser.parse_args(arguments).file)
    except AgentsError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"frozen: {', '.join(changed)}" if changed else "nothing has changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
