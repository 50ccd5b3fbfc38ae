"""Read thousands of broken and hostile files, as a stranger could send them.

Each kind of input has a folder of valid files. A mutation changes one of them and reads the folder
as the commands do. Reading may succeed or raise a GensimError. Anything else is a finding: another
exception, more than `LIMIT` seconds, unprintable output, an opened file of somebody else, a started
process. Mutation N of a kind depends on the seed and N only, so that a finding can be repeated.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from agents.__main__ import main as agents
from agents.data import tokens
from agents.data.demonstrations import Demonstrations
from agents.policies.base import PolicySpec
from agents.policies.learned import LearnedPolicy, make_policy, policy_config
from benchmarks.mutations import mutate
from gensim_envs import seeds
from gensim_envs.cli import main as gensim
from gensim_envs.errors import GensimError
from gensim_envs.generation.finetune import Job
from gensim_envs.generation.recording import Recording
from gensim_envs.generation.verdict import read_verdicts
from gensim_envs.library import shipped
from gensim_envs.pages.render import highlight
from gensim_envs.pages.runs import Run
from gensim_envs.printing import printable
from gensim_envs.sandbox.gate import check
from gensim_envs.sandbox.program import HandWritten, Sandboxed
from gensim_envs.task.checks.received import check_received
from gensim_envs.task.judge import Judge
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils import decode
from gensim_envs.utils.text import read_text

LIMIT = 30.0
"""Most seconds of processor time for one input; `WAIT` times as many by the clock."""
WAIT = 10  # the clock alone would count what other programs of the machine do
COMMANDS = 50
"""One input in so many is also read through the command line, where that is not the reader."""
_TASKS = ("PutBlockInBowl", "StackBlockPyramid", "PackingBoxes", "AlignRope", "SweepingPiles")


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        make: writes valid files into a folder.
        read: reads the folder, given it and the file that was changed.
        command: a command line that reads the folder FOLDER and writes to OUT; None where `read`
            is one, or it would take long.
    """

    make: Callable[[Path], object]
    read: Callable[[Path, Path], object]
    command: tuple[Callable[[Sequence[str]], int], tuple[str, ...]] | None = None


@dataclass
class Result:
    """What became of the mutations of one kind.

    Attributes:
        kind: its name.
        mutations: number of inputs.
        refused: those that raised a GensimError.
        slowest: seconds of processor time of the slowest.
        findings: number and problem of each input that is a finding.
    """

    kind: str
    mutations: int = 0
    refused: int = 0
    slowest: float = 0.0
    findings: list[str] = field(default_factory=list)


class _TooLong(BaseException):
    """An input took longer than its limit."""


# ------------------------------------------------------------------------------- kinds of input


def _make_specs(folder: Path) -> None:
    for name in _TASKS:
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")
        program = HandWritten(name, f"gensim_envs/tasks/{snake}.py")
        spec = program.draw("train", seeds.SURVEY.start).spec
        (folder / f"{name}.json").write_text(json.dumps(spec.to_json()))


def _read_spec(_: Path, changed: Path) -> None:
    """As the host reads a worker's answers; a spec that passes is judged."""
    spec = TaskSpec.from_json(decode.read(changed, dict[str, Any]))
    check_received(spec, changed.stem, "train")
    Judge(spec)


def _make_programs(folder: Path) -> None:
    library = shipped()
    for record in library.records():
        (folder / Path(record.file).name).write_text(library.source(record))


def _read_program(_: Path, changed: Path) -> None:
    source = read_text(changed)
    highlight(source)
    Sandboxed(check(source).class_name, source).draw("train", 0)


def _make_rows(folder: Path) -> None:
    library = shipped()
    (folder / "registry.json").write_bytes(library.registry.read_bytes())
    for record in library.records():
        if not record.hand_written:
            stem = Path(record.file).stem
            for name in (record.file, f"generated/provenance/{stem}.json"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library.root / name, folder / name)


def _read_rows(folder: Path, _: Path) -> None:
    gensim(["list", "--library", str(folder)])
    gensim(["list", "--library", str(folder), "--json"])


def _make_recording(folder: Path) -> None:
    source = shipped().root / "generated" / "recording"
    (folder / "attempts").mkdir()
    (folder / "messages").mkdir()
    shutil.copy(source / "run.json", folder)
    refused = [each.attempt for each in read_verdicts(source) if not each.accepted][:3]
    for attempt in refused:
        for path in (source / "attempts").glob(f"{attempt:04d}.*"):
            shutil.copy(path, folder / "attempts")
    for path in sorted((source / "messages").iterdir())[:3]:
        shutil.copy(path, folder / "messages")


