"""The state of an algorithm of Stable-Baselines3, as tensors and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from agents.checkpoint import under

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

_BUFFER = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def state(model: BaseAlgorithm) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers from which `restore` makes an equal algorithm."""
    tensors: dict[str, Tensor] = {}
    for name, part in model.get_parameters().items():
        if "param_groups" in part:  # of an optimizer: {"state": {index: {name: tensor}}, ...}
            states = part["state"].items()
            part = {f"{index}/{k}": v for index, values in states for k, v in values.items()}
        tensors |= {f"{name}/{key}": value for key, value in part.items()}
    numbers: dict[str, Any] = {"steps": model.num_timesteps}
    if (entropy := getattr(model, "log_ent_coef", None)) is not None:
        tensors["log_ent_coef"] = entropy.detach()
    if (buffer := getattr(model, "replay_buffer", None)) is not None:
        length = buffer.buffer_size if buffer.full else buffer.pos
        tensors |= {f"buffer/{k}": torch.from_numpy(getattr(buffer, k)[:length]) for k in _BUFFER}
        numbers |= {"buffer_pos": buffer.pos, "buffer_full": buffer.full}
    return tensors, numbers


def restore(model: Any, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    """The inverse of `state`, for an algorithm with the same options."""
    parts = model.get_parameters()
    for name, part in parts.items():
        own = under(f"{name}/", tensors)
        if "param_groups" not in part:
            part.update(own)
            continue
        part["state"] = {}
        for key, value in own.items():
            index, _, field = key.partition("/")
            part["state"].setdefault(int(index), {})[field] = value
    model.set_parameters(parts)
    model.num_timesteps = numbers["steps"]
    if "log_ent_coef" in tensors:
        model.log_ent_coef.data.copy_(tensors["log_ent_coef"])
    if "buffer_pos" in numbers:
        buffer = model.replay_buffer
        for name in _BUFFER:
            stored = tensors[f"buffer/{name}"].numpy()
            getattr(buffer, name)[: len(stored)] = stored
        buffer.pos, buffer.full = numbers["buffer_pos"], numbers["buffer_full"]


def log_row(model: BaseAlgorithm) -> dict[str, Any]:
    """A line of the log: means over the last 100 episodes of the segment."""
    episodes, solved = model.ep_info_buffer or (), model.ep_success_buffer or ()

    def mean(values: Sequence[float]) -> float | None:
        return float(np.mean(values)) if values else None

    return {
        "step": model.num_timesteps,
        "return": mean([each["r"] for each in episodes]),
        "length": mean([each["l"] for each in episodes]),
        "success": mean([float(each) for each in solved]),
    }
