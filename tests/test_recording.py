"""The shipped recording: what it holds is what the library holds, and it can be played again."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from gensim_envs.cli import main
from gensim_envs.cli.generate import SHIPPED_RECORDING
from gensim_envs.generation.recording import Recording
from gensim_envs.generation.verdict import read_verdicts
from gensim_envs.library import Library, shipped

LIBRARY = shipped()
ROOT = LIBRARY.root / SHIPPED_RECORDING
VERDICTS = read_verdicts(ROOT)
README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_every_generated_task_comes_from_an_attempt_that_was_recorded() -> None:
    accepted = {verdict.id: verdict for verdict in VERDICTS if verdict.accepted}
    generated = {record.id: record for record in LIBRARY.records() if not record.hand_written}
    assert set(accepted) == set(generated)
    for id, record in generated.items():
        assert accepted[id].program == LIBRARY.source(record)
        answers = [call.answer for call in Recording(ROOT).calls(accepted[id].attempt)]
        completion = LIBRARY.root / "generated" / "completions" / f"{Path(record.file).stem}.md"
        assert completion.read_text(encoding="utf-8") in answers


def test_refused_attempts_are_there_with_their_causes() -> None:
    assert [verdict.attempt for verdict in VERDICTS] == list(range(1, len(VERDICTS) + 1))
    causes = Counter(verdict.cause for verdict in VERDICTS if not verdict.accepted)
    assert set(causes) >= {"semantics", "spec"}
    assert all(verdict.problem for verdict in VERDICTS if not verdict.accepted)
    mended = [verdict for verdict in VERDICTS if verdict.accepted and verdict.refusals]
    assert {cause for verdict in mended for cause, _ in verdict.refusals} >= {
        "gate",
        "oracle",
        "spec",
    }


def test_the_readme_counts_them() -> None:
    numbers = re.search(r"`generated/recording`\s+\((\d+)\s+attempts,\s+(\d+)\s+refused\)", README)
    assert numbers is not None
    refused = sum(not verdict.accepted for verdict in VERDICTS)
    assert list(map(int, numbers.groups())) == [len(VERDICTS), refused]


def test_its_first_attempts_are_made_again_byte_for_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them take minutes; `python -m benchmarks replay` does that."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    library, run = Library(tmp_path / "library"), tmp_path / "run"
    command = ["generate", "--provider", "replay", "--count", "2"]
    assert main([*command, "--library", str(library.root), "--run", str(run)]) == 0
    output = capsys.readouterr().out
    known = {record.id: record for record in LIBRARY.records()}
    for record in library.records():
        assert record == known[record.id]
        assert library.source(record) == LIBRARY.source(record)
    again = read_verdicts(run)
    assert [verdict.id for verdict in again] == [verdict.id for verdict in VERDICTS[:2]]
    assert [verdict.cause for verdict in again] == [verdict.cause for verdict in VERDICTS[:2]]
    # The words of refusals have changed since; answers are found by the number of the question.
    assert [len(verdict.refusals) for verdict in again] == [
        len(verdict.refusals) for verdict in VERDICTS[:2]
    ]
    # The API reference in prompts follows the docstrings; prompts that changed are reported.
    changed = sum(len(verdict.changed) for verdict in again)
    assert (f"{changed} prompts differ from the recording" in output) == (changed > 0)
