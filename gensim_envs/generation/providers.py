"""Who answers prompts: a server, a recording, or a person with files. The only user of `openai`.

A `Provider` takes a `Call` and returns an `Answer`. What goes wrong on the way is never blamed on
the model: it is an `ApiError` for this attempt, a `ProviderError` that ends the run, or a
`Stopped` that leaves it to be resumed.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from gensim_envs.errors import GensimError
from gensim_envs.generation.recording import Answer, Call, Recording

Sleep = Callable[[float], None]
T = TypeVar("T")

RETRIES = 8
"""Tries after the first; with the waits below a server may be away for three minutes."""
LONGEST_WAIT = 60.0
"""Seconds between two tries at most, unless the server asks for more."""
NO_KEY = "none"
"""What a server without keys is told, since the client wants one."""
REMOVED = "[key removed]"
SECRET = 8
"""Letters from which a key is one: local servers are given words, `none`, which texts may hold."""


class ApiError(Exception):
    """A call has failed for good, through no fault of the model; the attempt ends with `api`."""


class ContextTooLong(ApiError):
    """The prompt is longer than the model can read; a shorter one may be tried."""


class ProviderError(GensimError):
    """No call can succeed, such as with a wrong key: the run ends, and the message says why."""

    exit_code = 2


class Stopped(Exception):
    """The run is to stop here: a budget is spent, or somebody pressed Ctrl-C."""


class Provider(Protocol):
    """Whoever answers."""

    @property
    def model(self) -> str:
        """Name for provenance and reports."""

    def complete(self, call: Call) -> Answer:
        """The answer to a call.

        Raises:
            ApiError, ProviderError, Stopped: see there.
        """


@dataclass
class Budget:
    """What a run may use, counted over all its threads.

    Attributes:
        max_calls: answers asked for, retries included; None is no limit.
        max_tokens: of prompts and answers together.
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
        """Used so far."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float:
        """US dollars so far."""
        prompt, completion = self.price
        return (self.prompt_tokens * prompt + self.completion_tokens * completion) / 1e6

    def __str__(self) -> str:
        cost = f", {self.cost:.2f} USD" if any(self.price) else ""
        return f"{self.calls} calls, {self.tokens} tokens{cost}"

    def start(self) -> None:
        """Count a call before it is made.

        Raises:
            Stopped: where a limit would be passed.
        """
        with self._lock:
            if self.max_calls is not None and self.calls >= self.max_calls:
                raise Stopped(f"--max-calls {self.max_calls} is reached")
            if self.max_tokens is not None and self.tokens >= self.max_tokens:
                raise Stopped(f"--max-tokens-total {self.max_tokens} is reached")
            self.calls += 1

    def charge(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count what an answer took, be it of use or not."""
        with self._lock:
            self.prompt_tokens += prompt_tokens
            self.completion_tokens += completion_tokens


