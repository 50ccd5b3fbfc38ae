"""The client of a server with OpenAI's API: its key, its limits and its errors.

Only this module imports `openai`.
"""

from __future__ import annotations

import contextlib
import html
import ipaddress
import json
import os
import re
import urllib.parse
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gensim_envs.generation.providers import ApiError, ContextTooLong, ProviderError
from gensim_envs.generation.providers.limits import DEADLINE, ended_after, read_body
from gensim_envs.printing import printable
from gensim_envs.utils.answers import loads

NO_KEY = "none"
"""Sent to servers without keys, since the client requires one."""
REMOVED = "[key removed]"
SHORTEST_KEY = 8
"""Minimum length of a key to be removed from texts; keys of local servers can be plain words."""
LONGEST_MESSAGE = 300
"""Maximum number of characters of a server's message in an error."""
HEADERS = {"Accept-Encoding": "identity", "Connection": "close"}
"""Of each request: no answer is compressed, and no connection is used twice; see `limits`."""
_TOO_LONG = re.compile(
    r"context (length|size|window|limit)|too long|too many tokens|inputs. tokens", re.IGNORECASE
)
_EMPTY = re.compile(r"insufficient.(quota|balance|credit|fund)|^billing", re.IGNORECASE)


class Transient(ApiError):
    """A transient failure, after which the call is retried.

    Attributes:
        wait: seconds that the server asks for, or None.
        silent: whether the server sent nothing within the timeout.
    """

    def __init__(self, problem: str, wait: float | None = None, *, silent: bool = False) -> None:
        super().__init__(problem)
        self.wait = wait
        self.silent = silent


@dataclass
class ServerError(Exception):
    """An error in a server's own words, with an HTTP status or inside an answer.

    Attributes:
        status: HTTP status, or 0 for an error inside an answer without one.
        message: the server's words.
        code: OpenAI's code or type of the error, or "".
        param: the parameter that the server names, or "".
        wait: seconds that the server asks to wait, or None.
    """

    status: int
    message: str
    code: str = ""
    param: str = ""
    wait: float | None = None

    @classmethod
    def from_body(cls, status: int, body: object, wait: float | None = None) -> ServerError:
        """Read an error from parsed JSON, or from any text."""
        error = body.get("error") if isinstance(body, dict) else None
        inner = error if isinstance(error, dict) else body if isinstance(body, dict) else {}
        number = inner.get("code")
        if not status and isinstance(number, int):
            status = number
        code = next((c for c in (number, inner.get("type")) if isinstance(c, str)), "")
        param = inner.get("param")
        message = message_of(body)
        return cls(status, message, code, param if isinstance(param, str) else "", wait)

    def explained(self, key: str) -> ApiError | ProviderError:
        """The error of this package that it stands for.

        Args:
            key: removed from the message.
        """
        message = one_line(self.message, key)[:LONGEST_MESSAGE]
        where = f"HTTP {self.status}" if self.status else "the server reports an error"
        text = f"{where}: {message}"
        if self.status == 402 or _EMPTY.search(f"{self.code}: {self.message}"):
            return ProviderError(f"the account is empty ({text}). Add credit, then resume the run")
        if self.status in (401, 403):
            return ProviderError(f"the server refuses the key ({where}): {message}")
        if 300 <= self.status < 400:
            return ProviderError(f"the server redirects to {message}. Name that by --base-url")
        if re.search("content_(filter|policy)", self.code):
            return ApiError(f"the server's content filter refuses the prompt ({where}): {message}")
        long = "context" in self.code or _TOO_LONG.search(message)
        if self.status == 413 or (self.status in (0, 400, 422, 500) and long):
            return ContextTooLong(text)
        if self.status in (0, 408, 409, 429) or self.status >= 500:
            return Transient(text, self.wait)
        return ProviderError(f"the server refuses the request ({where}): {message}")


def message_of(body: object) -> str:
    """The words of an error: of JSON such as {"error": "text"} or {"detail": ...}, of HTML."""
    if isinstance(body, list):
        return "; ".join(message_of(each) for each in body[:5])
    if isinstance(body, dict):
        for name in ("error", "message", "detail", "msg"):
            if body.get(name):
                return message_of(body[name])
        return json.dumps(body)
    text = str(body)
    if not re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
        return text.strip() or "no message"
    text = text[:10_000]
    title = re.search(r"<title[^<>]*>([^<]*)", text, re.IGNORECASE)
    words = title[1] if title else re.sub(r"<[^<>]*>", " ", text)
    return f"a web page: {html.unescape(words).strip()}"


