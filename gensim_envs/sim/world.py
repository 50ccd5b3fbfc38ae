"""The simulated table: one pybullet client that holds one drawn task."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import numpy as np
import pybullet as p

from gensim_envs.errors import TaskError
from gensim_envs.sim import renderer
from gensim_envs.sim.arm.dynamics import Arm
from gensim_envs.sim.arm.robot import Tool
from gensim_envs.sim.cameras import PLAIN, TABLE_MARGIN, Sight, TopDown, top_down
from gensim_envs.sim.spawn import spawn
from gensim_envs.task.assets import Rope
from gensim_envs.task.goals import Array, Snapshot, tilt_and_yaw
from gensim_envs.task.pose import WORKSPACE, Pose
from gensim_envs.task.spec import TaskSpec

STEP = 1 / 240
"""Seconds a simulation step."""
_CHECK_EVERY = 4  # steps between looks at the velocities
_CALM_CHECKS = 3  # in a row: a body at the top of its swing is at rest only for one
_STILL = (0.004, 0.1)  # m/s and rad/s
_FALLING, _LOST = 1.0, -0.3  # m/s, m: what has fallen off the table falls for ever
_MAX_SETTLE = 1200  # steps
_RECONNECT_EVERY = 200  # loads: pybullet never frees meshes, a new connection does
_SLIP = 0.005  # metres that a thing may move while the scene settles at reset


class Watcher(Protocol):
    """Sees motions as they are made."""

    def stepped(self, tip: Array | None, tool: Tool) -> None:
        """A step was simulated with the tool at `tip` (x, y, z, yaw), or where it was."""

    def grasp(self, body: int) -> None:
        """The tool holds a body: what the simulation does with it is not yet to be seen."""

    def release(self) -> None:
        """The tool lets go: the body is where the simulation has it."""

    def glide(self, tip: Array, tool: Tool) -> None:
        """The tool crossed free space to `tip`, with what it holds."""


class World:
    """One task's bodies and their physics. Nothing here reads a clock or draws a random number.

    Args:
        pictures: whether there will be any; without them it does not matter that EGL starts.
        with_arm: whether an arm stands at the table.

    Attributes:
        spec: the task that is loaded.
        bodies: pybullet's body ids of each item; empty for one that has not appeared yet.
        arm: at home after each load; None without.
        watcher: sees every motion until the next load, for filming; None to be unwatched.
    """

    spec: TaskSpec

    def __init__(self, pictures: bool = True, with_arm: bool = False) -> None:
        asked_for = renderer.asked_for()
        self._renderer = asked_for if pictures else "tiny"
        self.client = renderer.connect(self._renderer)
        self.arm: Arm | None = None
        self._with_arm = with_arm
        self.bodies: list[list[int]] = []
        self.watcher: Watcher | None = None
        self._loads = 0
        self._snapshot: Snapshot | None = None

    def close(self) -> None:
        """Disconnect; more than once is fine."""
        if self.client >= 0:
            renderer.disconnect(self.client)
            self.client = -1

    def load(self, spec: TaskSpec) -> None:
        """Replace what is on the table.

        Raises:
            TaskError: where something does not come to rest where the spec put it.
        """
        self.watcher = self.arm = None
        self._loads += 1
        if self._loads % _RECONNECT_EVERY == 0:
            self.close()
            self.client = renderer.connect(self._renderer)
        p.resetSimulation(physicsClientId=self.client)
        p.setGravity(0, 0, -9.81, physicsClientId=self.client)
        p.setPhysicsEngineParameter(
            fixedTimeStep=STEP, deterministicOverlappingPairs=1, physicsClientId=self.client
        )
        self.spec = spec
        self._table()
        self.bodies = [[] for _ in spec.items]
        self._item_of: dict[int, int] = {}
        for item, data in enumerate(spec.items):
            if data.after is None:
                self._appear(item)
        if not self.settle():
            raise TaskError(
                "the scene does not come to rest", "Let nothing lean or roll", redraw=True
            )
        self._check_starts()
        if self._with_arm:
            self.sleep()
            self.arm = Arm(self.client, STEP)

    def _table(self) -> None:
        (x0, x1), (y0, y1) = WORKSPACE
        half = [(x1 - x0) / 2 + TABLE_MARGIN, (y1 - y0) / 2 + TABLE_MARGIN, 0.05]
        shape = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=self.client)
        # Without a visual shape pybullet would draw the collision shape.
        self.unseen = p.createVisualShape(
            p.GEOM_BOX, halfExtents=[0.001] * 3, visualFramePosition=[0, 0, -9],
            physicsClientId=self.client,
        )  # fmt: skip
        self.table = p.createMultiBody(
            0, shape, self.unseen, [(x0 + x1) / 2, (y0 + y1) / 2, -half[2]],
            useMaximalCoordinates=True, physicsClientId=self.client,
        )  # fmt: skip
        p.changeDynamics(self.table, -1, lateralFriction=0.8, physicsClientId=self.client)

    def _appear(self, item: int) -> None:
        data = self.spec.items[item]
        poses = [Pose(x, y, 0.0, yaw) for x, y, yaw in data.bodies] or [data.start]
        bodies = spawn(data.asset, poses, fixed=data.fixed, client=self.client)
        self.bodies[item] = bodies
        for body in bodies:
            self._item_of[body] = item
        if isinstance(data.asset, Rope):
            self._link(bodies, data.asset)
        self._snapshot = None

    def _link(self, beads: list[int], rope: Rope) -> None:
        """Each bead hangs by its middle on a point in front of the one before it.

        Neighbours do not collide. Joined half-way between them, an end could turn onto its
        neighbour.
        """
        gap = rope.LENGTH / (rope.bodies - 1)
        for a, b in itertools.pairwise(beads):
            p.createConstraint(
                a, -1, b, -1, p.JOINT_POINT2POINT, [0, 0, 0], [gap, 0, 0], [0, 0, 0],
                physicsClientId=self.client,
            )  # fmt: skip
            p.setCollisionFilterPair(a, b, -1, -1, 0, physicsClientId=self.client)

    def _check_starts(self) -> None:
        now = self.snapshot()
        for item, data in enumerate(self.spec.items):
            if data.fixed or data.bodies or not self.bodies[item]:
                continue
            pose = now.poses[item]
            slip = math.dist((pose.x, pose.y, pose.z), (data.start.x, data.start.y, data.start.z))
            if slip > _SLIP or now.tilts[item] > math.radians(5):
                raise TaskError(
                    f"the {data.asset} does not stay where it starts: it moved by {slip:.3f} m",
                    "Start it on something that holds it",
                    redraw=True,
                )

    def next_in_line(self, placed: Callable[[int], bool]) -> None:
        """Let each waiting item appear whose predecessor has been `placed` and left the spot."""
        for item, data in enumerate(self.spec.items):
            waits = data.after is not None and not self.bodies[item]
            if waits and self.bodies[data.after or 0] and placed(data.after or 0):
                self._appear(item)
                self.settle()

    def step(self, count: int = 1, tip: Array | None = None, tool: Tool = "suction") -> None:
        """Advance by `count` simulation steps; `tip` (x, y, z, yaw) is where the tool is."""
        self._snapshot = None
        for _ in range(count):
            p.stepSimulation(physicsClientId=self.client)
            if self.arm is not None:
                self.arm.observe()
            if self.watcher is not None:
                self.watcher.stepped(tip, tool)

    def movable(self) -> list[int]:
        """Bodies that can move, in the order of items."""
        return [
            body
            for item, bodies in enumerate(self.bodies)
            if not self.spec.items[item].fixed
            for body in bodies
        ]

    def settle(self) -> bool:
        """Step until everything is at rest; False if something still moves after 5 s."""
        bodies = self.movable()
        calm = 0
        seen: dict[int, tuple[int, Array]] = {}
        for check in range(_MAX_SETTLE // _CHECK_EVERY):
            self.step(_CHECK_EVERY)
            still = [self._is_still(body, check, seen) for body in bodies]
            calm = calm + 1 if all(still) else 0
            if calm == _CALM_CHECKS:
                return True
        return False

    def sleep(self, but: Collection[int] = ()) -> None:
        """Leave all `but` these bodies as they are, until something that moves comes near them.

        For what is at rest: pybullet's bodies creep, a rope by a millimetre a second.
        """
        for body in self.movable():
            if body not in but:
                self._activate(body, p.ACTIVATION_STATE_SLEEP)

    def wake(self, bodies: Iterable[int]) -> None:
        """Simulate these bodies again, which must be movable, until they are put to sleep."""
        for body in bodies:
            self._activate(body, p.ACTIVATION_STATE_DISABLE_SLEEPING)

    def _activate(self, body: int, state: int) -> None:
        p.changeDynamics(body, -1, activationState=state, physicsClientId=self.client)

    def _is_still(self, body: int, check: int, seen: dict[int, tuple[int, Array]]) -> bool:
        """Whether a body is at rest, or fallen off the table.

        A round thing may spin on the spot. A mesh that stands on its corners may tremble for ever:
        so what is too fast at the moment is judged by how far it has come since it was `seen`
        last, {body: (check, rotation and position)}.
        """
        (a, b, c), (d, e, f) = p.getBaseVelocity(body, physicsClientId=self.client)
        linear, angular = a * a + b * b + c * c, d * d + e * e + f * f
        if self.spec.items[self._item_of[body]].asset.tumbles == "ball":
            angular = 0.0
        if linear < _STILL[0] ** 2 and angular < _STILL[1] ** 2:
            return True
        position, turn = self.body_pose(body)
        if linear > _FALLING**2:
            return bool(position[2] < _LOST)
        rotation = np.reshape(p.getMatrixFromQuaternion(turn), (3, 3))
        now = np.vstack([rotation, position])
        before, seen[body] = seen.get(body), (check, now)
        if before is None:
            return False
        seconds = (check - before[0]) * _CHECK_EVERY * STEP
        moved = np.linalg.norm(now - before[1], axis=1) / seconds
        return bool(moved[3] < _STILL[0] and (angular == 0.0 or moved[:3].max() < _STILL[1]))

    def body_pose(self, body: int) -> tuple[Array, Array]:
        """Middle (3,) and orientation (4,) xyzw of a body."""
        position, turn = p.getBasePositionAndOrientation(body, physicsClientId=self.client)
        return np.array(position), np.array(turn)

    def item_of(self, body: int) -> int | None:
        """Index of the item that a body belongs to; None for the table."""
        return self._item_of.get(body)

    def name_of(self, body: int) -> str:
        """What a sentence would call a body."""
        item = self.item_of(body)
        return "table" if item is None else str(self.spec.items[item].asset)

    def snapshot(self) -> Snapshot:
        """Where everything is now."""
        if self._snapshot is None:
            self._snapshot = self._look()
        return self._snapshot

    def _look(self) -> Snapshot:
        poses: list[Pose] = []
        tilts: list[float] = []
        soft: dict[int, Array] = {}
        for item, data in enumerate(self.spec.items):
            bodies = self.bodies[item]
            tilt, pose = 0.0, data.start
            if not bodies:
                pose = Pose(data.start.x, data.start.y, -1.0)  # not there yet
            elif data.bodies:
                soft[item] = np.array(
                    [
                        p.getBasePositionAndOrientation(b, physicsClientId=self.client)[0]
                        for b in bodies
                    ]
                )
                middle = soft[item].mean(axis=0)
                pose = Pose(float(middle[0]), float(middle[1]))
            elif not data.fixed:
                (x, y, z), turn = p.getBasePositionAndOrientation(
                    bodies[0], physicsClientId=self.client
                )
                rotation = np.reshape(p.getMatrixFromQuaternion(turn), (3, 3))
                tilt, yaw = tilt_and_yaw(data.asset.tumbles, rotation)
                pose = Pose(x, y, z - data.asset.height / 2, yaw)
            poses.append(pose)
            tilts.append(tilt)
        return Snapshot(tuple(poses), tuple(tilts), soft, self._contacts())

    def _contacts(self) -> frozenset[tuple[int, int]]:
        if all(goal.relation != "on" for goal in self.spec.goals):
            return frozenset()
        pairs = set()
        for contact in p.getContactPoints(physicsClientId=self.client):
            a, b = self.item_of(contact[1]), self.item_of(contact[2])
            if a is not None and b is not None and a != b and contact[8] < 0.001:
                pairs.add((min(a, b), max(a, b)))
        return frozenset(pairs)

    def top_down(self, sight: Sight = PLAIN) -> TopDown:
        """The view from above."""
        return top_down(self.client, sight)
