"""The oracle: actions that solve a task, derived from its goals."""

from gensim_envs.errors import OracleError
from gensim_envs.oracle.demonstrator import Oracle

__all__ = ["Oracle", "OracleError"]
