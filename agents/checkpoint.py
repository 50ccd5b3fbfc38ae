"""The folder of a training run: safetensors and JSON, written atomically, nothing pickled.

config.json         what was trained, on what, and how far
model.safetensors   the best weights; the header holds their step and success
last.safetensors    all that is needed to resume: weights, optimizer, step
log.jsonl           a line for each step and each validation
tensorboard/        the same for TensorBoard
candidate/          the checkpoint that is being validated
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from agents.errors import AgentsError
from gensim_envs.errors import FileError, files_as
from gensim_envs.utils import decode, files

CONFIG, MODEL, LAST, LOG = "config.json", "model.safetensors", "last.safetensors", "log.jsonl"
TENSORBOARD, CANDIDATE = "tensorboard", "candidate"
_FILES = (MODEL, LAST, LOG, TENSORBOARD, CANDIDATE)  # which only a run with a config.json has

RESUMES = "the same command resumes from the last checkpoint, unless it has --overwrite"

Tensors = Mapping[str, torch.Tensor]
_LARGEST = 2**33  # bytes of a file of tensors


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder of a run, which is created if it is missing.

    Raises:
        AgentsError: if another process holds it, or a file in it cannot be written.
    """
    busy = AgentsError(
        f"another process is working in {folder}; wait for it or choose another --out"
    )
    remedy = f". Once that is fixed, {RESUMES}"
    with files_as(AgentsError, remedy), files.locked(folder, busy):
        files.refuse_links(folder)  # TensorBoard's, for one, writes by itself
        yield


def find_run(out: Path, overwrite: bool, described: Mapping[str, Any]) -> dict[str, Any] | None:
    """The config.json of the run in a folder; None if there is none to resume.

    Args:
        out: folder of a run.
        overwrite: whether the run in the folder is to be replaced.
        described: `config` and `training` of the run that was asked for.

    Raises:
        AgentsError: if the folder holds another run, or files without a config.json, which may
            belong to one.
    """
    if overwrite:
        return None
    found = load_json(out / CONFIG) if (out / CONFIG).exists() else None
    if found is None:
        names = [name for name in _FILES if (out / name).exists()]
        differ = [f"it has {name} but no {CONFIG}" for name in names[:1]]
    else:
        differ = _differences(found, as_json(described))
    if differ:
        raise AgentsError(
            f"{out} holds another run: {'; '.join(differ[:3])}. Choose another --out, or "
            "--overwrite it"
        )
    return found


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    parts = [there.get("training"), there.get("config")]
    if not all(isinstance(part, dict) for part in parts) or "finished" not in there["training"]:
        return [f"its {CONFIG} is not that of a run"]
    return [
        f"{name} is {there[part].get(name)} there and {value} here"
        for part in ("training", "config")
        for name, value in here[part].items()
        if there[part].get(name) != value
    ]


def is_finished(out: Path, found: Mapping[str, Any] | None) -> bool:
    """Whether the result of `find_run` is a finished run; if so, a line says it."""
    finished = found is not None and bool(found["training"]["finished"])
    if finished:
        print(f"{out} is finished; --overwrite trains it again")
    return finished


def as_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value as JSON would give it back: lists for tuples, text for paths."""
    made: dict[str, Any] = json.loads(json.dumps(value, default=str))
    return made


def clear(folder: Path) -> None:
    """Delete the files of a run."""
    for name in (CONFIG, *_FILES):
        files.remove(folder / name)


def save_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object."""
    files.write(path, (json.dumps(value, indent=2) + "\n").encode())


def load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        AgentsError: if the file is missing or malformed.
    """
    try:
        return decode.read(path, dict[str, Any])
    except FileError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise AgentsError(
                f"{path.parent} is not a checkpoint: {path.name} is missing; give the --out of "
                "`python -m agents train`"
            ) from None
        raise AgentsError(f"{error}; train again or download it again") from error


def save_tensors(path: Path, tensors: Tensors, info: Mapping[str, Any]) -> None:
    """Write tensors by name, and JSON in the header of the file."""
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    files.write(path, safetensors.torch.save(plain, {"info": json.dumps(info)}))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read tensors and the JSON of the header.

    Raises:
        AgentsError: if the file is missing or malformed.
    """
    try:
        files.open_regular(path, limit=_LARGEST).close()
        with safetensors.safe_open(path, "pt") as file:
            info = decode.parse((file.metadata() or {}).get("info", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, decode.decode(dict[str, Any], info)
    except FileNotFoundError:
        raise AgentsError(f"{path} is missing; train again or download it again") from None
    except Exception as error:  # safetensors raises what PyTorch does with types it lacks
        raise AgentsError(
            f"{path} cannot be read ({error!s:.200}); train again or download it again"
        ) from error


def under(prefix: str, tensors: Tensors) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def load_info(path: Path) -> dict[str, Any]:
    """The JSON in the header of a file of `save_tensors`; empty if there is no file."""
    return load_tensors(path)[1] if path.exists() else {}
