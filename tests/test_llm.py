"""Asking a model: the real client against a server on loopback which goes wrong in every way."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from fake_server import FakeServer, Fault
from hypothesis import given
from hypothesis import strategies as st
from tiny import TINY

from gensim_envs.errors import TaskError
from gensim_envs.generation.check import program_of, with_imports
from gensim_envs.generation.conversation import (
    EXAMPLE,
    Conversation,
    Curriculum,
    Proposal,
    Reply,
    Vote,
    read,
    system_message,
)
from gensim_envs.generation.embed import embedder
from gensim_envs.generation.providers import (
    ApiError,
    Budget,
    ContextTooLong,
    Provider,
    ProviderError,
    Stopped,
    estimate,
)
from gensim_envs.generation.providers.client import REMOVED
from gensim_envs.generation.providers.client import client as make_client
from gensim_envs.generation.providers.exchange import FilesProvider
from gensim_envs.generation.providers.replay import Recorded, ReplayProvider
from gensim_envs.generation.providers.server import OpenAIProvider
from gensim_envs.generation.recording import LONG, Answer, Call, Message, Recording, Settings
from gensim_envs.generation.reference import api_reference
from gensim_envs.generation.reflect import Statement
from gensim_envs.sandbox.gate import extract
from gensim_envs.task.assets import ASSETS

KEY = "sk-test-0123456789abcdef"
CALL = Call(
    1,
    "reflect-1",
    (Message("system", "You judge."), Message("user", "A new task has passed: yes?")),
)
ANSWER = '{"vote": "yes", "why": "It is what it says."}'


@pytest.fixture(scope="module")
def running() -> Iterator[FakeServer]:
    with FakeServer(key=KEY) as server:
        yield server


@pytest.fixture
def server(running: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """The server as new, and its key in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    running.faults, running.requests = [], []
    running.latency, running.context, running.usage = 0.0, None, True
    return running


class Client:
    """A provider whose waits take no time.

    Attributes:
        naps: seconds that were slept between tries.
    """

    def __init__(self, server: FakeServer, timeout: float = 5.0, **limits: int) -> None:
        self.naps: list[float] = []
        self.budget = Budget(**limits)
        self.provider = OpenAIProvider(
            "tiny", self.budget, base_url=server.url, timeout=timeout, sleep=self.naps.append
        )

    def ask(self, call: Call = CALL) -> str:
        return self.provider.complete(call).text


@pytest.fixture
def client(server: FakeServer) -> Client:
    return Client(server)


# --- an answer --------------------------------------------------------------------------------


def test_an_answer_comes_with_what_it_took(client: Client, server: FakeServer) -> None:
    answer = client.provider.complete(CALL)
    assert answer.text == ANSWER
    letters = sum(len(message.content) for message in CALL.messages)
    assert (answer.prompt_tokens, answer.completion_tokens) == (letters // 4, len(ANSWER) // 4)
    assert (client.budget.prompt_tokens, client.budget.completion_tokens) == (
        answer.prompt_tokens, answer.completion_tokens,
    )  # fmt: skip
    [request] = server.requests
    assert request.body["model"] == "tiny"
    assert request.body["temperature"] == CALL.temperature
    assert request.body["messages"][1] == {"role": "user", "content": CALL.messages[1].content}


def test_tokens_that_a_server_does_not_count_are_estimated(
    client: Client, server: FakeServer
) -> None:
    server.usage = False
    assert client.provider.complete(CALL).completion_tokens == round(len(ANSWER) / 3.2)
    assert client.budget.tokens > 0


def test_the_server_of_these_tests_speaks_without_a_stream_too(server: FakeServer) -> None:
    talk = openai.OpenAI(api_key=KEY, base_url=server.url)
    messages = [{"role": m.role, "content": m.content} for m in CALL.messages]
    whole = talk.chat.completions.create(model="tiny", messages=messages)  # type: ignore[arg-type]
    assert whole.choices[0].message.content == ANSWER
    found = talk.embeddings.create(input="a block", model="small", encoding_format="float")
    assert sum(found.data[0].embedding) == 2


# --- what may pass ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=429, message="slow down"),
        Fault("status", status=500),
        Fault("status", status=503),
        Fault("cut"),
        Fault("torn"),
        Fault("odd"),
    ],
    ids=lambda fault: f"{fault.kind}{fault.status if fault.kind == 'status' else ''}",
)
def test_what_passes_is_tried_again(client: Client, server: FakeServer, fault: Fault) -> None:
    fault.times = 2
    server.faults.append(fault)
    assert client.ask() == ANSWER
    assert client.naps == [1, 2]
    assert len(server.requests) == client.budget.calls == 3


