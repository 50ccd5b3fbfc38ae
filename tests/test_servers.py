"""Servers as they behave in public bug reports: real HTTP on loopback, real client."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from gensim_envs.cli import main
from gensim_envs.errors import TaskError
from gensim_envs.generation.conversation import Conversation, Proposal, Vote
from gensim_envs.generation.providers import ApiError, Budget, ContextTooLong, ProviderError, limits
from gensim_envs.generation.providers import client as client_module
from gensim_envs.generation.providers.client import client
from gensim_envs.generation.providers.replay import Recorded, ReplayProvider
from gensim_envs.generation.providers.server import OpenAIProvider
from gensim_envs.generation.recording import Answer, Call, Message, Recording, Settings

Body = dict[str, Any]
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
VOTE = '{"why": "It fits.", "vote": "yes"}'


def event(delta: Any = None, finish: str | None = None, **more: Any) -> Body:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def said(text: str, finish: str | None = "stop") -> list[Any]:
    """A stream as OpenAI sends it."""
    return [event({"content": text}), event({}, finish), {"choices": [], "usage": USAGE}, "[DONE]"]


def refusal(message: Any, status: int = 400, **error: Any) -> tuple[int, Any]:
    return status, {"error": {"message": message, **error}}


class Server:
    """A server that sends the same to every request, or what a function makes of it.

    Attributes:
        answer: events of a stream, (status, JSON), raw bytes, or a function of the request that
            returns one of them.
        bodies: the requests.
        headers: further headers of each response.
        pause: seconds between the parts of raw bytes that come as a list.
        first: sent before each response.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.bodies: list[Body] = []
        self.headers: dict[str, str] = {}
        self.pause = 0.0
        self.first: Iterable[bytes] = ()
        self.url = ""

    def respond(self, handler: BaseHTTPRequestHandler, body: Body) -> None:
        self.bodies.append(body)
        got = self.answer(body) if callable(self.answer) else self.answer
        status, kind, parts = 200, "text/event-stream", [b""]
        if isinstance(got, tuple):
            status, content = got
            kind = "application/json" if not isinstance(content, str) else "text/html"
            parts = [(content if isinstance(content, str) else json.dumps(content)).encode()]
        elif isinstance(got, bytes):
            parts = [got]
        elif got and isinstance(got[0], bytes):
            parts = got
        else:
            lines = [each if isinstance(each, str) else json.dumps(each) for each in got]
            parts = ["".join(f"data: {line}\n\n" for line in lines).encode()]
        with contextlib.suppress(OSError):  # the client may leave
            for part in self.first:
                handler.wfile.write(part)
                time.sleep(self.pause)
            handler.send_response(status)
            for name, value in {"Content-Type": kind, **self.headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(sum(map(len, parts))))
            handler.end_headers()
            for part in parts:
                handler.wfile.write(part)
                handler.wfile.flush()
                time.sleep(self.pause)


