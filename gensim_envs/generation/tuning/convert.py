"""Write an adapter as a GGUF file, which llama.cpp loads beside its base (`--lora`).

The format is that of llama.cpp's own converter: the two matrices of a layer are named after the
layer's weight in GGUF, with ".lora_a" and ".lora_b" added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from gensim_envs.utils import files, scratch

ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""Model type of transformers -> architecture in GGUF."""
_PERMUTED = {"llama"}
"""Architectures whose queries and keys GGUF keeps in another order of rows."""
_NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")


def write_gguf(path: Path, adapter: Mapping[str, NDArray[Any]], config: Any, alpha: float) -> bool:
    """Write an adapter as GGUF.

    Args:
        path: the file.
        adapter: {name in peft: matrix}; A is (rank, inputs), B is (outputs, rank).
        config: of the base model, of transformers.
        alpha: the adapter's scale times its rank.

    Returns:
        Whether it was written; only adapters of `ARCHITECTURES` are converted.

    Raises:
        FileError: if the file cannot be written.
    """
    architecture = ARCHITECTURES.get(config.model_type)
    if architecture is None:
        return False
    kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(kinds[architecture], config.num_hidden_layers)
    with scratch.temporary() as folder:
        draft = folder / "adapter.gguf"
        writer = gguf.GGUFWriter(draft, architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        for name, matrix in sorted(adapter.items()):
            found = _NAME.fullmatch(name)
            layer = found and names.get_name(found[1])
            if not found or not layer:
                return False
            if architecture in _PERMUTED and found[2] == "B":
                matrix = _permuted(matrix, found[1].rpartition(".")[2], config)
            tensor = np.ascontiguousarray(matrix, dtype=np.float32)
            writer.add_tensor(f"{layer}.weight.lora_{found[2].lower()}", tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        files.write(path, draft.read_bytes())
    return True


def _permuted(matrix: NDArray[Any], layer: str, config: Any) -> NDArray[Any]:
    """Rows in the order in which GGUF keeps those of queries and keys.

    transformers rotates the first half of a head's rows with the second half, GGUF each even row
    with the odd row after it.
    """
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(layer)
    if heads is None:
        return matrix
    rows = len(matrix)
    halves = matrix.reshape(heads, 2, rows // heads // 2, -1)
    return halves.swapaxes(1, 2).reshape(rows, -1)
