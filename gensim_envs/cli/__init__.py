"""The `gensim` command. Exit 0: done; 1: done and found wanting; 2: bad use."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path

import gensim_envs
from gensim_envs.cli import pipeline, reports, tasks, tuning
from gensim_envs.cli.shared import UsageError
from gensim_envs.errors import GensimError, TaskError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know less than UTF-8
    options = _parser().parse_args(arguments)
    try:
        _check_renderer()
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except TaskError as error:
        print(f"refused ({error.cause}): {error}", file=sys.stderr)
        return 1
    except UsageError as error:
        print(f"gensim: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output has left, as in `gensim list | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except BrokenExecutor:
        print("gensim: a worker process ended, perhaps for want of memory; use --workers 1",
              file=sys.stderr)  # fmt: skip
        return 1
    except (GensimError, OSError) as error:
        print(f"gensim: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("gensim: stopped", file=sys.stderr)
        return 130


def _check_renderer() -> None:
    if os.environ.get("GENSIM_RENDERER"):
        from gensim_envs.sim.renderer import asked_for  # loads the simulator

        try:
            asked_for()
        except ValueError as error:
            raise UsageError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gensim", description="Tasks written by language models.")
    parser.add_argument("--version", action="version", version=gensim_envs.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        sub.add_argument(
            "--library", type=Path, metavar="DIR",
            help="folder with registry.json; else GENSIM_LIBRARY, else the checkout",
        )  # fmt: skip
        return sub

    tasks.add_commands(command)
    pipeline.add_commands(command)
    reports.add_commands(command)
    tuning.add_commands(command)
    return parser
