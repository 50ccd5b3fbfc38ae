"""What the documents promise: README's Python runs, its commands exist, its figures' tables too."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README + MANUAL, re.DOTALL)
PROGRAM = next(block for block in BLOCKS if "(Task)" in block)


def run(folder: Path, *command: str) -> str:
    """Output of a command that must succeed, run in `folder`."""
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
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


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b is not PROGRAM], ids=lambda block: block.split("\n")[-2][:30]
)
def test_readme_python_runs(block, folder):
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
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"
