"""`python -m agents freeze`: the hashes of suites and of the programs of their tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from agents.errors import AgentsError
from agents.suites import SUITES, Suite, parse, read
from gensim_envs.utils import files


def check(suite: Suite) -> None:
    """Check that the registered tasks are those for which a suite was frozen.

    Raises:
        AgentsError: naming the task that is missing or has another program.
    """
    now = program_hashes(suite.programs)
    for env, sha256 in suite.programs.items():
        if now[env] != sha256:
            raise AgentsError(
                f"the program of {env} has changed since version {suite.version} of suite "
                f"{suite.name!r} was frozen. Restore it, or raise the suite's version and run "
                "python -m agents freeze, with --file for a file of your own"
            )


def program_hashes(envs: Iterable[str]) -> dict[str, str]:
    """The sha256 of the program of each task, from the registry of its library.

    Raises:
        AgentsError: naming a task that is not registered, or whose record is broken.
    """
    # Task lists can be read without the simulator.
    import gymnasium as gym

    from gensim_envs.library import Library, LibraryError

    hashes = {}
    for env in envs:
        if env not in gym.registry:
            raise AgentsError(f"{env} is not registered; `gensim list` shows the ids")
        try:
            hashes[env] = Library.of(gym.spec(env).kwargs["library"]).record(env).sha256
        except (KeyError, LibraryError) as error:
            raise AgentsError(f"{env} has no valid record in its library: {error}") from error
    return hashes


def freeze(path: Path = SUITES) -> list[str]:
    """Write the hashes of suites that are new or whose version was raised.

    Returns:
        The names of these.

    Raises:
        AgentsError: if a suite has changed but not its version; nothing is written.
    """
    data, changed = read(path), []
    for each in data.suites:
        made = parse(each, data.lists)
        programs = program_hashes(sorted({env for each in made.experiments for env in each.envs}))
        each["programs"] = programs
        made = parse(each, data.lists)
        now = {"version": made.version, "sha256": made.sha256}
        old = each.get("frozen", {})
        if now == old:
            continue
        if made.version <= old.get("version", -1):
            raise AgentsError(
                f"suite {made.name!r} or one of its tasks has changed since version "
                f"{old['version']} was frozen. Raise its version to {old['version'] + 1}"
            )
        each["frozen"] = now
        changed.append(made.name)
    if changed:
        files.write(path, (json.dumps(asdict(data), indent=1, ensure_ascii=False) + "\n").encode())
    return changed


def freeze_command(file: Path = SUITES) -> None:
    """Freeze suites that were changed and whose version was raised.

    Args:
        file: the suites.
    """
    changed = freeze(file)
    print(f"frozen: {', '.join(changed)}" if changed else "nothing has changed")
