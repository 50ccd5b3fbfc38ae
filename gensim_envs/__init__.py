"""Gymnasium environments for tabletop manipulation, written by language models.

Importing this registers every task of the suite's library as `gensim/<ClassName>-v<N>`. Where
Gymnasium is not installed, as on a machine that only trains, nothing is registered.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from gensim_envs.errors import (
    GensimError,
    LibraryError,
    OracleError,
    PerturbationError,
    StateError,
    TaskError,
)

if TYPE_CHECKING:
    from gensim_envs.envs.rollout import Episode, Transition, rollout, transitions
    from gensim_envs.envs.state_layout import StateLayout
    from gensim_envs.envs.tabletop import TabletopEnv
    from gensim_envs.oracle import Oracle
    from gensim_envs.registration import common_bounds, mix, register_library
    from gensim_envs.sim.views import fuse_views
    from gensim_envs.task.nouns import nouns
    from gensim_envs.wrappers import (
        ChooseThings,
        HeightImage,
        InstructionEmbedding,
        InstructionObservation,
        PixelAction,
    )

__version__ = "0.1.0"
__all__ = [
    "ChooseThings",
    "Episode",
    "GensimError",
    "HeightImage",
    "InstructionEmbedding",
    "InstructionObservation",
    "LibraryError",
    "Oracle",
    "OracleError",
    "PerturbationError",
    "PixelAction",
    "StateError",
    "StateLayout",
    "TabletopEnv",
    "TaskError",
    "Transition",
    "common_bounds",
    "fuse_views",
    "mix",
    "nouns",
    "register_library",
    "rollout",
    "transitions",
]

_LAZY = {
    "envs.rollout": ("Episode", "Transition", "rollout", "transitions"),
    "envs.state_layout": ("StateLayout",),
    "envs.tabletop": ("TabletopEnv",),
    "oracle": ("Oracle",),
    "registration": ("common_bounds", "mix", "register_library"),
    "sim.views": ("fuse_views",),
    "task.nouns": ("nouns",),
    "wrappers": (
        "ChooseThings", "HeightImage", "InstructionEmbedding", "InstructionObservation",
        "PixelAction",
    ),
}  # fmt: skip
"""Modules that are imported when one of their public names is used first."""


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if importlib.util.find_spec("gymnasium") is not None:
    from gensim_envs.registration import register_shipped

    register_shipped()
