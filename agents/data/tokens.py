"""The tokens of a dataset's instructions, in safetensors files beside its `data` folder.

A machine without the language encoder trains with them: `tokens-ENCODER.safetensors` holds one
tensor for each instruction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import safe_open

from agents.errors import AgentsError
from gensim_envs.utils import files

_LARGEST = 2**31  # bytes of a file of tokens

Tokens = dict[str, dict[str, NDArray[Any]]]
"""Encoder -> instruction -> its tokens, (L, width) float16 or (L,) int64."""


def save(folder: Path, encoder: str, tokens: Mapping[str, NDArray[Any]]) -> None:
    """Write the tokens of one encoder.

    Args:
        folder: of the dataset, the parent of `data`.
        encoder: its name, as `agents.policies.registry.text_encoder` takes it.
        tokens: of each instruction.

    Raises:
        FileError: if the file cannot be written.
    """
    name = re.sub(r"[^A-Za-z0-9.]+", "-", encoder)
    data = safetensors.numpy.save(dict(tokens), {"encoder": encoder})
    files.write(folder / f"tokens-{name}.safetensors", data)


def load(folder: Path) -> Tokens:
    """Read the tokens of all encoders in a dataset's folder.

    Raises:
        AgentsError: if a file is damaged or holds something else.
    """
    found: Tokens = {}
    for path in sorted(folder.glob("tokens-*.safetensors")):
        try:
            files.open_regular(path, limit=_LARGEST).close()
            with safe_open(path, "np") as file:
                encoder = (file.metadata() or {})["encoder"]
                found[encoder] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except Exception as error:  # safetensors raises what NumPy does with types it lacks
            raise AgentsError(
                f"{path} does not hold tokens: {error!s:.200}. Delete it, and write it again with "
                "`python -m agents export`"
            ) from error
        for instruction, each in found[encoder].items():
            vectors = each.ndim == 2 and each.dtype == np.float16 and np.isfinite(each).all()
            if not each.size or not (vectors or (each.ndim == 1 and each.dtype == np.int64)):
                raise AgentsError(
                    f"{path}: the tokens of {instruction!r:.60} are {each.dtype} {each.shape}, not "
                    "finite float16 (L, width) or int64 (L,)"
                )
    return found