def test_a_silent_stream_is_left_and_tried_again(server: FakeServer) -> None:
    server.faults.append(Fault("stall"))
    client = Client(server, timeout=1.0)
    assert client.ask() == ANSWER
    assert client.naps == [1]


def test_a_slow_server_is_waited_for(server: FakeServer) -> None:
    server.latency = 0.3
    client = Client(server, timeout=3.0)
    assert client.ask() == ANSWER
    assert client.naps == []


@pytest.mark.parametrize(
    ("said", "waited"), [("7", 7), ("0.5", 0.5), ("9999", 600), ("soon", 1), ("-3", 1), ("nan", 1)]
)
def test_the_wait_that_a_server_asks_for_is_kept(
    client: Client, server: FakeServer, said: str, waited: float
) -> None:
    server.faults.append(Fault("status", status=429, headers={"Retry-After": said}))
    assert client.ask() == ANSWER
    assert client.naps == [waited]


def test_a_server_that_is_away_for_a_minute_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    naps: list[float] = []
    back: list[FakeServer] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if sum(naps) >= 60 and not back:
            back.append(FakeServer(key=KEY))
            provider._client.base_url = back[0].__enter__().url

    provider = OpenAIProvider("tiny", Budget(), base_url=url, sleep=sleep)
    try:
        assert provider.complete(CALL).text == ANSWER
    finally:
        for server in back:
            server.__exit__()
    assert naps == [1, 2, 4, 8, 16, 32]


def test_a_server_that_stays_away_fails_the_call_and_says_why(
    client: Client, server: FakeServer
) -> None:
    server.faults.append(Fault("status", times=99, message="we are closed"))
    with pytest.raises(ApiError, match=r"HTTP 500: we are closed \(9 tries\)"):
        client.ask()
    assert client.naps == [1, 2, 4, 8, 16, 32, 60, 60]
    assert sum(client.naps) > 180


# --- what does not pass -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "context_length_exceeded", "too many words"),
        (400, None, "the request exceeds the available context size"),
        (422, None, "the prompt is too long: 9000 tokens"),
        (413, None, "payload"),
    ],
)
def test_a_prompt_that_is_too_long_is_told_apart(
    client: Client, server: FakeServer, status: int, code: str | None, message: str
) -> None:
    server.faults.append(Fault("status", status=status, code=code, message=message))
    with pytest.raises(ContextTooLong, match=message):
        client.ask()
    assert client.naps == []


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_no_try_can_mend_ends_the_run_at_once(
    client: Client, server: FakeServer, status: int
) -> None:
    server.faults.append(Fault("status", status=status, message="never"))
    with pytest.raises(ProviderError, match=f"HTTP {status}.*: never"):
        client.ask()
    assert client.naps == []


def test_without_key_and_server_there_is_nothing_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ProviderError, match="OPENAI_API_KEY"):
        OpenAIProvider("tiny", Budget())


# --- the key ----------------------------------------------------------------------------------


def test_an_answer_loses_the_key(client: Client, server: FakeServer) -> None:
    server.faults.append(Fault("say", text=f"Bearer {KEY} and {KEY}!"))
    assert client.ask() == f"Bearer {REMOVED} and {REMOVED}!"


