"""Register the tasks of libraries with Gymnasium."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from gensim_envs import trust
from gensim_envs.library import Broken, Library, LibraryError, Record, is_shipped, shipped
from gensim_envs.printing import printable

if TYPE_CHECKING:
    from gensim_envs.envs.tabletop import TabletopEnv

_MAKE = "gensim_envs.registration:make"
_MAKE_MIX = "gensim_envs.registration:make_mix"
_REFUSE = "gensim_envs.registration:refuse"
_WARNINGS = 10  # about broken records of a library


def register_library(path: str | os.PathLike[str], *, weak_sandbox: bool = False) -> list[str]:
    """Register every task of a library with Gymnasium.

    A broken record causes a warning, and `gym.make` of its id raises an error; the other tasks are
    registered all the same. Registering a library twice changes nothing.

    Args:
        path: a folder with a registry.json.
        weak_sandbox: run the library's programs also where this machine cannot isolate them. Only
            for libraries that you trust: a program can then do what you can. Setting
            GENSIM_WEAK_SANDBOX to the folder does the same.

    Returns:
        The ids that were registered.

    Raises:
        LibraryError: the folder has no readable registry.json.
    """
    library = Library.at(path)
    if not os.path.lexists(library.registry):
        raise LibraryError(
            f"{library.registry} does not exist, or its folder may not be read. Publish a task "
            "into it first"
        )
    return _register(library, weak=weak_sandbox)


def register_shipped() -> None:
    """Register the suite's own library and the one that GENSIM_LIBRARY names."""
    try:
        _register(shipped())
    except LibraryError as error:
        warnings.warn(printable(str(error)), stacklevel=3)
    try:
        if os.environ.get("GENSIM_LIBRARY"):
            register_library(os.environ["GENSIM_LIBRARY"])
    except LibraryError as error:
        warnings.warn(printable(f"GENSIM_LIBRARY: {error}"), stacklevel=3)


def _register(library: Library, *, weak: bool = False) -> list[str]:
    records, broken = library.read()
    if is_shipped(library):
        trust.install(record.sha256 for record in records)
    root = _root(library)
    ids = []
    for record in records:
        new = _spec(record, root, weak=weak)
        old = gym.registry.get(record.id)
        ours = old is not None and old.entry_point == _MAKE
        if old is not None and ours and old.kwargs["library"] != root:
            where = old.kwargs["library"] or "the suite"
            broken = [*broken, Broken(None, f"{record.id} of {library.root} is already in {where}")]
            continue
        # gym.register looks through the whole registry for each id; this is checked in bulk.
        gym.registry[record.id] = new
        ids.append(record.id)
    for number, entry in enumerate(broken):
        if number < _WARNINGS:
            warnings.warn(printable(entry.problem), stacklevel=4)
        elif number == _WARNINGS:
            warnings.warn(f"{len(broken) - number} further records are broken", stacklevel=4)
        if entry.id is not None and entry.id not in gym.registry:
            gym.registry[entry.id] = EnvSpec(
                entry.id, entry_point=_REFUSE, kwargs={"problem": entry.problem}
            )
    return ids


def spec(library: Library, record: Record) -> EnvSpec:
    """The spec of a record, which `gym.make` takes in place of an id, registered or not."""
    return _spec(record, _root(library))


def _root(library: Library) -> str | None:
    """The folder of a library; None for the suite's own, so that specs hold no local path."""
    return None if is_shipped(library) else str(library.root)


def _spec(record: Record, root: str | None, *, weak: bool = False) -> EnvSpec:
    kwargs: dict[str, Any] = {"task": record.id, "library": root}
    if weak:
        kwargs["weak_sandbox"] = True
    return EnvSpec(
        record.id,
        entry_point=_MAKE,
        max_episode_steps=record.max_episode_steps,
        kwargs=kwargs,
    )


def refuse(problem: str, **options: Any) -> TabletopEnv:
    """The entry point of a broken record.

    Raises:
        LibraryError: always.
    """
    raise LibraryError(problem)


