"""Programs that specs can be drawn from, in this process or in the sandbox."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

from gensim_envs.errors import TaskError
from gensim_envs.task.drawing import Draw, draw
from gensim_envs.task.scene import Task


class Program(Protocol):
    """The part of a task program that an env uses."""

    @property
    def name(self) -> str:
        """Class name of the task."""

    def draw(self, split: str, seed: int) -> Draw:
        """One spec; equal arguments give equal specs. Raises `TaskError`."""


@dataclass(frozen=True)
class HandWritten:
    """A task of the suite itself, which runs in this process.

    Attributes:
        name: class name of the task.
        file: its program, such as `gensim_envs/tasks/x.py`.
    """

    name: str
    file: str

    @property
    def task(self) -> type[Task]:
        """The task's class."""
        module = self.file.removesuffix(".py").replace("/", ".")
        cls = getattr(importlib.import_module(module), self.name, None)
        if not isinstance(cls, type) or not issubclass(cls, Task):
            raise TaskError(f"{self.file} has no task {self.name}", cause="parse")
        return cls

    def draw(self, split: str, seed: int) -> Draw:
        return draw(self.task, split, seed)


@dataclass(frozen=True)
class Sandboxed:
    """An untrusted program, which runs only in the sandbox.

    Attributes:
        name: class name of the task.
        source: the program's text.
        weak: whether it runs also where this machine cannot isolate it.
    """

    name: str
    source: str
    weak: bool = False

    def draw(self, split: str, seed: int) -> Draw:
        # Here, so that hand-written tasks never start a sandbox.
        from gensim_envs.sandbox.client import shared

        return shared().draw(self.source, split, seed, weak=self.weak)


@dataclass(frozen=True)
class Mix:
    """Several programs, all equally likely."""

    programs: tuple[Program, ...]
    name: str = "Mix"

    def draw(self, split: str, seed: int) -> Draw:
        return self.programs[seed % len(self.programs)].draw(split, seed)


def task_names(program: Program) -> list[str]:
    """Class names of the tasks that a program draws."""
    parts = program.programs if isinstance(program, Mix) else (program,)
    return [part.name for part in parts]