class OpenAIProvider:
    """Any server that speaks OpenAI's chat API: OpenAI, vLLM, Ollama, llama.cpp, LM Studio.

    Answers are streamed, so that a server which has fallen silent is told from one that is slow.

    Args:
        model: as the server calls it.
        base_url: of the server; else OPENAI_BASE_URL, else OpenAI's.
        budget: what may be used.
        timeout: seconds of silence after which a call is tried again.
        sleep: waits between tries; raises `Stopped` where the run is to end.

    Raises:
        ProviderError: without the `llm` extra, or without a key where one is needed.
    """

    def __init__(
        self,
        model: str,
        budget: Budget,
        *,
        base_url: str | None = None,
        timeout: float = 120.0,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.model = model
        self.budget = budget
        self._client = client(base_url, timeout)
        self._sleep = sleep

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        return self._retried(lambda: self._stream(call))

    def embed(self, texts: list[str], model: str) -> list[list[float]]:
        """An embedding of each text.

        Raises:
            ApiError, ProviderError, Stopped: see there.
        """
        return self._retried(lambda: self._embed(texts, model))

    def _retried(self, ask: Callable[[], T]) -> T:
        def counted() -> T:
            self.budget.start()
            return ask()

        return retried(self._client, counted, self._sleep)

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
            raise _Again(f"the answer was cut short (finish reason: {finish})")
        if not whole.strip():
            raise _Again("the answer was empty")
        return Answer(whole, prompt, completion, round(time.monotonic() - began, 3))

    def _embed(self, texts: list[str], model: str) -> list[list[float]]:
        found = self._client.embeddings.create(input=texts, model=model)
        vectors = [entry.embedding for entry in found.data]
        self.budget.charge(found.usage.prompt_tokens if found.usage else estimate(texts), 0)
        if len(vectors) != len(texts):
            raise _Again(f"there are {len(vectors)} embeddings of {len(texts)} texts")
        return vectors


class _Again(Exception):
    """A failure that may pass.

    Attributes:
        problem: what it was.
        wait: seconds that the server asks for, or None.
    """

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.wait = wait


def estimate(texts: Any) -> int:
    """Tokens of texts whose server does not count: four letters each, a common rule of thumb."""
    return sum(len(text) for text in texts) // 4


def client(base_url: str | None, timeout: float) -> Any:
    """A client of the official package, which leaves retries to us.

    Raises:
        ProviderError: without the package, or without a key where one is needed.
    """
    try:
        import openai
    except ImportError as error:
        raise ProviderError('openai is missing. pip install "gensim-envs[llm]"') from error
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if base_url and not base_url.startswith(("http://", "https://")):
        raise ProviderError(f"{base_url!r:.80} is no address. Write http://HOST:PORT/v1")
    key = os.environ.get("OPENAI_API_KEY")
    if not key and base_url is None:
        raise ProviderError("there is no key. Set OPENAI_API_KEY, or --base-url for a local server")
    patience = openai.Timeout(timeout, connect=min(timeout, 10.0))
    return openai.OpenAI(
        api_key=key or NO_KEY, base_url=base_url, timeout=patience, max_retries=0
    )  # fmt: skip


def without_key(text: str, key: str) -> str:
    """A server's text without the key, and without what UTF-8 cannot hold."""
    clean = text.encode(errors="replace").decode()
    return clean.replace(key, REMOVED) if len(key) >= SECRET else clean


def retried(
    client: Any, ask: Callable[[], T], sleep: Sleep, say: Callable[[str], None] = lambda line: None
) -> T:
    """What a client's call returns, tried again while its failure may pass.

    Args:
        client: from `client`.
        ask: calls it; a ValueError says that the answer makes no sense, and may pass as well.
        sleep: waits between tries.
        say: called with a line before each wait.

    Raises:
        ApiError, ProviderError: see there.
    """
    for attempt in range(RETRIES + 1):
        try:
            with _explained(client.api_key):
                return ask()
        except _Again as error:
            problem = error.problem
            if attempt < RETRIES:
                wait = error.wait or min(LONGEST_WAIT, 2.0**attempt)
                say(f"{problem}; again in {wait:.0f} s")
                sleep(wait)
    raise ApiError(f"{problem} ({RETRIES + 1} tries)")


class _explained:
    """Turns what the client raises into one of ours; a key in it is taken out."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> Literal[False]:
        import httpx2
        import openai

        # The client takes any JSON for an answer: what is not one shows when it is looked into.
        faults = (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, ValueError, TypeError,
                  AttributeError)  # fmt: skip
        if not isinstance(error, faults):
            return False
        said = _message(error, self._key)
        if isinstance(error, openai.APIStatusError):
            raise _status(error, said) from None
        raise _Again(said) from None


def _message(error: BaseException, key: str) -> str:
    """What a server says, in one line that may be shown."""
    body = getattr(error, "body", None)
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        text = body["message"]
    else:
        text = str(error) or type(error).__name__
    cause = f" ({error.__cause__})" if error.__cause__ and "onnect" in text else ""
    words = without_key(text + cause, key).split()
    return "".join(c if c.isprintable() else "?" for c in " ".join(words))[:300]


def _status(error: Any, said: str) -> Exception:
    """What an HTTP status means for the run."""
    status = error.status_code
    if status in (408, 409, 429) or status >= 500:
        return _Again(f"HTTP {status}: {said}", _retry_after(error))
    if status in (401, 403):
        return ProviderError(f"the server refuses the key (HTTP {status}): {said}")
    long = error.code == "context_length_exceeded" or re.search("context|too long", said.lower())
    if status == 413 or (status in (400, 422) and long):
        return ContextTooLong(f"HTTP {status}: {said}")
    return ProviderError(f"the server refuses the request (HTTP {status}): {said}")


def _retry_after(error: Any) -> float | None:
    """Seconds that a server asks to wait; dates, which hardly any server sends, are not read."""
    text = error.response.headers.get("retry-after", "")
    try:
        wait = float(text)
    except ValueError:
        return None
    return min(wait, 600.0) if wait >= 0 else None


class ReplayProvider:
    """Answers from a recording, without network and key.

    Args:
        recording: where from.
    """

    def __init__(self, recording: Recording) -> None:
        self.model = str(recording.settings.get("model", "unknown"))
        self._recording = recording
        self._known: dict[int, dict[str, tuple[str, Answer]]] = {}
        self._lock = threading.Lock()

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        with self._lock:
            if call.attempt not in self._known:
                self._known[call.attempt] = self._recording.answers(call.attempt)
        try:
            digest, answer = self._known[call.attempt][call.name]
        except KeyError:
            raise ApiError(
                f"{self._recording.root} has no answer to {call.name} of attempt {call.attempt}"
            ) from None
        return replace(_given(answer), changed=digest != call.digest)


class FilesProvider:
    """A prompt goes to a file, the answer is awaited in another: a chat window is enough.

    Args:
        folder: where; `0007-implement-1.prompt.md` is answered in `0007-implement-1.answer.md`.
        model: who will answer, for the provenance.
        sleep: waits between looks; raises `Stopped` where the run is to end.
        say: called with a line when a prompt has been written.
    """

    def __init__(
        self, folder: Path, model: str, *, sleep: Sleep = time.sleep,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:  # fmt: skip
        self.model = model
        self._folder = folder
        self._sleep = sleep
        self._say = say

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"{call.attempt:04d}-{call.name}"
        prompt, answer = (self._folder / f"{stem}.{kind}.md" for kind in ("prompt", "answer"))
        text = "\n\n".join(message.content.strip() for message in call.messages) + "\n"
        if not prompt.exists() or prompt.read_bytes() != text.encode():
            prompt.unlink(missing_ok=True)  # so that nobody answers it once its answer is aside
            if answer.exists():
                answer.replace(answer.with_suffix(".old.md"))
                self._say(f"{answer.name} answered another prompt; it is now {stem}.answer.old.md")
            _write(prompt, text)
        if not answer.exists():
            self._say(f"waiting for {answer}")
        began = time.monotonic()
        while not (said := _settled(answer)):
            self._sleep(0.2)
        tokens = estimate(message.content for message in call.messages)
        return Answer(said, tokens, estimate([said]), round(time.monotonic() - began, 3))


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _settled(path: Path) -> str:
    """A file's text once an editor has stopped writing to it, else nothing."""
    try:
        if time.time() - path.stat().st_mtime < 0.5:
            return ""
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""


@dataclass
class Recorded:
    """A provider whose answers are kept, and which gives the same again after a stop.

    Args:
        inner: who answers.
        recording: where answers are kept, and looked for first.
    """

    inner: Provider
    recording: Recording
    _known: dict[int, dict[str, tuple[str, Answer]]] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """Who answers."""
        return self.inner.model

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        if call.attempt not in self._known:
            self._known[call.attempt] = self.recording.answers(call.attempt)
        digest, answer = self._known[call.attempt].get(call.name, ("", None))
        if answer is not None and digest == call.digest:
            return _given(answer)
        try:
            answer = self.inner.complete(call)
        except ContextTooLong as error:
            # A replay is to cut the prompt just as often.
            self.recording.append(call, Answer("", too_long=str(error)))
            raise
        self.recording.append(call, answer)
        return answer


def _given(answer: Answer) -> Answer:
    """An answer that was kept, or what was raised instead."""
    if answer.too_long:
        raise ContextTooLong(answer.too_long)
    return answer
