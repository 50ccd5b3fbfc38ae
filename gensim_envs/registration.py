"""Rows of libraries -> Gymnasium's registry."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from gensim_envs.library import Broken, Library, LibraryError, Row, is_shipped, shipped

if TYPE_CHECKING:
    from gensim_envs.env import TabletopEnv

_MAKE = "gensim_envs.registration:make"
_REFUSE = "gensim_envs.registration:refuse"
_OPTIONS = ("obs_mode", "split", "motion", "sensor_noise", "render_mode")


def register_library(path: str | os.PathLike[str]) -> list[str]:
    """Register every task of a library with Gymnasium.

    A broken row is said in a warning, and `gym.make` of its id says it again; the others are
    registered all the same. Registering a library twice changes nothing.

    Args:
        path: a folder with a registry.json.

    Returns:
        The ids that can be made.

    Raises:
        LibraryError: where the folder has no registry.json that can be read.
    """
    library = Library(Path(os.path.expanduser(path)).resolve())
    try:
        if not library.registry.exists():
            raise LibraryError(f"{library.registry} does not exist. Publish a task into it first")
    except OSError as error:
        raise LibraryError(f"{library.registry} cannot be read: {error.strerror}") from error
    return _register(library)


def register_shipped() -> None:
    """Register the suite's own library and the one that GENSIM_LIBRARY names."""
    try:
        _register(shipped())
    except LibraryError as error:
        warnings.warn(str(error), stacklevel=3)
    try:
        if os.environ.get("GENSIM_LIBRARY"):
            register_library(os.environ["GENSIM_LIBRARY"])
    except LibraryError as error:
        warnings.warn(f"GENSIM_LIBRARY: {error}", stacklevel=3)


def _register(library: Library) -> list[str]:
    rows, broken = library.read()
    root = _root(library)
    ids = []
    for row in rows:
        new = _spec(row, root)
        old = gym.registry.get(row.id)
        if old is not None and old.kwargs != new.kwargs and old.entry_point == _MAKE:
            where = old.kwargs["library"] or "the suite"
            broken = [*broken, Broken(None, f"{row.id} of {library.root} is already in {where}")]
            continue
        # gym.register looks through the whole registry for each id; this is checked in bulk.
        gym.registry[row.id] = new
        ids.append(row.id)
    _refuse_all(broken)
    return ids


def spec(library: Library, row: Row) -> EnvSpec:
    """What `gym.make` takes instead of an id, whatever is registered."""
    return _spec(row, _root(library))


def _root(library: Library) -> str | None:
    """What tells a library from others; no path for the suite's own, wherever it is."""
    return None if is_shipped(library) else str(library.root)


def _spec(row: Row, root: str | None) -> EnvSpec:
    return EnvSpec(
        row.id,
        entry_point=_MAKE,
        max_episode_steps=row.max_episode_steps,
        kwargs={"task": row.id, "library": root},
    )


def _refuse_all(broken: Iterable[Broken]) -> None:
    for entry in broken:
        warnings.warn(entry.problem, stacklevel=5)
        if entry.id is not None and entry.id not in gym.registry:
            gym.registry[entry.id] = EnvSpec(
                entry.id, entry_point=_REFUSE, kwargs={"problem": entry.problem}
            )


def refuse(problem: str, **options: Any) -> TabletopEnv:
    """What `gym.make` of a broken row calls."""
    raise LibraryError(problem)


def make(task: str, library: str | None, **options: Any) -> TabletopEnv:
    """What `gym.make` calls.

    Args:
        task: id of a row.
        library: its folder; None for the suite's own.
        options: `obs_mode`, `split`, `motion`, `sensor_noise` and `render_mode`, see
            `TabletopEnv`.

    Raises:
        TypeError: on any other option.
        LibraryError: where the row or its program is not as it was published.
    """
    # Here, because importing gensim_envs must load no physics.
    from gensim_envs.env import TabletopEnv

    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _OPTIONS, 1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise TypeError(
            f"{task} has no option {unknown[0]!r}{hint} Allowed are {', '.join(_OPTIONS)}"
        )
    shelf = shipped() if library is None else Library(Path(library))
    row = shelf.row(task)
    return TabletopEnv(load_program(shelf, row), row.bounds, **options)


def load_program(library: Library, row: Row) -> Any:
    """The program of a row, verified.

    Raises:
        LibraryError: where it is not what was published.
    """
    from gensim_envs.program import HandWritten, Sandboxed, module_name

    source = library.source(row)
    if row.hand_written:
        return HandWritten(row.name, module_name(row.file))
    return Sandboxed(row.name, source)
