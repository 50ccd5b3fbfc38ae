"""Serve a local model with OpenAI's API, and have one real exchange of the pipeline with a server.

    pip install xllamacpp                                   # llama.cpp as a wheel
    python scripts/local_model.py serve MODEL.gguf --context 8192 --port 8080
    python scripts/local_model.py serve MODEL.gguf --lora adapter/adapter.gguf
    python scripts/local_model.py try --url http://127.0.0.1:8080/v1

`serve` also takes the name of an installed package that contains a GGUF file, whole or in parts.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path


def weights(model: str) -> Path:
    """The GGUF file that a path or a package's name stands for; parts are joined."""
    if Path(model).is_file():
        return Path(model)
    found = importlib.util.find_spec(model.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        sys.exit(f"{model} is neither a file nor an installed package")
    folder = Path(found.submodule_search_locations[0])
    files = sorted(path for path in folder.rglob("*") if path.stat().st_size > 2**20)
    if not files:
        sys.exit(f"{folder} contains no weights")
    return files[0]


def joined(parts: list[Path]) -> Path:
    """One file of several parts, in the order given."""
    target = Path(tempfile.gettempdir()) / f"{parts[0].stem}.gguf"
    if not target.exists():
        with open(target, "wb") as file:
            for part in parts:
                file.write(part.read_bytes())
    return target


def serve(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C."""
    import xllamacpp

    files = [weights(model) for model in options.model]
    params = xllamacpp.CommonParams()
    params.model.path = str(joined(files) if len(files) > 1 else files[0])
    params.n_ctx = options.context * options.slots
    params.n_parallel = options.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    # On CPUs it takes nearly twice as long for an answer after a prompt of 6,000 tokens.
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.port = options.port
    if options.lora:
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = str(options.lora), 1.0
        params.lora_adapters = [adapter]
    server = xllamacpp.Server(params)
    print(f"serving {params.model.path} at {server.listening_address}/v1", flush=True)
    while True:
        time.sleep(1)


def exchange(options: argparse.Namespace) -> None:
    """Ask for one proposal with the pipeline's own prompt."""
    import numpy as np

    from gensim_envs.errors import TaskError
    from gensim_envs.generation.conversation import TEMPERATURES, Conversation
    from gensim_envs.generation.embed import TfIdf
    from gensim_envs.generation.memory import Memory, recall
    from gensim_envs.generation.propose import Idea, propose
    from gensim_envs.generation.providers import Budget
    from gensim_envs.generation.providers.server import OpenAIProvider
    from gensim_envs.library import shipped

    os.environ.setdefault("OPENAI_API_KEY", "none")
    budget = Budget()
    provider = OpenAIProvider(
        options.name, budget, base_url=options.url, timeout=options.timeout, say=print
    )
    talk = Conversation(provider, 1, TEMPERATURES)
    idea = Idea(Memory(TfIdf(), recall(shipped())), np.random.default_rng(options.seed))
    began = time.monotonic()
    try:
        print(propose(talk, idea).model_dump_json(indent=1))
    except TaskError as error:  # the model's answer is readable, or was asked for twice
        print(f"refused ({error.cause}): {error}")
    finally:
        print(f"{budget}, {time.monotonic() - began:.1f} s")


def main() -> None:
    """Run the command that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    server = commands.add_parser("serve")
    server.add_argument("model", nargs="+", help="GGUF file or package; several parts are joined")
    server.add_argument("--context", type=int, default=8192, help="tokens of each slot")
    server.add_argument("--slots", type=int, default=1, help="answers at a time")
    server.add_argument("--port", type=int, default=8080)
    server.add_argument("--threads", type=int, default=1)
    server.add_argument("--lora", type=Path, help="adapter.gguf of gensim tune")
    server.set_defaults(run=serve)
    client = commands.add_parser("try")
    client.add_argument("--url", default="http://127.0.0.1:8080/v1")
    client.add_argument("--name", default="local")
    client.add_argument("--timeout", type=float, default=600.0)
    client.add_argument("--seed", type=int, default=0)
    client.set_defaults(run=exchange)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
