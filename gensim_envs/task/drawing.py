"""Draw a spec from a task: run `build` with a seeded generator, again where a check fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gensim_envs.errors import TaskError
from gensim_envs.task.scene import Scene, Task
from gensim_envs.task.spec import TaskSpec
from gensim_envs.task.visibility import check_draw

REDRAWS = 20
"""Redraws of a draw that fails a check, before it is an error."""


@dataclass(frozen=True)
class Draw:
    """A drawn spec and how many redraws it took."""

    spec: TaskSpec
    redraws: int


def draw(task: type[Task], split: str, seed: int, *, visible: bool = True) -> Draw:
    """Build one spec of a task.

    Args:
        task: the task's class.
        split: "train" or "test".
        seed: equal seeds give equal specs, in any process.
        visible: whether everything must be told apart in the picture, as in each episode.

    Raises:
        TaskError: what is wrong with the task, or why no draw of 20 was good.
    """
    rng = np.random.default_rng([seed, *split.encode()])
    for attempt in range(REDRAWS + 1):
        try:
            scene = Scene(split, rng)
            task().build(scene)
            spec = scene._finish(task.__name__)
            if visible:
                check_draw(spec)
            return Draw(spec, attempt)
        except TaskError as error:
            if not error.redraw or attempt == REDRAWS:
                raise
    raise AssertionError("unreachable")
