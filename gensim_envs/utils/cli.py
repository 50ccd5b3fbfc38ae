"""The shell around a command line: commands that load on demand, one-line errors, exit codes.

A command is a function. tyro reads its options from the signature and its help from the docstring.
Exit code 0: success; 1: a check failed or the work could not be done; 2: usage error; 130: Ctrl-C.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import io
import os
import pkgutil
import re
import sys
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import tyro
from tyro.conf import arg
from tyro.constructors import PrimitiveConstructorSpec

from gensim_envs.errors import GensimError, TaskError
from gensim_envs.printing import printable

T = TypeVar("T")

MARKERS = (
    tyro.conf.DisallowNone,
    tyro.conf.HelptextFromCommentsOff,
    tyro.conf.OmitArgPrefixes,
    tyro.conf.PositionalMetavarFromFieldName,
)
"""Configuration of tyro: plain flags, no prefixes, help from docstrings alone."""


@dataclasses.dataclass(frozen=True)
class DependentCommand:
    """A command whose options depend on its arguments, as those of a policy do on `--policy`.

    Attributes:
        build: arguments -> the function. Its nested dataclasses have their name as prefix, unless
            it is "".
    """

    build: Callable[[Sequence[str]], Callable[..., Any]]


class UsageError(GensimError):
    """The command line is invalid; the message says how to correct it."""

    exit_code = 2


def value(read: Callable[[str], T], metavar: str, *, many: bool = False) -> Any:
    """An annotation for an option whose value is read from one word.

    Args:
        read: text -> value; raises ValueError with the problem.
        metavar: what the help calls the value.
        many: whether the option takes any number of words and gives a tuple.

    For an option that may be left out, annotate the optional type: `Annotated[int | None, ...]`.
    """
    return PrimitiveConstructorSpec(
        nargs="*" if many else 1,
        metavar=f"{metavar} ..." if many else metavar,
        instance_from_str=lambda words: tuple(map(read, words)) if many else read(words[0]),
        is_instance=lambda _: True,
        str_from_instance=lambda given: list(map(str, given)) if many else [str(given)],
    )


def whole_number(text: str, least: int) -> int:
    """Read a whole number.

    Raises:
        ValueError: if it is not one, or below `least`.
    """
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{text!r} is not a whole number from {least}")
    return int(text)


def number(text: str, fits: Callable[[float], bool], what: str) -> float:
    """Read a number; what is none does not fit.

    Raises:
        ValueError: if it does not fit, saying that the text is not `what`.
    """
    with contextlib.suppress(ValueError):
        if fits(found := float(text)):
            return found
    raise ValueError(f"{text!r} is not {what}")


Natural = Annotated[int, value(functools.partial(whole_number, least=0), "N")]
"""A whole number from 0."""
Positive = Annotated[int, value(functools.partial(whole_number, least=1), "N")]
"""A whole number from 1."""
OptionalPositive = Annotated[
    int | None, value(functools.partial(whole_number, least=1), "N"), arg(help_behavior_hint="")
]
"""A whole number from 1, or None."""
Share = Annotated[
    float, value(lambda text: number(text, lambda n: 0 <= n <= 1, "a number from 0 to 1"), "SHARE")
]
"""A number from 0 to 1."""
Seed = Annotated[int, value(functools.partial(whole_number, least=0), "SEED")]
"""A seed, from 0."""
Workers = Annotated[
    int | None,
    value(functools.partial(whole_number, least=1), "N"),
    arg(help="number of processes; by default one for each core", help_behavior_hint=""),
]
"""The option of every command that spreads its work over processes."""


def run(
    prog: str,
    description: str,
    commands: Mapping[str, tuple[str, str]],
    arguments: Sequence[str] | None = None,
    *,
    version: str = "",
    install: str = "",
    before: Callable[[], None] | None = None,
) -> int:
    """Run one command of a program.

    Only the module of the command that is asked for is imported.

    Args:
        prog: name of the program, as a user types it.
        description: one line for the help.
        commands: name -> ("module:function", one-line help). The function returns an exit code,
            or None for 0.
        arguments: by default those of this process.
        version: printed by `--version`.
        install: how to install what a command imports and is missing.
        before: called before a command; may raise UsageError.

    Returns:
        The exit code. Every GensimError is printed as one line, and its attribute `exit_code` is
        returned.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know less than UTF-8
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(prog, description, commands, arguments, version, before)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except TaskError as error:
        return _fail(f"refused ({error.cause}): {error}", error.exit_code)
    except GensimError as error:
        return _fail(f"{prog}: {error}", error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in ("", "agents", "gensim_envs"):
            raise
        return _fail(f"{prog}: {package} is missing. {install}".rstrip(), 2)
    except BrokenPipeError:
        # The reader of the output has left, as in `gensim list | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"{prog}: {error}", 1)
    except KeyboardInterrupt:
        # Where Ctrl-C interrupts text that is being executed, as dataclasses do while a module is
        # imported, Python ends itself by a signal instead of the exit code, until other text was.
        exec("")
        return _fail(f"{prog}: stopped", 130)


def parse(
    target: Callable[..., T] | DependentCommand,
    prog: str,
    arguments: Sequence[str],
    **options: Any,
) -> Callable[[], T]:
    """Read the arguments of a function, whose parameters may be dataclasses.

    Args:
        target: a function; its signature declares the options, its docstring their help.
        prog: the command as a user types it.
        arguments: the words after it.
        options: further arguments of `tyro.cli`.

    Returns:
        A call of `target` with these arguments, not made yet.

    Raises:
        UsageError: saying in one line what is wrong with the arguments.
        SystemExit: with code 0, after the help was printed.
    """
    markers = MARKERS
    if isinstance(target, DependentCommand):
        target = target.build(arguments)
        markers = tuple(each for each in MARKERS if each is not tyro.conf.OmitArgPrefixes)
    function: Callable[..., T] = target
    arguments = _joined(arguments, set(_list_options(function)))

    @functools.wraps(function)
    def bound(*positional: Any, **named: Any) -> Callable[[], T]:
        return functools.partial(function, *positional, **named)

    output, errors = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            call: Callable[[], T] = tyro.cli(
                bound, prog=prog, args=arguments, config=markers, **options
            )
    except SystemExit as exit:
        if exit.code:
            raise UsageError(f"{_unboxed(errors.getvalue())} See {prog} --help") from None
        print(_plain_help(output.getvalue()))
        raise
    return call


def _list_options(target: Any) -> Iterator[str]:
    """The names of the options that take any number of values, without their prefixes."""
    for name, annotation in typing.get_type_hints(target, include_extras=True).items():
        metadata = getattr(annotation, "__metadata__", ())
        kind = annotation.__origin__ if metadata else annotation
        if dataclasses.is_dataclass(kind):
            yield from _list_options(kind)
        elif typing.get_origin(kind) is tuple and typing.get_args(kind)[-1] is Ellipsis:
            names = [each.name for each in metadata if getattr(each, "name", None)]
            yield (names or [name])[0].replace("_", "-")


def _joined(arguments: Sequence[str], lists: Collection[str]) -> list[str]:
    """Join `--env A --env B` to `--env A B`; tyro would only keep the last one.

    Args:
        arguments: the words of a command line.
        lists: the names of the options that this is done for, without their prefixes.

    Raises:
        UsageError: if one of these options has no value.
    """
    groups: dict[object, list[str]] = {}
    words = groups.setdefault(None, [])
    for position, word in enumerate(arguments):
        option, equals, text = word.partition("=")
        option = option.replace("_", "-")
        if option.startswith("--") and option[2:].rpartition(".")[2] in lists:
            words = groups.setdefault(option, [option])
            words += [text] if equals else []
        elif word.startswith("-"):
            words = groups[position] = [word]
        else:
            words.append(word)
    for name, given in groups.items():
        if given == [name] and str(name)[2:].rpartition(".")[2] in lists:
            raise UsageError(f"{name} needs at least one value")
    return [word for words in groups.values() for word in words]


def _dispatch(
    prog: str, description: str, commands: Mapping[str, tuple[str, str]],
    arguments: list[str], version: str, before: Callable[[], None] | None,
) -> int:  # fmt: skip
    name = arguments[0] if arguments else ""
    if name in ("-h", "--help"):
        print(_overview(prog, description, commands))
        return 0
    if version and name == "--version":
        print(version)
        return 0
    if name not in commands:
        near = difflib.get_close_matches(name, commands, 3)
        problem = f"there is no command {name!r}." if name else "a command is missing."
        hint = f" Similar: {', '.join(near)}." if near else ""
        raise UsageError(f"{problem}{hint} See {prog} --help")
    target = pkgutil.resolve_name(commands[name][0])
    try:
        call = parse(target, f"{prog} {name}", arguments[1:])
    except SystemExit:
        return 0
    if before is not None:
        before()
    return int(call() or 0)


def _overview(prog: str, description: str, commands: Mapping[str, tuple[str, str]]) -> str:
    width = max(map(len, commands))
    lines = [f"  {name:{width}}  {text}" for name, (_, text) in commands.items()]
    return "\n".join(
        [f"usage: {prog} COMMAND [OPTIONS]", "", description, "", "commands:", *lines, "",
         f"{prog} COMMAND --help shows the options of a command."]
    )  # fmt: skip


def _plain_help(text: str) -> str:
    """Tyro's help without defaults that say nothing, and without padding."""
    text = re.sub(r"\s*\(default:\s+(None|False|''|)\)", "", text)
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def _unboxed(text: str) -> str:
    """The first paragraph of an error that tyro has drawn in a box, in one line."""
    lines = [line.strip(" │╭╮╰╯─") for line in text.strip().splitlines()][1:]  # without its title
    paragraph: list[str] = []
    for line in lines:
        if line.strip("-"):
            paragraph.append(line)
        elif paragraph:
            break
    problem = " ".join(paragraph).rstrip(".")
    return f"{problem[:1].lower()}{problem[1:]}."


def _fail(line: str, code: int) -> int:
    if sys.stderr is not None:
        print(printable(line), file=sys.stderr)
    return code
