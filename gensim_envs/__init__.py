"""Gymnasium environments for tabletop manipulation, written by language models.

Importing this registers every task of the suite's library as `gensim/<ClassName>-v<N>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gensim_envs.library import LibraryError
from gensim_envs.registration import common_bounds, mix, register_library, register_shipped
from gensim_envs.task.errors import TaskError

if TYPE_CHECKING:
    from gensim_envs.oracle import Oracle, OracleError
    from gensim_envs.views import fuse_views

__version__ = "0.1.0"
__all__ = [
    "LibraryError",
    "Oracle",
    "OracleError",
    "TaskError",
    "common_bounds",
    "fuse_views",
    "mix",
    "register_library",
]


def __getattr__(name: str) -> Any:
    # The oracle loads the simulator and fusing numpy, so they are imported when asked for.
    if name in ("Oracle", "OracleError"):
        from gensim_envs import oracle

        return getattr(oracle, name)
    if name == "fuse_views":
        from gensim_envs.views import fuse_views

        return fuse_views
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


register_shipped()
