"""A provider for servers with OpenAI's chat API."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gensim_envs.generation.providers import (
    ApiError,
    Budget,
    ContextTooLong,
    ProviderError,
    Sleep,
    Stopped,
    estimate,
)
from gensim_envs.generation.providers.chat import count, read_reply
from gensim_envs.generation.providers.client import (
    ServerError,
    Transient,
    client,
    explained,
    one_line,
    server_error,
    without_key,
)
from gensim_envs.generation.recording import Answer, Call, Message

T = TypeVar("T")

RETRIES = 8
"""Retries of a call; with the waits below, a server may be unavailable for three minutes."""
SILENT_RETRIES = 2
"""Retries after a timeout, each of which waits twice as long as the one before."""
LONGEST_WAIT = 60.0
"""Maximum number of seconds between two tries, unless the server asks for more."""
MOST_CHARACTERS = 2**20
"""Maximum length of an answer, which is that of an answer in a recording."""
ANSWER_TOKENS = 4096
"""Default limit on an answer; a program takes about 1,000 tokens."""
CUT_BELOW = 0.7
"""A prompt was cut by the server if it counts less than this share of the estimate."""
OPTIONAL = {
    "response_format", "stream_options", "stream", "max_completion_tokens", "max_tokens",
    "temperature",
}  # fmt: skip
"""Parameters that servers refuse."""
_ALIASES = dict.fromkeys(("json_schema", "response_schema", "schema", "grammar"), "response_format")
_NO_SYSTEM = re.compile(
    r"system.{0,30}(role|message|prompt|instruction)|role.{0,30}system|user and assistant roles|"
    r"developer instruction",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"support|unknown|unrecogni[sz]ed|invalid|permitted|allowed", re.IGNORECASE)
_ANSWER_COUNTS = re.compile(r"max_(completion_)?tokens|completion|output", re.IGNORECASE)
SYSTEM = "system"


class OpenAIProvider:
    """Any server that speaks OpenAI's chat API: OpenAI, vLLM, Ollama, llama.cpp, LM Studio.

    Answers are streamed, which tells a silent server from a slow one. A parameter that the server
    refuses is left out from then on.

    Args:
        model: the model, as the server calls it.
        budget: limits and counts the calls.
        base_url: URL of the server; by default OPENAI_BASE_URL, else OpenAI's.
        timeout: seconds of silence after which a call is tried again.
        sleep: waits between tries.
        say: called with a line about a retry, or about a parameter that is left out.
        answer_tokens: limit on an answer.
        stream: whether to ask for streams.
        extra: further parameters of each request, which replace those of this class.

    Raises:
        ProviderError: if no connection can be set up; see `client`.
    """

    def __init__(
        self, model: str, budget: Budget, *, base_url: str | None = None, timeout: float = 120.0,
        sleep: Sleep = time.sleep, say: Callable[[str], None] = lambda line: None,
        answer_tokens: int = ANSWER_TOKENS, stream: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.model = model
        self.budget = budget
        self._client = client(base_url, timeout, say)
        self._timeout = timeout
        self._sleep = sleep
        self._say = say
        self._answer_tokens = answer_tokens
        self._extra = dict(extra or {})
        self._without: set[str] = set() if stream else {"stream", "stream_options"}
        self._cut_said = False
        self._lock = threading.Lock()

    def check_model(self) -> None:
        """Check that the server knows the model, before long work begins.

        A server that lists the model costs no call. Others are asked for one word, since some take
        any name.

        Raises:
            ProviderError: if it does not, or cannot be asked.
        """
        try:
            found = self._client.models.with_raw_response.list().http_response.json()
            if any(each.get("id") == self.model for each in found["data"]):
                return
        except Exception:  # whatever is wrong, a call tells it better
            pass
        try:
            self.complete(Call(0, "hello", (Message("user", "Say yes."),)))
        except (ApiError, Stopped) as error:
            raise ProviderError(f"the server does not answer: {error}") from error

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        return self._retried(functools.partial(self._chat, call), call.name)

    def embed(self, texts: list[str], model: str) -> list[list[float]]:
        """Embed texts.

        Raises:
            ApiError, ProviderError, Stopped: as `complete`.
        """
        vectors = []
        for k in range(0, len(texts), 256):
            batch = texts[k : k + 256]
            vectors += self._retried(functools.partial(self._embed, batch, model), "embeddings")
        return vectors

    def _embed(self, texts: list[str], model: str, timeout: float) -> list[list[float]]:
        found = self._client.embeddings.create(input=texts, model=model, timeout=timeout)
        counted = found.usage.prompt_tokens if found.usage else None
        self.budget.charge(count(counted) or estimate(texts), 0)
        if len(found.data) != len(texts):
            raise Transient(f"the server sent {len(found.data)} embeddings of {len(texts)}")
        return [entry.embedding for entry in found.data]

    def _retried(self, ask: Callable[[float], T], name: str) -> T:
        tries, silent = 0, 0
        while True:
            self.budget.start()
            timeout = self._timeout * 2**silent
            try:
                with explained(self._client.api_key):
                    return ask(timeout)
            except _AskAgain:
                continue
            except Transient as error:
                problem = error
            tries += 1
            silent += problem.silent
            if problem.silent:
                problem = Transient(
                    f"no word from the server for {timeout:.0f} s; if it answers one request at "
                    "a time, use --window 1, and a longer --timeout if it is slow"
                )
            if tries > RETRIES or silent > SILENT_RETRIES:
                raise ApiError(f"{problem} ({tries} tries)")
            wait = problem.wait or min(LONGEST_WAIT, 2.0 ** (tries - 1))
            self._say(f"{name}: {problem}. Trying again in {wait:.0f} s")
            self._sleep(wait)

    def _chat(self, call: Call, timeout: float) -> Answer:
        began = time.monotonic()
        key = self._client.api_key
        body = self._body(call)
        try:
            reply = self._send(body, timeout)
        except Exception as error:
            problem = server_error(error, key)
            if not isinstance(problem, ServerError):
                raise
            if self._leave_out(problem, body, one_line(problem.message, key)):
                raise _AskAgain from None
            if not _too_large_an_answer(problem, body, key):
                raise
            # The window holds the prompt, but not with the longest answer beside it.
            reply = self._send({k: v for k, v in body.items() if k not in _LIMITS}, timeout)
        text = without_key(reply.text, key)
        if len(text) > MOST_CHARACTERS:
            raise ApiError(f"the answer has {len(text)} characters, over {MOST_CHARACTERS}")
        prompt, completion = reply.usage
        expected = estimate(message.content for message in call.messages)
        if prompt is not None:
            self._notice_cut(prompt, expected)
        prompt = expected if prompt is None else prompt
        completion = estimate([text]) if completion is None else completion
        self.budget.charge(prompt, completion)
        ended = reply.finish if reply.finish in ("length", "content_filter") else ""
        seconds = round(time.monotonic() - began, 3)
        return Answer(text, prompt, completion, seconds, ended=ended)

    def _send(self, body: dict[str, Any], timeout: float) -> Any:
        chat = self._client.chat.completions.with_raw_response
        raw = chat.create(**body, timeout=timeout, extra_body=self._extra or None)
        return read_reply(raw.http_response.content.decode(errors="replace"))

    def _body(self, call: Call) -> dict[str, Any]:
        """The parameters of a request, without those that the server refuses."""
        messages = [{"role": m.role, "content": m.content} for m in call.messages]
        if SYSTEM in self._without and len(messages) > 1 and messages[0]["role"] == "system":
            system = messages.pop(0)["content"]
            messages[0] = {"role": "user", "content": f"{system}\n\n{messages[0]['content']}"}
        limit = "max_completion_tokens" if "max_tokens" in self._without else "max_tokens"
        optional: dict[str, Any] = {
            "temperature": call.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            limit: self._answer_tokens,
        }
        if call.schema is not None:
            schema = {"name": call.name.rpartition("-")[0] or call.name, "schema": call.schema}
            optional["response_format"] = {"type": "json_schema", "json_schema": schema}
        kept = {name: value for name, value in optional.items() if name not in self._without}
        return {"model": self.model, "messages": messages, **kept}

    def _leave_out(self, error: ServerError, body: dict[str, Any], message: str) -> bool:
        """Leave out what the server refuses; returns whether to ask again."""
        if error.status in (401, 402, 403, 404, 408, 409, 413, 429):
            return False
        if error.status in (0, *range(500, 600)) and not _REFUSED.search(message):
            return False
        words = (_ALIASES.get(word, word) for word in re.findall(r"\w+", message))
        names = (error.param, *words)
        named = next((name for name in names if name in OPTIONAL and name in body), "")
        system = body["messages"][0]["role"] == "system" and len(body["messages"]) > 1
        if not named and system and _NO_SYSTEM.search(message):
            named = SYSTEM
        if not named or (named in _LIMITS and _too_large_an_answer(error, body, "")):
            return False
        with self._lock:
            known = named in self._without
            self._without.add(named)
            if named == "stream":
                self._without.add("stream_options")
        if not known:
            what = "the system role" if named == SYSTEM else named
            self._say(f"the server refuses {what}, which is left out from now on: {message[:200]}")
        return True

    def _notice_cut(self, counted: int, expected: int) -> None:
        """Say once that the server has cut a prompt, as Ollama does without an error."""
        whole = counted % 1024 == 0 and 0 < counted < expected
        if self._cut_said or not (counted < CUT_BELOW * expected or whole):
            return
        self._cut_said = True
        self._say(
            f"the server counts {counted} tokens in a prompt of about {expected}: it may have cut "
            "it. Give it a context of 8,192 tokens or more (Ollama: OLLAMA_CONTEXT_LENGTH; "
            "llama.cpp: -c), or use --prompt slim"
        )


_LIMITS = ("max_tokens", "max_completion_tokens")


class _AskAgain(ApiError):
    """The same call is asked without a parameter that the server refuses."""


def _too_large_an_answer(error: ServerError, body: dict[str, Any], key: str) -> bool:
    """Whether the prompt is too long only together with the limit on the answer."""
    long = isinstance(error.explained(key), ContextTooLong)
    sent = any(name in body for name in _LIMITS)
    return sent and long and bool(_ANSWER_COUNTS.search(error.message))
