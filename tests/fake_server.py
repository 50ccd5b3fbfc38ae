"""A chat server on loopback with OpenAI's API, a small model behind it, and faults on demand.

The model answers each prompt of the chain from a fixed set of tiny tasks. What it says depends on
the prompt alone, so that runs can be compared whatever their timing.

    with FakeServer(key="sk-test") as server:
        server.faults.append(Fault("status", status=429, headers={"Retry-After": "1"}))
        openai.OpenAI(api_key="sk-test", base_url=server.url)
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

STAGES = {
    "A library of tasks is to grow": "curriculum",
    "Propose": "propose",
    "The library is to learn": "propose",
    "This task is to be written:": "review",
    "Write this task:": "implement",
    "Think of a new task": "single",
    "Write a task that": "single",
    "This task was to be written:": "repair",
    "These things are on the table.": "restate",
    "A new task has passed": "reflect",
}
"""How the prompt of each stage begins; `pick` begins as `review` does."""


# --- the model --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """A tiny task that passes every check.

    Attributes:
        name: class name.
        description: of the proposal.
        assets: that it needs.
        program: the source.
    """

    name: str
    description: str
    assets: tuple[str, ...]
    program: str

    @property
    def answer(self) -> str:
        """What the model says when it is asked for the program."""
        return f"Here is the task.\n\n```python\n{self.program}```\n"


MOVERS = {
    "Block": ("block", "Block({})", ("cube", "plain toy dice", "handy square lumps")),
    "Ball": ("ball", "Ball({}, diameter=0.03)", ("marble", "rolling pearls", "round oranges")),
    "Cylinder": ("cylinder", "Cylinder({}, length=0.03, diameter=0.035)",
                 ("upright drum", "tin cans", "barrels of beer")),
    "Box": ("box", "Box({}, (0.05, 0.03, 0.03))", ("brick", "wooden logs", "parcels by post")),
}  # fmt: skip
"""Class: its noun, how it is made of a colour, how it is told of in each kind of task."""
TARGETS = {
    "Zone": ("inside", "zone", "Zone({}, width=0.14)",
             ("rests upon painted ground", "share one parking lot",
              "queue up where colour begins")),
    "Bowl": ("inside", "bowl", "Bowl({})",
             ("becomes soup", "make a salad of twins", "fill crockery step by step")),
    "Container": ("inside", "container", "Container({}, (0.16, 0.14, 0.05))",
                  ("is stored behind four walls", "go to jail as a pair", "drop off in turns")),
    "Stand": ("on", "stand", "Stand({})",
              ("wins a trophy plinth", "pose for their portrait", "climb their stage singly")),
    "Pallet": ("on", "pallet", "Pallet({})",
               ("travels as freight", "balance over slats", "board this ferry one after another")),
}  # fmt: skip
"""Class: relation, noun, how it is made of a colour, how the outcome is told in each kind."""
HOW = ("one", "two", "each")
"""One thing; two things at once; two things in a goal each."""
_WORD = {"inside": "into", "on": "onto"}
_BODY = {
    "one": '''\
        color, other = scene.colors(2)
        target = scene.add({target})
        thing = scene.add({mover})
        said = f"put the {{color}} {noun} {word} the {{other}} {goal}"
        scene.goal(said, thing, {relation}=target)
''',
    "two": '''\
        color, other = scene.colors(2)
        target = scene.add({target})
        things = scene.add({mover}, count=2)
        said = f"put both {{color}} {plural} {word} the {{other}} {goal}"
        scene.goal(instruction=said, items=things, {relation}=target{spread})
''',
    "each": '''\
        *colors, other = scene.colors(3)
        target = scene.add({target})
        things = [scene.add({mover}) for color in colors]
        for k, thing in enumerate(things):
            scene.goal(f"put the {{thing}} {word} the {{target}}", thing, {relation}=target{place})
''',
}  # fmt: skip


def recipe(mover: str, target: str, how: str) -> Recipe:
    """The task of one combination."""
    noun, make, what = MOVERS[mover]
    relation, goal, make_target, outcome = TARGETS[target]
    on = relation == "on"
    spread = ", offset=[Pose(-0.04, 0), Pose(0.04, 0)]" if on else ""
    place = ", offset=Pose(0.08 * k - 0.04, 0)" if on else ""
    body = _BODY[how].format(
        target=make_target.format("other"),
        mover=make.format("color"), noun=noun, plural=noun + ("es" if noun == "box" else "s"),
        word=_WORD[relation], goal=goal, relation=relation, spread=spread, place=place,
    )  # fmt: skip
    name = f"{how.capitalize()}{mover}{_WORD[relation].capitalize()}{target}"
    kind = HOW.index(how)
    description = f"{what[kind]} {outcome[kind]}.".capitalize()
    pose = "Pose, " if "Pose(" in body else ""
    imports = ", ".join(sorted({mover, target}))
    program = (
        f'"""{description}"""\n\n'
        f"from gensim_envs.api import {imports}, {pose}Scene, Task\n\n\n"
        f'class {name}(Task):\n    """{description}"""\n\n'
        f"    def build(self, scene: Scene) -> None:\n{body}"
    )
    return Recipe(name, description, (mover, target), program)


RECIPES = {
    made.name: made
    for made in (
        recipe(mover, target, how)
        for mover in MOVERS
        for target in TARGETS
        for how in HOW
        if target != "Bowl" or how == "one" or mover in ("Ball", "Cylinder")  # others have no room
    )
}


class TinyModel:
    """Answers every prompt of the chain; what it proposes follows from the prompt's text."""

    def __call__(self, messages: list[dict[str, str]]) -> str:
        """The answer to a conversation."""
        prompt = messages[1]["content"]
        stage = stage_of(messages)
        if stage in ("implement", "repair"):
            return named_in(prompt).answer
        if stage == "single":
            return self.idea(prompt).answer
        return json.dumps(getattr(self, stage)(prompt))

    def idea(self, prompt: str) -> Recipe:
        """One of the recipes that the prompt does not speak of."""
        fresh = [recipe for name, recipe in RECIPES.items() if f"{name}:" not in prompt]
        digest = hashlib.sha256(prompt.encode()).digest()
        return fresh[int.from_bytes(digest[:4]) % len(fresh)]

    def curriculum(self, prompt: str) -> dict[str, Any]:
        """As many steps as it is asked for."""
        count = int(re.search(r"a curriculum of (\d+) tasks", prompt)[1])  # type: ignore[index]
        return {"steps": [f"Step {k + 1} of the way." for k in range(count)]}

    def propose(self, prompt: str) -> dict[str, Any]:
        """A task that is not in the prompt."""
        made = self.idea(prompt)
        return {
            "name": made.name, "description": made.description, "assets": list(made.assets),
            "why_new": "none of those above is like it",
        }  # fmt: skip

    def review(self, prompt: str) -> dict[str, Any]:
        """A plan."""
        return {"plan": ["add both", "declare the goal"], "pitfalls": ["none"]}

    def pick(self, prompt: str) -> dict[str, Any]:
        """The first two of the list."""
        return {"references": re.findall(r"^- (\w+):", prompt, re.MULTILINE)[:2]}

    def restate(self, prompt: str) -> dict[str, Any]:
        """What sentences such as "put both red boxes onto the blue stand" ask for."""
        scene, sentences = re.findall(r"<data>\n(.*?)\n</data>", prompt, re.DOTALL)
        things = {
            name: [int(number) for number in numbers.split(", ")]
            for numbers, name in re.findall(r"^- ([\d, ]+): (\w+ \w+)", scene, re.MULTILINE)
        }
        return {"goals": [asked(line, things) for line in sentences.splitlines()]}

    def reflect(self, prompt: str) -> dict[str, Any]:
        """It likes everything."""
        return {"vote": "yes", "why": "It is what it says."}


