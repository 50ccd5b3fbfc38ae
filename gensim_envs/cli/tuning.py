"""Commands that tune a model on a library: its tasks as data, and a job at a server."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

from gensim_envs.cli.shared import Command, UsageError, check_writable, library_of, need, seed

TIMEOUT = 120.0
"""Seconds of silence after which a call is tried again."""


def add_commands(command: Command) -> None:
    """Declare them."""
    sub = command("export", _export, "Write a library's tasks as data to tune a model on.")
    sub.add_argument("--format", choices=("chat",), default="chat", help="OpenAI's chat format")
    sub.add_argument("--out", type=Path, metavar="DIR", required=True,
                     help="where train.jsonl, held_out.jsonl and manifest.json go")  # fmt: skip
    sub.add_argument("--held-out", type=_share, default=0.1, metavar="SHARE",
                     help="of tasks, near-duplicates on one side; 0.1 if not given")  # fmt: skip
    sub.add_argument("--seed", type=seed, default=0, help="of what is held out")

    sub = command("finetune", _finetune, "Let a server tune a model on exported data.")
    sub.add_argument("--data", type=Path, metavar="DIR", required=True,
                     help="what export wrote")  # fmt: skip
    sub.add_argument("--model", metavar="BASE", required=True,
                     help="to begin with, as the server calls it")  # fmt: skip
    sub.add_argument("--base-url", help="of an OpenAI-compatible server; else OPENAI_BASE_URL")
    sub.add_argument("--suffix", default="", help="for the name of the tuned model")
    sub.add_argument("--out", type=Path, metavar="DIR",
                     help="where finetune.json goes, by which a job that is there is waited for "
                          "again; the data's folder if not given")  # fmt: skip


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 up to but not including 1")
    return share


def _export(options: argparse.Namespace) -> int:
    need("jinja2", "pydantic")
    import numpy as np

    from gensim_envs.generation import export
    from gensim_envs.generation.memory import recall

    check_writable(options.out)
    entries = recall(library_of(options))
    found = export.examples(entries, options.held_out, np.random.default_rng(options.seed))
    settings = {"format": options.format, "held_out": options.held_out, "seed": options.seed}
    export.write(found, options.out, settings)
    for name in (export.TRAIN, export.HELD_OUT):
        side = [example for example in found if example.held_out == (name == export.HELD_OUT)]
        tokens = sum(example.tokens for example in side)
        print(f"wrote {options.out / name}: {len(side)} tasks, about {tokens} tokens")
    held_out = [example.entry.name for example in found if example.held_out]
    print(f"held out: {', '.join(held_out) or 'nothing'}")
    print(f"wrote {options.out / export.MANIFEST}")
    return 0


def _finetune(options: argparse.Namespace) -> int:
    need("openai", "jinja2", "pydantic")
    from gensim_envs.generation.finetune import finetune
    from gensim_envs.generation.providers import ApiError, ProviderError, client
    from gensim_envs.generation.tuning_data import DataError

    folder = options.out or options.data
    check_writable(folder)
    try:
        with client(options.base_url, TIMEOUT) as server:
            outcome = finetune(
                server, options.data, folder, options.model, options.suffix,
                sleep=time.sleep, say=lambda line: print(line, flush=True),
            )  # fmt: skip
    except (ProviderError, DataError) as error:
        raise UsageError(str(error)) from error
    except ApiError as error:
        print(f"gensim: {error}. The same command goes on from here", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("gensim: the same command goes on from here", file=sys.stderr)
        raise
    if outcome.problem:
        print(f"gensim: {outcome.problem}. Delete {folder / 'finetune.json'} to start another",
              file=sys.stderr)  # fmt: skip
        return 1
    where = f" --base-url {shlex.quote(options.base_url)}" if options.base_url else ""
    print(f"tuned {outcome.tuned}. Use it with\n"
          f"gensim generate --model {shlex.quote(outcome.tuned)}{where}")  # fmt: skip
    return 0
