"""Exported examples as tokens, in the form in which a server asks the model."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gensim_envs.generation.export import DataError

CHATML = (
    "{% for each in messages %}<|im_start|>{{ each.role }}\n{{ each.content }}"
    "{{ eos_token if each.role == 'assistant' else '<|im_end|>' }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For models without a chat template; llama.cpp uses the same one for them."""

RENDER_SECONDS = 10.0
"""For one example: Jinja's sandbox limits a loop, but not loops within loops."""


@dataclass(frozen=True)
class Sample:
    """An example as tokens.

    Attributes:
        tokens: of the prompt and the answer, which ends with the token that ends an answer.
        prompt: number of tokens of the prompt, which are not learnt.
    """

    tokens: tuple[int, ...]
    prompt: int

    @property
    def learnt(self) -> int:
        """Number of tokens of the answer."""
        return len(self.tokens) - self.prompt


def samples(lines: bytes, tokenizer: Any, max_tokens: int) -> list[Sample]:
    """The examples that fit.

    Args:
        lines: in OpenAI's chat format, checked by `read_data`.
        tokenizer: of transformers, with a chat template.
        max_tokens: longer examples are left out; half a program teaches no whole one.

    Raises:
        DataError: if the chat template cannot render an example.
    """
    found = []
    for line in lines.splitlines():
        prompt, answer = _texts(tokenizer, json.loads(line)["messages"])
        # In two parts, since a server tokenises the prompt without the answer.
        asked, said = (
            tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, answer)
        )
        found.append(Sample((*asked, *said), len(asked)))
    return [sample for sample in found if len(sample.tokens) <= max_tokens]


def _texts(tokenizer: Any, messages: list[dict[str, str]]) -> tuple[str, str]:
    """Prompt and answer of an example as text."""
    try:
        with _at_most(RENDER_SECONDS):
            return _rendered(tokenizer, messages)
    except Exception as error:  # a template may do anything that Jinja's sandbox allows
        if messages[0]["role"] != "system" or len(messages) < 3:
            reason = f"{type(error).__name__}: {error!s:.200}"
            raise DataError(f"the chat template of the model fails: {reason}") from error
    # Some templates refuse the system role; `generate` asks in the same way then.
    system, user, *others = messages
    merged = {**user, "content": f"{system['content']}\n\n{user['content']}"}
    return _texts(tokenizer, [merged, *others])


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in the main thread if the block takes longer."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"it takes more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _rendered(tokenizer: Any, messages: list[dict[str, str]]) -> tuple[str, str]:
    prompt = tokenizer.apply_chat_template(
        messages[:-1], tokenize=False, add_generation_prompt=True
    )
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    if whole.startswith(prompt):
        return prompt, whole[len(prompt) :].rstrip()
    return prompt, messages[-1]["content"] + (tokenizer.eos_token or "")
