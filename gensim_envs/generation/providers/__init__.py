"""Providers of answers: a server, a recording, or a person who answers files.

A provider is a class with the two members of `Provider`. What goes wrong on the way is never
blamed on the model: it is an `ApiError`, which ends this attempt, a `ProviderError`, which ends the
run, or `Stopped`, after which the run can be resumed.
"""

from gensim_envs.generation.providers.base import (
    ApiError,
    Budget,
    ContextTooLong,
    Provider,
    ProviderError,
    Stopped,
    estimate,
)
from gensim_envs.generation.providers.exchange import FilesProvider
from gensim_envs.generation.providers.replay import Recorded, ReplayProvider
from gensim_envs.generation.providers.server import OpenAIProvider, client

__all__ = [
    "ApiError",
    "Budget",
    "ContextTooLong",
    "FilesProvider",
    "OpenAIProvider",
    "Provider",
    "ProviderError",
    "Recorded",
    "ReplayProvider",
    "Stopped",
    "client",
    "estimate",
]
