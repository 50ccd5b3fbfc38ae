"""Load a causal language model from a folder or a GGUF file, and put an adapter on it."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import peft
import torch
import transformers

from gensim_envs.generation.export import DataError
from gensim_envs.generation.tuning.config import Device, Precision
from gensim_envs.generation.tuning.samples import CHATML


def find_device(name: Device) -> torch.device:
    """The device of a name; "auto" is the first GPU if there is one.

    Raises:
        DataError: if there is no GPU although one is asked for.
    """
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise DataError("PyTorch finds no GPU here. Use --device cpu")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def find_precision(name: Precision, device: torch.device) -> Literal["bf16", "fp32"]:
    """The precision of a name; "auto" is bf16 where the device computes in it natively."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    able: Mapping[str, Any] = torch.cpu.get_capabilities()
    return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "fp32"


def load(base: Path, device: torch.device, precision: Literal["bf16", "fp32"]) -> tuple[Any, Any]:
    """Load tokenizer and model; nothing is downloaded, and no code of the model's runs.

    Args:
        base: a folder as transformers writes it, or a GGUF file, whose weights are dequantised.
        device: where the model goes.
        precision: of its weights. Those of the adapter are float32 in any case.

    Raises:
        DataError: if they cannot be loaded.
    """
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    folder = base
    if base.is_file():
        folder, options["gguf_file"] = base.parent, base.name
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    try:
        with _quiet():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, **options
            )
    except Exception as error:  # transformers raises what its many readers do
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise DataError(f"{base} cannot be loaded as a causal language model: {reason}") from error
    if not tokenizer.chat_template:
        tokenizer.chat_template = CHATML
    # Evaluation mode means no dropout, so that a run can be resumed exactly.
    return tokenizer, model.to(device).eval().requires_grad_(False)


def with_adapter(model: Any, rank: int, seed: int) -> Any:
    """The model with LoRA on all linear layers but the last.

    All of them, as Dettmers et al. (2023, QLoRA) found necessary, and alpha = 2 * rank.

    Args:
        model: from `load`.
        rank: of the adapter.
        seed: of its initial weights.

    Raises:
        DataError: if the model has no linear layers.
    """
    config = peft.LoraConfig(
        task_type="CAUSAL_LM", r=rank, lora_alpha=2 * rank, lora_dropout=0.0,
        target_modules="all-linear",
    )  # fmt: skip
    try:
        with _quiet(), torch.random.fork_rng():
            torch.manual_seed(seed)
            return peft.get_peft_model(model, config).eval()
    except ValueError as error:
        raise DataError(f"the model takes no adapter: {error}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without progress bars and warnings, such as those of peft's use of transformers."""
    log: Any = transformers.utils.logging
    level = log.get_verbosity()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(level)
        log.enable_progress_bar()