def _read_recording(folder: Path, _: Path) -> None:
    recording = Recording(folder)
    for attempt in recording.attempts():
        recording.answers(attempt)
    Run.read(folder, None).to_json()


def _make_checkpoint(folder: Path) -> None:
    spec = PolicySpec(
        "bc_state", ("gensim/BlockInsertion-v0",), "state", {"state": [41]},
        (0.25, -0.5, -math.pi, 0.25, -0.5, -math.pi), (0.75, 0.5, math.pi, 0.75, 0.5, math.pi),
        None, 8,
    )  # fmt: skip
    config = policy_config("bc_state", {"width": 8, "depth": 1})
    make_policy(spec, config).save_pretrained(folder)


def _make_dataset(folder: Path) -> None:
    (folder / "data").mkdir()
    metadata = {
        "dataset_id": "a/oracle-v0",
        "action_space": json.dumps({"type": "Box", "low": [-1.0] * 6, "high": [1.0] * 6}),
        "env_spec": json.dumps({"id": "gensim/BlockInsertion-v0"}),
        "state_bounds": {},
    }
    (folder / "data" / "metadata.json").write_text(json.dumps(metadata))
    with h5py.File(folder / "data" / "main_data.hdf5", "w") as file:
        for number in range(2):
            group = file.create_group(f"episode_{number}")
            group.attrs["seed"] = 100_000 + number
            group["actions"] = np.zeros((2, 6), np.float32)
            group["infos/instruction"] = ["go"] * 3
            group["infos/success"] = [False, False, True]
            group["observations"] = np.zeros((3, 12), np.float32)
    tokens.save(folder, "minilm", {"go": np.ones((2, 8), np.float16)})


def _make_results(folder: Path) -> None:
    result = {
        "env": "A", "success": 0.5, "episodes": 9, "success_interval": [0.4, 0.6], "return": 0.6,
        "paired": {"both": 3, "gained": 1, "lost": 2, "neither": 3},
    }  # fmt: skip
    experiment = {
        "name": "a", "kind": "multi", "policy": "a", "envs": ["B"], "pool": "p", "demos": 1,
        "start": None, "pool_demos": None, "group": None, "seed": 0, "variant": None,
        "commands": ["train it"], "seconds": {"train": 6, "evaluate": 2},
        "machine": {"cpu": "A", "cores": 2, "system": "Linux", "gpu": None},
        "versions": {"python": "3.11"}, "conditions": {},
    }  # fmt: skip
    conditions = {name: {"results": [result], "seeds": [1, 2]} for name in ("seen", "light")}
    few = {"kind": "few-shot", "envs": ["A"], "start": "a", "pool_demos": 1, "group": "near",
           "conditions": conditions}  # fmt: skip
    few |= {"variant": "changed"}
    seeds = [experiment | few | {"name": f"a{seed}", "seed": seed} for seed in (0, 1)]
    whole = {
        "suite": "made", "version": 1, "purpose": "Made for a test", "sha256": "x",
        "total": 1 + len(seeds), "experiments": [experiment, *seeds], "failed": [],
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(whole))
    job = Job({"model": "a"}, {"train.jsonl": "f"}, True, "j", "t")
    (folder / "finetune.json").write_text(json.dumps(asdict(job)))


def _read_results(folder: Path, _: Path) -> None:
    if agents(["tables", str(folder / "results.json")]):
        raise GensimError("the command refused the file")
    decode.read(folder / "finetune.json", Job)


KINDS = {
    "specs": Kind(_make_specs, _read_spec),
    "programs": Kind(_make_programs, _read_program),
    "rows": Kind(_make_rows, _read_rows, (gensim, ("stats", "--library", "FOLDER"))),
    "recordings": Kind(
        _make_recording, _read_recording, (gensim, ("report", "FOLDER", "--out", "OUT"))
    ),
    "checkpoints": Kind(
        _make_checkpoint, lambda folder, _: LearnedPolicy.from_pretrained(folder),
        (agents, ("evaluate", "--checkpoint", "FOLDER", "--episodes", "1", "--workers", "1")),
    ),
    "datasets": Kind(
        _make_dataset, lambda folder, _: Demonstrations.load(folder),
        (agents, ("train", "--policy", "bc_state", "--data", "FOLDER", "--out", "OUT", "--steps",
                  "1", "--validate-every", "0", "--bc_state.width", "8", "--device", "cpu")),
    ),
    "results": Kind(_make_results, _read_results),
}  # fmt: skip


# ------------------------------------------------------------------------------------- the run


