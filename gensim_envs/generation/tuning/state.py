"""The state of an unfinished run in one safetensors file: weights, moments, progress."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from gensim_envs.generation.export import DataError
from gensim_envs.utils import files
from gensim_envs.utils.decode import decode, parse

STATE = "state.safetensors"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps for each weight."""


@dataclass
class Losses:
    """Mean losses of a token of the answers, in nats.

    Attributes:
        training: of each epoch, as it was before each step.
        held_out: before the first epoch and after each; empty if nothing is held out.
    """

    training: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)


@dataclass
class State:
    """How far a run is.

    Attributes:
        order: what decides its result.
        done: number of steps.
        loss: sum over the tokens of the epoch so far.
        tokens: their number.
        losses: of the finished epochs.
    """

    order: dict[str, Any]
    done: int = 0
    loss: float = 0.0
    tokens: int = 0
    losses: Losses = field(default_factory=Losses)


def save(
    path: Path, state: State, weights: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> None:
    """Write the state of a run.

    Args:
        path: the file.
        state: how far it is.
        weights: {name: weight} of all that are trained.
        optimizer: their AdamW.

    Raises:
        FileError: if it cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    for name, weight in weights.items():
        kept = {"weight": weight.detach(), **optimizer.state.get(weight, {})}
        tensors |= {f"{key}.{name}": each.contiguous().cpu() for key, each in kept.items()}
    files.write(path, safetensors.torch.save(tensors, {"state": json.dumps(asdict(state))}))


def progress(path: Path, order: dict[str, Any]) -> State:
    """How far an earlier start of the run is; a new state if there is none.

    Raises:
        DataError: if the file is damaged, or belongs to another run.
    """
    if not os.path.lexists(path):
        return State(order)
    try:
        with safetensors.safe_open(path, "pt") as file:
            state = decode(State, parse((file.metadata() or {}).get("state", "")))
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise _damaged(path, error) from error
    check_order(path, state.order, order)
    return state


def check_order(path: Path, known: dict[str, Any], order: dict[str, Any]) -> None:
    """Check that a file belongs to a run.

    Raises:
        DataError: naming what differs.
    """
    if differing := [name for name in order if known.get(name) != order[name]]:
        raise DataError(
            f"{path} belongs to a run with another {' and '.join(differing)}. Use another --out, "
            "or delete that folder"
        )


def restore(path: Path, weights: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Set weights and moments to those of a file.

    Args:
        path: from `save`.
        weights: {name: weight} of all that are trained.
        optimizer: their AdamW.

    Raises:
        DataError: if the file does not fit them.
    """
    try:
        with safetensors.safe_open(path, "pt") as file, torch.no_grad():
            names = set(file.keys())
            for name, weight in weights.items():
                weight.copy_(file.get_tensor(f"weight.{name}"))
                moments = [key for key in _MOMENTS if f"{key}.{name}" in names]
                optimizer.state[weight] = {
                    key: _like(weight, file.get_tensor(f"{key}.{name}")) for key in moments
                }
    except Exception as error:  # safetensors raises what PyTorch does with types it lacks
        raise _damaged(path, error) from error


def _like(weight: Tensor, kept: Tensor) -> Tensor:
    """A moment on the device of its weight; the number of steps stays where AdamW keeps it."""
    return kept if kept.dim() == 0 else torch.empty_like(weight).copy_(kept)


def _damaged(path: Path, error: Exception) -> DataError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return DataError(f"{path} is damaged: {reason}. Delete it to start again")
