"""The documents: their Python runs, their commands parse, their links and programs exist."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import gensim_envs
from agents import __main__ as agents
from gensim_envs import cli as gensim
from gensim_envs.generation import check
from gensim_envs.utils import cli

ROOT = Path(__file__).parent.parent
PYTHON = r"```python\n(.*?)```"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {document: document.read_text(encoding="utf-8") for document in DOCUMENTS}
README = TEXTS[ROOT / "README.md"]
PROGRAM = next(block for block in re.findall(PYTHON, README, re.DOTALL) if "(Task)" in block)
BLOCKS = [
    pytest.param(block, id=f"{document.name}: {block.splitlines()[-1].strip()[:30]}")
    for document, text in TEXTS.items()
    for block in re.findall(PYTHON, text, re.DOTALL)
    if block != PROGRAM
]
COMPLETIONS = sorted((ROOT / "examples" / "completions").glob("*.md"))
MAINS: dict[str, Callable[[list[str]], int]] = {
    "gensim": gensim.main,
    "python -m agents": agents.main,
}
COMMAND = r"(?:gensim|python -m agents) [a-z]+\b[^\n`#|]*"
LINES = sorted(
    {
        (document.name, line.strip())
        for document, text in TEXTS.items()
        for line in re.findall(rf"^(?: {{4}})?({COMMAND})", text, re.MULTILINE)
        if document.name != "results.md"  # its commands are written by the benchmark itself
    }
)
"""Command lines in indented and fenced blocks."""
SPANS = sorted({span for text in TEXTS.values() for span in re.findall(rf"`({COMMAND})`", text)})
"""Command lines within a sentence; they may leave arguments out."""


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
    if "from agents" in block:  # which is used from a checkout
        assert run(ROOT, sys.executable, "-c", block)
    else:
        assert run(folder, sys.executable, str(script))


def test_readme_shows_the_published_program():
    assert (ROOT / "generated" / "build_wheel.py").read_text(encoding="utf-8") == PROGRAM


@pytest.mark.parametrize("path", COMPLETIONS, ids=lambda path: path.stem)
def test_completions_pass_the_check(path):
    source, program = check.program_of(path.read_text(encoding="utf-8"))
    check.survey(program, source)


def split(line: str) -> tuple[str, list[str]]:
    """A command line as its program and arguments."""
    program = next(name for name in MAINS if line.startswith(f"{name} "))
    return program, shlex.split(line.removeprefix(program))


@pytest.mark.parametrize(("document", "line"), LINES)
def test_command_lines_parse(document, line, monkeypatch, capsys):
    parse = cli.parse

    def parse_only(*arguments, **options):
        parse(*arguments, **options)
        return lambda: 0

    monkeypatch.setattr(cli, "parse", parse_only)
    program, arguments = split(line)
    assert MAINS[program](arguments) == 0, capsys.readouterr().err


@pytest.mark.parametrize("span", SPANS)
def test_commands_in_sentences_exist(span, capsys):
    program, (command, *arguments) = split(span)
    assert MAINS[program]([command, "--help"]) == 0, capsys.readouterr().err
    known = capsys.readouterr().out
    for option in (word for word in arguments if word.startswith("--")):
        assert re.search(rf"^ +(?:-h, )?{option}\b", known, re.MULTILINE), f"{option} is unknown"


def test_cheap_commands_of_the_readme_run(folder):
    for command in (
        ["list"],
        ["doctor"],
        ["stats"],
        ["play", "gensim/BuildWheel-v0", "--video", "wheel.mp4"],
    ):
        run(folder, sys.executable, "-m", "gensim_envs.cli", *command)


def test_named_tables_of_benchmarks_exist():
    known = run(ROOT, sys.executable, "-m", "benchmarks", "--help")
    for text in TEXTS.values():
        for words in re.findall(r"python -m benchmarks((?: [a-z][a-z-]*)*)", text):
            for name in words.split():
                assert re.search(rf"\b{name}\b", known), f"there is no table {name}"


def test_api_page_lists_the_public_names():
    page = TEXTS[ROOT / "docs" / "api.md"]
    missing = [name for name in gensim_envs.__all__ if f"`{name}`" not in page]
    assert not missing


def test_linked_files_exist():
    for document, text in TEXTS.items():
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_named_files_of_the_contributing_guide_exist():
    guide = TEXTS[ROOT / "CONTRIBUTING.md"]
    for name in re.findall(r"`([a-z_]+(?:/[A-Za-z_.]+)+/?)`", guide):
        paths = [ROOT / name, ROOT / f"{name}.py", ROOT / "gensim_envs" / name]
        found = any(path.exists() for path in paths)
        assert found, f"CONTRIBUTING.md names {name}"
