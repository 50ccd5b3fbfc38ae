"""What of a recording is on disk, and how it gets there: whole or not at all.

    DIR/gensim/BuildWheel/oracle-v0/data/         the dataset, as Minari reads it
    DIR/.gensim-demos/gensim/BuildWheel/oracle-v0/
        run.json                                  what the parts were recorded with
        100000.hdf5                               a solved seed: its episode
        100001.json                               a failed seed: why
        new/ old/                                 while the dataset is written and put in place

Parts are renamed into place when complete, and only seeds decide what is in them, so a restart
keeps those it finds. The folder of parts goes once the dataset stands.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec

from gensim_envs.errors import GensimError

_PARTS = ".gensim-demos"
_NAMESPACE = "namespace_metadata.json"


class DatasetError(GensimError):
    """Demonstrations could not be recorded; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """All that decides what an episode of a seed looks like.

    Attributes:
        spec: of the env, with its options.
        program_sha256: of the task's program.
        suite_version: of this package.
        seed: the first one.
    """

    spec: EnvSpec
    program_sha256: str
    suite_version: str
    seed: int

    @property
    def dataset_id(self) -> str:
        """`gensim/BuildWheel/oracle-v0` for `gensim/BuildWheel-v0`."""
        namespace = f"{self.spec.namespace}/" if self.spec.namespace else ""
        return f"{namespace}{self.spec.name}/oracle-v{self.spec.version or 0}"

    def to_json(self) -> dict[str, Any]:
        """What must be equal for episodes to go into one dataset."""
        return {
            "env_id": self.spec.id,
            "max_episode_steps": self.spec.max_episode_steps,
            "obs_mode": self.spec.kwargs["obs_mode"],
            "split": self.spec.kwargs["split"],
            "seed": self.seed,
            "program_sha256": self.program_sha256,
            "suite_version": self.suite_version,
        }


class Folder:
    """The dataset of one run and its parts.

    Args:
        out: the folder of all datasets.
        run: what is recorded.

    Raises:
        DatasetError: where episodes of another run are there already.
    """

    def __init__(self, out: Path, run: Run) -> None:
        self.run = run
        self.root = out / run.dataset_id
        self.data = self.root / "data"
        self._out = out
        self._parts = out / _PARTS / run.dataset_id
        if not self.data.exists() and (self._parts / "old").exists():
            # Killed between the two renames of `replacing`.
            (self._parts / "old").rename(self.data)
        self.metadata = self._read_dataset()
        self.failed: dict[int, str] = {}
        self.solved: set[int] = set()
        self._read_parts()
        if self.metadata is not None:
            self.solved.update(self.metadata["seeds"])
            self.failed.update({f["seed"]: f["reason"] for f in self.metadata["failed_seeds"]})

    def part(self, seed: int) -> Path:
        """Where the episode of a seed goes."""
        return self._parts / f"{seed}.hdf5"

    def note(self, seed: int) -> Path:
        """Where the reason goes for which a seed failed."""
        return self._parts / f"{seed}.json"

    def begin(self) -> None:
        """Make room for parts."""
        self._parts.mkdir(parents=True, exist_ok=True)
        write(self._parts / "run.json", json.dumps(self.run.to_json()).encode())

    @contextlib.contextmanager
    def replacing(self) -> Iterator[Path]:
        """An empty folder that takes the dataset's place if the block succeeds."""
        new, old = self._parts / "new", self._parts / "old"
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            yield new
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        self.root.mkdir(parents=True, exist_ok=True)
        self._name_spaces()
        if self.data.exists():
            self.data.rename(old)
        new.rename(self.data)

    def clear(self) -> None:
        """Delete the parts: the dataset holds what they held."""
        shutil.rmtree(self._parts, ignore_errors=True)
        with contextlib.suppress(OSError):  # another dataset's parts are there
            for folder in self._parts.relative_to(self._out).parents[:-1]:
                (self._out / folder).rmdir()

    def _read_dataset(self) -> dict[str, Any] | None:
        if not self.data.exists():
            return None
        try:
            metadata = json.loads((self.data / "metadata.json").read_text(encoding="utf-8"))
            recorded = {key: metadata[key] for key in self.run.to_json()}
            whole = len(metadata["seeds"]) == metadata["total_episodes"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{self.data} was not written by gensim demos. {_ELSEWHERE}"
            ) from error
        if not whole:
            raise DatasetError(f"{self.data} was changed after it was recorded. {_ELSEWHERE}")
        self._refuse_other(recorded, self.data)
        assert isinstance(metadata, dict)
        return metadata

    def _read_parts(self) -> None:
        solved = {int(path.stem) for path in self._parts.glob("[0-9]*.hdf5")}
        notes = {int(path.stem): path for path in self._parts.glob("[0-9]*.json")}
        try:
            recorded = json.loads((self._parts / "run.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Killed while parts were deleted: what is left belongs to nothing.
            shutil.rmtree(self._parts, ignore_errors=True)
            return
        if solved or notes:
            self._refuse_other(recorded, self._parts)
        for stray in self._parts.glob(".*.new"):
            stray.unlink()
        self.solved |= solved
        for seed, path in notes.items():
            self.failed[seed] = json.loads(path.read_text(encoding="utf-8"))["reason"]

    def _refuse_other(self, recorded: dict[str, Any], where: Path) -> None:
        for key, value in self.run.to_json().items():
            if recorded.get(key) != value:
                raise DatasetError(
                    f"{where} holds episodes of {self.run.spec.id} recorded with {key} "
                    f"{recorded.get(key)!r}, not {value!r}. {_ELSEWHERE}"
                )

    def _name_spaces(self) -> None:
        """Minari lists and uploads only those namespaces that have this file."""
        for parent in Path(self.run.dataset_id).parents[:-1]:
            if not (self._out / parent / _NAMESPACE).exists():
                write(self._out / parent / _NAMESPACE, b"{}")


_ELSEWHERE = "Choose another folder with --out, or delete this one"


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """One recording at a time; the lock goes with its process, however that ends.

    Raises:
        DatasetError: where another one is at work.
    """
    out.mkdir(parents=True, exist_ok=True)
    folder = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatasetError(
                f"another process records into {out}. Wait for it, or choose another folder "
                "with --out"
            ) from error
        yield
    finally:
        os.close(folder)


def write(path: Path, data: bytes) -> None:
    """Replace a file in one step, safe against the process being killed."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_bytes(data)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
