"""What an action would lead to, found out in a copy of the world."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from gensim_envs.sim import primitives
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import Snapshot


class After(Protocol):
    """Says to which state an action leads."""

    def __call__(self, action: Array, *, push: bool = False) -> Snapshot:
        """The state after a pick and place or a push (6,), in direct motion."""


@contextlib.contextmanager
def foresight(world: World) -> Iterator[After]:
    """Tells what actions would lead to, each from the world as it is now; it stays so.

    A connection to the simulator takes as long as a few actions, so that they share one.
    """
    with contextlib.closing(World(renders=False)) as copy:

        def after(action: Array, *, push: bool = False) -> Snapshot:
            copy.restore(world.spec, world.poses(), world.snapshot().contacts)
            act = primitives.push if push else primitives.pick_and_place
            act(copy, action)
            return copy.snapshot()

        yield after
