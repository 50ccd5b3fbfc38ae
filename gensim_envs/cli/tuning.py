"""Commands that tune a model on a library: export, tune and finetune."""

from __future__ import annotations

import functools
import shlex
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from tyro.conf import arg

from gensim_envs.cli.shared import Folder, check_writable, open_library, warn
from gensim_envs.generation.tuning.config import TuneConfig
from gensim_envs.printing import printable
from gensim_envs.utils.cli import Seed, UsageError, number, value
from gensim_envs.utils.progress import Progress

_below_1 = functools.partial(number, fits=lambda n: 0 <= n < 1, what="a number from 0 to below 1")
Fraction = Annotated[float, value(_below_1, "FRACTION")]


def export(
    *,
    out: Annotated[Path, arg(metavar="DIR")],
    format: Literal["chat"] = "chat",
    prompt: Literal["short", "full"] = "full",
    held_out: Fraction = 0.1,
    seed: Seed = 0,
    library: Folder = None,
) -> None:
    """Write a library's tasks as data to tune a model on.

    Args:
        out: folder of train.jsonl, held_out.jsonl and manifest.json.
        format: "chat" is OpenAI's chat format.
        prompt: full, with the API reference, or short, with signatures and the most similar task's
            program, which suffice to a tuned model; ask the tuned model with `gensim generate
            --prompt` and the same word.
        held_out: fraction of the tasks to hold out; near-duplicates stay together.
        seed: seed of the choice of held-out tasks.
    """
    from gensim_envs.generation import export as exporter
    from gensim_envs.generation.memory import recall

    check_writable(out)
    entries = recall(open_library(library))
    found = exporter.examples(entries, held_out, np.random.default_rng(seed), prompt)
    settings = {"format": format, "prompt": prompt, "held_out": held_out, "seed": seed}
    exporter.write(found, out, settings)
    for name in (exporter.TRAIN, exporter.HELD_OUT):
        side = [example for example in found if example.held_out == (name == exporter.HELD_OUT)]
        tokens = sum(example.tokens for example in side)
        print(f"wrote {out / name}: {len(side)} tasks, about {tokens} tokens")
    names = [example.entry.name for example in found if example.held_out]
    print(f"held out: {', '.join(names) or 'no task'}")
    print(f"wrote {out / exporter.MANIFEST}")


def tune(config: TuneConfig) -> int:
    """Tune a model of this machine on exported data, with LoRA."""
    check_writable(config.out)
    try:
        from gensim_envs.generation.export import prompt_of
        from gensim_envs.generation.tuning.train import tune as train
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        raise UsageError(
            f"{package} is not installed. Run pip install '.[tune]' in a checkout"
        ) from error

    prompt = prompt_of(config.data)
    try:
        with Progress(0, "tuning", "example") as progress:
            losses = train(config, progress.line, progress)
    except KeyboardInterrupt:
        warn("run the same command again to resume")
        raise
    held_out = losses.held_out
    change = f"{held_out[0]:.3f} before, {held_out[-1]:.3f} after" if held_out else ""
    print(f"wrote {config.out}" + (f": held-out loss {change}" if change else ""))
    print("Serve it beside its base, and use it with")
    print(f"gensim generate --model NAME --base-url URL --prompt {prompt or 'full'}")
    return 0


def finetune(
    *,
    data: Annotated[Path, arg(metavar="DIR")],
    model: Annotated[str, arg(metavar="BASE")],
    base_url: str | None = None,
    suffix: str = "",
    out: Annotated[Path | None, arg(metavar="DIR")] = None,
) -> int:
    """Let a server tune a model on exported data.

    Args:
        data: folder that `gensim export` wrote.
        model: the base model, by the server's name for it.
        base_url: URL of an OpenAI-compatible server; by default OPENAI_BASE_URL.
        suffix: suffix for the name of the tuned model.
        out: folder of finetune.json, which the same command resumes from; by default `data`.
    """
    from gensim_envs.generation.finetune import finetune as tune
    from gensim_envs.generation.providers import ApiError
    from gensim_envs.generation.providers.client import client

    folder = out or data
    check_writable(folder)
    try:
        with client(base_url, timeout=120.0) as server:
            say = functools.partial(print, flush=True)
            tuned = tune(server, data, folder, model, suffix, say)
    except ApiError as error:
        warn(f"{error}. Run the same command again to resume")
        return 1
    except KeyboardInterrupt:
        warn("run the same command again to resume")
        raise
    where = f" --base-url {shlex.quote(base_url)}" if base_url else ""
    print(printable(f"tuned {tuned}. Use it with"))
    print(printable(f"gensim generate --model {shlex.quote(tuned)}{where}"))
    return 0
