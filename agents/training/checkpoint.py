"""The folder of a training run: safetensors and JSON, written atomically, nothing pickled.

agent.json          what was trained, on what, how far
model.safetensors   the weights to use; the header says of which step and how good they are
last.safetensors    everything that is needed to go on: weights, optimizer, averages, step
log.jsonl           a line for each step and each validation
tensorboard/        the same for TensorBoard
candidate/          while it is validated: the checkpoint
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from agents.errors import AgentsError
from agents.files import disk_errors, write

AGENT, MODEL, LAST, LOG = "agent.json", "model.safetensors", "last.safetensors", "log.jsonl"
TENSORBOARD, CANDIDATE = "tensorboard", "candidate"

Tensors = Mapping[str, torch.Tensor]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a run's folder, which is made where it is missing.

    Raises:
        AgentsError: another process holds it, or it cannot be made.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # The kernel releases the lock when the process ends, in whatever way.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AgentsError(
            f"another process is training in {folder}; wait for it or choose another --out"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def found(folder: Path, overwrite: bool) -> dict[str, Any] | None:
    """What agent.json says of the run in a folder; None where there is none to go on with.

    Args:
        folder: of a run, or where one is to be.
        overwrite: whether what is there is to be replaced.

    Raises:
        AgentsError: there are such files without it, which may be another program's.
    """
    if overwrite:
        return None
    if (folder / AGENT).exists():
        return load_json(folder / AGENT)
    for name in (MODEL, LAST, LOG, TENSORBOARD, CANDIDATE):
        if (folder / name).exists():
            raise AgentsError(
                f"{folder} holds another run: it has {name} and no {AGENT}. Choose another --out, "
                "or --overwrite it"
            )
    return None


def clear(folder: Path) -> None:
    """Removes a run from its folder."""
    with disk_errors(folder):
        for name in (AGENT, LAST, MODEL, LOG):
            (folder / name).unlink(missing_ok=True)
        for name in (TENSORBOARD, CANDIDATE):
            shutil.rmtree(folder / name, ignore_errors=True)


def save_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes one JSON object."""
    write(path, (json.dumps(value, indent=2) + "\n").encode())


def load_json(path: Path) -> dict[str, Any]:
    """Reads one JSON object.

    Raises:
        AgentsError: there is none.
    """
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise AgentsError(
            f"{path.parent} is no checkpoint: it has no {path.name}; give the --out of a "
            "`python -m agents train`"
        ) from None
    except (OSError, ValueError) as error:
        raise AgentsError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise AgentsError(f"{path} holds no JSON object; train again or fetch it anew")
    return value


def save_tensors(path: Path, tensors: Tensors, about: Mapping[str, Any]) -> None:
    """Writes tensors by name, and JSON about them in the file's header."""
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write(path, safetensors.torch.save(plain, {"about": json.dumps(about)}))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Reads what `save_tensors` wrote.

    Raises:
        AgentsError: the file is missing or malformed.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except FileNotFoundError:
        raise AgentsError(f"{path} is missing; train again or fetch it anew") from None
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise AgentsError(
            f"{path} cannot be read ({error}); train again or fetch it anew"
        ) from error


def load_header(path: Path) -> dict[str, Any]:
    """The JSON in the header of a file of `save_tensors`; empty where there is no file."""
    if not path.exists():
        return {}
    return load_tensors(path)[1]
