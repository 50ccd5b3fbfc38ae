"""The worker holds by itself: the corpus with the gate off, and proof that the deeds are real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpus import GOOD, HARMFUL, STOPPED, Ungated, escaped

import gensim_envs
from gensim_envs.errors import TaskError
from gensim_envs.sandbox.child import Limits, Memory
from gensim_envs.sandbox.client import Sandbox
from gensim_envs.task.checks.received import check_received

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lockdown is Linux's")

LIMITS = Limits(seconds=0.4, memory=200 * 2**20, answer=2**20)
SLOW = ("used more than", "wrote more than")
SECRET = "the secret words"

# The worker's own code without the lockdown: what a program could do if nothing held it.
UNCONFINED = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from gensim_envs.sandbox.worker import Worker
worker = Worker(2**30, 2**22)
print(flush=True)
for line in sys.stdin:
    if os.fork() == 0:
        try:
            request = {"id": "", "source": json.loads(line), "split": "train", "seed": 0}
            request |= {"seconds": 10, "work": "draw"}
            os.write(1, worker.answer(request) + b"\\n")
        finally:
            os._exit(0)
    os.wait()
    os.write(1, b"end\\n")
"""


@pytest.fixture(scope="module")
def unconfined() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", UNCONFINED, str(Path(gensim_envs.__file__).parents[1])]
    pipe = subprocess.PIPE
    variables = {**os.environ, "SECRET": SECRET}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=variables, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Ungated(limits=LIMITS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def patient() -> Iterator[Sandbox]:
    """Filling memory in small pieces, or writing much, takes a while on a busy machine."""
    with Ungated(limits=Limits(seconds=20, memory=64 * 2**20)) as sandbox:
        yield sandbox


class Scene:
    """Something to do harm to, and the evidence of it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "secret").write_text(SECRET)
        (place / "secrets").mkdir()
        (place / "secrets" / SECRET).touch()
        (place / "link").symlink_to(SECRET)
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.victim = subprocess.Popen(
            ["/bin/sleep", "60"], env={"SECRET": SECRET}, start_new_session=True
        )

    def source(self, name: str) -> str:
        body = HARMFUL[name].body
        known = {"place": self.place, "port": self.listener.getsockname()[1]}
        for key, value in {**known, "victim": self.victim.pid}.items():
            body = body.replace("{" + key + "}", str(value))
        return escaped(body)

    def is_harmed(self, text: str) -> bool:
        """Whether any of the evidence is there, a little time allowed for it."""
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            if (self.place / "evidence").exists() or (self.place / "evidence").is_symlink():
                return True
            if self.victim.poll() is not None or SECRET in text:
                return True
            try:
                return bool(self.listener.recv(10))
            except TimeoutError:
                continue
        return False

    def close(self) -> None:
        self.listener.close()
        self.victim.kill()
        self.victim.wait()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.close()


def refusal(sandbox: Sandbox, source: str) -> TaskError | None:
    """The error that a program ends with; the next one must draw, and nothing must be left."""
    before = sandbox.worker_pid
    start = time.monotonic()
    error = None
    try:
        sandbox.draw(source, "train", 0)
    except TaskError as caught:
        error = caught
    took = time.monotonic() - start
    assert sandbox.draw(GOOD, "train", 0).spec.name == "GoodTask"
    assert took < 5  # of which a start takes half a second
    if before is not None and before != sandbox.worker_pid:
        assert not group_exists(before)
    return error


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_is_real_where_nothing_confines_it(
    unconfined: subprocess.Popen[str], scene: Scene, name: str
) -> None:
    assert unconfined.stdin is not None and unconfined.stdout is not None
    unconfined.stdin.write(json.dumps(scene.source(name)) + "\n")
    unconfined.stdin.flush()
    said = "".join(iter(unconfined.stdout.readline, "end\n"))
    assert scene.is_harmed(said), said


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_is_contained(
    sandbox: Sandbox, scene: Scene, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    error = refusal(sandbox, scene.source(name))
    assert error is not None and error.cause == "runtime"
    assert HARMFUL[name].says in error.problem
    assert error.remedy
    assert not scene.is_harmed(str(error))


@pytest.mark.parametrize(("source", "says"), STOPPED.values(), ids=STOPPED.keys())
def test_stopped(sandbox: Sandbox, patient: Sandbox, source: str, says: str) -> None:
    error = refusal(patient if says in SLOW else sandbox, source)
    assert (error is None and not says) or (error is not None and says in error.problem)
    assert error is None or len(str(error)) < 1000


@pytest.mark.parametrize(
    ("source", "cause", "line"),
    [
        (GOOD.replace("pass\n", "1 / 0\n"), "runtime", 26),
        (GOOD.replace("return x / 2", "return x / (0 * x)"), "runtime", 11),
        (GOOD.replace("pass\n", "scene.colors(99)\n"), "spec", 26),
        (GOOD.replace("pass\n", "for _ in range(10**10): _\n"), "runtime", 26),
        (GOOD.replace("pass\n", "_ = [0] * 10**10\n"), "runtime", 26),
        (GOOD.replace("pass\n", "return return\n"), "parse", 26),
    ],
)
def test_error_names_the_line(sandbox: Sandbox, source: str, cause: str, line: int) -> None:
    error = refusal(sandbox, source)
    assert error is not None
    assert (error.cause, error.line) == (cause, line)


def test_nothing_is_carried_over_between_draws(sandbox: Sandbox) -> None:
    source = GOOD.replace("TURNS = (0.0, -1.5)", "TURNS = [0.0, -1.5]")
    source = source.replace("pass\n", "self.TURNS.append(1)\n        assert len(self.TURNS) < 5\n")
    for _ in range(5):
        sandbox.draw(source, "train", 0)


def test_worker_sees_nothing_of_its_surroundings(sandbox: Sandbox) -> None:
    """No file but the socket to its client, no variable of the client's, no folder that exists."""
    sandbox.draw(GOOD, "train", 0)
    worker = Path(f"/proc/{sandbox.worker_pid}")
    files = sorted(os.readlink(file).split(":")[0] for file in (worker / "fd").iterdir())
    assert files == [*["/dev/null"] * 3, "socket"]
    assert "PATH" not in (worker / "environ").read_text()
    assert os.readlink(worker / "cwd").endswith("(deleted)")


def test_child_is_locked_down(sandbox: Sandbox) -> None:
    sandbox.draw(GOOD, "train", 0)
    worker = sandbox.worker_pid
    *_, child = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    text = Path(f"/proc/{child}/status").read_text()
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    assert status["Seccomp"].strip() == "2"
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Threads"].strip() == "1"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0
    if os.geteuid() == 0:
        assert int(status["CapBnd"], 16) == 0
    for process in (worker, child):
        assert not Path(f"/proc/{process}/cmdline").read_bytes().strip(b"\0")


CLIENT = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from gensim_envs.sandbox.child import Limits
from gensim_envs.sandbox.client import Sandbox
from gensim_envs.task.checks.received import check_received
Sandbox._check = lambda self, source: None
sandbox = Sandbox(limits=Limits(seconds=60))
def work():
    sandbox.draw(GOOD, "train", 0)
    print(sandbox.worker_pid, flush=True)
    sandbox.draw(LOOP, "train", 0)
GOOD, LOOP = sys.argv[2:4]
if sys.argv[4] == "thread":
    threading.Thread(target=work).start()
else:
    work()
"""


@pytest.mark.parametrize("where", ["main", "thread"])
def test_worker_dies_with_its_client(where: str) -> None:
    """Also in the middle of a program that never ends, and when nobody can clean up."""
    root = str(Path(gensim_envs.__file__).parents[1])
    command = [sys.executable, "-c", CLIENT, root, GOOD, STOPPED["loop that swallows"][0], where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        worker = int(json.loads(client.stdout.readline()))
        time.sleep(0.1)
        assert group_exists(worker)
        client.send_signal(signal.SIGKILL)
    end = time.monotonic() + 5
    while group_exists(worker) and time.monotonic() < end:
        time.sleep(0.02)
    assert not group_exists(worker)


FORGED = {
    # name: (change of the spec's JSON, what the refusal names)
    "split": ("data['split'] = 'test'", "test"),
    "inside a block": (
        "data['items'][0]['asset'] = {**data['items'][1]['asset'], 'color': 'blue'}",
        "inside the blue block",
    ),
    "far path": (
        "goal['relation'] = 'at'; place['bases'] = []; place['pose']['x'] = -99.0",
        "shows",
    ),
    "along without a rope": ("goal['relation'] = 'along'", "rope"),
    "fixed": ("goal['items'] = [0]; place['bases'] = [1]", "is fixed"),
    "off the table": ("data['items'][1]['start']['y'] = 40.0", "starts off the table"),
    "no such item": ("goal['items'] = [7]", "not there"),
    "no such pattern": ("place['pattern'] = 3", "pattern"),
    "no alternatives": ("goal['alternatives'] = 0", "alternatives"),
    "terminal": ("goal['instruction'] = chr(27) + '[2J'", "printable"),
    "long": ("goal['instruction'] = 'x' * 400", "300"),
    "thousands": ("data['items'] = data['items'] * 1000", "60"),
    "loose tolerance": ("goal['position_tolerance'] = 5.0", "position_tolerance"),
    "odd key": ("data['x'] = 1", "unknown"),
    "item twice": ("goal['items'] = [1, 1]", "twice"),
}


@pytest.mark.parametrize(("change", "says"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_spec_is_refused(sandbox: Sandbox, change: str, says: str) -> None:
    body = f"""
chr, json = real["chr"], sys.modules["json"]
kind = sys.modules["gensim_envs.task.spec"].TaskSpec
honest = kind.to_json
def forged(self):
    data = json.loads(json.dumps(honest(self)))
    goal = data["goals"][0]
    place = goal["places"][0]
    {change}
    return data
kind.to_json = forged
"""
    with pytest.raises(TaskError, match=says) as caught:
        sandbox.draw(escaped(body), "train", 0)
    assert str(caught.value).isprintable()


def test_a_spec_of_another_name_is_refused(sandbox: Sandbox) -> None:
    spec = sandbox.draw(GOOD, "train", 0).spec
    check_received(spec, "GoodTask", "train")
    with pytest.raises(TaskError, match="GoodTask"):
        check_received(spec, "OtherTask", "train")


def test_a_refusal_is_printable(sandbox: Sandbox) -> None:
    text = '"\\x1b]0;owned\\x07\\x1b[2J\\x1b[1;1Hall in order \\x1b]8;;https://evil.example\\x07"'
    with pytest.raises(TaskError, match="all in order") as caught:
        sandbox.draw(GOOD.replace("pass\n", f"assert False, {text}\n"), "train", 0)
    assert str(caught.value).isprintable()


HOLD = 'sys.kept = real["bytearray"](60 * 2**20)'


def test_children_hold_little_memory_together() -> None:
    limits = Limits(memory=100 * 2**20)
    with Ungated(limits=limits) as sandbox:
        for k in range(8):
            sandbox.draw(escaped(HOLD + f"; x = {k}"), "train", 0)
        worker = sandbox.worker_pid
        assert worker is not None
        children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
        held = sum(Memory(int(child)).bytes() - Memory(worker).bytes() for child in children)
    assert held < limits.memory


def test_a_child_does_nothing_after_its_answer(sandbox: Sandbox) -> None:
    """Even one that answers by itself and then spins."""
    answer = """
frame = sys._getframe()
while "answers" not in frame.f_locals:
    frame = frame.f_back
json, pipe = sys.modules["json"], frame.f_locals["answers"]
fields = {"problem": "spun", "remedy": "", "cause": "spec"}
error = {**fields, "goal": None, "line": None, "redraw": False}
answer = {"id": json.loads(frame.f_locals["line"])["id"], "error": error}
pipe.write(json.dumps(answer).encode() + b"\\n")
pipe.flush()
while True:
    pass
"""
    with pytest.raises(TaskError, match="spun"):
        sandbox.draw(escaped(answer), "train", 0)
    worker = sandbox.worker_pid
    *_, child = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    used = Path(f"/proc/{child}/stat")
    before = used.read_text().split()[13:15]
    time.sleep(0.3)
    assert used.read_text().split()[13:15] == before
