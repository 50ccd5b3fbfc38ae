"""Export and fine-tuning: what is written, which side it is on, and a server that misbehaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import make_library, program

from gensim_envs.cli import main
from gensim_envs.generation import export, finetune
from gensim_envs.generation.check import Facts
from gensim_envs.generation.conversation import TEMPERATURES, Conversation, Proposal
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.memory import SAME_PROGRAM, Entry, Memory, recall, skeleton
from gensim_envs.generation.propose import implement
from gensim_envs.generation.recording import Answer, Call
from gensim_envs.library import Library, digest
from gensim_envs.sandbox.gate import extract

KEY = "sk-a-key-that-nobody-is-to-see-0123456789"
TUNED = "ft:base:lab::1"
Output = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    """Exit code of a command in this process."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as exit:  # argparse
        assert isinstance(exit.code, int)
        return exit.code


# --- export -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return make_library(tmp_path_factory.mktemp("library"), "TinyZone", "OtherZone")


@pytest.fixture(scope="module")
def data(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    assert run("export", "--library", library.root, "--out", folder, "--seed", 1) == 0
    return folder


def lines(path: Path) -> list[list[dict[str, str]]]:
    return [json.loads(line)["messages"] for line in path.read_text().splitlines()]


def test_every_task_is_an_example_on_one_side(library: Library, data: Path) -> None:
    answers = [
        extract(messages[-1]["content"])
        for name in ("train.jsonl", "held_out.jsonl")
        for messages in lines(data / name)
    ]
    assert sorted(answers) == sorted(entry.source for entry in recall(library))
    assert len(lines(data / "held_out.jsonl")) >= 1


def test_the_manifest_says_what_is_where(library: Library, data: Path) -> None:
    manifest = json.loads((data / "manifest.json").read_text())
    sources = {entry.name: entry.source for entry in recall(library)}
    assert {task["name"]: task["sha256"] for task in manifest["tasks"]} == {
        name: digest(source) for name, source in sources.items()
    }
    for side in ("train", "held_out"):
        there = {digest(extract(m[-1]["content"])) for m in lines(data / f"{side}.jsonl")}
        said = {task["sha256"] for task in manifest["tasks"] if task["side"] == side}
        assert there == said
    by_name = {task["name"]: task for task in manifest["tasks"]}
    assert by_name["TinyZone"]["group"] == by_name["OtherZone"]["group"]
    assert by_name["TowersOfHanoi"]["group"] == by_name["TowersOfHanoiSeq"]["group"]
    assert by_name["TowersOfHanoi"]["group"] != by_name["AlignRope"]["group"]
    assert all(task["tokens"] > 1000 for task in manifest["tasks"])


def test_the_bytes_are_the_same_in_any_process(
    library: Library, data: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable, "-m", "gensim_envs.cli", "export", "--format", "chat",
        "--library", str(library.root), "--out", str(tmp_path), "--seed", "1",
    ]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "about" in done.stdout and "held out: " in done.stdout
    for name in ("train.jsonl", "held_out.jsonl", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (data / name).read_bytes()


class Scripted:
    """Answers the stages of the chain, and keeps what it was asked."""

    model = "scripted"
    answers = {
        "review": '{"plan": ["a step"], "pitfalls": ["a trap"]}',
        "pick": '{"references": []}',
        "implement": "done",
    }

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def complete(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer(self.answers[call.name.rpartition("-")[0]])


def test_the_prompt_is_the_pipelines_own_but_for_its_plan(library: Library) -> None:
    entries = recall(library)
    example = export.examples(entries, 0, np.random.default_rng(0))[-1]
    provider = Scripted()
    proposal = Proposal(
        name=example.entry.name, description=example.entry.summary,
        assets=list(example.entry.facts.assets), why_new="it is",
    )  # fmt: skip
    talk = Conversation(provider, 1, TEMPERATURES)
    implement(talk, Memory(TfIdf(), entries), proposal)
    asked = provider.calls[-1]
    assert asked.name == "implement-1"
    plan = re.compile(r"Your plan.*?</data>\n", re.DOTALL)
    assert len(plan.findall(asked.messages[1].content)) == 1
    system, user, answer = example.messages
    assert system == asked.messages[0]
    assert user.content == plan.sub("", asked.messages[1].content)
    assert [m.role for m in (system, user, answer)] == ["system", "user", "assistant"]


def test_a_short_prompt_is_asked_as_it_was_tuned_on(library: Library) -> None:
    entries = recall(library)
    found = export.examples(entries, 0, np.random.default_rng(0), "short")
    example = found[-1]
    others = [each.entry for each in found if each.group != example.group]
    provider = Scripted()
    proposal = Proposal(
        name=example.entry.name, description=example.entry.summary,
        assets=list(example.entry.facts.assets), why_new="it is",
    )  # fmt: skip
    talk = Conversation(provider, 1, TEMPERATURES, prompt="short")
    _, shown = implement(talk, Memory(TfIdf(), others), proposal)
    [asked] = provider.calls  # nothing else is asked for
    assert asked.messages == example.messages[:2]
    system = asked.messages[0].content
    assert "`Block(color)`: A cube" in system  # what the proposal uses, and nothing else
    assert "Household(" not in system
    [nearest] = Memory(TfIdf(), others).nearest(proposal.name, proposal.description, 1)
    assert shown == [nearest[0].name]
    assert nearest[0].source.strip() in asked.messages[1].content
    assert example.tokens < 1400


def test_a_short_prompt_shows_a_training_task_that_is_no_near_duplicate(library: Library) -> None:
    found = export.examples(recall(library), 0.3, np.random.default_rng(1), "short")
    by_name = {example.entry.name: example for example in found}
    assert any(example.held_out for example in found)
    for example in found:
        assert example.reference is not None
        shown = by_name[example.reference.name]
        assert shown.group != example.group
        assert not shown.held_out
        assert shown.entry.source.strip() in example.messages[1].content


@pytest.mark.parametrize("share", ["1", "-0.1", "nan", "some"])
def test_an_invalid_share_is_a_usage_error(share: str, tmp_path: Path, capsys: Output) -> None:
    assert run("export", "--out", tmp_path, "--held-out", share) == 2
    assert "is not a number from 0 to below 1" in capsys.readouterr().err


def test_nothing_is_held_out_where_nothing_is_asked_for(library: Library, tmp_path: Path) -> None:
    assert run("export", "--library", library.root, "--out", tmp_path, "--held-out", 0) == 0
    assert (tmp_path / "held_out.jsonl").read_bytes() == b""


WORDS = st.sampled_from(["red", "green", "ring", "tower", "bowl", "rope", "sweep", "kit"])
SUMMARIES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
STEPS = st.sampled_from(
    ["scene.add(Block(a))", "scene.reserve(radius=1)", "ring(a, count=3)", "scene.colors(2)",
     "stack(a, 2)", "scene.distract(a)", "scene.goal(a, b, at=c)"]
)  # fmt: skip
SOURCES = st.lists(STEPS, min_size=1, max_size=6).map("\n".join)
FACTS = Facts(("Block",), ("at",), (), 1, 1)


@given(
    st.lists(st.tuples(SUMMARIES, SOURCES), max_size=14),
    st.floats(0, 0.99),
    st.integers(0, 2**32),
)
def test_near_duplicates_are_on_one_side(
    tasks: list[tuple[str, str]], share: float, seed: int
) -> None:
    entries = [Entry(f"T{k}", *task, facts=FACTS) for k, task in enumerate(tasks)]
    found = export.examples(entries, share, np.random.default_rng(seed))
    assert [example.entry for example in found] == entries
    assert found == export.examples(entries, share, np.random.default_rng(seed))
    sides = np.array([example.held_out for example in found], dtype=bool)
    if entries:
        across = sides[:, None] != sides[None, :]
        texts = [entry.text for entry in entries]
        programs = [skeleton(entry.source) for entry in entries]
        for each, bound in (
            (texts, export.SIMILAR_DESCRIPTION),
            (programs, export.SIMILAR_PROGRAM),
        ):
            assert np.all(TfIdf().likeness(each, each)[across] < bound)
        assert not sides.all()
    for group in {example.group for example in found}:
        assert len({example.held_out for example in found if example.group == group}) == 1
    assert share or not sides.any()


@given(st.lists(st.integers(0, 30), min_size=1), st.floats(0.01, 0.99), st.integers(0, 99))
def test_the_share_is_met_as_nearly_as_groups_allow(
    groups: list[int], share: float, seed: int
) -> None:
    held = export.split(groups, share, np.random.default_rng(seed))
    assert held < set(groups)
    count = sum(group in held for group in groups)
    wanted = max(1, round(share * len(groups)))
    largest = max(groups.count(group) for group in groups)
    assert abs(count - wanted) <= max(largest, wanted if len(set(groups)) == 1 else 0)


def test_bounds_lie_below_those_of_novelty() -> None:
    assert TfIdf.duplicate > export.SIMILAR_DESCRIPTION
    assert export.SIMILAR_PROGRAM < SAME_PROGRAM


# --- a server ---------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Files and fine-tuning jobs, as OpenAI's API has them.

    Attributes:
        uploads: bodies that were sent.
        jobs: what was started.
        statuses: of a job, one for each look; the last one stays.
        faults: answers to come instead of real ones: (part of "METHOD path", status); a fault of
            "lost ..." is answered after the work has been done.
        error: of a job that has failed.
        asked: "METHOD path" of every request.
        accepts: the header by which it knows its user.
        held: part of "METHOD path" after whose work the server falls silent, or "".
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.uploads: list[bytes] = []
        self.jobs: list[dict[str, Any]] = []
        self.statuses = ["validating_files", "running", "succeeded"]
        self.faults: list[tuple[str, int]] = []
        self.error: dict[str, str] | None = None
        self.asked: list[str] = []
        self.accepts = f"Bearer {KEY}"
        self.held = ""
        self.free = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        if method == "POST" and path == "/v1/files":
            self.uploads.append(body)
            return {"id": f"file-{len(self.uploads)}", "object": "file"}
        if path == "/v1/fine_tuning/jobs":
            if method == "GET":
                return {"object": "list", "data": self.jobs[::-1], "has_more": False}
            self.jobs.append({"id": f"job-{len(self.jobs) + 1}", **json.loads(body)})
            return self.jobs[-1]
        if path.endswith("/events"):
            events = ["made", f"trained with {KEY}", "\x1b[2Jdone"][: 4 - len(self.statuses)]
            data = [{"id": f"e{k}", "message": text} for k, text in enumerate(events)]
            return {"object": "list", "data": data[::-1], "has_more": False}
        status = self.statuses[0]
        if len(self.statuses) > 1:
            self.statuses.pop(0)
        tuned = TUNED if status == "succeeded" else None
        return {**self.jobs[0], "status": status, "fine_tuned_model": tuned, "error": self.error}

    def fault(self, request: str) -> int:
        """Status of the next fault that is meant for this request, else 0."""
        for fault in self.faults:
            if fault[0] in request:
                self.faults.remove(fault)
                return fault[1]
        return 0


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def do_GET(self) -> None:
        server, path = self.server, self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = f"{self.command} {path}"
        server.asked.append(said)
        if self.headers["Authorization"] != server.accepts:
            self.send(401, {"error": {"message": f"{self.headers['Authorization']} is wrong"}})
        elif status := server.fault(said):
            self.send(status, {"error": {"message": "not now"}})
        else:
            answer = server.answer(self.command, path, body)
            if server.held and server.held in said:
                server.free.wait(30)
            lost = server.fault(f"lost {said}")
            self.send(lost or 200, {"error": {"message": "lost"}} if lost else answer)

    do_POST = do_GET

    def send(self, status: int, answer: dict[str, Any]) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client was killed

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.free.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were to be slept; nobody sleeps."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def tune(server: Server, data: Path, out: Path, *more: object, model: str = "base") -> list[object]:
    """The command."""
    return [
        "finetune", "--data", data, "--model", model, "--base-url", server.url, "--out", out, *more
    ]  # fmt: skip


# --- finetune ---------------------------------------------------------------------------------


def test_a_model_is_tuned_on_what_was_exported(
    server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output
) -> None:
    assert run(*tune(server, data, tmp_path, "--suffix", "lab")) == 0
    said = capsys.readouterr().out
    train, held_out = (data / name for name in ("train.jsonl", "held_out.jsonl"))
    assert train.read_bytes() in server.uploads[0]
    assert held_out.read_bytes() in server.uploads[1]
    assert all(b"fine-tune" in body for body in server.uploads)
    assert server.jobs == [{
        "id": "job-1", "model": "base", "training_file": "file-1", "validation_file": "file-2",
        "suffix": "lab",
    }]  # fmt: skip
    assert said.splitlines()[-1] == f"gensim generate --model {TUNED} --base-url {server.url}"
    assert said.count("made") == 1 and "[2Jdone" in said and "\x1b" not in said
    assert "trained with [key removed]" in said
    assert json.loads((tmp_path / "finetune.json").read_text())["tuned"] == TUNED
    assert waits == [1.0, 1.5]
    assert not any(KEY in path.read_text() for path in tmp_path.iterdir())


def test_a_job_that_has_ended_is_not_begun_again(
    server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output
) -> None:
    for _ in range(2):
        assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.jobs) == 1 and len(server.uploads) == 2
    assert capsys.readouterr().out.count(f"tuned {TUNED}") == 2


def test_no_validation_file_where_nothing_is_held_out(
    server: Server, library: Library, tmp_path: Path, waits: list[float]
) -> None:
    run("export", "--library", library.root, "--out", tmp_path, "--held-out", 0)
    assert run(*tune(server, tmp_path, tmp_path)) == 0
    assert "validation_file" not in server.jobs[0] and len(server.uploads) == 1


@pytest.mark.parametrize(("status", "words"), [("failed", "failed"), ("cancelled", "cancelled")])
def test_a_job_that_comes_to_nothing_says_why(
    status: str, words: str, server: Server, data: Path, tmp_path: Path, waits: list[float],
    capsys: Output,
) -> None:  # fmt: skip
    server.statuses = ["running", status]
    server.error = {"message": "line 3 is too long"}
    assert run(*tune(server, data, tmp_path)) == 1
    said = capsys.readouterr().err
    assert words in said and "line 3 is too long" in said and "Traceback" not in said


def test_a_wrong_key_is_a_usage_error_and_is_not_shown(
    server: Server, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-key")
    assert run(*tune(server, data, tmp_path)) == 2
    said = capsys.readouterr().err
    assert "refuses the key (HTTP 401)" in said and "another-key" not in said
    assert not server.uploads and not server.jobs


def test_a_key_that_is_refused_later_loses_nothing(
    server: Server, data: Path, tmp_path: Path, waits: list[float]
) -> None:
    server.faults = [("GET /v1/fine_tuning/jobs/job-1", 401)]
    assert run(*tune(server, data, tmp_path)) == 2
    assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.jobs) == 1 and len(server.uploads) == 2


def test_transient_errors_are_retried(
    server: Server, data: Path, tmp_path: Path, waits: list[float]
) -> None:
    server.faults = [
        ("POST /v1/files", 503), *[("GET /v1/fine_tuning/jobs/job-1", 500)] * 3, ("/events", 502),
    ]  # fmt: skip
    assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.jobs) == 1 and len(server.uploads) == 2 and not server.faults


@pytest.mark.parametrize("fault", ["GET /v1/fine_tuning/jobs/job-1", "POST /v1/fine_tuning/jobs"])
def test_a_server_that_stays_away_can_be_returned_to(
    fault: str, server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output
) -> None:
    server.faults = [(fault, 500)] * (finetune.RETRIES + 1)
    assert run(*tune(server, data, tmp_path)) == 1
    assert "Run the same command again to resume" in capsys.readouterr().err
    server.faults = []
    assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.jobs) == 1 and len(server.uploads) == 2


