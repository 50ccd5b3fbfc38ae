"""Whatever a stranger sends can only fail; `python -m benchmarks fuzz` does ten times as much."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fuzz
from benchmarks.mutations import mutate

SHARES = {
    "specs": 450, "programs": 150, "rows": 40, "recordings": 80, "checkpoints": 80,
    "datasets": 150, "results": 50,
}  # fmt: skip
"""Mutations of each kind, of which some are quicker to read than others; 1,000 in all."""


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_nothing_but_an_error_comes_of_broken_files(kind: str) -> None:
    (result,) = fuzz.run(SHARES[kind], 0, [kind])
    assert result.findings == []
    assert result.mutations == SHARES[kind]


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_files_that_are_not_broken_are_read(kind: str, tmp_path: Path) -> None:
    made = fuzz.KINDS[kind]
    made.make(tmp_path)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        made.read(tmp_path, path)


def test_a_mutation_depends_on_its_number_only(tmp_path: Path) -> None:
    made = [
        [
            mutate("a.json", b'{"a": [1, 2]}', tmp_path, np.random.default_rng([0, k]))
            for k in range(20)
        ]
        for _ in range(2)
    ]
    assert made[0] == made[1] and len(set(made[0])) > 10


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (lambda f: [][0], "IndexError"),
        (lambda f: print("\x1b[2J"), "it prints"),
        (lambda f: (f.parent / "mine" / "canary").read_text(), "open "),
        (lambda f: print((f.parent / "mine" / "canary").read_text()), "somebody else"),
    ],
)
def test_what_is_wrong_is_found(
    monkeypatch: pytest.MonkeyPatch, read: object, problem: str
) -> None:
    def make(folder: Path) -> None:
        (folder / "a.json").write_text("{}")

    monkeypatch.setitem(fuzz.KINDS, "made", fuzz.Kind(make, lambda folder, _: read(folder)))  # type: ignore[operator]
    (result,) = fuzz.run(2, 0, ["made"])
    assert len(result.findings) == 2 and problem in result.findings[0]


@pytest.mark.parametrize("act", [lambda: None, lambda: time.sleep(60)])
def test_what_never_ends_is_found(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> None:
    def spin(folder: Path, _: Path) -> None:
        while True:
            act()

    monkeypatch.setattr(fuzz, "LIMIT", 0.2)
    kind = fuzz.Kind(lambda folder: (folder / "a.json").write_text("{}"), spin)
    monkeypatch.setitem(fuzz.KINDS, "made", kind)
    (result,) = fuzz.run(1, 0, ["made"])
    assert "it took more than" in result.findings[0]
