"""Checkpoints that somebody sent."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.__main__ import main

PRETRAINED = Path(__file__).parents[2] / "agents" / "pretrained" / "transporter"


def evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a failing `python -m agents evaluate` prints."""
    command = ["evaluate", "--checkpoint", str(folder), "--episodes", "1", "--workers", "1"]
    assert main(command) in (1, 2)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1 and said.err.strip("\n").isprintable()
    return said.err


def test_no_module_is_imported_that_a_checkpoint_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(PRETRAINED, theirs)
    config = json.loads((theirs / "config.json").read_text())
    config["spec"]["envs"] = ["theirs.evil:X-v0"]
    (theirs / "config.json").write_text(json.dumps(config))
    (theirs / "evil.py").write_text(f"open({str(tmp_path / 'RAN')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "the checkpoint names 'theirs.evil:X-v0', which is not reg" in evaluate(theirs, capsys)
    assert not (tmp_path / "RAN").exists()


def spec(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda whole: {**whole, "spec": {**whole["spec"], **values}}


def option(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda whole: {**whole, "config": {**whole["config"], **values}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda whole: [], "expected an object"),
        (lambda whole: {**whole, "spec": 3}, "expected an object"),
        (lambda whole: {**whole, "config": [1]}, "expected an object"),
        (lambda whole: {**whole, "config": 3}, "expected an object"),
        (spec(policy="\x1b[2J"), "unknown policy"),
        (spec(policy=["a"]), "policy: expected a text"),
        (spec(envs="all"), "envs: expected a list"),
        (spec(envs=[{}]), r"envs\[0\]: expected a text"),
        (spec(envs=[]), "was trained on no task"),
        (spec(encoder_width=10**12), "encoder_width: expected a number from"),
        (spec(action_low=[0.0] * 5), "action_low: expected a list of 6 to 6"),
        (spec(action_low=[float("nan")] * 6), "NaN is not a finite number"),
        (spec(observation={"color": [10**9]}), "observation"),
        (spec(colour="red"), "'colour' is unknown"),
        (option(colour="red"), "'colour' is unknown"),
    ],
)
def test_an_odd_description_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Any], Any], problem: str
) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(PRETRAINED, folder)
    whole = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(change(whole)))
    assert re.search(problem, evaluate(folder, capsys))


def test_every_option_of_the_policy_may_be_of_a_wrong_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(PRETRAINED, folder)
    whole = json.loads((folder / "config.json").read_text())
    for name in whole["config"]:
        size = [10**9] if name.endswith(("width", "features", "crop", "rotations")) else []
        for value in ({"a": [[]]}, [None], -1e300, *size):
            changed = {**whole, "config": {**whole["config"], name: value}}
            (folder / "config.json").write_text(json.dumps(changed))
            evaluate(folder, capsys)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_named_pipe_is_an_error_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(PRETRAINED, folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert "not a regular file" in evaluate(folder, capsys)


def test_a_deep_header_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(PRETRAINED, folder)
    for header in (b'{"__metadata__":' + b'{"a":' * 50_000, b'{"a":[' + b"[" * 50_000):
        data = len(header).to_bytes(8, "little") + header
        (folder / "model.safetensors").write_bytes(data)
        assert "model.safetensors cannot be read" in evaluate(folder, capsys)
