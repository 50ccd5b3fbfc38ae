"""The files of a recording, complete and in progress.

    DIR/gensim/BuildWheel/oracle-v0/data/         the dataset, as Minari reads it
    DIR/.gensim-demos/gensim/BuildWheel/oracle-v0/
        run.json                                  what the parts were recorded with
        100000.hdf5                               the episode of a solved seed

Parts are renamed into place when they are complete, and their content depends on seeds only, so a
restart keeps those it finds and plays the seeds that failed again. The folder of parts is deleted
once the dataset is in place.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from gensim_envs.datasets.reading import MAIN, METADATA, MOST_BYTES, check_contained
from gensim_envs.datasets.worker import Run
from gensim_envs.errors import DatasetError, FileError, files_as
from gensim_envs.utils import files
from gensim_envs.utils.decode import DecodeError, Range, Text, decode, read

_PARTS = ".gensim-demos"
_NAMESPACE = "namespace_metadata.json"


_Seed = Annotated[int, Range(0, 2**62)]


@dataclass(frozen=True)
class _Note:
    """Why a seed has no episode."""

    reason: Text
    seed: _Seed


@dataclass(frozen=True)
class _Content:
    """What the metadata of a dataset say about its episodes."""

    total_episodes: _Seed
    total_steps: _Seed
    seeds: list[_Seed]
    failed_seeds: list[_Note]


class Folder:
    """The dataset of one run and its parts.

    Args:
        out: folder of all datasets.
        run: determines the episodes.
        episodes: number of them that the dataset is to have.

    Attributes:
        run: as given.
        episodes: as given.
        out: folder of all datasets.
        data: folder that Minari reads.
        metadata: metadata of the dataset; None before it is complete.
        solved: seeds with an episode, in the dataset or as a part.
        failed: {seed: reason} of the seeds without an episode.

    Raises:
        DatasetError: if the folder contains episodes of another run, or more of them.
    """

    def __init__(self, out: Path, run: Run, episodes: int) -> None:
        self.run, self.episodes = run, episodes
        self.root = out / run.dataset_id
        self.data = self.root / "data"
        self.out = out
        self._parts = out / _PARTS / run.dataset_id
        self.metadata = self._read_dataset()
        self.failed: dict[int, str] = {}
        self.solved = self._read_parts() | set(self.seeds)
        if self.metadata is not None:
            self.failed.update({f["seed"]: f["reason"] for f in self.metadata["failed_seeds"]})
        if (present := len(self.seeds)) > episodes:
            raise DatasetError(
                f"{self.root} holds {present} episodes, more than the {episodes} asked for. "
                f"Ask for at least {present}, or choose another folder with --out"
            )

    @property
    def seeds(self) -> list[int]:
        """Seeds of the dataset's episodes, in their order; none before it is complete."""
        return [] if self.metadata is None else list(self.metadata["seeds"])

    def part(self, seed: int) -> Path:
        """The file for the episode of a seed."""
        return self._parts / f"{seed}.hdf5"

    def begin(self) -> None:
        """Create the folder of parts."""
        files.write(self._parts / "run.json", json.dumps(self.run.to_json()).encode(), self.out)

    def assemble(self, seeds: Iterable[int]) -> tuple[bytes, int]:
        """Put the episodes of seeds, in their order, into Minari's main file.

        Compressed frames are copied as they are, from the present dataset or from parts. The file
        is made in memory, since HDF5 ends the process with a segmentation fault on a full disk.

        Args:
            seeds: seeds of the episodes.

        Returns:
            The content of the file and the number of steps.
        """
        import h5py

        numbers = {seed: index for index, seed in enumerate(self.seeds)}
        steps, buffer = 0, io.BytesIO()
        with h5py.File(buffer, "w") as file:
            for index, seed in enumerate(seeds):
                old = seed in numbers
                name = f"episode_{index}"
                path = self.data / MAIN if old else self.part(seed)
                with (
                    files.errors(path, "read"),
                    files.open_regular(path, self.out, MOST_BYTES) as raw,
                    h5py.File(raw, "r") as source,
                ):
                    check_contained(source, path)
                    source.copy(f"episode_{numbers[seed]}" if old else "episode", file, name)
                file[name].attrs.modify("id", index)
                steps += int(file[name].attrs["total_steps"])
        return buffer.getvalue(), steps

    def finish(self, main: bytes, metadata: dict[str, Any]) -> None:
        """Write or extend the dataset.

        A kill between its two files loses nothing: the main file begins with the episodes that the
        old metadata describe, and the parts are still there.
        """
        files.write(self.data / MAIN, main, self.out)
        files.write(self.data / METADATA, json.dumps(metadata).encode(), self.out)
        for parent in Path(self.run.dataset_id).parents[:-1]:
            # Minari lists and uploads only those namespaces that have this file.
            if not (self.out / parent / _NAMESPACE).exists():
                files.write(self.out / parent / _NAMESPACE, b"{}", self.out)
        self.metadata = metadata

    def clear(self) -> None:
        """Delete the parts, which the dataset contains by now."""
        files.remove(self._parts, self.out)
        with contextlib.suppress(OSError):  # another dataset's parts are there
            for folder in self._parts.relative_to(self.out).parents[:-1]:
                (self.out / folder).rmdir()

    def _read_dataset(self) -> dict[str, Any] | None:
        path = self.data / METADATA
        if not os.path.lexists(path):
            return None
        try:
            metadata = read(path, dict[str, Any], root=self.out)
            recorded = {key: metadata.get(key) for key in self.run.to_json()}
            content = decode(
                _Content, {each.name: metadata.get(each.name) for each in fields(_Content)}
            )
        except (FileError, DecodeError) as error:
            raise DatasetError(
                f"{self.data} was not written by gensim demos ({error}). {_ELSEWHERE}"
            ) from error
        if len(content.seeds) != content.total_episodes:
            raise DatasetError(f"{self.data} was changed after it was recorded. {_ELSEWHERE}")
        self._refuse_other(recorded, self.data)
        return metadata

    def _read_parts(self) -> set[int]:
        """The seeds of the parts."""
        path = self._parts / "run.json"
        if not os.path.lexists(path):
            # Killed while parts were deleted: what is left belongs to nothing.
            files.remove(self._parts, self.out)
            return set()
        stems = [part.stem for part in self._parts.glob("[0-9]*.hdf5")]
        seeds = {int(stem) for stem in stems if stem.isdecimal() and len(stem) < 20}
        with files_as(DatasetError, f". {_ELSEWHERE}"):
            if seeds:
                recorded = read(path, dict[str, Any], root=self.out)
                self._refuse_other(recorded, self._parts)
            for stray in self._parts.glob(".*.tmp"):
                files.remove(stray, self.out)
        return seeds

    def _refuse_other(self, recorded: dict[str, Any], where: Path) -> None:
        for key, value in self.run.to_json().items():
            if recorded.get(key) != value:
                raise DatasetError(
                    f"{where} contains episodes of {self.run.spec.id} recorded with {key} "
                    f"{recorded.get(key)!r}, not {value!r}. {_ELSEWHERE}"
                )


_ELSEWHERE = "Choose another folder with --out, or delete this one"
