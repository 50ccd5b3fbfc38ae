"""A conversation with a model: ask, cut prompts to fit, and parse the answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from gensim_envs.errors import TaskError
from gensim_envs.generation.prompts import render
from gensim_envs.generation.providers import ApiError, ContextTooLong, Provider, ProviderError
from gensim_envs.generation.recording import Call, Message, Prompt, first_problem
from gensim_envs.generation.reference import api_reference, signatures
from gensim_envs.utils.answers import json_objects, without_reasoning

TEMPERATURES: Mapping[str, float] = {
    "curriculum": 0.7, "propose": 1.0, "review": 0.3, "pick": 0.0, "implement": 0.3, "single": 0.7,
    "repair": 0.3, "restate": 0.0, "reflect": 0.7,
}  # fmt: skip
"""By query: high for ideas, low for code and votes. Estimates, not tuned."""
_ABOUT_CODE = {"review", "implement", "single", "repair"}
"""Queries whose system message contains the API reference."""
MOST_CUTS = 6


def _shortened(value: object) -> object:
    return value[:1000] if isinstance(value, str) else value


def _folded(value: object) -> object:
    return value.strip().rstrip(".!").lower() if isinstance(value, str) else value


Line = Annotated[
    str, BeforeValidator(_shortened), StringConstraints(min_length=1, strip_whitespace=True)
]


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
    """The vote of one critic, which the reason precedes."""

    why: Line
    vote: Annotated[Literal["yes", "no"], BeforeValidator(_folded)]


_ANY: Mapping[str, Collection[str]] = {}

EXAMPLE = '''
from gensim_envs.api import Ball, Bowl, Scene, Task


class BallIntoBowl(Task):
    """Put the ball into the bowl."""

    def build(self, scene: Scene) -> None:
        color, other = scene.colors(2)
        bowl = scene.add(Bowl(other))
        ball = scene.add(Ball(color))
        scene.goal(f"put the {ball} into the {bowl}", ball, inside=bowl)
'''
"""The program in the system message."""


def system_message(prompt: Prompt, proposal: Proposal | None = None) -> Message:
    """The system message of a prompt about code.

    Args:
        prompt: what it contains.
        proposal: a slim API reference and the signatures are those of what this uses.
    """
    used = (frozenset(proposal.assets), proposal.description) if proposal else ()
    if prompt == "short":
        return Message("system", render("short", signatures=signatures(*used)))
    slim = prompt == "slim" and proposal is not None and bool(proposal.assets)
    reference = api_reference(*used) if slim else api_reference()
    text = render("system", reference=reference, program=EXAMPLE.strip(), slim=slim)
    return Message("system", text)


@dataclass
class Conversation:
    """The calls of one attempt.

    Attributes:
        provider: answers them.
        attempt: number of the attempt.
        temperatures: sampling temperature of each query.
        notice: called with the name of each query or stage as it begins.
        prompt: what the prompts about code contain.
        tokens: numbers of tokens in prompts and in answers.
        seconds: spent waiting for answers.
        cuts: calls whose prompt was cut to fit the model's context, and how often.
        changed: calls that a replay answered although their prompt has changed.
    """

    provider: Provider
    attempt: int
    temperatures: Mapping[str, float]
    notice: Callable[[str], None] = lambda stage: None
    prompt: Prompt = "full"
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
            ProviderError: if the prompt does not fit the model's context.
            TaskError: with cause "parse", if the answer was cut or empty twice.
        """
        return self._ask(query, values, None)[1]

    def ask_json(
        self, query: str, form: type[R], *, names: Mapping[str, Collection[str]] = _ANY,
        check: Callable[[R], None] = lambda reply: None, **values: Any,
    ) -> R:  # fmt: skip
        """Ask for JSON as `ask` does, and once more if the answer is malformed or refused.

        Args:
            query: see `ask`.
            form: form of the answer.
            names: the names that a field of the form may contain.
            check: raises TaskError for what cannot be used although it is well formed.
            values: see `ask`.

        Raises:
            ApiError, ProviderError: as `ask`.
            TaskError: if the second answer is malformed, with cause "parse", or refused by `check`.
        """
        schema = schema_of(form, names)
        messages, text = self._ask(query, values, schema)
        # A known task as the example is refused as a duplicate, where it is copied.
        prompt = "" if "example" in values else messages[-1].content

        def usable(text: str) -> R:
            reply = _checked(read(form, text), names, prompt)
            check(reply)
            return reply

        try:
            return usable(text)
        except TaskError as error:
            again = Message("user", render("again", problem=error.problem, remedy=error.remedy))
            messages = (*messages, Message("assistant", text), again)
            return usable(self._complete(query, messages, schema))

    def _ask(
        self, query: str, values: dict[str, Any], schema: dict[str, Any] | None
    ) -> tuple[tuple[Message, ...], str]:
        self.notice(query)
        last: tuple[Message, ...] = ()
        problem: ContextTooLong | None = None
        for cut in range(MOST_CUTS + 1):
            text = render(
                query,
                **{key: each(cut) if callable(each) else each for key, each in values.items()},
            )
            system = Message("system", render("role"))
            if query in _ABOUT_CODE:
                kind: Prompt = "slim" if cut and self.prompt == "full" else self.prompt
                system = system_message(kind, values.get("proposal"))
            messages = (system, Message("user", text))
            if messages == last:
                break
            last = messages
            try:
                answer = self._complete(query, messages, schema)
            except ContextTooLong as error:
                problem = error
                continue
            if cut:
                self.cuts[f"{query}-{self._asked[query]}"] = cut
            return messages, answer
        raise ProviderError(
            f"the prompt of {query} does not fit the model's context and cannot be cut further: "
            f"{problem}. Give the server a context of 8,192 tokens, or of 4,096 with --prompt slim"
        )

    def _complete(
        self, query: str, messages: tuple[Message, ...], schema: dict[str, Any] | None
    ) -> str:
        """An answer without its reasoning; one that was cut or is empty is asked for once more."""
        for _ in range(2):
            self._asked[query] += 1
            name = f"{query}-{self._asked[query]}"
            call = Call(self.attempt, name, messages, self.temperatures[query], schema)
            answer = self.provider.complete(call)
            prompt, completion = self.tokens
            self.tokens = (prompt + answer.prompt_tokens, completion + answer.completion_tokens)
            self.seconds += answer.seconds
            if answer.changed:
                self.changed.append(name)
            text = without_reasoning(answer.text)
            if answer.ended == "content_filter":
                raise ApiError(f"the server's content filter ended the answer: {text[:300]!r}")
            if not answer.ended and text.strip():
                return text
        problem = f"was cut after {answer.completion_tokens} tokens" if answer.ended else "is empty"
        if answer.text.strip() and not text.strip():
            problem += " and contains only reasoning"
        remedy = "Answer briefly; --max-answer-tokens raises the limit" if answer.ended else ""
        raise TaskError(f"the answer {problem}", remedy, cause="parse")


