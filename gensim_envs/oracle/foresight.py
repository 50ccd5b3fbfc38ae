"""What an action would lead to, found out in a copy of the world."""

from __future__ import annotations

import contextlib

from gensim_envs.sim import primitives
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import Snapshot


def after(world: World, action: Array, *, push: bool = False) -> Snapshot:
    """The state after a pick and place or a push (6,), in direct motion; the world stays as is."""
    with contextlib.closing(World(renders=False)) as copy:
        copy.restore(world.spec, world.poses(), world.snapshot().contacts)
        act = primitives.push if push else primitives.pick_and_place
        act(copy, action)
        return copy.snapshot()
