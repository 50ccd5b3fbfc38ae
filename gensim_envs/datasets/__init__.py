"""Demonstrations as Minari datasets: recorded here and nowhere else, and read with h5py alone.

Reading needs neither Gymnasium nor the simulator nor Minari.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gensim_envs.datasets.reading import Dataset, Episode, find
from gensim_envs.errors import DatasetError

if TYPE_CHECKING:
    from gensim_envs.datasets.recording import Played, Summary, record
    from gensim_envs.datasets.worker import PERTURBATIONS

__all__ = [
    "PERTURBATIONS",
    "Dataset",
    "DatasetError",
    "Episode",
    "Played",
    "Summary",
    "find",
    "record",
]

_LAZY = {
    "PERTURBATIONS": "gensim_envs.datasets.worker",
    "Played": "gensim_envs.datasets.recording",
    "Summary": "gensim_envs.datasets.recording",
    "record": "gensim_envs.datasets.recording",
}
"""Names whose modules need Gymnasium; they are imported on first use."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
