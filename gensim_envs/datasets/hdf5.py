"""Write episodes to HDF5 in Minari's layout: lossless, compressed and reproducible byte for byte.

Minari's own writer stores images as JPEG or uncompressed. Its reader decompresses by itself.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

_FRAME = 1024  # bytes of one time step from which on each is compressed and can be read alone
_LEVEL = 4  # of gzip: level 9 saves 5 % more and takes five times as long


def pack(episode: Mapping[str, Any], seed: int) -> bytes:
    """Write one episode to an HDF5 file in memory.

    Args:
        episode: arrays, and dicts of arrays, with time first: `observations` and `infos` of
            steps + 1, `actions`, `rewards`, `terminations` and `truncations` of steps.
        seed: seed of the episode's reset.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        group = file.create_group("episode")
        # `Folder.assemble` overwrites the id in place: equal bytes, whether copied once or again.
        group.attrs["id"] = 0
        group.attrs["seed"] = seed
        group.attrs["total_steps"] = len(episode["rewards"])
        _put(group, episode)
    return buffer.getvalue()


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


def texts(instructions: list[str]) -> NDArray[Any]:
    """Encode instructions as an array of UTF-8 of fixed length, (n,) bytes."""
    encoded = [instruction.encode() for instruction in instructions]
    longest = max(1, *map(len, encoded))
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", longest))
