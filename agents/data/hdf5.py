"""Texts and arrays in one HDF5 file, whose reading runs no code and follows no link.

The file ends with a hash of what stands before, which HDF5 ignores. A damaged file is so refused
before HDF5 reads it, which a few changed bytes can make go on without end.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from agents.errors import AgentsError

Tables = dict[str, NDArray[Any]]


def pack(format: str, texts: Mapping[str, Any], tables: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a file.

    Args:
        format: name of the layout, which `unpack` asks for.
        texts: a JSON value.
        tables: name -> array of numbers; a "/" in a name makes groups.
    """
    # In memory first: HDF5 ends the process when a disk does not take what it writes.
    with h5py.File("packed", "w", driver="core", backing_store=False) as file:
        file.attrs["format"] = format
        file["texts"] = np.frombuffer(json.dumps(texts).encode(), np.uint8)
        for name, table in tables.items():
            file[f"tables/{name}"] = table
        file.flush()
        image = file.id.get_file_image()
    assert isinstance(image, bytes)
    return image + _hash(image)


def _hash(image: bytes) -> bytes:
    return hashlib.sha256(image).digest()


def unpack(format: str, data: bytes) -> tuple[Any, Tables]:
    """What `pack` was given.

    Raises:
        AgentsError: where the bytes are not of such a file.
    """
    size = hashlib.sha256().digest_size
    if len(data) < size or _hash(data[:-size]) != data[-size:]:
        raise AgentsError("it is damaged, or another kind of file")
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            if file.attrs.get("format") != format:
                raise AgentsError(f"it is not of the format {format!r}")
            names: list[str] = []
            file["tables"].visititems(
                lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
            )
            texts = json.loads(_array(file, "texts", len(data)).tobytes())
            return texts, {name: _array(file, f"tables/{name}", len(data)) for name in names}
    # h5py has no error of its own: HDF5's come as one of these, and so do Python's for odd types.
    except (
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:
        raise AgentsError(f"it is another kind of file ({error})") from error


def _array(file: h5py.File, name: str, most: int) -> NDArray[Any]:
    """One array, once it is known to lie in this file and to be no larger than that."""
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iuf":
        raise AgentsError(f"{name} is no array of numbers")
    plain = item.chunks is None and item.external is None and not item.is_virtual
    if not plain or item.nbytes > most or item.id.get_storage_size() != item.nbytes:
        raise AgentsError(f"{name} is not stored plainly in the file")
    return np.asarray(item[()])