def test_without_a_key_no_word_is_taken_for_one(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr(server, "key", None)
    server.faults.append(Fault("say", text="none of them is none"))
    assert Client(server).ask() == "none of them is none"


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
@pytest.mark.parametrize("before", [0, 280, 290])
def test_no_error_holds_the_key_or_a_part_of_it(
    client: Client, server: FakeServer, status: int, before: int
) -> None:
    message = "x" * before + f" Authorization: Bearer {KEY}\x1b[2J"
    server.faults.append(Fault("status", times=9, status=status, message=message))
    with pytest.raises((ApiError, ProviderError)) as caught:
        client.ask()
    assert KEY[:6] not in str(caught.value)
    assert str(caught.value).isprintable()


# --- budgets ----------------------------------------------------------------------------------


def test_calls_are_limited_retries_included(server: FakeServer) -> None:
    client = Client(server, max_calls=3)
    server.faults.append(Fault("status", times=99))
    with pytest.raises(Stopped, match="--max-calls 3 is reached"):
        client.ask()
    assert len(server.requests) == 3


def test_tokens_are_limited_and_answers_of_no_use_count(server: FakeServer) -> None:
    client = Client(server, max_tokens=250)
    server.faults.append(Fault("say", times=99, text="long " * 80, finish="length"))
    with pytest.raises(Stopped, match="--max-tokens-total 250 is reached"):
        for _ in range(9):
            client.ask()
    assert len(server.requests) == 3
    assert client.budget.completion_tokens == 300


def test_a_budget_is_not_passed_by_many_threads_at_once(server: FakeServer) -> None:
    server.latency = 0.02
    client = Client(server, max_calls=10)
    stopped: list[Stopped] = []

    def ask() -> None:
        try:
            for _ in range(3):
                client.ask()
        except Stopped as error:
            stopped.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 10
    assert stopped


def test_what_a_run_costs() -> None:
    budget = Budget(price=(0.5, 2.0))
    budget.charge(2_000_000, 250_000)
    assert budget.cost == pytest.approx(1.5)


# --- embeddings -------------------------------------------------------------------------------


def test_embeddings_say_what_is_alike_and_are_charged(client: Client, server: FakeServer) -> None:
    found = embedder("openai:small", client.provider)
    server.faults.append(Fault("status", status=503))
    likeness = found.likeness(["put the block away"], ["put the block away", "sweep crumbs"])
    assert found.name == "openai:small"
    assert likeness[0] == pytest.approx([1.0, 0.0])
    assert client.naps == [1]
    assert client.budget.prompt_tokens > 0
    before = len(server.requests)
    found.likeness(["sweep crumbs"], ["put the block away"])
    assert len(server.requests) == before  # they are kept


def test_embeddings_that_fail_fail_the_call(client: Client, server: FakeServer) -> None:
    server.faults.append(Fault("status", times=99))
    with pytest.raises(ApiError, match=r"HTTP 500.*\(9 tries\)"):
        embedder("openai:small", client.provider).likeness(["a"], ["b"])


# --- recordings -------------------------------------------------------------------------------

# Lone surrogates are left out: no server's text has them once it has passed a provider.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ODD = "a\u2028b\x85c\x0bd\x0ce\x1cf\r\ng\n\x00h\ufeff\U0001f600"


@given(
    answers=st.lists(st.tuples(texts, texts, st.booleans()), min_size=1, max_size=5),
    torn=st.integers(min_value=0),
)
def test_a_recording_gives_back_what_was_kept_whatever_was_torn(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[str, str, bool]], torn: int
) -> None:
    recording = Recording(tmp_path_factory.mktemp("recording"))
    calls = []
    for k, (prompt, text, long) in enumerate(answers):
        messages = (Message("system", "x" * LONG if long else ""), Message("user", prompt))
        calls.append((Call(3, f"reflect-{k}", messages), Answer(text, k, 2 * k, 0.5)))
    for call, answer in calls[:-1]:
        recording.append(call, answer)
    whole = recording.path(3).read_bytes() if calls[:-1] else b""
    recording.append(*calls[-1])
    line = recording.path(3).read_bytes()[len(whole) :]
    recording.path(3).write_bytes(whole + line[: torn % (len(line) - 1)])
    recording.append(*calls[-1])
    assert recording.answers(3) == {call.name: (call.digest, answer) for call, answer in calls}


@pytest.mark.parametrize("line", ["7", "{}", '{"answer": "yes"}', '{"answer": 1, "name": []}', "["])
def test_a_line_that_was_not_written_by_a_run_is_passed_over(tmp_path: Path, line: str) -> None:
    recording = Recording(tmp_path)
    recording.append(CALL, Answer("yes"))
    with open(recording.path(1), "a") as file:
        file.write(line + "\n")
    assert recording.answers(1) == {CALL.name: (CALL.digest, Answer("yes"))}


def test_odd_letters_come_back_from_server_and_recording(
    client: Client, server: FakeServer, tmp_path: Path
) -> None:
    server.faults.append(Fault("say", text=f"{ODD}\ud800"))
    recording = Recording(tmp_path)
    said = Recorded(client.provider, recording).complete(CALL).text
    assert said == f"{ODD}?"  # UTF-8 has no place for half a pair
    assert ReplayProvider(_with_settings(recording)).complete(CALL).text == said


def _with_settings(recording: Recording) -> Recording:
    recording.write_settings(Settings("abc", "tiny"))
    return recording


def test_what_was_answered_is_not_asked_again(
    client: Client, server: FakeServer, tmp_path: Path
) -> None:
    for _ in range(2):
        assert Recorded(client.provider, Recording(tmp_path)).complete(CALL).text == ANSWER
    assert len(server.requests) == 1
    other = Call(1, CALL.name, (*CALL.messages, Message("user", "And now?")))
    assert Recorded(client.provider, Recording(tmp_path)).complete(other).text == ANSWER
    assert len(server.requests) == 2  # another prompt is another question


