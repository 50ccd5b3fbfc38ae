"""A conversation with a model: ask, cut prompts to fit, and parse the answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gensim_envs.errors import TaskError
from gensim_envs.generation.prompts import render
from gensim_envs.generation.providers import ApiError, ContextTooLong, Provider
from gensim_envs.generation.recording import Answer, Call, Message, first_problem
from gensim_envs.generation.reference import api_reference

TEMPERATURES: Mapping[str, float] = {
    "curriculum": 0.7, "propose": 1.0, "review": 0.3, "pick": 0.0, "implement": 0.3, "single": 0.7,
    "repair": 0.3, "restate": 0.0, "reflect": 0.7,
}  # fmt: skip
"""By query: high for ideas, low for code and votes. Estimates, not tuned."""
_ABOUT_CODE = {"review", "implement", "single", "repair"}
"""Queries whose system message contains the API reference."""
MOST_CUTS = 6

Line = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]


class Reply(BaseModel):
    """Base class of JSON answers; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


R = TypeVar("R", bound=Reply)


class Proposal(Reply):
    """An idea for a task."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{2,49}$")]
    description: Line
    assets: Annotated[list[Line], Field(min_length=1, max_length=22)]
    why_new: Line


class Curriculum(Reply):
    """Steps towards a target, each a task."""

    steps: Annotated[list[Line], Field(min_length=1, max_length=50)]


class Review(Reply):
    """A plan for a program."""

    plan: Annotated[list[Line], Field(min_length=1, max_length=20)]
    pitfalls: Annotated[list[Line], Field(max_length=20)]


class Pick(Reply):
    """Names of the tasks to show as examples."""

    references: Annotated[list[Line], Field(max_length=20)]


class Vote(Reply):
    """The vote of one critic."""

    vote: Literal["yes", "no"]
    why: Line


def system_message(*, code: bool) -> Message:
    """The system message of a prompt, with the API reference if it is about code."""
    if code:
        return Message("system", render("system", reference=api_reference()))
    return Message("system", render("role"))


@dataclass
class Conversation:
    """The calls of one attempt.

    Attributes:
        provider: answers them.
        attempt: number of the attempt.
        temperatures: sampling temperature of each query.
        notice: called with the name of each query or stage as it begins.
        tokens: numbers of tokens in prompts and in answers.
        seconds: spent waiting for answers.
        cuts: calls whose prompt was cut to fit the model's context, and how often.
        changed: calls that a replay answered although their prompt has changed.
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

    def ask(self, query: str, **values: Any) -> str:
        """Ask for text.

        Args:
            query: a key of `TEMPERATURES`, and the name of the template.
            values: variables of the template. Functions are called with the number of times that
                the prompt has been cut to fit the model's context.

        Raises:
            ApiError: if there is no answer.
        """
        return self._ask(query, values)[1].text

    def ask_json(self, query: str, form: type[R], **values: Any) -> R:
        """Ask for JSON as `ask` does, and once more if the answer is malformed.

        Raises:
            ApiError: if there is no answer.
            TaskError: with cause "parse", if both answers are malformed.
        """
        messages, answer = self._ask(query, values)
        try:
            return read(form, answer.text)
        except TaskError as error:
            again = Message("user", render("again", problem=error.problem))
            messages = (*messages, Message("assistant", answer.text), again)
            return read(form, self._complete(query, messages).text)

    def _ask(self, query: str, values: dict[str, Any]) -> tuple[tuple[Message, ...], Answer]:
        self.notice(query)
        last, problem = "", None
        for cut in range(MOST_CUTS + 1):
            text = render(
                query,
                **{key: each(cut) if callable(each) else each for key, each in values.items()},
            )
            if text == last:
                break
            last = text
            messages = (system_message(code=query in _ABOUT_CODE), Message("user", text))
            try:
                answer = self._complete(query, messages)
            except ContextTooLong as error:
                problem = error
                continue
            if cut:
                self.cuts[f"{query}-{self._asked[query]}"] = cut
            return messages, answer
        raise ApiError(f"the prompt cannot be cut further: {problem}")

    def _complete(self, query: str, messages: tuple[Message, ...]) -> Answer:
        self._asked[query] += 1
        name = f"{query}-{self._asked[query]}"
        answer = self.provider.complete(
            Call(self.attempt, name, messages, self.temperatures[query])
        )
        prompt, completion = self.tokens
        self.tokens = (prompt + answer.prompt_tokens, completion + answer.completion_tokens)
        self.seconds += answer.seconds
        if answer.changed:
            self.changed.append(name)
        return answer


def read(form: type[R], text: str) -> R:
    """Parse the JSON object in an answer; a code fence around it is allowed.

    Raises:
        TaskError: with cause "parse", naming the first problem.
    """
    text = text.removeprefix("\ufeff")
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", text, re.DOTALL)
    try:
        return form.model_validate_json(fenced.group(1) if fenced else text)
    except ValidationError as error:
        raise TaskError(
            first_problem(error, "the answer"),
            f"Answer with one JSON object of {', '.join(form.model_fields)}",
            cause="parse",
        ) from error