def test_a_start_whose_answer_is_lost_is_not_repeated(
    server: Server, data: Path, tmp_path: Path, waits: list[float]
) -> None:
    server.faults = [("lost POST /v1/fine_tuning/jobs", 500)]
    assert run(*tune(server, data, tmp_path)) == 1
    assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.jobs) == 1


def test_a_start_that_may_have_happened_is_never_guessed_at(
    server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output
) -> None:
    server.faults = [("lost POST /v1/fine_tuning/jobs", 500), ("GET /v1/fine_tuning/jobs", 404)]
    assert run(*tune(server, data, tmp_path)) == 1
    assert run(*tune(server, data, tmp_path)) == 2
    assert "cannot find out whether" in capsys.readouterr().err
    assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.jobs) == 1


@pytest.mark.parametrize("fault", ["POST /v1/files", "POST /v1/fine_tuning/jobs"])
@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_the_api_is_named(
    fault: str, status: int, server: Server, data: Path, tmp_path: Path, waits: list[float],
    capsys: Output,
) -> None:  # fmt: skip
    server.faults = [(fault, status)]
    assert run(*tune(server, data, tmp_path)) == 2
    message = capsys.readouterr().err
    assert "has no API to tune models" in message and f"HTTP {status}" in message
    assert not server.jobs


