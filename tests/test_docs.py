"""What the documents promise: their Python runs, README's commands and what they link to exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = r"```python\n(.*?)```"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = DOCUMENTS[0].read_text(encoding="utf-8")
PROGRAM = next(block for block in re.findall(PYTHON, README, re.DOTALL) if "(Task)" in block)
BLOCKS = [
    pytest.param(block, id=f"{document.name}: {block.splitlines()[-1].strip()[:30]}")
    for document in DOCUMENTS
    for block in re.findall(PYTHON, document.read_text(encoding="utf-8"), re.DOTALL)
    if block != PROGRAM
]


def run(folder: Path, *command: str) -> str:
    """Output of a command that must succeed, run in `folder`."""
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        # One thread, since PyTorch's would fight with the other tests over the cores.
        env={**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder in which the README's demonstrations have been recorded."""
    path = tmp_path_factory.mktemp("reader")
    demos = ["demos", "gensim/PutBlockInBowl-v0", "--episodes", "2", "--out", "out/demos"]
    run(path, sys.executable, "-m", "gensim_envs.cli", *demos)
    return path


@pytest.mark.parametrize("block", BLOCKS)
def test_python_blocks_run(block, folder):
    script = folder / "block.py"
    script.write_text(block, encoding="utf-8")
    assert run(folder, sys.executable, str(script))


def test_readme_shows_the_published_program():
    assert (ROOT / "generated" / "build_wheel.py").read_text(encoding="utf-8") == PROGRAM


def test_readme_commands_exist():
    commands = set(re.findall(r"gensim ([a-z]+)", README))
    known = run(ROOT, sys.executable, "-m", "gensim_envs.cli", "--help")
    assert commands and all(re.search(rf"^    {name}\b", known, re.M) for name in commands)


def test_linked_files_exist():
    for document in DOCUMENTS:
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"
