"""The options of `gensim tune`, which are read before PyTorch is loaded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from gensim_envs.utils.cli import Positive, Seed, number, value

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "bf16", "fp32"]
_rate = functools.partial(number, fits=lambda n: 0 < n <= 1, what="a number above 0, up to 1")


@dataclass(frozen=True)
class TuneConfig:
    """Options of `gensim tune`.

    Attributes:
        base: folder of a causal language model as transformers reads it, or a GGUF file.
        data: folder that `gensim export` wrote.
        out: folder of the adapter, in which the same command resumes after a stop.
        epochs: number of passes over the examples.
        rank: rank of the adapter.
        learning_rate: maximum learning rate.
        batch: number of examples in a step.
        max_tokens: leave out longer examples.
        device: auto is a GPU if there is one.
        precision: of the base model; auto is bf16 where the hardware supports it.
        seed: seed of the adapter's first weights and of the order of the examples.
    """

    base: Annotated[Path, arg(metavar="MODEL")]
    data: Annotated[Path, arg(metavar="DIR")]
    out: Annotated[Path, arg(metavar="DIR")]
    epochs: Positive = 3
    rank: Positive = 16
    learning_rate: Annotated[float, value(_rate, "RATE")] = 2e-4
    batch: Positive = 8
    max_tokens: Positive = 8192
    device: Device = "auto"
    precision: Precision = "auto"
    seed: Seed = 0
