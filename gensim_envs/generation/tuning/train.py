"""Train an adapter on exported examples.

adapter_model.safetensors, adapter_config.json   the adapter, as peft reads it
adapter.gguf         the same for llama.cpp, where the architecture is known
tune.json            the options and the losses of a finished run
state.safetensors    the state of an unfinished one

A run that is resumed ends with the same bits as one that was not stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peft
import safetensors.torch
import torch
from torch import Tensor

from gensim_envs.errors import GensimError, files_as
from gensim_envs.generation.export import HELD_OUT, TRAIN, DataError, read_data
from gensim_envs.generation.tuning.base import find_device, find_precision, load, with_adapter
from gensim_envs.generation.tuning.config import TuneConfig
from gensim_envs.generation.tuning.convert import write_gguf
from gensim_envs.generation.tuning.samples import Sample, samples
from gensim_envs.generation.tuning.state import (
    STATE,
    Losses,
    State,
    check_order,
    progress,
    restore,
    save,
)
from gensim_envs.utils import files
from gensim_envs.utils.decode import read
from gensim_envs.utils.progress import Progress

WEIGHTS, CONFIG, GGUF, SUMMARY = (
    "adapter_model.safetensors", "adapter_config.json", "adapter.gguf", "tune.json",
)  # fmt: skip
WARM_UP = 0.1
"""Share of the steps over which the learning rate rises; over the others it falls to 0."""
_DECISIVE = ("epochs", "rank", "learning_rate", "batch", "max_tokens", "seed")
LONGEST_GRADIENT = 1.0
"""Gradients are scaled down to this norm."""


class TuneError(GensimError):
    """The training failed; the message says why, and what to change."""


@dataclass(frozen=True)
class Summary:
    """The content of tune.json."""

    order: dict[str, Any]
    losses: Losses


def tune(config: TuneConfig, say: Callable[[str], None], shown: Progress) -> Losses:
    """Train an adapter, or go on with one whose training was stopped.

    Args:
        config: the options.
        say: called with a line about each epoch.
        shown: counts the examples.

    Raises:
        DataError: if the base, the data or the state of a stopped run cannot be used.
        TuneError: if the training fails, or another process works in the folder.
        FileError: if a file cannot be written.
    """
    busy = TuneError(f"another process works in {config.out}. Use another --out")
    with files.locked(config.out, busy):
        return _tune(config, say, shown)


def _tune(config: TuneConfig, say: Callable[[str], None], shown: Progress) -> Losses:
    content = read_data(config.data, least=1)
    device = find_device(config.device)
    precision = find_precision(config.precision, device)
    order = _order(config, content) | {"precision": precision}
    if os.path.lexists(config.out / SUMMARY):
        return _finished(config.out, order).losses
    state = progress(config.out / STATE, order)
    say(f"loading {config.base}")
    tokenizer, model = load(config.base, device, precision)
    window = getattr(model.config, "max_position_embeddings", config.max_tokens)
    limit = min(config.max_tokens, window)
    sides = {name: samples(content.get(name, b""), tokenizer, limit) for name in (TRAIN, HELD_OUT)}
    for name, found in sides.items():
        if left_out := len(content.get(name, b"").splitlines()) - len(found):
            say(f"{name}: left out {left_out} examples of more than {limit} tokens")
    if not sides[TRAIN]:
        raise DataError(
            f"no example has at most {limit} tokens. Use data of gensim export --prompt short, or "
            "a larger --max-tokens"
        )
    adapted = with_adapter(model, config.rank, config.seed)
    _Training(config, adapted, state, sides, precision == "bf16").run(say, shown)
    return state.losses


def _order(config: TuneConfig, content: dict[str, bytes]) -> dict[str, Any]:
    """What decides the result: the options, and hashes of the files."""
    if not config.base.exists():
        raise DataError(
            f"{config.base} does not exist. --base is a folder of a model, or a GGUF file"
        )
    paths = sorted(config.base.glob("*")) if config.base.is_dir() else [config.base]
    return {
        **{name: getattr(config, name) for name in _DECISIVE},
        # Their sizes stand for the weights, which may take minutes to read.
        "base": [[path.name, path.stat().st_size] for path in paths if path.is_file()],
        "data": {name: hashlib.sha256(each).hexdigest() for name, each in content.items()},
    }


def _finished(out: Path, order: dict[str, Any]) -> Summary:
    """The summary of a run that ended before.

    Raises:
        DataError: if it is damaged, or belongs to another run.
    """
    with files_as(DataError, ". Delete it to start again"):
        found = read(out / SUMMARY, Summary)
    check_order(out / SUMMARY, found.order, order)
    return found


class _Training:
    """The loop. All that changes is in the weights, the optimizer and the state."""

    def __init__(
        self,
        config: TuneConfig,
        model: Any,
        state: State,
        sides: dict[str, list[Sample]],
        bf16: bool,
    ) -> None:
        self._config = config
        self._model = model
        self._state = state
        self._bf16 = bf16
        self._train, self._held_out = sides[TRAIN], sides[HELD_OUT]
        self._weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._optimizer = torch.optim.AdamW(
            self._weights.values(), lr=config.learning_rate, weight_decay=0.0
        )
        self._per_epoch = math.ceil(len(self._train) / config.batch)
        self._steps = config.epochs * self._per_epoch
        if os.path.lexists(config.out / STATE):
            restore(config.out / STATE, self._weights, self._optimizer)

    def run(self, say: Callable[[str], None], shown: Progress) -> None:
        """Train to the end, and write the adapter."""
        state = self._state
        self._describe(say, shown)
        with self._saved_if_stopped():
            if self._held_out and not state.losses.held_out:
                state.losses.held_out.append(self._held_out_loss())
                say(f"before: held-out loss {state.losses.held_out[0]:.3f}")
        while True:
            with self._saved_if_stopped():
                if len(state.losses.training) < state.done // self._per_epoch:
                    self._end_epoch(say)
                if state.done == self._steps:
                    break
                self._add_gradients(self._batch(), shown)
            self._update()  # a stop within this moment goes back to the last save
        self._write(say)

    def _describe(self, say: Callable[[str], None], shown: Progress) -> None:
        weights = sum(weight.numel() for weight in self._weights.values())
        say(
            f"{len(self._train)} examples and {len(self._held_out)} held out; {self._steps} steps "
            f"for {weights / 1e6:.3g} million weights on {self._model.device.type}"
        )
        if self._state.done:
            say(f"resuming after step {self._state.done}")
        epochs, steps = divmod(self._state.done, self._per_epoch)
        shown.expect(self._config.epochs * len(self._train))
        shown.advance(epochs * len(self._train) + steps * self._config.batch)

    def _batch(self) -> list[Sample]:
        """The examples of the next step; their order is drawn for each epoch."""
        epoch, step = divmod(self._state.done, self._per_epoch)
        order = np.random.default_rng([self._config.seed, epoch]).permutation(len(self._train))
        first = step * self._config.batch
        return [self._train[k] for k in order[first : first + self._config.batch]]

    def _add_gradients(self, batch: list[Sample], shown: Progress) -> None:
        """Add up the gradients of a batch, one example at a time, so that none is padded."""
        tokens = sum(sample.learnt for sample in batch)
        self._optimizer.zero_grad()
        total = 0.0
        for sample in batch:
            loss = self._loss(sample)
            (loss / tokens).backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            shown.advance(1, loss=f"{loss.item() / sample.learnt:.3f}")
        if not math.isfinite(total):
            raise TuneError("the loss is not finite. Use a lower --learning-rate")
        self._state.loss += total
        self._state.tokens += tokens

    def _update(self) -> None:
        torch.nn.utils.clip_grad_norm_(self._weights.values(), LONGEST_GRADIENT)
        done, warm_up = self._state.done, max(1, round(WARM_UP * self._steps))
        share = min((done + 1) / warm_up, (self._steps - done) / max(1, self._steps - warm_up))
        self._optimizer.param_groups[0]["lr"] = self._config.learning_rate * share
        self._optimizer.step()
        self._state.done += 1

    def _loss(self, sample: Sample) -> Tensor:
        """The loss of an answer, summed over its tokens."""
        tokens = torch.tensor([sample.tokens], device=self._model.device)  # (1, tokens)
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=self._bf16):
            out = self._model(input_ids=tokens, use_cache=False, logits_to_keep=sample.learnt + 1)
        logits = out.logits[0, -sample.learnt - 1 : -1]  # (learnt, words); the last one's left out
        target = tokens[0, sample.prompt :]
        return torch.nn.functional.cross_entropy(logits.float(), target, reduction="sum")

    @torch.no_grad()
    def _held_out_loss(self) -> float:
        """The mean over the tokens of all held-out answers."""
        total = sum(self._loss(sample).item() for sample in self._held_out)
        return total / sum(sample.learnt for sample in self._held_out)

    def _end_epoch(self, say: Callable[[str], None]) -> None:
        state = self._state
        text = f"epoch {len(state.losses.training) + 1} of {self._config.epochs}: training loss "
        text += f"{state.loss / state.tokens:.3f}"
        if self._held_out:
            state.losses.held_out.append(self._held_out_loss())
            text += f", held-out loss {state.losses.held_out[-1]:.3f}"
        state.losses.training.append(state.loss / state.tokens)
        state.loss, state.tokens = 0.0, 0
        self._save()
        say(text)

    @contextlib.contextmanager
    def _saved_if_stopped(self) -> Iterator[None]:
        """Save the state before Ctrl-C goes on, and name a shortage of memory."""
        try:
            yield
        except KeyboardInterrupt:
            self._save()
            raise
        except torch.OutOfMemoryError as error:
            raise TuneError(
                "the GPU's memory is too small. Use data of gensim export --prompt short, a "
                "smaller --max-tokens, or --device cpu"
            ) from error

    def _save(self) -> None:
        save(self._config.out / STATE, self._state, self._weights, self._optimizer)

    def _write(self, say: Callable[[str], None]) -> None:
        """Write the adapter, and what was done."""
        out, options = self._config.out, self._model.peft_config["default"]
        options.inference_mode = True
        state_dict = peft.get_peft_model_state_dict(self._model, save_embedding_layers=False)
        adapter = {name: each.detach().float().cpu() for name, each in state_dict.items()}
        files.write(out / WEIGHTS, safetensors.torch.save(adapter, {"format": "pt"}))
        files.write(out / CONFIG, _json(options.to_dict()))
        arrays = {name: each.numpy() for name, each in adapter.items()}
        if write_gguf(out / GGUF, arrays, self._model.config, options.lora_alpha):
            say(f"wrote {out / GGUF} for llama.cpp")
        files.write(out / SUMMARY, _json(asdict(Summary(self._state.order, self._state.losses))))
        files.remove(out / STATE)


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, default=sorted) + "\n").encode()  # sets become lists