REFLECT: dict[str, Any] = {
    "proposal": {"name": "A", "description": "b"}, "certificate": {"oracle": 20, "steps": 2.0},
    "sentences": [], "neighbours": [],
}  # fmt: skip


def test_a_replay_is_cut_where_the_recording_was(
    client: Client, server: FakeServer, tmp_path: Path
) -> None:
    server.context = 4000
    recording = _with_settings(Recording(tmp_path))

    def asked(provider: Provider) -> tuple[dict[str, int], str]:
        talk = Conversation(provider, 1, {"reflect": 0.0})
        text = talk.ask("reflect", source=lambda cut: "x" * (4000 >> cut), **REFLECT)
        return talk.cuts, text

    first = asked(Recorded(client.provider, recording))
    assert first == ({"reflect-2": 1}, ANSWER)
    replay = ReplayProvider(recording)
    assert asked(replay) == first
    count = len(server.requests)
    assert asked(Recorded(client.provider, recording)) == first
    assert len(server.requests) == count


def test_a_prompt_that_no_cut_makes_fit_ends_the_run(client: Client, server: FakeServer) -> None:
    server.context = 10
    talk = Conversation(client.provider, 1, {"reflect": 0.0})
    with pytest.raises(ProviderError, match=r"cannot be cut further: .*10 letters.*8,192"):
        talk.ask("reflect", source=lambda cut: "x" * max(8, 20 >> cut), **REFLECT)
    assert len(server.requests) == 3


def test_a_replay_names_what_has_changed_and_what_is_missing(tmp_path: Path) -> None:
    recording = _with_settings(Recording(tmp_path))
    recording.append(CALL, Answer("yes"))
    replay = ReplayProvider(recording)
    assert replay.model == "tiny"
    assert not replay.complete(CALL).changed
    other = replay.complete(Call(1, CALL.name, (Message("user", "Other?"),)))
    assert (other.text, other.changed) == ("yes", True)
    with pytest.raises(ApiError, match="no answer to reflect-2 of attempt 1"):
        replay.complete(Call(1, "reflect-2", CALL.messages))


# --- files ------------------------------------------------------------------------------------


def test_files_are_written_awaited_and_put_aside_when_they_answer_something_else(
    tmp_path: Path,
) -> None:
    said: list[str] = []

    def sleep(seconds: float) -> None:
        path = tmp_path / "0001-reflect-1.answer.md"
        if not path.exists():
            text = (tmp_path / "0001-reflect-1.prompt.md").read_text()
            path.write_text(f"answer to {text.split()[-1]}")
        os.utime(path, (1, 1))  # an editor has long closed it

    files = FilesProvider(tmp_path, "a person", sleep=sleep, say=said.append)
    first = Call(1, "reflect-1", (Message("user", "one"),))
    assert files.complete(first).text == "answer to one"
    assert files.complete(first).text == "answer to one"
    assert len(said) == 1  # the second time the answer was there
    assert files.complete(Call(1, "reflect-1", (Message("user", "two"),))).text == "answer to two"
    assert (tmp_path / "0001-reflect-1.answer.old.md").read_text() == "answer to one"
    assert "answered another prompt" in said[1]


# --- reading what comes back ------------------------------------------------------------------

FORMS = [Proposal, Curriculum, Vote, Statement]
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["vote", "why", "name", "goals", "steps", "x"]), inner)
    ),
    max_leaves=8,
)


@given(
    form=st.sampled_from(FORMS),
    text=st.text(max_size=60)
    | json_like.map(json.dumps)
    | json_like.map(lambda v: f"```json\n{json.dumps(v)}\n```"),
)
def test_any_text_is_a_reply_or_malformed(form: type[Reply], text: str) -> None:
    try:
        assert isinstance(read(form, text), form)
    except TaskError as error:
        assert error.cause == "parse"
        str(error).encode()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"vote": "yes", "why": "\ud800"}',
        '{"vote": "yes", "why": "\\ud800"}',
        "\x00",
    ],
)
def test_hostile_text_is_malformed(text: str) -> None:
    with pytest.raises(TaskError) as caught:
        read(Vote, text)
    assert caught.value.cause == "parse"


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\ufeff{}",
        "```json\n{}\n```",
        "\n```JSON\n{}\n```\n",
        "Here is my vote:\n\n```json\n{}\n```\nTell me if more is needed.",
        "{}<|im_end|>",
        "{}</s>",
        '<think>\nPerhaps {{"vote": 1}}?\n</think>\n\n{}',
        "<think>\n\n</think>\n\n{}",
        'Let me see: {{"vote": "no"}}\n</think>\n{}',
        "{}\n<think>Was that right?",
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{}",
        '<|channel|>analysis<|message|>{{"vote": "no"}}<|end|>'
        "<|start|>assistant<|channel|>final <|constrain|>json<|message|>{}<|return|>",
        'analysisPerhaps {{"why": "so", "vote": "no"}}.assistantfinal{}',
        '[THINK]{{"why": "so", "vote": "no"}}[/THINK]{}',
        '\u25c1think\u25b7{{"why": "so", "vote": "no"}}\u25c1/think\u25b7{}',
        "In braces {{like these}}, or {{: {}",
    ],
)
def test_what_stands_around_json_is_passed_over(around: str) -> None:
    assert read(Vote, around.format(ANSWER)).vote == "yes"


