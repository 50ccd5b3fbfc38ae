"""Commands that measure programs: check, publish, rename, certify and regenerate."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from tyro.conf import Positional

import gensim_envs
from gensim_envs import trust
from gensim_envs.cli.shared import Folder, find, open_library, read, select
from gensim_envs.errors import TaskError
from gensim_envs.generation import check as checks
from gensim_envs.generation import publish as publisher
from gensim_envs.generation.validate import EPISODES
from gensim_envs.library import Library, LibraryError, Record, class_of, is_shipped
from gensim_envs.library.renaming import rename_class
from gensim_envs.seeds import CERTIFICATE, SURVEY
from gensim_envs.utils import processes
from gensim_envs.utils.cli import UsageError, Workers
from gensim_envs.utils.progress import Progress


def check(file: Positional[Path], *, weak_sandbox: bool = False) -> None:
    """Check a program without publishing it: gate, sandbox and 1,000 draws.

    Args:
        file: a program, or a model's answer that contains one.
        weak_sandbox: run the program even if this machine cannot isolate it.
    """
    publisher.check_guard(weak_sandbox)
    source, program = checks.program_of(read(file), weak=weak_sandbox)
    survey = checks.survey(program, source)
    passed = f"gate and {len(SURVEY)} draws of each split passed"
    print(f"{program.name}: {passed}, {survey.redraws:.1%} redrawn")
    print(f"  {survey.instruction!r}; at most {survey.bounds}")


def publish(
    file: Positional[Path],
    *,
    model: str = "unknown",
    weak_sandbox: bool = False,
    workers: Workers = None,
    library: Folder = None,
) -> None:
    """Publish a model's answer, or a program, into a library.

    Args:
        file: a program, or a model's answer that contains one.
        model: the author, for the provenance.
        weak_sandbox: run the program even if this machine cannot isolate it.
    """
    opened = open_library(library, write=True)
    text = read(file)
    with Progress(EPISODES, file.name) as progress:
        record = publisher.publish(
            opened,
            text,
            model=model,
            weak_sandbox=weak_sandbox,
            workers=workers,
            report=progress.line,
            tick=progress.advance,
        )
    print(f"published {record.id} into {opened.root}")


def rename(id: Positional[str], new: Positional[str], *, library: Folder = None) -> None:
    """Give a task of a library another class name, once the renamed program has been checked.

    Args:
        id: id or class name of the task.
        new: the new class name, in CamelCase.
    """
    opened = open_library(library, write=True)
    record = find(opened, id)
    weak = trust.is_weak(opened.root) or is_shipped(opened)
    text = rename_class(opened.source(record), record.name, new)
    source, program = checks.program_of(text, weak=weak)
    checks.survey(program, source)
    renamed = opened.rename(record.id, new)
    print(f"renamed {record.id} to {renamed.id} in {opened.root}")


def certify(
    ids: Positional[tuple[str, ...]] = (), *, workers: Workers = None, library: Folder = None
) -> int:
    """Measure tasks again and compare the results with their records.

    Args:
        ids: ids or class names; all tasks of the library if there are none.
    """
    opened = open_library(library)
    records, broken = select(opened, ids)
    failed = len(broken)
    with processes.processes(workers) as executor:
        for record in records:
            failed += not _certified(opened, record, executor)
    return 1 if failed else 0


def _certified(library: Library, record: Record, executor: Executor) -> bool:
    """Measure a task again, and print whether the result is that of its record."""
    with Progress(EPISODES, record.name) as progress:
        try:
            library.source(record)
            new = publisher.certify(library, record.file, executor, progress.advance)
        except TaskError as error:
            progress.line(f"{record.id}: refused ({error.cause}): {error}")
            return False
        except LibraryError as error:
            progress.line(str(error))
            return False
        same = "as published"
        if new != record:
            same = f"differs from its record: {new.certificate}"
        progress.line(f"{record.id}: {new.certificate['oracle']}/{len(CERTIFICATE)}, {same}")
        return new == record


def regenerate(
    ids: Positional[tuple[str, ...]] = (), *, workers: Workers = None, library: Folder = None
) -> None:
    """Rebuild the records of a library from its programs and their provenance.

    Args:
        ids: ids or class names; all tasks of the library if there are none.
    """
    opened = open_library(library, write=True)
    if not (opened.registry.exists() or (opened.root / "generated").is_dir()):
        raise UsageError(f"{opened.root} is not a library: it has no {opened.registry.name}")
    tasks = Path(gensim_envs.__file__).parent / "tasks" if is_shipped(opened) else None
    report = partial(print, flush=True)
    names = [class_of(id) or id for id in ids]
    changed = publisher.regenerate(opened, tasks, names, workers=workers, report=report)
    print(f"{opened.registry} {'was rewritten' if changed else 'is unchanged'}")
