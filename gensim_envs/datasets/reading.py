"""Read Minari datasets with h5py alone.

Datasets may come from anyone. Nothing in them is executed, no link to another file is followed, and
no array is read that is larger than its file can hold. Where a dataset was recorded by this suite,
its metadata has the hash of its main file: HDF5 never sees a damaged one, which it might read
without end.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from gensim_envs.errors import DatasetError, FileError
from gensim_envs.utils import decode, files
from gensim_envs.utils.decode import DecodeError, Line, Range, Size, Text

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

METADATA, MAIN = "metadata.json", "main_data.hdf5"
_MOST = 2**26  # bytes of an array of an episode without images, and of a metadata.json
_RATIO = 1100  # gzip compresses to a thousandth at best
_TEXT = 10_000  # bytes of an instruction
MOST_BYTES = 2**40  # of a main file
_STEPS = 10_000  # of an episode
_Name = Annotated[str, Line(), Size(1, 1000)]
_Bound = Annotated[int, Range(0, 100_000)]
_RECORDED_WITH: dict[str, Any] = {
    "perturb": Annotated[list[_Name], Size(0, 100)],
    "disturb": Annotated[float, Range(0, 1)],
}


def find(dataset: Path) -> list[Path]:
    """The `data` folders of datasets, in sorted order.

    Args:
        dataset: a folder of datasets, which may be one itself; or the id of a dataset, such as
            "gensim/BuildWheel/oracle-v0", in the folder that MINARI_DATASETS_PATH names or in
            Minari's own.

    Raises:
        DatasetError: if there are none.
    """
    local = files.absolute(os.environ.get("MINARI_DATASETS_PATH") or "~/.minari/datasets")
    folder = Path(os.path.expanduser(dataset))
    if not folder.exists() and (local / dataset).exists():
        folder = local / dataset
    found = sorted(path.parent for path in folder.rglob(METADATA) if path.parent.name == "data")
    if (folder / METADATA).exists():
        found = [folder]
    if not found:
        raise DatasetError(
            f"{folder} has no Minari dataset, and {local} has none of this name. "
            "`gensim demos` and `python -m agents export` record datasets"
        )
    return found


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk.

    Attributes:
        path: its `data` folder.
        env_id: id of the environment; of the dataset if the metadata lack it.
        action_low: lower bounds of actions, as in the metadata.
        action_high: upper bounds of actions.
        state_bounds: capacity of the state vector by kind of row; empty if unknown.
        recorded_with: `perturb` and `disturb`, as in the metadata; without what they lack.
    """

    path: Path
    env_id: str
    action_low: Any
    action_high: Any
    state_bounds: dict[str, int]
    recorded_with: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> Dataset:
        """Read the metadata of a dataset from its `data` folder.

        Raises:
            DatasetError: if it cannot be read or is not valid, or the main file is damaged.
        """
        try:
            metadata = decode.read(path / METADATA, dict[str, Any], limit=_MOST)
            space = _json_object(metadata.get("action_space"))
            spec = _json_object(metadata.get("env_spec") or "{}")
            sha256 = metadata.get("main_data_sha256")
            if sha256 is not None:  # it also differs while a recording is finished
                main = path / MAIN
                with files.errors(main, "read"), files.open_regular(main, limit=MOST_BYTES) as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                        raise DatasetError(f"{main} is damaged. Record it again")
            env_id = decode.decode(_Name, spec.get("id") or metadata.get("dataset_id") or str(path))
            bounds = decode.decode(dict[str, _Bound], metadata.get("state_bounds", {}))
            recorded_with: dict[str, Any] = {
                name: decode.decode(shape, metadata[name])
                for name, shape in _RECORDED_WITH.items()
                if name in metadata
            }
        except FileError as error:
            raise DatasetError(f"{error}. Record the dataset again") from error
        except DecodeError as error:
            raise DatasetError(f"{path / METADATA} is malformed: {error}") from error
        low, high = space.get("low"), space.get("high")
        return cls(path, env_id, low, high, bounds, recorded_with)

    def episodes(self) -> Iterator[Episode]:
        """The episodes in their order; each can be read until the next one is asked for.

        Raises:
            DatasetError: if the main file cannot be read.
        """
        import h5py

        with _hdf5_errors(self.path / MAIN):
            files.open_regular(self.path / MAIN, limit=MOST_BYTES).close()
        with _hdf5_errors(self.path / MAIN), h5py.File(self.path / MAIN, "r") as file:
            for index in range(sum(name.startswith("episode_") for name in file)):
                what = f"{self.path}, episode {index}"
                yield Episode(_member(file, f"episode_{index}"), what)