@pytest.mark.parametrize(
    "text",
    [
        '{"why": "good", "vote": "Yes"}',
        '{"why": "good", "vote": "yes.",}',
        '{"why": "two\nlines", "vote": "yes"}',
        json.dumps({"why": "x" * 1200, "vote": "yes"}),
    ],
)
def test_small_slips_are_forgiven(text: str) -> None:
    assert read(Vote, text).vote == "yes"


@pytest.mark.parametrize("text", ['{"why": "so", "vote": "yes or no"}', '{"vote": "yes"}'])
def test_a_vote_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(TaskError, match=r"vote|why"):
        read(Vote, text)


def test_a_program_in_the_reasoning_is_no_second_program() -> None:
    block = f"```python\n{TINY}```\n"
    assert program_of(f"<think>First:\n{block}</think>\n{block}") == program_of(block)
    assert program_of(f"Let me try.\n{block}</think>\n{block}") == program_of(block)


@pytest.mark.parametrize(
    "text",
    [
        "<think>" * 200_000,
        '{"a":' * 200_000,
        "{" * 500_000,
        f"x{' ' * 1_000_000}y",
        f"{{{',' * 1_000_000}}}",
        f"{{{', ]' * 300_000}",
        f"class {' ' * 1_000_000}",
        '{"a":' * 500 + "1" + "}" * 500,
    ],
    ids=lambda text: text[:8],
)
def test_long_nonsense_is_read_in_little_time(text: str) -> None:
    began = time.process_time()
    with pytest.raises(TaskError):
        read(Vote, text)
    with pytest.raises(TaskError):
        extract(text)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "change",
    [
        lambda s: re.sub(r"^from gensim_envs.*\n", "", s, flags=re.MULTILINE),
        lambda s: s.replace("gensim_envs.api import", "gensim_envs.api import Rope, Bowl,"),
        lambda s: s.replace("from gensim_envs.api", "import numpy\nfrom gensim_envs"),
    ],
)
def test_imports_are_mended(change: Callable[[str], str]) -> None:
    assert with_imports(change(TINY)) == with_imports(TINY)
    program_of(change(TINY), mend=True)


def test_the_program_in_the_system_message_passes_the_gate() -> None:
    source, program = program_of(EXAMPLE)
    assert program.draw("train", 0).spec.goals
    assert len(source.strip().splitlines()) <= 12


def test_the_reference_keeps_quotes_and_hides_private_names() -> None:
    text = api_reference()
    assert "shape: Literal['square', 'round'] = 'square'" in text
    assert not re.search(r"\._[a-zA-Z]", text.replace(".__matmul__", ""))


@pytest.mark.parametrize("asset", ASSETS)
def test_a_slim_system_message_fits_a_small_context(asset: str) -> None:
    made = Proposal.model_construct(name="A", description="Put a fork away.", assets=[asset])
    text = system_message("slim", made).content
    assert estimate([text]) < 2_900
    assert f"### {asset}(" in text
    assert sum(f"### {name}(" in text for name in ASSETS) == 1


def test_a_byte_order_mark_before_a_program_is_dropped() -> None:
    assert program_of(f"\ufeff{TINY}") == program_of(TINY)


@given(
    text=st.text(max_size=80)
    | st.text(st.characters(exclude_characters="`"), max_size=60).map(
        lambda code: f"```python\nfrom gensim_envs.api import Task\nclass A(Task):\n    {code}\n```"
    )
)
def test_any_answer_holds_a_program_or_is_refused(text: str) -> None:
    try:
        program_of(text)
    except TaskError as error:
        assert error.cause in ("parse", "gate")


def test_a_base_url_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-SECRETSECRET123")
    monkeypatch.setenv("http_proxy", "http://10.0.0.1:9")
    for address in ("localhost:8000", "http://[::1", "http://[x]/v1"):
        with pytest.raises(ProviderError, match=f"{re.escape(repr(address))} is not an address"):
            make_client(address, 5.0)
