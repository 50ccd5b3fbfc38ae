"""Episodes in HDF5, as Minari lays them out, but lossless, compressed and byte for byte equal.

Minari's own writer stores images as JPEG or uncompressed. Filters are transparent to its reader.
"""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.datasets.folder import Folder

MAIN = "main_data.hdf5"
_FRAME = 1024  # bytes of one time step from which on each is compressed and can be read alone
_LEVEL = 4  # of gzip: level 9 saves 5 % more and takes five times as long


def pack(episode: Mapping[str, Any], seed: int) -> bytes:
    """One episode as an HDF5 file.

    Args:
        episode: arrays, and dicts of arrays, with time first: `observations` and `infos` of
            steps + 1, `actions`, `rewards`, `terminations` and `truncations` of steps.
        seed: with which the env was reset.
    """
    with h5py.File("part", "w", driver="core", backing_store=False) as file:
        group = file.create_group("episode")
        # `assemble` overwrites the id in place: equal bytes, whether copied once or again.
        group.attrs["id"] = 0
        group.attrs["seed"] = seed
        group.attrs["total_steps"] = len(episode["rewards"])
        _put(group, episode)
        file.flush()
        image = file.id.get_file_image()
    assert isinstance(image, bytes)
    return image


def _put(group: h5py.Group, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _put(group.create_group(name), value)
        elif value[0].nbytes < _FRAME:
            group.create_dataset(name, data=value)
        else:
            chunk = (1, *value.shape[1:])
            group.create_dataset(
                name, data=value, chunks=chunk, compression="gzip", compression_opts=_LEVEL
            )


def texts(sentences: list[str]) -> NDArray[Any]:
    """Sentences as an array of UTF-8 that HDF5 and Minari hold well, (n,) bytes."""
    encoded = [sentence.encode() for sentence in sentences]
    longest = max(1, *map(len, encoded))
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", longest))


class _Sink(io.FileIO):
    """A file that takes everything and says afterwards whether it could.

    On a full disk HDF5 ends the process with a segmentation fault, so it must not hear of it.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while rest and self.error is None:
            rest = rest[self._try(super().write, rest) :]
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        return self._try(super().truncate, size)

    def _try(self, act: Callable[[Any], int], argument: Any) -> int:
        try:
            return act(argument)
        except OSError as error:
            self.error = self.error or error
            return 0


def assemble(folder: Folder, seeds: Iterable[int], path: Path) -> int:
    """Write the episodes of seeds, in their order, as Minari's main file.

    Compressed frames are copied as they are, from the present dataset or from parts.

    Returns:
        The number of steps.

    Raises:
        OSError: where the disk does not take it.
    """
    present = (
        {} if folder.metadata is None else {s: k for k, s in enumerate(folder.metadata["seeds"])}
    )
    steps = 0
    with _Sink(path, "w+") as sink:
        try:
            with h5py.File(sink, "w") as file:
                for index, seed in enumerate(seeds):
                    old = seed in present
                    source = folder.data / MAIN if old else folder.part(seed)
                    name = f"episode_{index}"
                    with h5py.File(source, "r") as part:
                        part.copy(f"episode_{present[seed]}" if old else "episode", file, name)
                    file[name].attrs.modify("id", index)
                    steps += int(file[name].attrs["total_steps"])
                    if sink.error is not None:
                        break
        except (OSError, RuntimeError):
            if sink.error is None:
                raise
        if sink.error is not None:
            raise sink.error
        os.fsync(sink.fileno())
    return steps


def space_json(space: spaces.Space[Any]) -> str:
    """A space as Minari writes it, in half the room: its bounds are lists of each pixel's."""
    from minari.serialization import serialize_space

    return json.dumps(_short(json.loads(serialize_space(space))), separators=(",", ":"))


def _short(space: dict[str, Any]) -> dict[str, Any]:
    if "subspaces" in space:
        inner = space["subspaces"]
        if isinstance(inner, dict):
            return space | {"subspaces": {name: _short(part) for name, part in inner.items()}}
        return space | {"subspaces": [_short(part) for part in inner]}
    if space.get("dtype") == "float32":
        return space | {key: _each(space[key]) for key in ("low", "high")}
    return space


def _each(bound: Any) -> Any:
    return [_each(part) for part in bound] if isinstance(bound, list) else _shortest(bound)


@functools.lru_cache
def _shortest(value: float) -> float:
    """The number with the fewest digits that is the same float32."""
    short = float(str(np.float32(value)))
    return int(short) if short.is_integer() else short
