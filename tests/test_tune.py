"""`gensim tune` on a two-layer random model, from a folder and from a GGUF file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import peft
import pytest
import safetensors.torch
import tokenizers
import torch
import transformers

from gensim_envs.cli import main
from gensim_envs.generation.export import DataError
from gensim_envs.generation.tuning.base import load
from gensim_envs.generation.tuning.samples import samples
from gensim_envs.utils.progress import Progress

# Peft asks transformers for it.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
ADAPTER = ("adapter_model.safetensors", "adapter_config.json", "adapter.gguf", "tune.json")
TEMPLATE = (
    "{% for each in messages %}<s>{{ each.role }}: {{ each.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)
SPECIAL = ["<unk>", "<s>", "</s>"]
SIZES: dict[str, int] = {
    "vocab_size": 260, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
Output = pytest.CaptureFixture[str]


def words() -> list[str]:
    """The tokens: special ones, one for each byte, and one of two bytes."""
    return [*SPECIAL, *sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), "ab"]


def example(number: int, system: bool = True) -> list[dict[str, str]]:
    program = f"```python\nclass Task{number}(Task):\n    pass\n```"
    asked = {"role": "user", "content": f"Write Task{number}."}
    said = {"role": "assistant", "content": program}
    return [*[{"role": "system", "content": "You write tasks."}] * system, asked, said]


def write_data(folder: Path, train: int, held_out: int = 0) -> Path:
    folder.mkdir()
    for name, numbers in (
        ("train", range(train)), ("held_out", range(train, train + held_out)),
    ):  # fmt: skip
        lines = [json.dumps({"messages": example(k)}) + "\n" for k in numbers]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    manifest = {"format": "chat", "prompt": "short", "held_out": 0.1, "seed": 0, "tasks": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama with random weights."""
    folder = tmp_path_factory.mktemp("models") / "base"
    known = {word: k for k, word in enumerate(words())}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(known, [], unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        chat_template=TEMPLATE,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "chat", 7, 2)


def tune(base: Path, data: Path, out: Path, *options: str) -> int:
    arguments = ["--base", base, "--data", data, "--out", out, "--device", "cpu", "--rank", 4,
                 "--batch", 3, "--epochs", 2, "--learning-rate", 0.01, "--precision", "fp32",
                 *options]  # fmt: skip
    return main(["tune", *map(str, arguments)])


