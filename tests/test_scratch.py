"""Temporary files: no end of a process leaves any behind for long."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gensim_envs.sim import meshes
from gensim_envs.sim.client import Client
from gensim_envs.sim.spawn import spawn
from gensim_envs.task.assets import Disk
from gensim_envs.task.pose import Pose
from gensim_envs.utils import scratch

USE = """
import gymnasium as gym, gensim_envs, multiprocessing, os, signal, sys
from gensim_envs.utils.processes import processes

def play(end="return"):
    env = gym.make("gensim/TowersOfHanoi-v0")  # of rings, whose meshes go through files
    env.reset(seed=0)
    gym.make("gensim/BuildWheel-v0").reset(seed=0)  # from a sandbox
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)

def start(method):
    process = multiprocessing.get_context(method).Process(target=play)
    process.start()
    process.join()
    assert process.exitcode == 0

if __name__ == "__main__":
"""
ENDS = {
    "return": "play()",
    "error": "play()\n    raise SystemExit(0)",
    "spawn": "start('spawn')",
    "fork": "play()\n    start('fork')\n    play()",
    "forked by hand": "play()\n    if os.fork(): os.wait(); play()",
    "pool": "with processes(1) as pool:\n        pool.submit(play).result()",
    "vector": (
        "env = gym.make_vec('gensim/TowersOfHanoi-v0', 1, 'async')\n    env.reset(seed=0)\n    "
        "env.close()"
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", [*ENDS, "kill"])
def test_every_end_of_a_process_leaves_nothing(tmp_path: Path, end: str) -> None:
    script, folder = tmp_path / "script.py", tmp_path / "temporary"
    folder.mkdir()

    def run(line: str) -> int:
        script.write_text(f"{USE}    {line}\n")
        command = [sys.executable, str(script)]
        return subprocess.run(
            command, env={**os.environ, "TMPDIR": str(folder)}, timeout=120, check=False
        ).returncode

    if end == "kill":
        assert run("play('kill')") < 0
        assert len(list(folder.iterdir())) == 1
        assert run("play()") == 0
    else:
        assert run(ENDS[end]) == 0
    assert list(folder.iterdir()) == []


def test_what_another_process_uses_or_owns_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch.folder.cache_clear()
    own = scratch.folder()
    (tmp_path / "mine").mkdir()
    (tmp_path / "gensim-scratch-link").symlink_to(tmp_path / "mine")
    (tmp_path / "gensim-scratch-file").write_text("precious")
    (tmp_path / "gensim-scratch-left").mkdir()
    scratch.sweep()
    kept = {"mine", "gensim-scratch-link", "gensim-scratch-file", own.name}
    assert {path.name for path in tmp_path.iterdir()} == kept
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    (tmp_path / "gensim-scratch-theirs").mkdir()
    scratch.sweep()
    assert (tmp_path / "gensim-scratch-theirs").exists()
    scratch.folder.cache_clear()


def test_meshes_of_random_sizes_take_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "_KEPT", 10)
    client = Client("tiny")
    try:
        for number in range(50):
            disk = Disk("red", diameter=0.06 + number * 1e-5)
            spawn(disk, [Pose(0.5, 0.0)], fixed=False, client=client)
        assert len(list(scratch.folder().glob("*.obj"))) <= 21
        spawn(Disk("red", diameter=0.06), [Pose(0.5, 0.0)], fixed=False, client=client)
    finally:
        client.close()
