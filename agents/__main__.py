"""`python -m agents`: train, export, evaluate, benchmark.

Exit 0: done; 1: done and found wanting; 2: bad use, or what its message says has to be put right.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from agents.errors import Stopped
from gensim_envs.errors import GensimError

COMMANDS = {
    "train": ("agents.training.train", "Train an agent."),
    "export": ("agents.data.collect", "Record demonstrations, to train elsewhere."),
    "evaluate": (
        "agents.evaluation.evaluate",
        "Play episodes over fixed test seeds and report success.",
    ),
    "benchmark": ("agents.benchmark.run", "Train and evaluate a table of agents and tasks."),
}
"""Name -> module with `add_parser(commands)`, whose parser sets `run`; and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know less than UTF-8
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = _parser(arguments).parse_args(arguments)
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except Stopped as error:
        print(f"agents: {error}", file=sys.stderr)
        return 130
    except GensimError as error:
        print(f"agents: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "agents").startswith("agents"):
            raise
        print(f"agents: {error.name} is missing: pip install -e '.[agents]'", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output has left, as in `python -m agents train --help | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("agents: stopped", file=sys.stderr)
        return 130


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, in which only the command that is asked for is there in full.

    Its module alone is loaded: training runs where what evaluation needs is not installed.
    """
    parser = argparse.ArgumentParser(
        prog="python -m agents", description="Policies for tabletop manipulation."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        if arguments[:1] != [name]:
            commands.add_parser(name, help=text)
        elif name == "train":  # whose options are those of the agent
            importlib.import_module(module).add_parser(commands, arguments[1:])
        else:
            importlib.import_module(module).add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