def read(form: type[R], text: str) -> R:
    """Parse the JSON object in an answer; text around it is passed over.

    Raises:
        TaskError: with cause "parse", naming the first problem.
    """
    objects = json_objects(without_reasoning(text))
    problem = "there is no JSON object in the answer"
    for found in objects:
        try:
            return form.model_validate_json(json.dumps(found))
        except ValidationError as error:
            if found is objects[0]:
                problem = first_problem(error, "the answer")
        except RecursionError:
            problem = "the answer is nested too deeply"
    fields = ", ".join(form.model_fields)
    raise TaskError(problem, f"Answer with one JSON object of {fields}", cause="parse")


def _checked(reply: R, names: Mapping[str, Collection[str]], prompt: str) -> R:
    """Refuse unknown names, and text that was copied from the end of the prompt.

    Raises:
        TaskError: with cause "parse".
    """
    for name, allowed in names.items():
        for value in getattr(reply, name):
            if value not in allowed:
                raise TaskError(
                    f"{name}: {value!r:.60} is unknown", f"Use {', '.join(allowed)}", cause="parse"
                )
    form = " ".join(prompt.rpartition("\n\n")[2].split())  # what the last paragraph asks for
    copied = [text for text in _texts(reply.model_dump()) if text in form]
    if copied:
        raise TaskError(
            f"{min(copied)!r:.80} is copied from the prompt", "Answer in your own words",
            cause="parse",
        )  # fmt: skip
    return reply


def _texts(value: object) -> Iterator[str]:
    """The phrases in JSON; single words may well repeat."""
    if isinstance(value, str) and " " in value:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


_SCHEMA_KEYS = {
    "$defs", "$ref", "additionalProperties", "enum", "items", "maxItems", "maximum", "minItems",
    "minimum", "pattern", "properties", "required", "type",
}  # fmt: skip
"""Keys of a schema that servers understand; limits on lengths make grammars large and slow."""


def schema_of(form: type[Reply], names: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """The JSON schema of a form, in which some fields may only contain some names."""

    def cleaned(schema: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in schema.items() if key in _SCHEMA_KEYS}
        for key in kept.keys() & {"properties", "$defs"}:
            kept[key] = {name: cleaned(each) for name, each in kept[key].items()}
        if "items" in kept:
            kept["items"] = cleaned(kept["items"])
        return kept

    schema = cleaned(form.model_json_schema())
    for name, allowed in names.items():
        if allowed:
            schema["properties"][name]["items"] = {"enum": list(allowed)}
    return schema
