"""CLIP as a text encoder and as a frozen image encoder, through open_clip."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from agents.errors import AgentsError
from agents.policies.text_encoders import MAX_TOKENS, TextEncoder, unit


class Clip(TextEncoder):
    """The text encoder of a CLIP (Radford et al., 2021), before pooling and projection.

    Args:
        name: "clip:ARCHITECTURE/WEIGHTS"; see `agents.policies.registry.text_encoder`.

    Raises:
        AgentsError: if open_clip, the architecture or the weights are missing.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        arch, slash, weights = name.removeprefix("clip:").partition("/")
        if not (arch and slash and weights):
            raise AgentsError(f"{name!r:.80} is malformed; write clip:RN50/openai, or clip:RN50/ "
                              "and the path of a file")  # fmt: skip
        open_clip = _open_clip()
        config = open_clip.get_model_config(arch)
        if config is None:
            raise AgentsError(f"open_clip has no architecture {arch!r:.60}; "
                              "open_clip.list_models() lists them")  # fmt: skip
        if any(key in config["text_cfg"] for key in ("hf_model_name", "hf_tokenizer_name")):
            raise AgentsError(f"the text model of {arch} would have to be downloaded; use an "
                              "architecture that has its own, such as RN50")  # fmt: skip
        tag = open_clip.get_pretrained_cfg(arch, weights)
        file = _cached(open_clip, arch, weights, tag) if tag else Path(os.path.expanduser(weights))
        if not file.is_file():
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(arch)) or "none"
            raise AgentsError(f"{weights} is neither a file nor a tag of {arch} ({tags})")
        try:
            self._model = open_clip.create_model(
                arch, pretrained=str(file), force_quick_gelu=tag.get("quick_gelu", False),
                weights_only=True, device="cpu",
            )  # fmt: skip
        # open_clip also asserts that shapes fit.
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError,
                AssertionError, pickle.UnpicklingError, SafetensorError) as error:  # fmt: skip
            raise AgentsError(
                f"{file} cannot be loaded as weights of {arch} without running code: "
                f"{error!s:.300}. Save its state_dict with safetensors.torch.save_file"
            ) from error
        self._model.eval().requires_grad_(False)
        self._tokenizer = open_clip.get_tokenizer(arch)
        text = getattr(self._model, "text", self._model)
        self.width = int(text.ln_final.weight.shape[0])
        self._last_layer = text.ln_final
        self._colors = (
            tag.get("mean", open_clip.OPENAI_DATASET_MEAN),
            tag.get("std", open_clip.OPENAI_DATASET_STD),
        )

    def encode(self, instructions: Sequence[str]) -> list[NDArray[Any]]:
        """See `TextEncoder`."""
        found: list[Tensor] = []
        hook = self._last_layer.register_forward_hook(lambda _, __, out: found.append(out[0]))
        try:
            with torch.inference_mode():
                for instruction in instructions:
                    ids = self._tokenizer([instruction])
                    self._model.encode_text(ids)
                    # The end-of-text token has the largest id; padding follows it.
                    length = min(int(ids[0].argmax()) + 1, MAX_TOKENS)
                    found[-1] = found[-1][:length]
        finally:
            hook.remove()
        return [unit(tokens) for tokens in found]

    def visual(self) -> ClipVisual:
        """The image encoder, frozen.

        Raises:
            AgentsError: if it is not a ResNet, and so has feature maps of one scale only.
        """
        visual = self._model.visual
        if not hasattr(visual, "layer4"):
            raise AgentsError(
                f"the image encoder of {self.name} is a {type(visual).__name__}, which has one "
                "scale; use a ResNet such as RN50"
            )
        return ClipVisual(visual, *self._colors)


class ClipVisual(nn.Module):
    """The ResNet of a CLIP as a frozen feature pyramid.

    Attributes:
        widths: channels of its four maps, at 1/4, 1/8, 1/16 and 1/32 of the resolution.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(self, visual: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self._visual = visual
        self.register_buffer("_mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(std).view(3, 1, 1), persistent=False)
        layers: list[Any] = [getattr(visual, f"layer{number}") for number in (1, 2, 3, 4)]
        self.widths = [int(layer[-1].conv3.out_channels) for layer in layers]
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> ClipVisual:
        """Stay in evaluation mode: the batch statistics are frozen too."""
        super().train(False)
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W), 0..1 -> four maps (B, widths[k], H / 4 / 2^k, W / 4 / 2^k)."""
        visual: Any = self._visual
        out = visual.forward_intermediates(
            (images - self._mean) / self._std, indices=[1, 2, 3, 4], intermediates_only=True
        )
        return list(out["image_intermediates"])


def clip_visual(name: str | None) -> ClipVisual:
    """The image encoder of a text encoder.

    Raises:
        AgentsError: if it has none.
    """
    if name is None or not name.startswith("clip:"):
        raise AgentsError(
            f"--transporter.clip needs an image encoder, which {name} does not have; use it with "
            "--encoder clip:RN50/openai"
        )
    with torch.device("cpu"):  # its weights are read, whatever the device of the policy
        return Clip(name).visual()


def _open_clip() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise AgentsError(
            f'CLIP is missing ({error}). pip install -e ".[agents,clip]", or choose another encoder'
        ) from error
    except RuntimeError as error:
        raise AgentsError(
            f"open_clip cannot be loaded: {error}. The installed torchvision was built for another "
            f"torch than {torch.__version__}; install the one that its index offers"
        ) from error
    return open_clip


def _cached(open_clip: Any, arch: str, tag: str, config: Mapping[str, Any]) -> Path:
    """The file of a tag's weights in the user's cache.

    Raises:
        AgentsError: if it is not there; the message has the command that downloads it.
    """
    from huggingface_hub import try_to_load_from_cache

    if config.get("hf_hub"):
        repository, _, file = config["hf_hub"].rpartition("/")
        named = [file] if file else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
        for name in named:
            found = try_to_load_from_cache(repository, name)
            if isinstance(found, str):
                return Path(found)
    # The folder of open_clip for files that are not from the hub.
    if config.get("url"):
        found_at = Path("~/.cache/clip").expanduser() / Path(config["url"]).name
        if found_at.is_file():
            return found_at
    fetch = f"import open_clip; open_clip.create_model('{arch}', pretrained='{tag}')"
    raise AgentsError(
        f"the weights {arch}/{tag} are not in the cache, and nothing is downloaded here. "
        f'Download them once: python -c "{fetch}"'
    )
