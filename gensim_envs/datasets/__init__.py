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
    from gensim_envs.datasets.worker import PERTURBATIONS, Behaviour, Disturbed, Respond

__all__ = [
    "PERTURBATIONS",
    "Behaviour",
    "Dataset",
    "DatasetError",
    "Disturbed",
    "Episode",
    "Played",
    "Respond",
    "Summary",
    "find",
    "record",
]


def __getattr__(name: str) -> Any:
    """Import what needs Gymnasium on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = (
        "worker" if name in ("PERTURBATIONS", "Behaviour", "Disturbed", "Respond") else "recording"
    )
    return getattr(importlib.import_module(f"gensim_envs.datasets.{module}"), name)
