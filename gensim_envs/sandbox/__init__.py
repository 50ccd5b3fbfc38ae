"""Draw specs from programs that a model wrote, without trusting the programs."""

from gensim_envs.sandbox.child import Limits
from gensim_envs.sandbox.client import Protection, Sandbox, protection, shared
from gensim_envs.sandbox.gate import Program, check, extract

__all__ = [
    "Limits",
    "Program",
    "Protection",
    "Sandbox",
    "check",
    "extract",
    "protection",
    "shared",
]
