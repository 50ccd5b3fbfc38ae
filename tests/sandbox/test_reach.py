"""What programs that pass the gate can reach in the worker: a search over the allowed syntax."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from corpus import HEAD, Ungated
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs.errors import TaskError
from gensim_envs.sandbox import interpreter
from gensim_envs.sandbox.client import Sandbox
from gensim_envs.sandbox.vocabulary import (
    FORBIDDEN_ATTRIBUTES,
    PLAIN_ATTRIBUTES,
    api_attributes,
)

FOUND = "reached"

# In the worker, `bool` becomes a witness: it returns its argument, or ends the program where the
# argument is something that no program may hold.
WITNESS = """
import types
def install():
    import builtins, sys, numpy as np
    from gensim_envs.sandbox import worker
    original = worker._builtins
    real = vars(builtins)
    kinds = (types.FrameType, types.CodeType, types.TracebackType, types.CellType,
             np.random.BitGenerator, np.random.SeedSequence)
    def witness(value):
        module = isinstance(value, types.ModuleType)
        facade = module and value.__name__ in ("math", "gensim_envs.api")
        facade = facade and value is not sys.modules[value.__name__]
        held = isinstance(value, dict) and ("__builtins__" in value or "__import__" in value)
        state = isinstance(value, dict) and "bit_generator" in value
        forbidden = value is builtins.open or value is builtins.eval or value is builtins.exec
        if isinstance(value, kinds) or (module and not facade) or held or state or forbidden:
            raise SystemExit(f"reached {type(value).__name__}")
        return value
    worker._builtins = lambda: {**original(), "bool": witness}
"""
BOOT = WITNESS + interpreter.BOOT.replace(
    "    from gensim_envs.sandbox.worker import main\n",
    "    from gensim_envs.sandbox.worker import main\n    install()\n",
)
ALLOWED = sorted(PLAIN_ATTRIBUTES | api_attributes())
NAMES = st.integers(0, 19).flatmap(
    lambda k: st.sampled_from(
        # mostly what passes, so that most programs run
        ALLOWED if k else [*sorted(FORBIDDEN_ATTRIBUTES), *["gi_frame", "f_back", "state"] * 20]
    )
)
RECEIVERS = (
    "self", "scene", "scene.rng", "scene.rng.random(3)", "(x for x in (1, 2))", "helper", "Scene",
    "self.method", "Block", "Block('red')", "Task", "math", "math.pi", "str", "'text'", "[1, 2]",
    "{'a': 1}", "dict", "list", "len", "scene.add(Block('red'))", "scene.reserve(radius=0.1)",
    "scene.rng.choice", "map(helper, (1,))", "Pose(0.5, 0.0)", "scene.colors", "item", "other",
    "scene.rng.integers(9)", "isinstance",
)  # fmt: skip
ARGUMENTS = ("", "(scene)", "(self)", "(helper)", "(1)", "('a')", "()", "[0]", "[1:]", "(item)")


def program(expression: str, held: str, first: str, called: str) -> str:
    """A program that holds one expression of another, as a function, a method or in a loop."""
    return f"""import math
from gensim_envs.api import Block, Pose, Scene, Task

def helper({first}, scene=None, item=None, *, other=None):
    return bool({expression.replace("self", first)})


class Search(Task):
    def {called}(self, scene=None, item=None, other=None):
        return bool({expression})

    method = None

    def build(self, scene):
        item = {held}
        other = [bool(y) for y in (self.{called}, item)]
        bool(helper(item, scene))
        other = bool({expression})
        bool(self.{called}(scene, item, other))
""".replace("    method = None\n\n", "")


@st.composite
def expressions(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(RECEIVERS))
    for _ in range(draw(st.integers(1, 4))):
        text = f"bool({text}.{draw(NAMES)}){draw(st.sampled_from(ARGUMENTS))}"
    return text


@pytest.fixture(scope="module")
def boot() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreter, "BOOT", BOOT)
        yield


@pytest.fixture(scope="module")
def gated(boot: None) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def ungated(boot: None) -> Iterator[Sandbox]:
    with Ungated() as sandbox:
        yield sandbox


def outcome(sandbox: Sandbox, source: str) -> str:
    try:
        sandbox.draw(source, "train", 0)
    except TaskError as error:
        return str(error)
    return ""


IN_BUILD = HEAD + "class Bad(Task):\n    def build(self, scene):\n        "


@pytest.mark.parametrize(
    "expression",
    [
        "(x for x in ()).gi_frame",
        "(x for x in ()).gi_code",
        "scene.rng.bit_generator",
        "scene.rng.bit_generator.state",
        "(x for x in (1,)).gi_frame.f_globals",
        "Scene.add.__globals__",
    ],
)
def test_the_witness_sees_what_is_reached(ungated: Sandbox, expression: str) -> None:
    assert FOUND in outcome(ungated, f"{IN_BUILD}bool({expression})\n")


def test_the_search_holds_what_once_escaped(ungated: Sandbox, gated: Sandbox) -> None:
    escape = program("self.gi_frame", "(x for x in (1, 2))", "self", "method")
    assert FOUND in outcome(ungated, escape)
    assert "self is bound" in outcome(gated, escape)


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
@settings(max_examples=150, deadline=None)
@given(
    expression=expressions(),
    held=st.sampled_from(RECEIVERS[2:-3]),
    first=st.sampled_from(["first", "gi_frame", "index", "self"]),
    called=st.sampled_from(["method", "add", "index", "copy", "gi_frame"]),
)
def test_no_program_of_the_allowed_syntax_reaches_beyond(
    gated: Sandbox, expression: str, held: str, first: str, called: str
) -> None:
    assert FOUND not in outcome(gated, program(expression, held, first, called))
