"""The oracle on small random tasks of each relation, from states that random actions lead to."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensim_envs import Oracle, OracleError
from gensim_envs.api import Ball, Block, Box, Container, Cylinder, Pose, Scene, Zone, stack

KINDS = [
    "left_of", "right_of", "in_front_of", "behind", "next_to", "between", "around", "row", "on",
    "part", "inside", "only", "zone", "pattern", "mark",
]  # fmt: skip


def made(kind: str, count: int):
    """A task with a goal of one kind about some blocks, beside a ball that is to be left."""

    def build(scene: Scene) -> None:
        scene.distract(Ball("yellow", diameter=0.04))
        number = 1 if kind in ("between", "part", "next_to") else count
        blocks = [scene.add(Block("red")) for _ in range(number)]

        def goal(**where: object) -> None:
            scene.goal("move the red blocks", blocks, **where)

        if kind in ("left_of", "right_of", "in_front_of", "behind", "next_to", "around"):
            goal(**{kind: scene.add(Block("blue"))})
        elif kind == "between":
            ends = (
                scene.add(Block("blue")),
                scene.add(Cylinder("green", diameter=0.05, length=0.05)),
            )
            goal(between=ends)
        elif kind == "row":
            goal(row=True)
        elif kind == "on":
            goal(on=scene.add(Box("green", extents=(0.2, 0.06, 0.02))))
        elif kind == "part":
            goal(on=scene.add(Box("green", extents=(0.2, 0.06, 0.02))), part="end")
        elif kind in ("inside", "only"):
            tray = scene.add(Container("green", extents=(0.18, 0.14, 0.03)))
            goal(inside=tray, only=kind == "only")
        elif kind == "zone":
            goal(inside=scene.add(Zone("green", width=0.14)))
        elif kind == "pattern":
            frame = scene.pattern()
            goal(at=[frame @ pose for pose in stack(Pose(0, 0), count, 0.04)])
        else:
            goal(at=scene.mark(blocks[0], [Pose(0.4, -0.1 + 0.1 * k) for k in range(count)]))

    return build


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=3, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(seed=st.integers(0, 10_000), count=st.integers(3, 4), random=st.integers(0, 6))
def test_solves_or_names_the_goal(table, kind, seed, count, random):
    env = table(made(kind, count), obs_mode="state")
    env.reset(seed=seed)
    env.action_space.seed(seed)
    for _ in range(random):
        if env.step(env.action_space.sample())[2]:
            return
    oracle, seen = Oracle(env), set()
    for _ in range(4 * count + 6):
        try:
            action = oracle.act()
        except OracleError as error:
            assert "move the" in str(error)
            return
        now = env.world.snapshot()
        state = tuple(round(x, 3) for pose in now.poses for x in (pose.x, pose.y, pose.z))
        key = state, tuple(np.round(action, 3))
        assert key not in seen, "the same action in the same state"
        seen.add(key)
        if env.step(action)[2]:
            return
    raise AssertionError("neither solved nor refused")
