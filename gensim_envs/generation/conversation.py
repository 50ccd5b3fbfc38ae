"""One attempt's conversation with a model: asking, cutting to fit, reading what comes back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gensim_envs.errors import TaskError
from gensim_envs.generation.prompts import render
from gensim_envs.generation.providers import ApiError, ContextTooLong, Provider
from gensim_envs.generation.recording import Answer, Call, Message
from gensim_envs.generation.reference import COMMON_ERRORS, api_reference

TEMPERATURES: Mapping[str, float] = {
    "curriculum": 0.7, "propose": 1.0, "review": 0.3, "pick": 0.0, "implement": 0.3, "single": 0.7,
    "repair": 0.3, "restate": 0.0, "reflect": 0.7,
}  # fmt: skip
"""By stage: ideas vary, code and judgements do not. Estimates, not tuned."""
MOST_CUTS = 6

Line = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]


class Reply(BaseModel):
    """Base of everything that a model answers in JSON: what is not asked for is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


R = TypeVar("R", bound=Reply)


class Proposal(Reply):
    """An idea for a task."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{2,49}$")]
    description: Line
    assets: Annotated[list[Line], Field(min_length=1, max_length=22)]
    why_new: Line


class Curriculum(Reply):
    """Tasks that lead to a target."""

    steps: Annotated[list[Line], Field(min_length=1, max_length=50)]


class Review(Reply):
    """How a task will be written."""

    plan: Annotated[list[Line], Field(min_length=1, max_length=20)]
    pitfalls: Annotated[list[Line], Field(max_length=20)]


class Pick(Reply):
    """Which tasks are to serve as examples."""

    references: Annotated[list[Line], Field(max_length=20)]


class Vote(Reply):
    """What one critic says."""

    vote: Literal["yes", "no"]
    why: Line


def system_message(*, code: bool) -> Message:
    """What comes before a question, with the reference of the API where it is about code."""
    if code:
        return Message("system", render("system", reference=api_reference(), errors=COMMON_ERRORS))
    return Message("system", render("role"))


@dataclass
class Conversation:
    """What one attempt has asked so far.

    Attributes:
        provider: who answers.
        attempt: number of the attempt.
        temperatures: by stage.
        notice: called with the name of each stage as it begins.
        tokens: of prompts, and of answers.
        seconds: spent waiting for answers.
        cuts: calls whose prompt was cut to fit the model's context, and how often.
        changed: calls that a replay answered although their prompt is another now.
    """

    provider: Provider
    attempt: int
    temperatures: Mapping[str, float]
    notice: Callable[[str], None] = lambda stage: None
    tokens: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    cuts: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    _asked: Counter[str] = field(default_factory=Counter)

    def ask(self, stage: str, prompt: Callable[[int], str], *, code: bool = False) -> str:
        """Ask one question.

        Args:
            stage: what it is about, a key of `TEMPERATURES`.
            prompt: renders the question; its argument says how often it is to be cut.
            code: whether the reference of the API comes before it.

        Raises:
            ApiError: where no answer is to be had.
        """
        return self._ask(stage, prompt, code)[1].text

    def ask_json(
        self, stage: str, form: type[R], prompt: Callable[[int], str], *, code: bool = False
    ) -> R:
        """Ask for JSON, and once more where it is malformed.

        Raises:
            ApiError: where no answer is to be had.
            TaskError: with cause "parse", where it is malformed twice.
        """
        call, answer = self._ask(stage, prompt, code)
        try:
            return read(form, answer.text)
        except TaskError as error:
            again = render("again", problem=error.problem)
            messages = (
                *call.messages, Message("assistant", answer.text), Message("user", again),
            )  # fmt: skip
            return read(form, self._complete(stage, messages).text)

    def _ask(self, stage: str, prompt: Callable[[int], str], code: bool) -> tuple[Call, Answer]:
        self.notice(stage)
        last = ""
        for cut in range(MOST_CUTS + 1):
            text = prompt(cut)
            if text == last:
                break
            last = text
            messages = (system_message(code=code), Message("user", text))
            try:
                answer = self._complete(stage, messages)
                if cut:
                    self.cuts[f"{stage}-{self._asked[stage]}"] = cut
                return Call(self.attempt, stage, messages), answer
            except ContextTooLong as error:
                problem = error
        raise ApiError(f"the prompt cannot be cut further: {problem}")

    def _complete(self, stage: str, messages: tuple[Message, ...]) -> Answer:
        self._asked[stage] += 1
        name = f"{stage}-{self._asked[stage]}"
        call = Call(self.attempt, name, messages, self.temperatures[stage])
        answer = self.provider.complete(call)
        prompt, completion = self.tokens
        self.tokens = (prompt + answer.prompt_tokens, completion + answer.completion_tokens)
        self.seconds += answer.seconds
        if answer.changed:
            self.changed.append(name)
        return answer


def read(form: type[R], text: str) -> R:
    """The JSON object in an answer, with nothing or a code fence around it.

    Raises:
        TaskError: with cause "parse", saying what is wrong.
    """
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", text, re.DOTALL)
    try:
        return form.model_validate_json(fenced.group(1) if fenced else text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TaskError(
            f"{where or 'the answer'}: {first['msg']}",
            f"Answer with one JSON object of {', '.join(form.model_fields)}",
            cause="parse",
        ) from error
