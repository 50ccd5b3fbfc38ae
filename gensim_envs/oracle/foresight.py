"""What an action would lead to, found out in a copy of the world."""

from __future__ import annotations

import contextlib

from gensim_envs.sim import primitives
from gensim_envs.sim.world import World
from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import Snapshot


def after(world: World, action: Array) -> Snapshot:
    """The state after a pick and place (6,), in direct motion; the world itself does not change."""
    with contextlib.closing(World(renders=False)) as copy:
        copy.restore(world.spec, world.poses(), world.snapshot().contacts)
        primitives.pick_and_place(copy, action)
        return copy.snapshot()
