"""CLIP through open_clip, on a small random model; exit code 77 if it is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from agents.data.demonstrations import Sample
from agents.data.images import colors_of
from agents.errors import AgentsError
from agents.policies.base import PolicySpec
from agents.policies.clip import Clip
from agents.policies.registry import text_encoder
from agents.policies.transporter import Transporter, TransporterConfig

SMALL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 2},
}


class Bomb:
    """What must not be run when weights are read."""

    def __reduce__(self) -> Any:
        return os.abort, ()


def refused(name: str, *said: str) -> None:
    try:
        text_encoder(name)
    except AgentsError as error:
        assert all(each in str(error) for each in said), error
    else:
        raise AssertionError(f"{name} was taken")


def policy_that_sees_through_it(name: str, tokens: Any, folder: Path) -> None:
    """A transporter trains on CLIP's pictures and does not keep CLIP's weights."""
    yaw, x, y = 3.15, (0.25, 0.75), (-0.5, 0.5)
    spec = PolicySpec(
        "transporter", ("gensim/Some-v0",), "rgbd",
        {"color": [160, 320, 3], "height": [160, 320]},
        (x[0], y[0], -yaw, x[0], y[0], -yaw), (x[1], y[1], yaw, x[1], y[1], yaw), name, 24,
    )  # fmt: skip
    config = TransporterConfig(width=16, clip=True, augment=False)
    policy = Transporter(config, spec)
    assert not any("visual" in key for key in policy.state_dict())
    color = np.random.default_rng(0).integers(0, 255, (160, 320, 3), np.uint8)
    height, action = np.zeros((160, 320), np.float32), np.float32([0.5, 0, 0, 0.6, 0.1, 1])
    sample = Sample("put it there", action, color, height, None)
    batch = policy.prepare([sample] * 2, [tokens] * 2, np.random.default_rng(0))
    seen = colors_of(batch["image"], batch["table"])[0].permute(1, 2, 0)
    np.testing.assert_allclose(seen, color / 255, atol=1e-5)
    policy(batch)[0].backward()
    assert all(p.grad is not None for p in policy.semantic.parameters())
    observation = {"color": color, "height": height}
    action = policy.eval().select_action(observation, tokens, sample.instruction)
    policy.save_pretrained(folder)
    loaded = Transporter.from_pretrained(folder)
    again = loaded.select_action(observation, tokens, sample.instruction)
    np.testing.assert_array_equal(again, action)
    spec = replace(spec, encoder="words")
    try:
        Transporter(TransporterConfig(width=16, clip=True), spec)
    except AgentsError as error:
        assert "does not have" in str(error)
    else:
        raise AssertionError("words were taken for pictures")


def main(folder: Path) -> None:
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        # One for CUDA beside a torch for CPUs lacks its operators, of which open_clip needs none.
        for name in ("nms", "qnms"):
            schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{name}", schema)
    import open_clip

    (folder / "small.json").write_text(json.dumps(SMALL))
    other = {**SMALL, "text_cfg": {**SMALL["text_cfg"], "width": 32}}  # type: ignore[dict-item]
    (folder / "other.json").write_text(json.dumps(other))
    open_clip.add_model_config(folder / "small.json")
    open_clip.add_model_config(folder / "other.json")
    torch.manual_seed(0)
    model = open_clip.create_model("small", force_quick_gelu=False)
    weights = folder / "weights.safetensors"
    save_file(model.state_dict(), weights)

    clip = text_encoder(f"clip:small/{weights}")
    assert isinstance(clip, Clip) and clip.width == 24
    sentences = ["put the red block in the green bowl", "", "block " * 60]
    tokens = clip.encode(sentences)
    assert [each.shape for each in tokens] == [(10, 24), (2, 24), (32, 24)]
    np.testing.assert_allclose(np.linalg.norm(tokens[0].astype("f4"), axis=1), 1, atol=1e-2)
    again = text_encoder(f"clip:small/{weights}").encode(sentences[:1])
    np.testing.assert_array_equal(again[0], tokens[0])

    visual = clip.visual().train()
    images = torch.rand(2, 3, 160, 320, generator=torch.Generator().manual_seed(1))
    maps = visual(images)
    shapes = [tuple(each.shape) for each in maps]
    assert shapes == [(2, 32, 40, 80), (2, 64, 20, 40), (2, 128, 10, 20), (2, 256, 5, 10)]
    assert [each.shape[1] for each in maps] == visual.widths
    assert not any(each.requires_grad for each in maps)
    alone = visual(images[:1])[3]  # the statistics of its normalisation are frozen
    torch.testing.assert_close(alone, maps[3][:1], atol=1e-5, rtol=1e-4)

    policy_that_sees_through_it(f"clip:small/{weights}", tokens[0], folder / "policy")

    torch.save(model.state_dict(), folder / "weights.pt")
    text_encoder(f"clip:small/{folder}/weights.pt")
    (folder / "bomb.pt").write_bytes(pickle.dumps({"state_dict": Bomb()}))
    refused(f"clip:small/{folder}/bomb.pt", "without running code", "safetensors")
    refused(f"clip:other/{weights}", "cannot be loaded as weights of other")
    refused("clip:small/nothing.pt", "nothing.pt is neither a file")
    refused("clip:nothing/openai", "no architecture 'nothing'")
    refused("clip:roberta-ViT-B-32/laion2b_s12b_b32k", "would have to be downloaded")

    def dial(*_: object, **__: object) -> None:
        os.abort()  # nothing may catch it

    socket.socket.connect = dial  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = dial  # type: ignore[assignment]
    refused("clip:RN50/openai", "not in the cache", "pretrained='openai'")


if __name__ == "__main__":
    if importlib.util.find_spec("open_clip") is None:
        print("open_clip is not installed")
        sys.exit(77)
    main(Path(sys.argv[1]))
