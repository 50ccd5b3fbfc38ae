"""Checks of a spec that came from a program's process, which may have skipped all of a scene's."""

from __future__ import annotations

from gensim_envs.errors import TaskError, in_goal
from gensim_envs.task.checks.goals import check_declared, check_goal
from gensim_envs.task.checks.specs import HIGHEST, check_targets_on_table
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.spec import ItemSpec, TaskSpec

_MARGIN = 0.05
"""Metres by which a middle may lie beyond the workspace, or below the table."""


def check_received(spec: TaskSpec, name: str | None, split: str) -> None:
    """Check a spec that a program in the sandbox has made, without trusting it.

    A hostile program need not have made it with `Scene`, so what the simulator and the oracle rely
    on is checked again. It takes a twentieth of a draw. What it leaves out (things that start
    inside each other, goals that are met at once) makes a bad task and disturbs nothing else; the
    survey of a new program checks that too.

    Args:
        spec: as `TaskSpec.from_json` has read it.
        name: of the task that was asked for; None for any.
        split: that was asked for.

    Raises:
        TaskError: naming what does not fit.
    """
    if spec.name != (name or spec.name) or spec.split != split:
        asked = f"{name or spec.name} in {split}"
        raise TaskError(f"the program drew {spec.name} in split {spec.split}, not {asked}")
    for item in spec.items:
        _check_start(item)
    check_declared(spec.items, spec.goals, spec.patterns, spec.rules)
    for number, goal in enumerate(spec.goals):
        with in_goal(number + 1):
            check_goal(spec.items, spec.patterns, spec.goals[:number], goal)
            check_targets_on_table(spec, goal)


def _check_start(item: ItemSpec) -> None:
    (x0, x1), (y0, y1) = WORKSPACE
    for x, y, z in ((item.start.x, item.start.y, item.start.z), *item.bodies):
        near = x0 - _MARGIN <= x <= x1 + _MARGIN and y0 - _MARGIN <= y <= y1 + _MARGIN
        if not near or (not item.bodies and not -_MARGIN <= z <= HIGHEST):
            raise TaskError(f"the {item.asset} starts off the table", "Move it inwards")
