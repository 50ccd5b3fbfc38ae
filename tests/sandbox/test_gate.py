"""The gate: what it lets through, what it refuses and why, and that nothing crashes it."""

from __future__ import annotations

import gc
import inspect
import string
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from corpus import GOOD, REFUSED, UNPARSABLE, in_build
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gensim_envs
from gensim_envs.errors import TaskError
from gensim_envs.generation.reference import api_reference
from gensim_envs.sandbox.gate import Program, check, extract, syntax_tree
from gensim_envs.task import scene

PACKAGE = Path(gensim_envs.__file__).parent
HAND_WRITTEN = sorted((PACKAGE / "tasks").glob("[a-z]*.py"))


def test_good_program() -> None:
    assert check(GOOD) == Program(GOOD, "GoodTask", "Put one block into the zone.", 3)


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda path: path.stem)
def test_hand_written_tasks_pass(path: Path) -> None:
    assert check(path.read_text()).docstring


def test_generated_tasks_pass() -> None:
    for path in sorted((PACKAGE.parent / "generated").glob("[a-z]*.py")):
        assert check(path.read_text()), path.name


@pytest.mark.parametrize(("source", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(source: str, says: str) -> None:
    with pytest.raises(TaskError) as caught:
        check(source)
    error = caught.value
    assert error.cause == "gate"
    assert says in error.problem
    assert error.remedy
    assert error.line is not None and 1 <= error.line <= source.count("\n") + 1


@pytest.mark.parametrize(("source", "says"), UNPARSABLE.values(), ids=UNPARSABLE.keys())
def test_unparsable(source: str, says: str) -> None:
    with pytest.raises(TaskError) as caught:
        check(source)
    assert caught.value.cause == "parse" or not says
    assert says in caught.value.problem
    assert caught.value.remedy
    assert caught.value.line is not None


def test_first_offence_is_named_with_its_line() -> None:
    source = GOOD + "\n\n    def bad(self):\n        while 1:\n            open('x')\n"
    with pytest.raises(TaskError) as caught:
        check(source)
    assert caught.value.line == source.count("\n") - 1
    assert "while" in caught.value.problem


@pytest.mark.parametrize(
    ("right", "wrong", "remedy"),
    [
        ("scene.add(Zone", "scene.addd(Zone", "Did you mean add"),
        ("scene.colors", "scene.colours", "Did you mean colors"),
        ("scene.add(Block", "scene.add(Blok", "Did you mean Block"),
        ("inside=zone", "inside=Bowl('red')", "Add Bowl to the import"),
        ("math.isclose", "math.is_close", "Did you mean isclose"),
    ],
)
def test_remedy_suggests_what_is_meant(right: str, wrong: str, remedy: str) -> None:
    assert right in GOOD
    with pytest.raises(TaskError) as caught:
        check(GOOD.replace(right, wrong))
    assert remedy in caught.value.remedy


def test_thousands_of_offences_take_no_time() -> None:
    start = time.perf_counter()
    with pytest.raises(TaskError, match="zqab0"):
        check(in_build("".join(f"scene.zqab{k}\n" for k in range(900))))
    assert time.perf_counter() - start < 1


MUTATIONS = st.tuples(
    st.integers(0, len(GOOD)), st.integers(0, 40), st.text(alphabet=string.printable, max_size=12)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(MUTATIONS, min_size=1, max_size=4))
@example([(0, 0, "\0")])
def test_mutated_programs_pass_or_raise_a_task_error(mutations: list[tuple[int, int, str]]) -> None:
    source = GOOD
    for start, length, text in mutations:
        source = source[:start] + text + source[start + length :]
    _passes_or_raises(source)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text(alphabet="()[]{}:=.,'\"\\f \n\tclassdefTask_0*-") | st.binary())
def test_any_text_raises_a_task_error(source: str | bytes) -> None:
    _passes_or_raises(source if isinstance(source, str) else source.decode("latin-1"))


@settings(max_examples=100, deadline=None)
@given(st.text() | st.lists(st.sampled_from(["```python\n", "```\n", "~~~\n", GOOD, "text\n"])))
def test_extract_of_anything(completion: str | list[str]) -> None:
    text = completion if isinstance(completion, str) else "".join(completion)
    try:
        assert "(Task)" in extract(text)
    except TaskError as error:
        assert error.cause == "parse"


def _passes_or_raises(source: str) -> None:
    try:
        assert check(source).source == source
    except TaskError as error:
        assert error.cause in ("gate", "parse")
        assert error.line is not None and error.line >= 1
        assert error.remedy


@pytest.mark.parametrize(
    "completion",
    [
        GOOD,
        f"```python\n{GOOD}```",
        f"Sure!\n\n```python\n{GOOD}\n```\nThis builds a wheel.\n",
        f"```py\n{GOOD}```\n\n```bash\ngensim check good_task.py\n```\n",
        f"```\n{GOOD}```",
        f"~~~python\n{GOOD}~~~\n",
        f"```python\n{GOOD}```\n".replace("\n", "\r\n"),
        f"```json\n{{}}\n```\n```python\n{GOOD}```\n",
        f"```python\n{GOOD}",  # models forget to close the last block
    ],
)
def test_extract(completion: str) -> None:
    assert extract(completion) == GOOD


@pytest.mark.parametrize(
    ("completion", "says"),
    [
        ("", "neither a class"),
        ("I cannot do that.", "neither a class"),
        ("```python\nprint(1)\n```", "no class derived from Task"),
        (f"```python\n{GOOD}```\n```python\n{GOOD}```", "2 code blocks"),
    ],
)
def test_extract_refuses(completion: str, says: str) -> None:
    with pytest.raises(TaskError, match=says) as caught:
        extract(completion)
    assert caught.value.cause == "parse" and caught.value.remedy


def test_threads_parse_and_read_docstrings_at_once() -> None:
    """Python 3.11 counts the levels of a tree for all threads; they may change at a collection."""
    source = inspect.getsource(scene)
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()

    def parse(number: int) -> None:
        for _ in range(3):
            if number % 2:
                syntax_tree(source)
            else:
                api_reference.__wrapped__()

    def collected(phase: str, info: dict[str, int]) -> None:
        sum(range(50))

    gc.callbacks.append(collected)
    gc.set_threshold(5)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(parse, range(4)))
    finally:
        gc.callbacks.remove(collected)
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)
