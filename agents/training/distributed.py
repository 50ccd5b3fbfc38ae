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

_TIMEOUT = timedelta(hours=2)  # the others wait while the first one validates


class Distributed:
    """This process among those that train together.

    Args:
        device: "auto", "cpu", "cuda", "cuda:1" ...

    Attributes:
        rank: number of this process.
        size: number of processes.
        device: of this process.

    Raises:
        AgentsError: if there is no such device.
    """

    def __init__(self, device: str) -> None:
        self.rank = int(os.environ.get("RANK", 0))
        self.size = int(os.environ.get("WORLD_SIZE", 1))
        self.device = find_device(device)
        if self.size > 1:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=_TIMEOUT)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with gradients that are averaged over the processes.

        On GPUs, batch normalisation uses the statistics of the whole batch. PyTorch does not
        support that on CPUs, where each process normalises by its share of the batch.
        """
        if self.size == 1:
            return module
        if self.device.type == "cuda":
            synced: Any = nn.SyncBatchNorm
            module = synced.convert_sync_batchnorm(module)
        ids = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=ids)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in some process; a collective operation."""
        if self.size == 1:
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared)

    def close(self) -> None:
        """Destroy the process group, which the constructor created."""
        if self.size > 1:
            dist.destroy_process_group()


def check_alone(policy: str) -> None:
    """Check that this is the only process.

    Raises:
        AgentsError: if `torchrun` has started several.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise AgentsError(f"{policy} trains in one process; start it without torchrun")


def find_device(name: str) -> torch.device:
    """The device of this process.

    Raises:
        AgentsError: if there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise AgentsError(f"{name!r:.60} is not a device to train on; use auto, cpu or cuda")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise AgentsError("torch sees no CUDA device; use --device cpu, or a CUDA build")
        if int(os.environ.get("WORLD_SIZE", 1)) > 1:
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        if (device.index or 0) >= torch.cuda.device_count():
            raise AgentsError(
                f"there is no device {device}, only {torch.cuda.device_count()} CUDA devices; "
                "start fewer processes or choose another --device"
            )
        torch.cuda.set_device(device)
    return device


def supports_bf16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 natively; torch also emulates it."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    able: Mapping[str, Any] = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