class Episode:
    """An episode of an open file.

    Attributes:
        what: the dataset and the episode, for messages.
        seed: seed of the reset; 0 if unknown.
        steps: number of actions.
    """

    def __init__(self, group: h5py.Group, what: str) -> None:
        self.what = what
        self._group = group
        with _hdf5_errors(what):
            self.seed = int(group.attrs.get("seed") or 0)
            self.steps = int(_array(group, "actions").shape[0])
            if self.steps > _STEPS:
                raise ValueError(f"it has {self.steps} actions, more than {_STEPS}")

    def __contains__(self, name: str) -> bool:
        """Whether there is an array or group of this name, such as "infos/success".

        Raises:
            DatasetError: a part of the name is a link, which would open another file.
        """
        with _hdf5_errors(self.what):
            try:
                _member(self._group, name)
            except KeyError:
                return False
            return True

    def array(self, name: str) -> NDArray[Any]:
        """An array of numbers as a whole.

        Raises:
            DatasetError: it is missing, too large or not an array of numbers.
        """
        with _hdf5_errors(self.what):
            item = _array(self._group, name)
            if item.dtype.kind not in "biuf" or item.nbytes > _MOST:
                raise TypeError(f"{name} is not an array of up to {_MOST} bytes of numbers")
            return np.asarray(item[()])

    def frames(self, name: str, dtype: str, shape: tuple[int, ...]) -> Iterator[NDArray[Any]]:
        """The entries of an array, one for each action.

        Args:
            name: name of the array.
            dtype: dtype of an entry.
            shape: shape of an entry.

        Raises:
            DatasetError: it is missing, has another dtype or shape, or too few entries.
        """
        with _hdf5_errors(self.what):
            item = _array(self._group, name)
            if item.dtype != dtype or item.shape[1:] != shape or len(item) < self.steps:
                raise TypeError(
                    f"{name} is {item.dtype} {item.shape}, not {dtype} {(self.steps + 1, *shape)}"
                )
            for step in range(self.steps):
                yield np.asarray(item[step])

    def texts(self, name: str) -> list[str]:
        """An array of texts, such as "infos/instruction", as long as there are actions.

        Raises:
            DatasetError: it is missing, too short or not of texts.
        """
        with _hdf5_errors(self.what):
            item = _array(self._group, name)
            if item.ndim != 1 or len(item) < self.steps or item.dtype.itemsize > _TEXT:
                raise TypeError(f"{name} is not a list of {self.steps} texts")
            texts = []
            for step in range(self.steps):
                # One at a time, since texts of variable length may all refer to one that is huge.
                text = item[step]
                if not isinstance(text, bytes) or len(text) > _TEXT:
                    raise TypeError(
                        f"{name} has an entry that is not a text of up to {_TEXT} bytes"
                    )
                texts.append(text.decode())
            return texts


def _member(group: h5py.Group, name: str) -> Any:
    """A group or array that lies in the same file, without following links."""
    import h5py

    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or part not in group:
            raise KeyError(f"{name} is missing")
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise TypeError(f"{name} is a link")
        group = group[part]
    return group


def _array(group: h5py.Group, name: str) -> h5py.Dataset:
    """An array that lies in the file and is no larger than what its bytes there can hold."""
    import h5py

    item = _member(group, name)
    # This first: asking a virtual array for its shape opens the files that it refers to.
    if isinstance(item, h5py.Dataset) and (item.external is not None or item.is_virtual):
        raise TypeError(f"{name} refers to another file")
    if not isinstance(item, h5py.Dataset) or not item.ndim:
        raise TypeError(f"{name} is not an array")
    if item.nbytes > _RATIO * item.id.get_storage_size() + _TEXT:
        raise TypeError(f"{name} claims to be larger than its file can hold")
    if item.chunks and math.prod(item.chunks) * item.dtype.itemsize > _MOST:
        # Reading one entry decompresses its chunk, which may be much larger than the array.
        raise TypeError(f"{name} is stored in chunks of more than {_MOST} bytes")
    return item


def check_contained(file: h5py.File, path: Path) -> None:
    """Check that a file refers to no other one, before parts of it are copied.

    Args:
        file: the open file.
        path: names it in an error.

    Raises:
        DatasetError: naming what refers to another file.
    """
    import h5py

    seen: set[int] = set()

    def check(group: h5py.Group) -> None:
        place = h5py.h5o.get_info(group.id).addr
        if place in seen:  # hard links may give a group many names, in itself too
            return
        seen.add(place)
        for name in group:
            item = _member(group, name)
            if isinstance(item, h5py.Group):
                check(item)
            else:
                _array(group, name)

    with _hdf5_errors(path):
        check(file)


def _json_object(text: Any) -> dict[str, Any]:
    """An object that is kept as JSON text, as Minari keeps spaces and specs."""
    return decode.decode(dict[str, Any], decode.parse(decode.decode(Text, text), limit=_MOST))


@contextlib.contextmanager
def _hdf5_errors(what: object) -> Iterator[None]:
    """Name the place of an error. h5py has no error of its own: HDF5's come as one of these."""
    try:
        yield
    except (
        OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, OverflowError,
        MemoryError,
    ) as error:  # fmt: skip
        reason = error.args[0] if isinstance(error, KeyError) else error
        raise DatasetError(f"{what} cannot be read: {reason}. Record the dataset again") from error