@contextlib.contextmanager
def served(answer: Any) -> Iterator[Server]:
    server = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # a connection serves several requests if the client wants

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.respond(self, body)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, and no proxy of this machine."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-SECRETSECRET123")
    for name in ("OPENAI_BASE_URL", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Asked:
    """The outcome of a call whose waits take no time."""

    def __init__(self, server: Server, call: Call | None = None, **options: Any) -> None:
        self.naps: list[float] = []
        self.lines: list[str] = []
        self.budget = Budget()
        self.provider = OpenAIProvider(
            "m", self.budget, base_url=server.url, sleep=self.naps.append, say=self.lines.append,
            **{"timeout": 5.0, **options},
        )  # fmt: skip
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self.again(call)

    def again(self, call: Call | None = None) -> None:
        messages = (Message("system", "You judge."), Message("user", "Is it good?"))
        try:
            self.answer = self.provider.complete(call or Call(1, "reflect-1", messages, 0.3))
        except (ApiError, ProviderError) as error:
            self.error = error

    @property
    def text(self) -> str:
        assert self.answer is not None, self.error
        return self.answer.text


# --- parameters -------------------------------------------------------------------------------


def _refuses(name: str, message: str, **error: Any) -> Callable[[Body], Any]:
    def answer(body: Body) -> Any:
        return refusal(message, **error) if name in body else said("Hello.")

    return answer


def _no_system(body: Body) -> Any:
    system = body["messages"][0]["role"] == "system"
    return refusal("System role not supported", 500) if system else said("Hello.")


REFUSED = {
    "temperature": _refuses(
        "temperature", "Unsupported value: only the default (1) is supported", param="temperature"
    ),
    "stream_options": _refuses("stream_options", "Unrecognized argument: stream_options"),
    "stream": _refuses("stream", "stream is not supported", param="stream"),
    "max_tokens": _refuses(
        "max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    ),
    "response_format": _refuses("response_format", "json_schema is not supported here"),
    "response_format, unnamed": _refuses(
        "response_format", "The schema contains features that xgrammar does not know"
    ),
    "system": _no_system,
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_parameter_is_left_out_from_then_on(case: str) -> None:
    name = case.partition(",")[0]
    messages = (Message("system", "Be brief."), Message("user", "Hello?"))
    call = Call(1, "reflect-1", messages, 0.3, {"type": "object"})
    with served(REFUSED[case]) as server:
        asked = Asked(server, call)
        assert asked.text == "Hello."
        assert asked.naps == []
        asked.again(call)
        assert len(server.bodies) == 3
        assert len(asked.lines) == 1
        last = server.bodies[-1]
    if name == "system":
        assert last["messages"] == [{"role": "user", "content": "Be brief.\n\nHello?"}]
    else:
        assert name not in last
        assert "refuses " + name in asked.lines[0]
    if name == "max_tokens":
        assert last["max_completion_tokens"] == 4096


def test_options_set_the_limit_the_stream_and_further_parameters() -> None:
    whole = {"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}], "usage": USAGE}
    with served((200, whole)) as server:
        asked = Asked(server, answer_tokens=7, stream=False, extra={"top_k": 1})
        assert asked.text == "Hi."
        [body] = server.bodies
    assert (body["max_tokens"], body["top_k"]) == (7, 1)
    assert "stream" not in body


def test_a_window_that_holds_the_prompt_but_not_the_limit_is_used() -> None:
    message = "maximum context length is 4096 tokens, you requested 5284 (1188 + 4096 max_tokens)"

    def answer(body: Body) -> Any:
        return refusal(message) if "max_tokens" in body else said("Hello.")

    with served(answer) as server:
        assert Asked(server).text == "Hello."
    with served(refusal("maximum context length is 4096 tokens")) as server:
        assert isinstance(Asked(server).error, ContextTooLong)


# --- endings ----------------------------------------------------------------------------------

TEXT = event({"role": "assistant", "content": "Hello."})
WHOLE = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
ENDINGS: dict[str, Any] = {
    "empty": said("Hello.", ""),
    "null": said("Hello.", None),
    "eos_token": said("Hello.", "eos_token"),
    "STOP": said("Hello.", "STOP"),
    "delta null": [TEXT, event(None, "stop"), "[DONE]"],
    "choices null": [TEXT, event({}, "stop"), {"choices": None, "usage": USAGE}, "[DONE]"],
    "only total_tokens": [TEXT, event({}, "stop", usage={"total_tokens": 15}), "[DONE]"],
    "tokens null": [TEXT, event({}, "stop", usage={"prompt_tokens": None}), "[DONE]"],
    "parts": [event({"content": [{"type": "text", "text": "Hello."}]}), event({}, "stop")],
    "no stream": (200, WHOLE),
    "reasoning": [event({"reasoning_content": "Hm."}), *said("Hello.")],
    "comments": b": waiting\n\n" + f"data: {json.dumps(TEXT)}\r\n\r\n".encode() + b"data:[DONE]\n",
    "no empty lines": f"data: {json.dumps(TEXT)}\ndata: [DONE]\n".encode(),
}


@pytest.mark.parametrize("kind", ENDINGS)
def test_the_text_that_arrived_is_the_answer(kind: str) -> None:
    with served(ENDINGS[kind]) as server:
        asked = Asked(server)
    assert (asked.text, asked.naps) == ("Hello.", [])
    assert asked.answer is not None
    assert asked.answer.prompt_tokens > 0
    assert asked.answer.completion_tokens > 0


def test_only_length_means_cut(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write_settings(Settings("abc", "m"))

    def talk(provider: Any) -> Conversation:
        found = Conversation(provider, 1, {"reflect": 0.0, "curriculum": 0.0})
        with pytest.raises(TaskError, match="cut after 5 tokens") as caught:
            found.ask("curriculum", target="a tower", steps=1, assets=[])
        assert caught.value.cause == "parse"
        assert found.tokens == (20, 10)  # both answers are charged
        return found

    with served(said('{"steps": ["One', "length")) as server:
        talk(Recorded(Asked(server).provider, recording))
        assert len(server.bodies) == 3  # one of `Asked`, two of the conversation
    talk(ReplayProvider(recording))


def test_words_of_a_refusal_are_kept_and_a_filter_is_not_asked_again() -> None:
    no = "I can't help with that."
    with served([event({"content": None, "refusal": no}), event({}, "stop"), "[DONE]"]) as server:
        assert Asked(server).text == no
    with served(said("Half of", "content_filter")) as server:
        talk = Conversation(Asked(server).provider, 1, {"curriculum": 0.0})
        with pytest.raises(ApiError, match=r"content filter.*Half of"):
            talk.ask("curriculum", target="a tower", steps=1, assets=[])
        assert len(server.bodies) == 2
        assert talk.tokens == (10, 5)


def test_a_prompt_that_a_filter_refuses_ends_the_attempt_and_not_the_run() -> None:
    with served(refusal("The prompt was filtered.", 400, code="content_filter")) as server:
        asked = Asked(server)
        assert len(server.bodies) == 1
    assert type(asked.error) is ApiError
    assert "The prompt was filtered." in str(asked.error)


def test_reasoning_without_an_answer_is_asked_for_once_more() -> None:
    with served(said("<think>It is about")) as server:
        talk = Conversation(Asked(server).provider, 1, {"curriculum": 0.0})
        with pytest.raises(TaskError, match="empty and contains only reasoning"):
            talk.ask("curriculum", target="a tower", steps=1, assets=[])
        assert len(server.bodies) == 3


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {"error": "no such model 5284"}), "no such model 5284"),
        ((422, {"detail": [{"loc": ["x"], "msg": "field 4096 required"}]}), "field 4096 required"),
        ((400, {"detail": "not like this"}), "not like this"),
        ((404, "<html><head><title>404 Not &amp; Found</title></head></html>"), "404 Not & Found"),
        ((200, "<!DOCTYPE html><title>Open WebUI</title>"), "Open WebUI.*--base-url"),
        (refusal("You exceeded your quota", 429, type="insufficient_quota"), "account is empty"),
        (refusal("pay first", 402), "account is empty.*pay first"),
        ((200, {"error": {"message": "no credit", "code": 402}}), "account is empty"),
        (refusal("not active", 429, code="billing_not_active"), "account is empty.*not active"),
        (refusal("Insufficient Balance", 403), "account is empty"),
        ((400, "<html>" + "<title" * 200_000), "a web page: "),
        ((400, '{"error":' + "[" * 400 + "1" + "]" * 400 + "}"), "refuses the request"),
        ((400, "[" * 100_000), "refuses the request"),
    ],
    ids=range(13),
)
def test_the_servers_words_end_the_run(answer: Any, words: str) -> None:
    with served(answer) as server:
        asked = Asked(server)
        assert len(server.bodies) == 1
    with pytest.raises(ProviderError, match=words):
        raise asked.error or AssertionError(asked.answer)


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"error": "the model 7 is loading"}),
        [event({"content": "Hel"}), {"error": {"message": "the model 7 is loading"}}],
        b'error: {"message": "the model 7 is loading"}\n\n',
        (503, {"error": {"message": "the model 7 is loading"}}),
    ],
)
def test_an_error_that_may_pass_is_said_at_each_wait(answer: Any) -> None:
    with served(answer) as server:
        asked = Asked(server)
    with pytest.raises(ApiError, match=r"the model 7 is loading \(9 tries\)"):
        raise asked.error or AssertionError(asked.answer)
    assert len(asked.lines) == 8
    assert "Trying again in 1 s" in asked.lines[0]


