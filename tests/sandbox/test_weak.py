"""A kernel that cannot isolate programs: only those of the installed library run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from corpus import GOOD, escaped

import gensim_envs
from gensim_envs.library import digest, shipped
from gensim_envs.sandbox import lockdown

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lockdown is Linux's")

ROOT = Path(gensim_envs.__file__).parent.parent

# Makes system calls fail with ENOSYS, as on an older kernel, for this process and its children.
OLD_KERNEL = """
import ctypes, struct, sys
def lack(*calls):
    code = lambda op, value, yes=0, no=0: struct.pack("=HBBI", op, yes, no, value)
    program = code(0x20, 0)
    for call in calls:
        program += code(0x15, call, no=1) + code(0x06, 0x0005_0000 | 38)
    program += code(0x06, 0x7FFF_0000)
    buffer = ctypes.create_string_buffer(program, len(program))
    class Header(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))
    header = Header(len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None)
    zero = ctypes.c_ulong(0)
    assert libc.prctl(38, ctypes.c_ulong(1), zero, zero, zero) == 0
    assert libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(header), zero, zero) == 0
lack(*map(int, sys.argv.pop(1).split(",")))
"""
LANDLOCK = "444"
SECCOMP = str(lockdown._SECCOMP.get(os.uname().machine, 317))
DRAW = """
from gensim_envs.sandbox.client import Sandbox
from gensim_envs.errors import SandboxError, TaskError
Sandbox._check = lambda self, source: None
try:
    Sandbox().draw(sys.argv[1], "train", 0, weak=sys.argv[2:] == ["weak"])
    print("drawn")
except (SandboxError, TaskError) as error:
    print(type(error).__name__, error)
"""
MAIN = "from gensim_envs.cli import main\nsys.exit(main())\n"


def run(lacking: str, code: str, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", OLD_KERNEL + code, lacking, *arguments],
        capture_output=True, text=True, timeout=100, cwd=ROOT, env={**os.environ, **variables},
    )  # fmt: skip
    return f"{done.returncode} {done.stdout}{done.stderr}"


@pytest.mark.parametrize("lacking", [LANDLOCK, SECCOMP, f"{LANDLOCK},{SECCOMP}"])
def test_a_stranger_is_refused_and_does_nothing(lacking: str, tmp_path: Path) -> None:
    source = escaped(f"open('{tmp_path}/evidence', 'w').close()")
    said = run(lacking, DRAW, source)
    assert "SandboxError" in said and "missing" in said and "GENSIM_WEAK_SANDBOX" in said
    assert not list(tmp_path.iterdir())


def test_the_weak_mode_runs_it(tmp_path: Path) -> None:
    assert "drawn" in run(LANDLOCK, DRAW, GOOD, "weak")


SNAPSHOT = """
from gensim_envs.pages.snapshots import take_snapshot
print(take_snapshot("GoodTask", sys.argv[1], sys.argv[2:] == ["weak"]).problem or "taken")
"""


def test_a_report_has_pictures_where_the_weak_mode_is_asked_for() -> None:
    assert "cannot isolate" in run(LANDLOCK, SNAPSHOT, GOOD)
    assert "taken" in run(LANDLOCK, SNAPSHOT, GOOD, "weak")


def test_the_installed_library_runs_with_a_warning() -> None:
    make = 'import gymnasium as gym, gensim_envs\ngym.make(sys.argv[1]).reset(seed=0)\nprint("up")'
    said = run(LANDLOCK, make, "gensim/BuildCar-v0")
    assert "up" in said and "cannot isolate programs" in said
    assert said.count("cannot isolate programs") == 1


def test_check_is_refused_in_the_words_of_its_command(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    said = run(LANDLOCK, MAIN, "check", str(tmp_path / "good.py"))
    assert said.startswith("1 ") and "--weak-sandbox" in said and "Traceback" not in said


MAKE = """
import gymnasium as gym, gensim_envs
from gensim_envs.errors import GensimError
gensim_envs.register_library(sys.argv[1], weak_sandbox=sys.argv[2:] == ["weak"])
try:
    gym.make("gensim/TheirCar-v0").reset(seed=0)
    print("up")
except GensimError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A library with a program that the installed one does not have."""
    record = next(r for r in shipped().records() if r.name == "BuildCar")
    source = shipped().source(record).replace("BuildCar", "TheirCar")
    file = "generated/their_car.py"
    row = {**asdict(record), "id": "gensim/TheirCar-v0", "file": file, "sha256": digest(source)}
    (tmp_path / "generated").mkdir()
    (tmp_path / file).write_text(source)
    (tmp_path / "registry.json").write_text(json.dumps({"tasks": [row]}))
    return tmp_path


def test_a_library_of_others_runs_only_where_it_is_asked_for(theirs: Path) -> None:
    said = run(LANDLOCK, MAKE, str(theirs))
    assert "SandboxError" in said and "weak_sandbox=True" in said
    assert "up" in run(LANDLOCK, MAKE, str(theirs), "weak").split()
    assert "up" in run(LANDLOCK, MAKE, str(theirs), GENSIM_WEAK_SANDBOX=str(theirs)).split()
    other = str(theirs / "generated")
    assert "SandboxError" in run(LANDLOCK, MAKE, str(theirs), GENSIM_WEAK_SANDBOX=other)