@pytest.fixture(scope="module")
def tuned(base: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "adapter"
    assert tune(base, data, out) == 0
    return out


def loss(model: Any, tokenizer: Any, lines: bytes) -> float:
    """The mean loss of the answers' tokens, computed with the model's own loss."""
    total, count = 0.0, 0
    for sample in samples(lines, tokenizer, 10_000):
        labels = torch.tensor([[-100] * sample.prompt + list(sample.tokens[sample.prompt :])])
        with torch.no_grad():
            found = model(input_ids=torch.tensor([sample.tokens]), labels=labels).loss
        total, count = total + float(found) * sample.learnt, count + sample.learnt
    return total / count


# --- tuning -----------------------------------------------------------------------------------


def test_the_loss_falls_and_peft_reads_the_adapter(base: Path, data: Path, tuned: Path) -> None:
    losses = json.loads((tuned / "tune.json").read_text())["losses"]
    assert len(losses["training"]) == 2
    assert len(losses["held_out"]) == 3
    assert losses["held_out"][2] < losses["held_out"][1] < losses["held_out"][0]
    lines = (data / "held_out.jsonl").read_bytes()
    tokenizer, model = load(base, torch.device("cpu"), "fp32")
    assert loss(model, tokenizer, lines) == pytest.approx(losses["held_out"][0], rel=1e-5)
    found = peft.PeftModel.from_pretrained(model, tuned)
    assert loss(found, tokenizer, lines) == pytest.approx(losses["held_out"][2], rel=1e-5)


def test_bfloat16_learns_the_same_within_its_precision(
    base: Path, data: Path, tuned: Path, tmp_path: Path, capsys: Output
) -> None:
    assert tune(base, data, tmp_path / "out", "--precision", "bf16") == 0
    exact, rounded = (
        json.loads((folder / "tune.json").read_text()) for folder in (tuned, tmp_path / "out")
    )
    assert rounded["order"]["precision"] == "bf16"
    assert rounded["losses"]["held_out"] != exact["losses"]["held_out"]
    assert rounded["losses"]["held_out"] == pytest.approx(exact["losses"]["held_out"], rel=0.01)
    capsys.readouterr()
    assert tune(base, data, tmp_path / "out") == 2
    assert "a run with another precision" in capsys.readouterr().err


def test_it_says_what_it_does_and_how_to_go_on(
    base: Path, data: Path, tuned: Path, tmp_path: Path, capsys: Output
) -> None:
    assert tune(base, data, tmp_path / "out") == 0
    text = capsys.readouterr().out
    for part in (
        "7 examples and 2 held out; 6 steps for", "before: held-out loss 5.",
        "epoch 2 of 2: training loss", "adapter.gguf for llama.cpp",
        "gensim generate --model NAME --base-url URL --prompt short",
    ):  # fmt: skip
        assert part in text
    for name in ADAPTER:
        assert (tmp_path / "out" / name).read_bytes() == (tuned / name).read_bytes()
    assert tune(base, data, tmp_path / "out") == 0  # finished: nothing is trained
    assert "epoch" not in capsys.readouterr().out


@pytest.mark.parametrize("stops", [[1], [3, 3, 7], [11], [14]])
def test_a_stopped_run_is_resumed_bit_by_bit(
    stops: list[int], base: Path, data: Path, tuned: Path, tmp_path: Path, capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Stop after some examples, in the middle of a step, at its end or at the end of an epoch."""
    left = -1
    advance = Progress.advance

    def stop(progress: Progress, steps: int = 1, **figures: object) -> None:
        nonlocal left
        advance(progress, steps, **figures)
        left -= bool(figures)
        if figures and left == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "advance", stop)
    for stop_after in stops:
        left = stop_after
        assert tune(base, data, tmp_path / "out") == 130
        assert "run the same command again to resume" in capsys.readouterr().err
        assert not (tmp_path / "out" / "tune.json").exists()
    left = -1
    assert tune(base, data, tmp_path / "out") == 0
    for name in ADAPTER:
        assert (tmp_path / "out" / name).read_bytes() == (tuned / name).read_bytes()
    assert not (tmp_path / "out" / "state.safetensors").exists()


def test_only_the_answer_is_learnt_in_the_form_that_a_server_asks_for(base: Path) -> None:
    tokenizer, _ = load(base, torch.device("cpu"), "fp32")
    line = json.dumps({"messages": example(1)}).encode()
    [sample] = samples(line, tokenizer, 10_000)
    asked = tokenizer.decode(sample.tokens[: sample.prompt])
    assert asked == ("<s>system: You write tasks.</s>\n<s>user: Write Task1.</s>\n<s>assistant: ")
    said = tokenizer.decode(sample.tokens[sample.prompt :])
    assert said == example(1)[-1]["content"] + "</s>"
    assert samples(line, tokenizer, len(sample.tokens) - 1) == []


def test_a_template_without_the_system_role_gets_one_message(base: Path) -> None:
    tokenizer, _ = load(base, torch.device("cpu"), "fp32")
    tokenizer.chat_template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + TEMPLATE
    )
    [sample] = samples(json.dumps({"messages": example(1)}).encode(), tokenizer, 10_000)
    asked = tokenizer.decode(sample.tokens[: sample.prompt])
    assert asked == "<s>user: You write tasks.\n\nWrite Task1.</s>\n<s>assistant: "


@pytest.mark.parametrize(
    "template",
    [
        "{{ 1 / 0 }}",
        "{{ [].x.y }}",
        "{{ 'a' * 10**12 }}",
        "{% for",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    ],
)
def test_a_template_that_fails_is_an_error(
    base: Path, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gensim_envs.generation.tuning.samples.RENDER_SECONDS", 0.3)
    tokenizer, _ = load(base, torch.device("cpu"), "fp32")
    tokenizer.chat_template = template
    with pytest.raises(DataError, match=r"the chat template of the model fails: \w+Error"):
        samples(json.dumps({"messages": example(1)}).encode(), tokenizer, 10_000)


def test_a_model_without_a_template_is_asked_in_chatml(base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "plain")
    (folder / "chat_template.jinja").unlink()
    tokenizer, _ = load(folder, torch.device("cpu"), "fp32")
    [sample] = samples(json.dumps({"messages": example(1)}).encode(), tokenizer, 10_000)
    text = tokenizer.decode(sample.tokens)
    assert text.startswith("<|im_start|>system\nYou write tasks.<|im_end|>\n<|im_start|>user\n")
    assert text.endswith("```</s>")


# --- GGUF -------------------------------------------------------------------------------------

LAYERS = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip


def write_model(path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> Path:
    """A GGUF file of the tiny Llama, with tensors in GGUF's own names and order."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(SIZES["max_position_embeddings"])
    writer.add_embedding_length(SIZES["hidden_size"])
    writer.add_block_count(SIZES["num_hidden_layers"])
    writer.add_feed_forward_length(SIZES["intermediate_size"])
    writer.add_head_count(SIZES["num_attention_heads"])
    writer.add_head_count_kv(SIZES["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(SIZES["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words())
    writer.add_token_types([3] * len(SPECIAL) + [1] * 257)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def random_tensors() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    width, inner = SIZES["hidden_size"], SIZES["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (260, width), "output.weight": (260, width),
        "output_norm.weight": (width,),
    }  # fmt: skip
    for k in range(2):
        shapes |= {
            f"blk.{k}.attn_norm.weight": (width,), f"blk.{k}.ffn_norm.weight": (width,),
            f"blk.{k}.attn_q.weight": (width, width), f"blk.{k}.attn_k.weight": (16, width),
            f"blk.{k}.attn_v.weight": (16, width), f"blk.{k}.attn_output.weight": (width, width),
            f"blk.{k}.ffn_gate.weight": (inner, width), f"blk.{k}.ffn_up.weight": (inner, width),
            f"blk.{k}.ffn_down.weight": (width, inner),
        }  # fmt: skip
    return {name: rng.normal(0, 0.2, shape) for name, shape in shapes.items()}


def test_the_adapter_for_llama_cpp_is_the_one_that_was_trained(data: Path, tmp_path: Path) -> None:
    """Its matrices, added to the weights of the GGUF file, give the tuned model."""
    tensors = random_tensors()
    file = write_model(tmp_path / "base.gguf", tensors)
    out = tmp_path / "out"
    assert tune(file, data, out) == 0
    reader = gguf.GGUFReader(out / "adapter.gguf")
    assert reader.fields["general.type"].contents() == "adapter"
    assert reader.fields["general.architecture"].contents() == "llama"
    assert reader.fields["adapter.type"].contents() == "lora"
    scale = reader.fields["adapter.lora.alpha"].contents() / 4  # alpha / rank, as llama.cpp does
    adapter = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    changed = {name for name in tensors if f"{name}.lora_a" in adapter}
    assert len(changed) == 14
    merged = {
        name: weight + scale * adapter[f"{name}.lora_b"] @ adapter[f"{name}.lora_a"]
        if name in changed else weight
        for name, weight in tensors.items()
    }  # fmt: skip
    tokenizer, whole = load(
        write_model(tmp_path / "merged.gguf", merged), torch.device("cpu"), "fp32"
    )
    _, model = load(file, torch.device("cpu"), "fp32")
    tokens = tokenizer("class Task3(Task):", return_tensors="pt").input_ids
    with torch.no_grad():
        before = model(tokens).logits
        expected = peft.PeftModel.from_pretrained(model, out).eval()(tokens).logits
        found = whole(tokens).logits
    assert torch.allclose(found, expected, atol=1e-4)
    assert not torch.allclose(found, before, atol=1e-2)


def test_an_unknown_architecture_has_no_gguf(data: Path, base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "base")
    torch.manual_seed(0)
    config = transformers.GPTNeoXConfig(
        **{**SIZES, "num_key_value_heads": 4}  # which this model has no use for
    )
    transformers.GPTNeoXForCausalLM(config).save_pretrained(folder)
    assert tune(folder, data, tmp_path / "out", "--epochs", "1") == 0
    assert (tmp_path / "out" / "adapter_model.safetensors").exists()
    assert not (tmp_path / "out" / "adapter.gguf").exists()


# --- what is refused --------------------------------------------------------------------------


def refused(capsys: Output, code: int) -> str:
    printed = capsys.readouterr()
    assert code in (1, 2)
    assert printed.err.count("\n") == 1 and printed.err.startswith("gensim: ")
    return printed.err


def _nothing(folder: Path) -> None:
    folder.mkdir()


def _broken(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')


def _code(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"model_type": "odd", "auto_map": {"AutoConfig": "run.Run", "AutoModelForCausalLM": '
        '"run.Run"}}'
    )
    (folder / "run.py").write_text("open('/tmp/harm', 'w')")


def _file(path: Path) -> None:
    path.write_text("no weights")


@pytest.mark.parametrize(
    ("make", "words"),
    [(lambda path: None, "does not exist"), (_nothing, "cannot be loaded"),
     (_broken, "cannot be loaded"), (_code, "cannot be loaded"), (_file, "cannot be loaded")],
)  # fmt: skip
def test_what_is_no_model_is_named(
    make: Callable[[Path], None], words: str, data: Path, tmp_path: Path, capsys: Output
) -> None:
    path = tmp_path / "model.gguf"
    make(path)
    code = tune(path, data, tmp_path / "out")
    assert f"{path} {words}" in refused(capsys, code)


def test_examples_that_are_too_long_are_left_out_or_refused(
    base: Path, data: Path, tmp_path: Path, capsys: Output
) -> None:
    code = tune(base, data, tmp_path / "out", "--max-tokens", "50")
    captured = capsys.readouterr()
    assert code == 2
    assert "train.jsonl: left out 7 examples of more than 50 tokens" in captured.out
    assert "no example has at most 50 tokens" in captured.err
    assert "--prompt short" in captured.err


def test_a_folder_holds_one_run(
    base: Path, data: Path, tuned: Path, tmp_path: Path, capsys: Output
) -> None:
    code = tune(base, data, tuned, "--rank", "8", "--seed", "1")
    assert "belongs to a run with another rank and seed" in refused(capsys, code)
    other = write_data(tmp_path / "other", 3)
    assert "another data" in refused(capsys, tune(base, other, tuned))


def test_damaged_files_of_a_run_are_named(
    base: Path, data: Path, tuned: Path, tmp_path: Path, capsys: Output
) -> None:
    order = json.loads((tuned / "tune.json").read_text())["order"]
    state = tmp_path / "state.safetensors"
    for content in (
        b"", b"\xff" * 100, safetensors.torch.save({}), safetensors.torch.save({}, {"state": "{"}),
        safetensors.torch.save({}, {"state": json.dumps({"order": order, "done": 3})}),
    ):  # fmt: skip
        state.write_bytes(content)
        code = tune(base, data, tmp_path)
        assert f"{state} is damaged" in capsys.readouterr().err
        assert code == 2
    state.unlink()
    (tmp_path / "tune.json").write_text("[")
    assert "tune.json" in refused(capsys, tune(base, data, tmp_path))


def test_options_and_data_are_checked(
    base: Path, data: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is not a number" in refused(capsys, tune(base, data, tmp_path, "--learning-rate", "2"))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "Write it with gensim export" in refused(capsys, tune(base, empty, tmp_path / "out"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code = tune(base, data, tmp_path / "out", "--device", "cuda")
    assert "PyTorch finds no GPU here" in refused(capsys, code)


def test_nothing_held_out_is_no_held_out_loss(base: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "out"
    assert tune(base, write_data(tmp_path / "data", 4), out, "--epochs", "1") == 0
    assert "held-out loss" not in capsys.readouterr().out
    assert json.loads((out / "tune.json").read_text())["losses"]["held_out"] == []