def test_a_busy_server_is_given_more_time_and_the_wait_is_said() -> None:
    calls: list[int] = []

    def answer(body: Body) -> Any:
        calls.append(1)
        time.sleep(0.0 if len(calls) > 1 else 0.6)
        return said("Hello.")

    with served(answer) as server:
        asked = Asked(server, timeout=0.3)
    assert asked.text == "Hello."
    [line] = asked.lines
    assert "no word from the server for 0 s" in line
    assert "--window 1" in line


def test_a_redirect_is_not_followed() -> None:
    with served(said("Hello.")) as other, served((307, "")) as server:
        server.headers = {"Location": other.url + "/chat/completions"}
        asked = Asked(server)
        assert other.bodies == []
    with pytest.raises(ProviderError, match=f"redirects to {other.url}"):
        raise asked.error or AssertionError(asked.answer)


# --- limits -----------------------------------------------------------------------------------


def test_an_answer_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 1_000_000)
    with served([b"x" * 100_000] * 100) as server:
        asked = Asked(server)
        assert len(server.bodies) == 1
    with pytest.raises(ApiError, match="longer than 1 MB"):
        raise asked.error or AssertionError(asked.answer)


@pytest.mark.parametrize("count", [-(10**12), "1", 1.5, None, 10**400])
def test_a_count_of_tokens_that_is_none_is_estimated(count: object) -> None:
    data = [{"embedding": [1.0, 2.0], "index": 0, "object": "embedding"}]
    answer = {"data": data, "usage": {"prompt_tokens": count, "total_tokens": 1}, "model": "m"}
    with served((200, answer)) as server:
        budget = Budget()
        OpenAIProvider("m", budget, base_url=server.url).embed(["some words"], "m")
    assert 0 < budget.prompt_tokens < 100


