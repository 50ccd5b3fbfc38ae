"""Gymnasium environments for tabletop manipulation, written by language models.

Importing this registers every task of the suite's library as `gensim/<ClassName>-v<N>`.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from gensim_envs.errors import GensimError, LibraryError, OracleError, TaskError

if TYPE_CHECKING:
    from gensim_envs.envs.rollout import Episode, Transition, rollout, transitions
    from gensim_envs.envs.tabletop import TabletopEnv
    from gensim_envs.oracle import Oracle
    from gensim_envs.registration import common_bounds, mix, register_library
    from gensim_envs.sim.views import fuse_views

__version__ = "0.1.0"
__all__ = [
    "Episode",
    "GensimError",
    "LibraryError",
    "Oracle",
    "OracleError",
    "TabletopEnv",
    "TaskError",
    "Transition",
    "common_bounds",
    "fuse_views",
    "mix",
    "register_library",
    "rollout",
    "transitions",
]


_LAZY = {
    "Episode": "gensim_envs.envs.rollout",
    "Oracle": "gensim_envs.oracle",
    "TabletopEnv": "gensim_envs.envs.tabletop",
    "Transition": "gensim_envs.envs.rollout",
    "common_bounds": "gensim_envs.registration",
    "fuse_views": "gensim_envs.sim.views",
    "mix": "gensim_envs.registration",
    "register_library": "gensim_envs.registration",
    "rollout": "gensim_envs.envs.rollout",
    "transitions": "gensim_envs.envs.rollout",
}
"""Public names whose modules load the simulator or NumPy; they are imported on first use."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


if importlib.util.find_spec("gymnasium") is not None:  # a machine that only trains may lack it
    importlib.import_module("gensim_envs.registration").register_shipped()
