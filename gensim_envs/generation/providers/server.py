"""A provider for servers with OpenAI's chat API. Only this module imports `openai`."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from gensim_envs.generation.providers import (
    ApiError,
    Budget,
    ContextTooLong,
    ProviderError,
    Sleep,
    estimate,
)
from gensim_envs.generation.recording import Answer, Call
from gensim_envs.printing import printable

T = TypeVar("T")

RETRIES = 8
"""Retries of a call; with the waits below, a server may be unavailable for three minutes."""
LONGEST_WAIT = 60.0
"""Maximum number of seconds between two tries, unless the server asks for more."""
NO_KEY = "none"
"""Sent to servers without keys, since the client requires one."""
REMOVED = "[key removed]"
SHORTEST_KEY = 8
"""Minimum length of a key to be removed from texts; keys of local servers can be plain words."""


class Transient(ApiError):
    """A transient failure, after which the call is retried.

    Attributes:
        wait: seconds that the server asks for, or None.
    """

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


class OpenAIProvider:
    """Any server that speaks OpenAI's chat API: OpenAI, vLLM, Ollama, llama.cpp, LM Studio.

    Answers are streamed, which tells a silent server from a slow one.

    Args:
        model: the model, as the server calls it.
        budget: limits and counts the calls.
        base_url: URL of the server; by default OPENAI_BASE_URL, else OpenAI's.
        timeout: seconds of silence after which a call is tried again.
        sleep: waits between tries.

    Raises:
        ProviderError: if `openai` is not installed, or a key is needed and missing.
    """

    def __init__(
        self, model: str, budget: Budget, *, base_url: str | None = None, timeout: float = 120.0,
        sleep: Sleep = time.sleep,
    ) -> None:  # fmt: skip
        self.model = model
        self.budget = budget
        self._client = client(base_url, timeout)
        self._sleep = sleep

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        return self._retried(lambda: self._stream(call))

    def embed(self, texts: list[str], model: str) -> list[list[float]]:
        """Embed texts.

        Raises:
            ApiError, ProviderError, Stopped: as `complete`.
        """
        vectors = []
        for k in range(0, len(texts), 256):
            batch = texts[k : k + 256]
            vectors += self._retried(functools.partial(self._embed, batch, model))
        return vectors

    def _embed(self, texts: list[str], model: str) -> list[list[float]]:
        found = self._client.embeddings.create(input=texts, model=model)
        self.budget.charge(found.usage.prompt_tokens if found.usage else estimate(texts), 0)
        if len(found.data) != len(texts):
            raise Transient(f"the server sent {len(found.data)} embeddings of {len(texts)}")
        return [entry.embedding for entry in found.data]

    def _retried(self, ask: Callable[[], T]) -> T:
        tries = 0
        while True:
            self.budget.start()
            try:
                with explained(self._client.api_key):
                    return ask()
            except Transient as error:
                tries += 1
                if tries > RETRIES:
                    raise ApiError(f"{error} ({tries} tries)") from None
                wait = error.wait or min(LONGEST_WAIT, 2.0 ** (tries - 1))
            self._sleep(wait)

    def _stream(self, call: Call) -> Answer:
        began = time.monotonic()
        text: list[str] = []
        finish, usage = None, None
        chunks = self._client.chat.completions.create(
            model=self.model,
            messages=[{"role": m.role, "content": m.content} for m in call.messages],
            temperature=call.temperature,
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in chunks:
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                text.append(choice.delta.content or "")
                finish = choice.finish_reason or finish
        whole = without_key("".join(text), self._client.api_key)
        prompt = usage.prompt_tokens if usage else estimate(m.content for m in call.messages)
        completion = usage.completion_tokens if usage else estimate([whole])
        self.budget.charge(prompt, completion)
        if finish != "stop":
            raise Transient(f"the answer was cut short (finish reason: {finish})")
        if not whole.strip():
            raise Transient("the answer was empty")
        return Answer(whole, prompt, completion, round(time.monotonic() - began, 3))


def client(base_url: str | None, timeout: float) -> Any:
    """A client of the official package that does not retry by itself.

    Raises:
        ProviderError: if the package is not installed, or a key is needed and missing.
    """
    try:
        import openai
    except ModuleNotFoundError as error:
        raise ProviderError(
            "openai is not installed. Run pip install '.[llm]' in a checkout"
        ) from error
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if base_url and not base_url.startswith(("http://", "https://")):
        raise ProviderError(f"{base_url!r:.80} is not an address. Write http://HOST:PORT/v1")
    key = os.environ.get("OPENAI_API_KEY")
    if not key and base_url is None:
        raise ProviderError("no API key. Set OPENAI_API_KEY, or use --base-url for a local server")
    limits = openai.Timeout(timeout, connect=min(timeout, 10.0))
    return openai.OpenAI(api_key=key or NO_KEY, base_url=base_url, timeout=limits, max_retries=0)


def without_key(text: str, key: str) -> str:
    """A server's text without the key and without what UTF-8 cannot encode."""
    clean = text.encode(errors="replace").decode()
    return clean.replace(key, REMOVED) if len(key) >= SHORTEST_KEY else clean


def one_line(text: str, key: str) -> str:
    """A server's text as one printable line without the key."""
    return printable(without_key(text, key))


@contextlib.contextmanager
def explained(key: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        key: removed from the messages.

    Raises:
        Transient: if the failure may pass.
        ContextTooLong: if the prompt is too long.
        ProviderError: if no call can succeed.
    """
    import openai

    try:
        yield
    except ApiError:
        raise
    except openai.APIStatusError as error:
        raise _of_status(error, one_line(_message(error), key)[:300]) from None
    except Exception as error:
        # The client accepts any JSON as an answer, so malformed ones fail where they are used;
        # and a broken stream raises whatever its HTTP library does.
        raise Transient(one_line(_message(error), key)[:300]) from None


def _message(error: Exception) -> str:
    body = getattr(error, "body", None)
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])
    text = str(error) or type(error).__name__
    return f"{text} ({error.__cause__})" if error.__cause__ and "onnect" in text else text


def _of_status(error: Any, message: str) -> Exception:
    """The error that an HTTP status stands for."""
    status = error.status_code
    if status in (408, 409, 429) or status >= 500:
        return Transient(f"HTTP {status}: {message}", _retry_after(error))
    if status in (401, 403):
        return ProviderError(f"the server refuses the key (HTTP {status}): {message}")
    long = error.code == "context_length_exceeded" or re.search("context|too long", message.lower())
    if status == 413 or (status in (400, 422) and long):
        return ContextTooLong(f"HTTP {status}: {message}")
    return ProviderError(f"the server refuses the request (HTTP {status}): {message}")


def _retry_after(error: Any) -> float | None:
    """Seconds that a server asks to wait; dates, which hardly any server sends, are ignored."""
    try:
        wait = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(wait, 600.0) if wait >= 0 else None