def client(
    base_url: str | None, timeout: float, say: Callable[[str], None] = lambda line: None
) -> Any:
    """A client of the official package that does not retry by itself.

    It follows no redirect, and an exchange has at most `MOST_BYTES` and `DEADLINE` timeouts.

    Args:
        base_url: URL of the server; by default OPENAI_BASE_URL, else OpenAI's.
        timeout: seconds of silence after which a call fails.
        say: called with a line about a key that others can read on its way.

    Raises:
        ProviderError: if the package is not installed, the address, the key or the proxy is
            invalid, or a key is needed and missing.
    """
    try:
        import openai
    except ModuleNotFoundError as error:
        raise ProviderError(
            "openai is not installed. Run pip install '.[llm]' in a checkout"
        ) from error

    class Bounded(openai.DefaultHttpxClient):
        def send(self, request: Any, **options: Any) -> Any:
            with ended_after(request, DEADLINE * timeout):
                return super().send(request, **options)

    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if base_url and not base_url.startswith(("http://", "https://")):
        raise ProviderError(f"{base_url!r:.80} is not an address. Write http://HOST:PORT/v1")
    key = _key()
    if not key and base_url is None:
        raise ProviderError("no API key. Set OPENAI_API_KEY, or use --base-url for a local server")
    try:
        proxy = _readable_by(base_url) if key and base_url else ""
    except ValueError as error:
        raise ProviderError(f"{base_url!r:.80} is not an address: {error}") from error
    if proxy:
        say(f"the proxy {proxy} can read the key, since {base_url} does not begin with https://")
    limits = openai.Timeout(timeout, connect=min(timeout, 10.0))
    try:
        http = Bounded(
            timeout=limits, follow_redirects=False, headers=HEADERS,
            event_hooks={"response": [read_body]},
        )  # fmt: skip
        made = openai.OpenAI(
            api_key=key or NO_KEY, base_url=base_url, timeout=limits, max_retries=0,
            http_client=http, default_headers=HEADERS,
        )  # fmt: skip
        weakref.finalize(made, http.close)
        return made
    except Exception as error:
        names = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
        given = [name for name in names if os.environ.get(name) or os.environ.get(name.lower())]
        raise ProviderError(
            f"the connection cannot be set up: {one_line(str(error), key)[:LONGEST_MESSAGE]}. "
            f"Check {', '.join(given) or '--base-url'}"
        ) from error


def _key() -> str:
    """The key of the environment, without space around it.

    Raises:
        ProviderError: if it contains what no HTTP header can.
    """
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise ProviderError(
            "OPENAI_API_KEY contains a space, a line end or a character outside ASCII, such as a "
            "typographic quote. Set it again"
        )
    return key


def _readable_by(url: str) -> str:
    """The proxy that reads everything that is sent to an http:// address, or ""."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    proxies = urllib.request.getproxies()
    proxy = proxies.get("http") or proxies.get("all")
    if parts.scheme != "http" or not proxy or urllib.request.proxy_bypass(host):
        return ""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return ""
    return re.sub(r"//[^/@]*@", "//", proxy)


def without_key(text: str, key: str) -> str:
    """A server's text without the key, also escaped, and without what UTF-8 cannot encode."""
    clean = text.encode(errors="replace").decode()
    if len(key) < SHORTEST_KEY:
        return clean
    quoted = urllib.parse.quote(key, safe="")
    forms = {
        key, json.dumps(key)[1:-1], repr(key)[1:-1], html.escape(key), quoted, quoted.lower(),
        urllib.parse.quote(key), key.replace("/", "\\/"),
    }  # fmt: skip
    for form in sorted(forms, key=len, reverse=True):
        clean = clean.replace(form, REMOVED)
    return clean


def one_line(text: str, key: str) -> str:
    """A server's text as one printable line without the key."""
    return printable(without_key(text, key))


def server_error(error: Exception, key: str) -> ServerError | ApiError | ProviderError:
    """What an exception of the client stands for."""
    import openai

    cause = error.__cause__
    if isinstance(error, ServerError | ApiError | ProviderError):
        return error
    if isinstance(cause, ApiError | ProviderError):
        return cause
    if isinstance(error, openai.APIStatusError):
        status, text = error.status_code, error.response.text
        if 300 <= status < 400:
            return ServerError(status, error.response.headers.get("location", "nowhere"))
        body: object = text
        with contextlib.suppress(ValueError):
            body = loads(text)
        return ServerError.from_body(status, body, _retry_after(error))
    if isinstance(error, openai.APITimeoutError):
        # A refused connection that takes its time is no silence.
        connecting = "onnect" in type(cause).__name__
        return Transient(f"{'no connection' if connecting else 'silence'}", silent=not connecting)
    # The client accepts any JSON as an answer, so malformed ones fail where they are used; and a
    # broken stream raises whatever its HTTP library does.
    text = str(error) or type(error).__name__
    text = f"{text} ({cause})" if cause and "onnect" in text else text
    return Transient(one_line(text, key)[:LONGEST_MESSAGE])


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
    try:
        yield
    except Exception as error:
        problem = server_error(error, key)
        if isinstance(problem, ServerError):
            problem = problem.explained(key)
        if problem is error:
            raise
        raise problem from None


def _retry_after(error: Any) -> float | None:
    """Seconds that a server asks to wait; dates, which hardly any server sends, are ignored."""
    try:
        wait = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(wait, 600.0) if wait >= 0 else None