def mix(ids: Iterable[str]) -> EnvSpec:
    """An env spec of several tasks, for `gym.make` and `gym.make_vec`.

    Each reset draws one of the tasks with equal probability from the env's own generator; equal
    seeds give equal episodes. State vectors are padded to the `common_bounds` of all tasks.
    Episodes are truncated at the step limit of the longest task.

    Args:
        ids: registered tasks. A task that is listed twice is drawn twice as often.

    Raises:
        ValueError: `ids` is empty or has an id that is not a task of this suite.
        LibraryError: a record is broken.
    """
    specs = _specs(ids)
    return EnvSpec(
        "gensim/Mix-v0",
        entry_point=_MAKE_MIX,
        max_episode_steps=max(each.max_episode_steps or 0 for each in specs),
        kwargs={"tasks": [each.kwargs for each in specs]},
    )


def common_bounds(ids: Iterable[str]) -> dict[str, int]:
    """Upper bounds that hold for each of several tasks.

    With `gym.make(id, obs_mode="state", bounds=...)` all of them have the same observation space as
    a `mix` of them, so that one policy fits all.

    Args:
        ids: registered tasks.

    Raises:
        ValueError: `ids` is empty or has an id that is not a task of this suite.
        LibraryError: a record is broken.
    """
    return _common([Library.of(each.kwargs["library"]).record(each.id) for each in _specs(ids)])


def _specs(ids: Iterable[str]) -> list[EnvSpec]:
    if isinstance(ids, str) or not (specs := [gym.spec(each) for each in ids]):
        raise ValueError(f"{ids!r} is not a list of task ids; `gensim list` shows them")
    for each in specs:
        if each.entry_point == _REFUSE:
            refuse(**each.kwargs)
        if each.entry_point != _MAKE:
            raise ValueError(f"{each.id} is not a task of this suite; `gensim list` shows them")
    return specs


def _common(records: Sequence[Record]) -> dict[str, int]:
    return {name: max(each.bounds[name] for each in records) for name in records[0].bounds}


def make(task: str, library: str | None, weak_sandbox: bool = False, **options: Any) -> TabletopEnv:
    """The entry point of a task.

    Args:
        task: id of a record.
        library: its folder; None for the suite's own.
        weak_sandbox: whether its program runs also where this machine cannot isolate it.
        options: those of `TabletopEnv`. `bounds` may pad the state vector further than the record.

    Raises:
        TypeError: an option is unknown.
        ValueError: an option's value is not allowed, or `bounds` are below the record's.
        LibraryError: the record or its program is not as it was published.
    """
    one = {"task": task, "library": library, "weak_sandbox": weak_sandbox}
    return _env(task, [one], options)


def make_mix(tasks: Sequence[Mapping[str, Any]], **options: Any) -> TabletopEnv:
    """The entry point of a `mix`: `make` for several tasks, each with the arguments of its spec."""
    return _env("A mix", tasks, options)


def _env(name: str, tasks: Sequence[Mapping[str, Any]], options: dict[str, Any]) -> TabletopEnv:
    # Imported here, because importing gensim_envs must not load the simulator.
    from gensim_envs.envs.tabletop import TabletopEnv
    from gensim_envs.sandbox.program import Mix

    libraries = [Library.of(each["library"]) for each in tasks]
    records = [library.record(each["task"]) for library, each in zip(libraries, tasks, strict=True)]
    weak = [each.get("weak_sandbox", False) for each in tasks]
    programs = tuple(map(load_program, libraries, records, weak))
    bounds = _padded(name, _common(records), options.pop("bounds", None))
    return TabletopEnv(programs[0] if len(programs) == 1 else Mix(programs), bounds, **options)


def _padded(name: str, own: dict[str, int], wider: Mapping[str, int] | None) -> dict[str, int]:
    if wider is None:
        return own
    if set(wider) != set(own) or any(wider[each] < most for each, most in own.items()):
        raise ValueError(
            f"bounds is {dict(wider)}, but {name} needs at least {own}; "
            "gensim_envs.common_bounds(ids) gives what several tasks need"
        )
    return dict(wider)


def load_program(library: Library, record: Record, weak: bool = False) -> Any:
    """Load the verified program of a record.

    Args:
        library: where it is.
        record: its record.
        weak: run it also where this machine cannot isolate it, as GENSIM_WEAK_SANDBOX may ask too.

    Raises:
        LibraryError: the program is not the one that was published.
    """
    from gensim_envs.sandbox.program import HandWritten, Sandboxed

    source = library.source(record)
    if record.hand_written:
        return HandWritten(record.name, record.file)
    return Sandboxed(record.name, source, weak or trust.is_weak(library.root))