def test_a_model_that_the_server_does_not_know_can_be_put_right(
    server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output
) -> None:
    server.faults = [("POST /v1/fine_tuning/jobs", 400)]
    assert run(*tune(server, data, tmp_path, model="bass")) == 2
    assert "(HTTP 400): not now" in capsys.readouterr().err
    assert run(*tune(server, data, tmp_path)) == 0
    assert [job["model"] for job in server.jobs] == ["base"]


def test_a_folder_holds_one_job(
    server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output
) -> None:
    assert run(*tune(server, data, tmp_path)) == 0
    assert run(*tune(server, data, tmp_path, model="other")) == 2
    assert "another model" in capsys.readouterr().err
    (tmp_path / "finetune.json").write_text("{")
    assert run(*tune(server, data, tmp_path)) == 2
    assert "finetune.json is malformed" in capsys.readouterr().err
    assert len(server.jobs) == 1


def test_the_page_of_a_proxy_is_no_job(
    server: Server, data: Path, tmp_path: Path, waits: list[float], capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(server, "answer", lambda method, path, body: {"page": "log in first"})
    assert run(*tune(server, data, tmp_path)) == 1
    assert "the server's answer has no id" in capsys.readouterr().err


def test_a_password_in_the_address_is_not_kept(
    server: Server, data: Path, tmp_path: Path, waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server.accepts = f"Basic {b64encode(b'me:hush-hush').decode()}"
    monkeypatch.setattr(server, "url", server.url.replace("//", "//me:hush-hush@"))
    assert run(*tune(server, data, tmp_path)) == 0
    assert "hush" not in (tmp_path / "finetune.json").read_text()


STOPS: list[tuple[str, int, int]] = [
    ("GET /v1/fine_tuning/jobs/job-1", signal.SIGKILL, -signal.SIGKILL),
    ("POST /v1/fine_tuning/jobs", signal.SIGKILL, -signal.SIGKILL),
    ("GET /v1/fine_tuning/jobs/job-1", signal.SIGINT, 130),
]


@pytest.mark.parametrize(("where", "number", "code"), STOPS)
def test_a_stop_starts_nothing_twice(
    where: str, number: int, code: int, server: Server, data: Path, tmp_path: Path,
    capsys: Output,
) -> None:  # fmt: skip
    server.held = where
    command = [sys.executable, "-m", "gensim_envs.cli", *map(str, tune(server, data, tmp_path))]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: where in server.asked and bool(server.jobs), child)
    child.send_signal(number)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == code, errors
    assert "Traceback" not in errors
    server.held = ""
    server.statuses = ["succeeded"]
    assert run(*tune(server, data, tmp_path)) == 0
    assert len(server.uploads) == 2 and len(server.jobs) == 1
    assert f"tuned {TUNED}" in capsys.readouterr().out
    assert not any(KEY in path.read_text() for path in tmp_path.iterdir())


def wait_until(there: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 60
    while not there():
        assert child.poll() is None and time.monotonic() < limit, "the command ended early"
        time.sleep(0.02)


# --- bad data ---------------------------------------------------------------------------------

GOOD = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
BAD = [
    ("{", "it: Invalid JSON"),
    ("[]", "it: Input should be an object"),
    ("", "it: Invalid JSON"),
    ('{"messages": 3}', "messages: Input should be a valid array"),
    ('{"messages": []}', "messages: List should have at least 1 item"),
    (GOOD.replace("assistant", "user"), "the last message"),
    (GOOD.replace("user", "robot"), "messages.0.role: Input should be 'system'"),
    (GOOD.replace('"a"', '" "'), "the content of a message is empty"),
    (GOOD.replace('"a"', "1"), "messages.0.content: Input should be a valid string"),
    (GOOD.replace('"a"', f'"{KEY}"'), "looks like a key"),
    (GOOD.replace('"a"', '"sk-proj-somebodyelseskey1234567"'), "looks like a key"),
]


@pytest.mark.parametrize(("line", "problem"), BAD)
@pytest.mark.parametrize("name", ["train.jsonl", "held_out.jsonl"])
def test_bad_data_is_not_uploaded(
    name: str, line: str, problem: str, server: Server, tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / "train.jsonl").write_text((GOOD + "\n") * 12)
    (tmp_path / name).write_text((GOOD + "\n") * 11 + line + "\n" + GOOD + "\n")
    assert run(*tune(server, tmp_path, tmp_path / "out")) == 2
    said = capsys.readouterr().err
    assert f"{name}, line 12: " in said and problem in said
    assert "sk-" not in said
    assert not server.asked


def test_too_few_examples_or_none(server: Server, tmp_path: Path, capsys: Output) -> None:
    assert run(*tune(server, tmp_path, tmp_path)) == 2
    assert "train.jsonl does not exist" in capsys.readouterr().err
    (tmp_path / "train.jsonl").write_text((GOOD + "\n") * (export.LEAST - 1))
    assert run(*tune(server, tmp_path, tmp_path)) == 2
    assert "has 9 examples; at least 10 are needed" in capsys.readouterr().err
    assert not server.asked


def test_a_short_word_is_no_key(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD.replace('"b"', json.dumps(program()))
    (tmp_path / "train.jsonl").write_text((text + "\n") * 10)
    assert export.read_data(tmp_path, "block")  # as local servers take it