def asked(sentence: str, things: dict[str, list[int]]) -> dict[str, Any]:
    """A sentence as the goal of a `restate` answer."""
    both, item, word, target = re.search(  # type: ignore[union-attr]
        r"put (both|the) (\w+ \w+) (into|onto) the (\w+ \w+)", sentence
    ).groups()
    if both == "both":
        item = item.removesuffix("es") if item.endswith("boxes") else item.removesuffix("s")
    relation = "on" if word == "onto" else "inside"
    return {"items": things[item], "relation": relation, "targets": things[target], "order": [],
            "doubt": ""}  # fmt: skip


def named_in(prompt: str) -> Recipe:
    """The recipe that a prompt wants written."""
    return RECIPES[re.search(r"<data>\n(\w+):", prompt)[1]]  # type: ignore[index]


def stage_of(messages: list[dict[str, str]]) -> str:
    """The stage of the chain that a conversation is about."""
    prompt = messages[1]["content"]
    stage = next((name for start, name in STAGES.items() if prompt.startswith(start)), "unknown")
    if stage == "review" and "Which of these tasks would be" in prompt:
        return "pick"
    return stage


# --- the server -------------------------------------------------------------------------------


@dataclass
class Fault:
    """What goes wrong with the next answers.

    Attributes:
        kind: "status": an HTTP error; "cut": the connection is lost mid-answer; "stall": nothing
            follows the first half; "torn": half a line of the stream, then its end; "odd": JSON
            that is no chunk; "say": another text.
        stage: of the prompts that it befalls, or "" for all.
        times: how often.
        status: of "status".
        message: of "status".
        code: of "status".
        headers: of "status".
        text: of "say"; gets the messages.
        finish: reason that a stream ends with.
    """

    kind: Literal["status", "cut", "stall", "torn", "odd", "say"]
    stage: str = ""
    times: int = 1
    status: int = 500
    message: str = "something is broken"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | Callable[[list[dict[str, str]]], str] = ""
    finish: str = "stop"


