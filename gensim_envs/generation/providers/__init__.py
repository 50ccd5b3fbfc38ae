"""Providers of answers: a server, a recording, or files that a person answers.

Each has a module of its own; this one has the protocol, the errors and the budget of a run. An
`ApiError` ends the attempt, a `ProviderError` ends the run, and after `Stopped` the run can be
resumed; none of them counts against the model.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from gensim_envs.errors import GensimError
from gensim_envs.generation.recording import Answer, Call

Sleep = Callable[[float], None]
"""Waits for some seconds; raises `Stopped` if the run is to end."""


class ApiError(GensimError):
    """A call failed for reasons outside the model; its attempt ends with the cause "api"."""


class ContextTooLong(ApiError):
    """The prompt is longer than the model's context; a shorter one may fit."""


class ProviderError(GensimError):
    """No call can succeed, such as with a wrong key; the run ends and the message says why."""

    exit_code = 2


class Stopped(GensimError):
    """Raised to end a run: its budget is spent, or it was interrupted."""


class Provider(Protocol):
    """A source of answers."""

    @property
    def model(self) -> str:
        """The author's name in provenance and reports."""

    def complete(self, call: Call) -> Answer:
        """Answer a call.

        Raises:
            ApiError: if this call failed.
            ProviderError: if no call can succeed.
            Stopped: if the run is to stop.
        """


@dataclass
class Budget:
    """The limits of a run and what it has used, over all its threads.

    Attributes:
        max_calls: maximum number of requests, retries included; None for no limit.
        max_tokens: maximum of prompt and answer tokens together.
        price: US dollars for a million tokens of prompts, and of answers.
    """

    max_calls: int | None = None
    max_tokens: int | None = None
    price: tuple[float, float] = (0.0, 0.0)
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def tokens(self) -> int:
        """Tokens used so far."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float:
        """US dollars spent so far."""
        prompt, completion = self.price
        return (self.prompt_tokens * prompt + self.completion_tokens * completion) / 1e6

    def __str__(self) -> str:
        cost = f", {dollars(self.cost)} USD" if any(self.price) else ""
        return f"{self.calls} calls, {self.tokens} tokens{cost}"

    def start(self) -> None:
        """Count a request before it is made.

        Raises:
            Stopped: if it would exceed a limit.
        """
        with self._lock:
            if self.max_calls is not None and self.calls >= self.max_calls:
                raise Stopped(f"--max-calls {self.max_calls} is reached")
            if self.max_tokens is not None and self.tokens >= self.max_tokens:
                raise Stopped(f"--max-tokens-total {self.max_tokens} is reached")
            self.calls += 1

    def charge(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count the tokens of an answer, whether it is used or not."""
        with self._lock:
            self.prompt_tokens += prompt_tokens
            self.completion_tokens += completion_tokens


def estimate(texts: Iterable[str]) -> int:
    """Number of tokens of texts that no server has counted.

    The pipeline's prompts have 3.0 to 3.4 characters a token with common tokenizers.
    """
    return round(sum(map(len, texts)) / 3.2)


def dollars(amount: float) -> str:
    """An amount with two decimals, or with as many as its first two digits need."""
    decimals = 2 if amount >= 1 or amount <= 0 else max(2, 1 - math.floor(math.log10(amount)))
    return f"{amount:,.{decimals}f}"