def test_an_answer_too_long_to_record_is_refused() -> None:
    with served((200, {"choices": [{"message": {"content": "x" * 2_000_000}}]})) as server:
        asked = Asked(server)
    with pytest.raises(ApiError, match="the answer has 2000000 characters"):
        raise asked.error or AssertionError(asked.answer)


def test_an_answer_that_trickles_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "DEADLINE", 0.1)
    with served([b": still here\n"] * 1000) as server:
        server.pause = 0.02
        asked = Asked(server)
        assert len(server.bodies) == 1
    with pytest.raises(ApiError, match=r"took longer than 0 s.*--timeout"):
        raise asked.error or AssertionError(asked.answer)


@pytest.mark.parametrize(
    "first",
    [
        repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
        chain([b"HTTP/1.1 200 OK\r\n"], repeat(b"X: 1\r\n")),
        chain([b"HTTP/1.1 200 OK\r\n"], repeat(b"X")),
    ],
)
def test_headers_that_trickle_are_left(
    first: Iterable[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second request, which could come through the connection of the first."""
    monkeypatch.setattr(client_module, "DEADLINE", 1.0)
    with served(said("Hello.")) as server:
        asked = Asked(server, timeout=1.0)
        assert asked.text == "Hello."
        server.first, server.pause = first, 0.02
        began = time.monotonic()
        asked.again()
        assert len(server.bodies) == 2
    assert 1.0 < time.monotonic() - began < 2.0
    with pytest.raises(ApiError, match=r"took longer than 1 s.*--timeout"):
        raise asked.error or AssertionError(asked.answer)


@pytest.mark.parametrize("status", [200, 500])
def test_a_compressed_answer_is_refused(status: int) -> None:
    assert limits.MOST_BYTES < 100_000_000
    bomb = gzip.compress(b"data: " + b"x" * 10_000_000)
    with served([bomb] if status == 200 else (500, "x")) as server:
        server.headers = {"Content-Encoding": "gzip"}
        asked = Asked(server)
    with pytest.raises(ApiError, match="compresses"):
        raise asked.error or AssertionError(asked.answer)


# --- the key and the connection ---------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", " "])
def test_space_around_the_key_is_removed(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-SECRETSECRET123" + end)
    with served(said("Hello.")) as server:
        assert Asked(server).text == "Hello."


@pytest.mark.parametrize("key", ["\u201csk-SECRET\u201d", "sk-SECRET\nOTHER", "sk-SECRET OTHER"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ProviderError, match="OPENAI_API_KEY contains") as caught:
        client("http://127.0.0.1:9/v1", 1.0)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("escape", [lambda k: json.dumps(k)[1:-1], lambda k: k.replace("/", "%2F")])
def test_the_key_is_removed_in_its_escaped_forms(
    escape: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = 'sk-a/b"c\\secret' if "\\" in escape('"') else "sk-a/bcsecret"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with served(said(f"Bearer {escape(key)}!")) as server:
        assert Asked(server).text == "Bearer [key removed]!"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("SSL_CERT_FILE", "/nowhere/cert.pem"),
     ("HTTPS_PROXY", "ftp://127.0.0.1:9")],
)  # fmt: skip
def test_a_proxy_or_certificate_that_does_not_work_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ProviderError, match=f"cannot be set up.*{name}") as caught:
        client("https://example.org/v1", 1.0)
    assert "\n" not in str(caught.value)


def test_a_key_that_a_proxy_can_read_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:word@proxy.example:3128")
    lines: list[str] = []
    client("http://models.example/v1", 1.0, lines.append)
    assert lines == [
        "the proxy http://proxy.example:3128 can read the key, since http://models.example/v1 does "
        "not begin with https://"
    ]
    for url in ("https://models.example/v1", "http://127.0.0.1:8000/v1"):
        client(url, 1.0, lines.append)
    assert len(lines) == 1


def test_an_unknown_model_is_told_before_anything_else() -> None:
    with served(refusal("The model `m` does not exist", 404)) as server:
        asked = Asked(served_nothing := server)
        with pytest.raises(ProviderError, match="The model `m` does not exist"):
            asked.provider.check_model()
        assert len(served_nothing.bodies) == 2


def test_a_wrong_model_is_told_before_the_library_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library, run = tmp_path / "library", tmp_path / "run"
    library.mkdir()
    (library / "registry.json").write_text("not JSON")
    with served(refusal("The model `m` does not exist", 404)) as server:
        options = ["--model", "m", "--base-url", server.url]
        assert main(["generate", *options, "--library", str(library), "--run", str(run)]) == 2
    assert "The model `m` does not exist" in capsys.readouterr().err
    assert not run.exists()


def test_a_prompt_that_the_server_cuts_is_noticed_once() -> None:
    long = Call(1, "review-1", (Message("user", "word " * 5000),))
    with served(said("Hello.")) as server:  # counts ten tokens
        asked = Asked(server, long)
        asked.again(long)
    [line] = asked.lines
    assert "counts 10 tokens in a prompt of about 7812" in line


# --- what small models say --------------------------------------------------------------------


def test_schemas_name_what_may_be_named_and_unknown_names_are_asked_for_again() -> None:
    proposal = {"name": "BallIntoBowl", "description": "Put a ball into a bowl.",
                "assets": ["Sphere"], "why_new": "none is like it"}  # fmt: skip
    answers = iter([proposal, {**proposal, "assets": ["Ball"]}])

    def answer(body: Body) -> Any:
        return said(json.dumps(next(answers)))

    with served(answer) as server:
        provider = OpenAIProvider("m", Budget(), base_url=server.url, timeout=5.0)
        talk = Conversation(provider, 1, {"review": 0.0})
        values = {"proposal": Proposal.model_construct(name="A", description="b", assets=[])}
        found = talk.ask_json("review", Proposal, names={"assets": ["Ball", "Bowl"]}, **values)
        form = server.bodies[0]["response_format"]["json_schema"]["schema"]
        assert form["properties"]["assets"]["items"] == {"enum": ["Ball", "Bowl"]}
        assert "'Sphere' is unknown. Use Ball, Bowl" in server.bodies[1]["messages"][-1]["content"]
    assert found.assets == ["Ball"]


def test_copied_words_of_the_prompt_are_asked_for_again() -> None:
    copied = {"why": "the reason for your vote in one sentence", "vote": "no"}
    answers = iter([json.dumps(copied), VOTE])
    with served(lambda body: said(next(answers))) as server:
        provider = OpenAIProvider("m", Budget(), base_url=server.url, timeout=5.0)
        talk = Conversation(provider, 1, {"reflect": 0.0})
        vote = talk.ask_json(
            "reflect", Vote, proposal={"name": "A", "description": "b"}, source="", sentences=[],
            neighbours=[], certificate={"oracle": 20, "steps": 2.0},
        )  # fmt: skip
    assert vote.vote == "yes"
