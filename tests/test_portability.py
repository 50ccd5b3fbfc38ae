"""Bits that do not depend on the processor: another choice of its instructions changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gensim_envs.utils.processes import PORTABLE

IDS = [
    f"gensim/{name}-v0"
    for name in ("BlockInsertion", "AssemblingKits", "TowersOfHanoi", "ManipulatingRope",
                 "SweepingPiles", "BallInBowlObstacleCourse")
]  # fmt: skip
_PLAY = """
import sys
from benchmarks.steadiness import fingerprint
from gensim_envs.seeds import BENCHMARK
from gensim_envs.utils.processes import processes

if __name__ == "__main__":
    with processes(1) as executor:
        for id in sys.argv[1:]:
            print(executor.submit(fingerprint, id, BENCHMARK[0]).result())
"""
_COMPUTE = """
import math
import numpy as np
x = np.random.default_rng(0).uniform(0.1, 3, 3000)
print([math.sin(v).hex() for v in x], np.log(x).tobytes().hex(), (x[:9].reshape(3, 3) @ x[:3]))
"""
OTHERS: dict[str, dict[str, str]] = {
    "as it is": {},
    "none of it": PORTABLE,
    "a part of it": {"GLIBC_TUNABLES": PORTABLE["GLIBC_TUNABLES"], "OPENBLAS_CORETYPE": "Haswell"},
}


def run(code: str, settings: dict[str, str], *args: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in PORTABLE}
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True, text=True, check=True, env=kept | settings,
    )  # fmt: skip
    return done.stdout


def test_episodes_in_worker_processes_are_equal_under_all_settings() -> None:
    played = {name: run(_PLAY, settings, *IDS).split() for name, settings in OTHERS.items()}
    assert len(set(played["as it is"])) == len(IDS)
    assert played["none of it"] == played["as it is"]
    assert played["a part of it"] == played["as it is"]


def test_settings_are_what_makes_the_difference() -> None:
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        if " fma " not in cpuinfo.read():
            pytest.skip("this processor has nothing to choose from")
    assert run(_COMPUTE, PORTABLE) != run(_COMPUTE, {})


def test_doctor_says_whether_this_process_has_them() -> None:
    code = "import sys; from gensim_envs.cli import main; sys.exit(main(['doctor']))"
    assert "the same bits on every x86-64 processor" in run(code, PORTABLE)
    plain = run(code, {})
    assert "may differ on another processor" in plain
    assert "GLIBC_TUNABLES=" in plain
