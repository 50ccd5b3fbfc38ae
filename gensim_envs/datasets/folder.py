"""The files of a recording, complete and in progress.

    DIR/gensim/BuildWheel/oracle-v0/data/         the dataset, as Minari reads it
    DIR/.gensim-demos/gensim/BuildWheel/oracle-v0/
        run.json                                  what the parts were recorded with
        100000.hdf5                               a solved seed: its episode
        100001.json                               a failed seed: why

Parts are renamed into place when they are complete, and their content depends on seeds only, so a
restart keeps those it finds. The folder of parts is deleted once the dataset is in place.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

from gensim_envs.datasets.reading import MAIN, METADATA
from gensim_envs.datasets.worker import Run
from gensim_envs.errors import DatasetError
from gensim_envs.utils.files import write

_PARTS = ".gensim-demos"
_NAMESPACE = "namespace_metadata.json"


class Folder:
    """The dataset of one run and its parts.

    Args:
        out: folder of all datasets.
        run: determines the episodes.

    Attributes:
        data: folder that Minari reads.
        metadata: metadata of the dataset; None before it is complete.
        solved: seeds with an episode, in the dataset or as a part.
        failed: {seed: reason} of the seeds without an episode.

    Raises:
        DatasetError: if the folder contains episodes of another run.
    """

    def __init__(self, out: Path, run: Run) -> None:
        self.run = run
        self.root = out / run.dataset_id
        self.data = self.root / "data"
        self._out = out
        self._parts = out / _PARTS / run.dataset_id
        self.metadata = self._read_dataset()
        self.failed: dict[int, str] = {}
        self.solved: set[int] = set()
        self._read_parts()
        self.solved.update(self.seeds)
        if self.metadata is not None:
            self.failed.update({f["seed"]: f["reason"] for f in self.metadata["failed_seeds"]})

    @property
    def seeds(self) -> list[int]:
        """Seeds of the dataset's episodes, in their order; none before it is complete."""
        return [] if self.metadata is None else list(self.metadata["seeds"])

    def part(self, seed: int) -> Path:
        """The file for the episode of a seed."""
        return self._parts / f"{seed}.hdf5"

    def note(self, seed: int) -> Path:
        """The file for the reason why a seed failed."""
        return self._parts / f"{seed}.json"

    def begin(self) -> None:
        """Create the folder of parts."""
        write(self._parts / "run.json", json.dumps(self.run.to_json()).encode())

    def finish(self, main: bytes, metadata: dict[str, Any]) -> None:
        """Write or extend the dataset.

        A kill between its two files loses nothing: the main file begins with the episodes that the
        old metadata describe, and the parts are still there.
        """
        write(self.data / MAIN, main, self._out)
        write(self.data / METADATA, json.dumps(metadata).encode(), self._out)
        for parent in Path(self.run.dataset_id).parents[:-1]:
            # Minari lists and uploads only those namespaces that have this file.
            if not (self._out / parent / _NAMESPACE).exists():
                write(self._out / parent / _NAMESPACE, b"{}")
        self.metadata = metadata

    def clear(self) -> None:
        """Delete the parts, which the dataset contains by now."""
        shutil.rmtree(self._parts, ignore_errors=True)
        with contextlib.suppress(OSError):  # another dataset's parts are there
            for folder in self._parts.relative_to(self._out).parents[:-1]:
                (self._out / folder).rmdir()

    def _read_dataset(self) -> dict[str, Any] | None:
        try:
            metadata = json.loads((self.data / METADATA).read_bytes())
            recorded = {key: metadata[key] for key in self.run.to_json()}
            whole = len(metadata["seeds"]) == metadata["total_episodes"]
        except FileNotFoundError:
            return None
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
        for stray in self._parts.glob(".*.tmp"):
            stray.unlink()
        self.solved |= solved
        for seed, path in notes.items():
            self.failed[seed] = json.loads(path.read_text(encoding="utf-8"))["reason"]

    def _refuse_other(self, recorded: dict[str, Any], where: Path) -> None:
        for key, value in self.run.to_json().items():
            if recorded.get(key) != value:
                raise DatasetError(
                    f"{where} contains episodes of {self.run.spec.id} recorded with {key} "
                    f"{recorded.get(key)!r}, not {value!r}. {_ELSEWHERE}"
                )


_ELSEWHERE = "Choose another folder with --out, or delete this one"
