"""Programs that a model wrote -> specs, without trusting the programs."""

from gensim_envs.sandbox.client import Limits, Protection, Sandbox, protection, shared
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