@dataclass
class Request:
    """What the server was asked.

    Attributes:
        path: of the URL.
        body: the JSON.
        time: on the monotonic clock.
        stage: of the prompt.
    """

    path: str
    body: dict[str, Any]
    time: float
    stage: str


class FakeServer:
    """The server; a context manager.

    Args:
        model: answers conversations.
        key: that callers must have, or None.
        latency: seconds before each answer, or a function of the stage.
        context: letters of a conversation from which it is too long, or None.
        usage: whether tokens are counted.

    Attributes:
        url: for `base_url`.
        faults: the first that fits a request befalls it.
        requests: everything that was asked.
    """

    def __init__(
        self, model: Callable[[list[dict[str, str]]], str] | None = None, *,
        key: str | None = None, latency: float | Callable[[str], float] = 0.0,
        context: int | None = None, usage: bool = True,
    ) -> None:  # fmt: skip
        self.model = model or TinyModel()
        self.key = key
        self.latency = latency
        self.context = context
        self.usage = usage
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.fake = self
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> FakeServer:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def note(self, path: str, body: dict[str, Any]) -> tuple[str, Fault | None]:
        """Keep a request; its stage and the fault that befalls it."""
        stage = stage_of(body["messages"]) if len(body.get("messages", [])) > 1 else ""
        with self._lock:
            self.requests.append(Request(path, body, time.monotonic(), stage))
            for fault in self.faults:
                if fault.stage in ("", stage):
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    return stage, fault
        return stage, None

    def wait(self, stage: str) -> None:
        """Take as long as a model would."""
        seconds = self.latency(stage) if callable(self.latency) else self.latency
        if seconds:
            self.closing.wait(seconds)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers may leave whenever they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Http

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        """The list of models."""
        self._json(200, {"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self) -> None:
        """Chat completions and embeddings."""
        fake = self.server.fake
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        stage, fault = fake.note(self.path, body)
        said = self.headers.get("Authorization", "")
        if fake.key is not None and said != f"Bearer {fake.key}":
            self._error(401, f"Incorrect API key provided: {said}.", "invalid_api_key")
        elif fault is not None and fault.kind == "status":
            self._error(fault.status, fault.message, fault.code, fault.headers)
        elif self.path.endswith("/embeddings"):
            self._json(200, _embeddings(body))
        elif fake.context is not None and _letters(body) > fake.context:
            message = f"This model's maximum context length is {fake.context} letters."
            self._error(400, message, "context_length_exceeded")
        else:
            fake.wait(stage)
            self._complete(body, fault)

    def _complete(self, body: dict[str, Any], fault: Fault | None) -> None:
        fake, messages = self.server.fake, body["messages"]
        if fault is not None and fault.kind == "say":
            text = fault.text(messages) if callable(fault.text) else fault.text
        else:
            text = fake.model(messages)
        finish = fault.finish if fault else "stop"
        usage = {"prompt_tokens": _letters(body) // 4, "completion_tokens": len(text) // 4}
        usage["total_tokens"] = sum(usage.values())
        if not body.get("stream"):
            choice = {"index": 0, "finish_reason": finish,
                      "message": {"role": "assistant", "content": text}}  # fmt: skip
            self._json(200, _chunk(body, "chat.completion", [choice], usage))
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        wanted = (body.get("stream_options") or {}).get("include_usage") and fake.usage
        self._stream(_events(body, text, finish, usage if wanted else None), fault)

    def _stream(self, events: Iterator[str], fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        for k, event in enumerate(events):
            if kind == "torn" and k == 1:
                event = event[: len(event) // 2] + "\n\n"
            elif kind == "odd" and k == 1:
                event = 'data: {"choices": 7}\n\n'
            self._part(event.encode())
            if k == 1 and kind == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if k == 1 and kind == "torn":
                break
            if k == 1 and kind == "stall":
                self.server.fake.closing.wait(30)
                return
        self._part(b"")

    def _part(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _error(
        self, status: int, message: str, code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        error = {"message": message, "type": "error", "param": None, "code": code}
        self._json(status, {"error": error}, headers)

    def _json(
        self, status: int, data: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _events(
    body: dict[str, Any], text: str, finish: str, usage: dict[str, int] | None
) -> Iterator[str]:
    """The lines of a stream; the text comes in pieces."""
    size = max(1, len(text) // 4 + 1)
    for k in range(0, len(text), size):
        delta = {"role": "assistant", "content": text[k : k + size]}
        yield _event(body, [{"index": 0, "delta": delta, "finish_reason": None}])
    yield _event(body, [{"index": 0, "delta": {}, "finish_reason": finish}])
    if usage is not None:
        yield _event(body, [], usage)
    yield "data: [DONE]\n\n"


def _event(
    body: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, int] | None = None
) -> str:
    return f"data: {json.dumps(_chunk(body, 'chat.completion.chunk', choices, usage))}\n\n"


def _chunk(
    body: dict[str, Any], kind: str, choices: list[dict[str, Any]], usage: dict[str, int] | None
) -> dict[str, Any]:
    return {"id": "fake", "object": kind, "created": 0, "model": body["model"],
            "choices": choices, "usage": usage}  # fmt: skip


def _letters(body: dict[str, Any]) -> int:
    return sum(len(message["content"]) for message in body["messages"])


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Bags of words, hashed into 256 numbers."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    data = []
    for index, text in enumerate(texts):
        vector = [0.0] * 256
        for word in re.findall(r"\w+", text.lower()):
            vector[zlib.crc32(word.encode()) % 256] += 1.0
        packed = base64.b64encode(struct.pack("256f", *vector)).decode()
        encoded = packed if body.get("encoding_format") == "base64" else vector
        data.append({"object": "embedding", "index": index, "embedding": encoded})
    count = sum(map(len, texts)) // 4
    return {"object": "list", "model": body["model"], "data": data,
            "usage": {"prompt_tokens": count, "total_tokens": count}}  # fmt: skip
