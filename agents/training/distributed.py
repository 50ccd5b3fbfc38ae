"""The processes that train together: one, or as many as `torchrun` has started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from agents.errors import AgentsError

_PATIENCE = timedelta(hours=2)  # for the others while the first one validates


class Team:
    """This process among those that train together.

    Args:
        device: as in the config: "auto", "cpu", "cuda", "cuda:1" ...

    Attributes:
        rank: number of this process.
        size: number of processes.
        device: that this process computes on.

    Raises:
        AgentsError: there is no such device.
    """

    def __init__(self, device: str) -> None:
        self.rank = int(os.environ.get("RANK", 0))
        self.size = int(os.environ.get("WORLD_SIZE", 1))
        self.device = device_of(device)
        self._joined = self.size > 1 and not dist.is_initialized()
        if self._joined:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=_PATIENCE)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def wrapped(self, module: nn.Module) -> nn.Module:
        """The module, whose gradients are averaged over the team.

        On GPUs its batch normalisation sees the whole batch. PyTorch has none for CPUs that does:
        there each process normalises by its share of the batch.
        """
        if self.size == 1:
            return module
        if self.device.type == "cuda":
            synced: Any = nn.SyncBatchNorm
            module = synced.convert_sync_batchnorm(module)
        ids = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=ids)

    def any(self, flag: bool) -> bool:
        """Whether some process says so; all have to ask."""
        if self.size == 1:
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared)

    def leave(self) -> None:
        """Ends what the constructor began."""
        if self._joined:
            dist.destroy_process_group()


def device_of(name: str) -> torch.device:
    """The device of a name, of this process among those that `torchrun` has started.

    Raises:
        AgentsError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise AgentsError(f"{name!r:.60} is no device; use auto, cpu or cuda") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise AgentsError("torch sees no CUDA device; use --device cpu, or a CUDA build")
        if int(os.environ.get("WORLD_SIZE", 1)) > 1:
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        if (device.index or 0) >= torch.cuda.device_count():
            raise AgentsError(
                f"there are {torch.cuda.device_count()} CUDA devices, so none is {device}; "
                "start fewer processes or choose another --device"
            )
        torch.cuda.set_device(device)
    return device


def bf16_is_native(device: torch.device) -> bool:
    """Whether bfloat16 saves time on a device: torch also takes it where it is emulated."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    able: Mapping[str, Any] = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