def run(mutations: int, seed: int, names: Sequence[str] = ()) -> Iterator[Result]:
    """Read mutated inputs of each kind.

    Args:
        mutations: number of inputs, of all kinds together.
        seed: determines them.
        names: kinds; by default all.
    """
    names = names or list(KINDS)
    for name in names:
        yield _fuzz(name, -(-mutations // len(names)), seed)


def table(mutations: int, seed: int) -> Iterator[tuple[str, ...]]:
    """The rows of `python -m benchmarks fuzz`; with findings, it ends with exit code 1."""
    yield "input", "mutations", "refused", "slowest, s", "findings"
    findings = []
    for each in run(mutations, seed):
        findings += each.findings
        yield (
            each.kind, str(each.mutations), str(each.refused), f"{each.slowest:.2f}",
            str(len(each.findings)),
        )  # fmt: skip
    if findings:
        sys.exit("\n".join(findings))


def _fuzz(name: str, mutations: int, seed: int) -> Result:
    kind, result = KINDS[name], Result(name)
    with tempfile.TemporaryDirectory() as root, _watched(Path(root, "mine")) as (canary, opened):
        folder = Path(root, "theirs")
        folder.mkdir()
        kind.make(folder)
        files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        # Valid files load what is loaded on first use, which takes time of its own.
        _problem(kind, 1, folder, next(iter(files)), Result(name))
        opened.clear()
        for number in range(mutations):
            rng = np.random.default_rng([seed, number])
            changed = list(files)[int(rng.integers(len(files)))]
            changed.write_bytes(mutate(changed.name, files[changed], canary, rng))
            began = _processor_time()
            problem = _problem(kind, number, folder, changed, result) or " ".join(opened)
            seconds = _processor_time() - began
            if seconds > LIMIT and not problem:
                problem = f"it took {seconds:.0f} s"
            result.mutations, result.slowest = number + 1, max(result.slowest, seconds)
            if problem:
                result.findings.append(f"{name} {number}, {changed.relative_to(folder)}: {problem}")
            opened.clear()
            changed.write_bytes(files[changed])
        found = sorted(canary.parent.iterdir())
        if found != [canary, canary.with_name("pipe")] or canary.read_bytes() != _SECRET:
            result.findings.append(f"{name}: a file of somebody else was changed")
    return result


def _problem(kind: Kind, number: int, folder: Path, changed: Path, result: Result) -> str:
    """What is wrong with how an input is read; "" if nothing is."""
    output = io.StringIO()
    try:
        with _limited(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            if kind.command is not None and number % COMMANDS == 0:
                main, words = kind.command
                out = folder.parent / "out"
                names = {"FOLDER": str(folder), "OUT": str(out)}
                code = main([names.get(word, word) for word in words])
                shutil.rmtree(out, ignore_errors=True)
                if code not in (0, 1, 2):
                    return f"exit code {code}"
            kind.read(folder, changed)
    except GensimError as error:
        result.refused += 1
        output.write(printable(str(error)))
    except _TooLong:
        return f"it took more than {LIMIT:.0f} s, or {WAIT * LIMIT:.0f} s by the clock"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error!s:.200} ({place.filename}:{place.lineno})"
    said = output.getvalue()
    if _SECRET.decode() in said:
        return "it shows a file of somebody else"
    return (
        "" if said.replace("\n", "").replace("\t", "").isprintable() else f"it prints {said!a:.200}"
    )


_SECRET = b"precious, and nobody else's"
_watching: list[tuple[str, list[str]]] = []


@contextlib.contextmanager
def _watched(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A file of somebody else, and a list of what was done with it."""
    canary = folder / "canary"
    folder.mkdir()
    canary.write_bytes(_SECRET)
    os.mkfifo(folder / "pipe")  # HDF5 opens files without Python; this one makes it wait
    opened: list[str] = []
    if not _watching:
        sys.addaudithook(_audit)  # it stays
    _watching.append((str(folder), opened))
    try:
        yield canary, opened
    finally:
        _watching[-1] = ("", [])


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    folder, opened = _watching[-1] if _watching else ("", [])
    if not folder:
        return
    named = event.startswith(("open", "os.", "shutil.")) and folder in str(arguments[:2])
    if named or event in ("os.system", "os.exec", "socket.connect"):
        opened.append(f"{event} {arguments!s:.100}")


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Ends the block when it takes too long, and the process where that is impossible."""

    def ring(*_: object) -> None:
        raise _TooLong

    timers = ((signal.ITIMER_REAL, signal.SIGALRM, WAIT), (signal.ITIMER_PROF, signal.SIGPROF, 1))
    before = [signal.signal(number, ring) for _, number, _ in timers]
    for timer, _, times in timers:
        signal.setitimer(timer, times * LIMIT)
    assert sys.__stderr__ is not None
    faulthandler.dump_traceback_later(2 * WAIT * LIMIT, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def _processor_time() -> float:
    """Seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
