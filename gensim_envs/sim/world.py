"""The simulated table: one pybullet client that holds one drawn task."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

import numpy as np
import pybullet as p

from gensim_envs.errors import TaskError
from gensim_envs.sim import Uncopyable, cameras
from gensim_envs.sim.arm.dynamics import Arm
from gensim_envs.sim.arm.robot import Tool
from gensim_envs.sim.client import STEP, Client, selected_renderer
from gensim_envs.sim.rest import CHECK_SECONDS, RestDetector, Sleepers
from gensim_envs.sim.spawn import hull, spawn
from gensim_envs.task.assets import Pile, Rope
from gensim_envs.task.geometry import Array, tilt_and_yaw
from gensim_envs.task.goals import TILT_TOLERANCE, Snapshot
from gensim_envs.task.pose import WORKSPACE, Pose
from gensim_envs.task.spec import TaskSpec

_MAX_SETTLE = 5.0  # seconds
_RECONNECT_EVERY = 200  # loads: pybullet frees meshes only with the connection
_WARM_START = 0.85  # of the last step's impulses; with pybullet's own 0.1, crumbs tremble
_SOFT_STEP = 2 * STEP  # of ropes and piles without an arm
_ROPE_ITERATIONS, _PILE_ITERATIONS = 30, 20  # Bullet's default is 50; fewer stretch ropes
_ROPE_STIFFNESS = 0.8  # of a joint's error, corrected in each step; with 0.2 ropes stretch
_MARGIN, _SOFT_MARGIN = 0.02, 0.002  # metres around bodies within which pybullet looks for contacts
_SLIP = 0.005  # metres that a thing may move while the scene settles at reset


BodyPose = tuple[tuple[float, ...], tuple[float, ...]]
"""A body's middle (x, y, z), metres, and its orientation, a quaternion xyzw."""
Contacts = dict[tuple[int, int], float]
"""See `Snapshot.contacts`."""


class Watcher(Protocol):
    """Observes motions while they are simulated, to record a video of them."""

    def stepped(self, tip: Array | None, tool: Tool) -> None:
        """A step was simulated with the tool at `tip` (x, y, z, yaw), or where it was before."""

    def grasp(self, body: int) -> None:
        """The tool holds a body, which moves with it whatever the simulation does meanwhile."""

    def release(self) -> None:
        """The tool lets go; the body is where the simulation has it."""

    def glide(self, tip: Array, tool: Tool) -> None:
        """The tool crossed free space to `tip`, with what it holds."""


class World(Uncopyable):
    """One task's bodies and their physics. Nothing here reads a clock or draws a random number.

    Args:
        renders: whether it will be rendered; otherwise no renderer starts, and nothing is visible.
        with_arm: whether an arm stands at the table.

    Attributes:
        spec: the task that is loaded.
        client: the connection to pybullet.
        table: pybullet's body id of the table.
        invisible: pybullet's id of a visual shape that is not seen.
        bodies: pybullet's body ids of each item; empty for an item that has not appeared yet.
        time_step: seconds of a simulation step.
        arm: at home after each load; None without an arm.
        watcher: observes every motion until the next load; None for no observer.
    """

    spec: TaskSpec

    def __init__(self, renders: bool = True, with_arm: bool = False) -> None:
        selected = selected_renderer()
        self._renders = renders
        self._renderer = selected if renders else "tiny"
        self.client = Client(self._renderer)
        self.arm: Arm | None = None
        self._with_arm = with_arm
        self.bodies: list[list[int]] = []
        self.watcher: Watcher | None = None
        self._loads = 0
        self._soft: Sleepers | None = None
        self.time_step = STEP
        self._margin = _MARGIN
        self._forget()

    def _forget(self) -> None:
        """Measure poses and contacts anew when they are next asked for."""
        self._snapshot: Snapshot | None = None
        self._poses: list[list[BodyPose]] | None = None

    def close(self) -> None:
        """Disconnect; may be called again."""
        self.client.close()

    def load(self, spec: TaskSpec) -> None:
        """Replace what is on the table.

        Raises:
            TaskError: an item does not come to rest where the spec put it.
        """
        self.watcher = None
        self._build(spec, [item.after is None for item in spec.items])
        if not self.settle():
            raise TaskError(
                "the scene does not come to rest", "Let nothing lean or roll", redraw=True
            )
        self._check_starts()
        self.rebuild(time=0)

    def restore(
        self,
        spec: TaskSpec,
        poses: list[list[BodyPose]],
        contacts: Contacts | None = None,
        time: int = 0,
    ) -> None:
        """Replace what is on the table by bodies at rest at these poses; nothing is simulated.

        Args:
            spec: the task.
            poses: of the bodies of each item; none for an item that has not appeared yet.
            contacts: of the snapshot; None to measure them.
            time: simulation steps since the reset, for the arm.
        """
        self._build(spec, [bool(bodies) for bodies in poses])
        for item, data in enumerate(spec.items):
            if not data.fixed:
                for body, pose in zip(self.bodies[item], poses[item], strict=True):
                    self.client.resetBasePositionAndOrientation(body, *pose)
        # Before things sleep, since there is none between bodies that do.
        self.client.performCollisionDetection()
        self._poses = poses
        if contacts is None:
            contacts = self._contacts()
        self._snapshot = self._measure(contacts)
        if self._with_arm:
            self.sleep()
            self.arm = Arm(self.client, time)
        # Other connections of this process have pybullet's own margin.
        self.client.setPhysicsEngineParameter(contactBreakingThreshold=_MARGIN)

    def rebuild(self, time: int | None = None) -> None:
        """Restore the world as it is, so that what follows depends on nothing but plain poses.

        pybullet keeps more than poses: velocities below those of rest, and contacts with the forces
        that hold them. Its own `saveState` does not restore these exactly.

        Args:
            time: simulation steps since the reset; None to go on counting.
        """
        if time is None:
            time = 0 if self.arm is None else self.arm.time
        self.restore(self.spec, self.poses(), self.snapshot().contacts, time)

    def poses(self) -> list[list[BodyPose]]:
        """The poses of the bodies of each item, as `restore` takes them."""
        if self._poses is None:
            self._poses = [
                [self.client.getBasePositionAndOrientation(body) for body in bodies]
                for bodies in self.bodies
            ]
        return self._poses

    def _build(self, spec: TaskSpec, there: Sequence[bool]) -> None:
        """Replace what is on the table by those items that are `there`, where they start."""
        self.arm = None
        self._loads += 1
        if self._loads % _RECONNECT_EVERY == 0:
            self.close()
            self.client = Client(self._renderer)
        self.client.resetSimulation()
        self.client.setGravity(0, 0, -9.81)
        self.spec = spec
        self._soft = None
        self._choose_solver()
        self._create_table()
        self.bodies = [[] for _ in spec.items]
        self._item_of: dict[int, int] = {}
        for item, spawns in enumerate(there):
            if spawns:
                self._spawn(item)
        self._soft = self._sleepers()

    def set_margin(self) -> None:
        """Set pybullet's margin around bodies to this world's.

        There is one margin for all connections of a process, so every action begins with this.
        """
        self.client.setPhysicsEngineParameter(contactBreakingThreshold=self._margin)

    def _choose_solver(self) -> None:
        kinds = {type(item.asset) for item in self.spec.items}
        soft = bool(kinds & {Rope, Pile})
        self.time_step = _SOFT_STEP if soft and not self._with_arm else STEP
        self._margin = _SOFT_MARGIN if soft else _MARGIN
        self.set_margin()
        self.client.setPhysicsEngineParameter(
            fixedTimeStep=self.time_step, deterministicOverlappingPairs=1
        )
        if soft:
            self.client.setPhysicsEngineParameter(
                numSolverIterations=_ROPE_ITERATIONS if Rope in kinds else _PILE_ITERATIONS,
                warmStartingFactor=_WARM_START,
            )
        if Rope in kinds and not self._with_arm:
            self.client.setPhysicsEngineParameter(erp=_ROPE_STIFFNESS)

    def _create_table(self) -> None:
        (x0, x1), (y0, y1) = WORKSPACE
        half = [(x1 - x0) / 2 + cameras.TABLE_MARGIN, (y1 - y0) / 2 + cameras.TABLE_MARGIN, 0.05]
        shape = self.client.createCollisionShape(p.GEOM_BOX, halfExtents=half)
        # Without a visual shape pybullet would draw the collision shape.
        self.invisible = self.client.createVisualShape(
            p.GEOM_BOX, halfExtents=[0.001] * 3, visualFramePosition=[0, 0, -9]
        )
        self.table = self.client.createMultiBody(
            0, shape, self.invisible, [(x0 + x1) / 2, (y0 + y1) / 2, -half[2]],
            useMaximalCoordinates=True,
        )  # fmt: skip
        self.client.changeDynamics(self.table, -1, lateralFriction=0.8)

    def _spawn(self, item: int) -> None:
        data = self.spec.items[item]
        poses = [Pose(x, y, 0.0, yaw) for x, y, yaw in data.bodies] or [data.start]
        visual = None if self._renders else self.invisible
        bodies = spawn(data.asset, poses, fixed=data.fixed, client=self.client, visual=visual)
        self.bodies[item] = bodies
        for body in bodies:
            self._item_of[body] = item
        if isinstance(data.asset, Rope):
            self._link(bodies, data.asset)
        self._forget()

    def _sleepers(self) -> Sleepers | None:
        beads, crumbs = (
            [
                body
                for bodies, data in zip(self.bodies, self.spec.items, strict=True)
                if isinstance(data.asset, kind)
                for body in bodies
            ]
            for kind in (Rope, Pile)
        )
        return Sleepers(self.client, beads, crumbs, self.time_step) if beads or crumbs else None

    def _link(self, beads: list[int], rope: Rope) -> None:
        """Join the middle of each bead to a point in front of the bead before it.

        Neighbours do not collide. With joints half-way between beads, an end could fold onto its
        neighbour.
        """
        gap = rope.length / (rope.bodies - 1)
        for a, b in itertools.pairwise(beads):
            self.client.createConstraint(
                a, -1, b, -1, p.JOINT_POINT2POINT, [0, 0, 0], [gap, 0, 0], [0, 0, 0]
            )
            self.client.setCollisionFilterPair(a, b, -1, -1, 0)

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

    def spawn_waiting(self, placed: Callable[[int], bool]) -> None:
        """Spawn each waiting item whose predecessor has been `placed`."""
        for item, data in enumerate(self.spec.items):
            waits = data.after is not None and not self.bodies[item]
            if waits and self.bodies[data.after or 0] and placed(data.after or 0):
                self._spawn(item)
                self.settle()

    def step(self, count: int = 1, tip: Array | None = None, tool: Tool = "suction") -> None:
        """Advance by `count` simulation steps; `tip` (x, y, z, yaw) is where the tool is."""
        self._forget()
        for _ in range(count):
            self.client.stepSimulation()
            if self._soft is not None and self.arm is None:
                self._soft.stepped()
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

    def is_movable(self, body: int) -> bool:
        """Whether a body is of an item that can move."""
        item = self.item_of(body)
        return item is not None and not self.spec.items[item].fixed

    def settle(self) -> bool:
        """Step until everything is at rest; False if something still moves after 5 s."""
        bodies = self.movable()
        items = self.spec.items
        balls = {b for b in bodies if items[self._item_of[b]].asset.tumbles == "ball"}
        detector = RestDetector(self.client, balls)
        soft = self._soft if self.arm is None else None
        if soft is not None:
            bodies = [body for body in bodies if body not in soft]
            soft.settling = True
        self.set_margin()
        for _ in range(round(_MAX_SETTLE / CHECK_SECONDS)):
            self.step(round(CHECK_SECONDS / self.time_step))
            if detector.at_rest(bodies) and (soft is None or soft.at_rest):
                return True
        return False

    def sleep(self, but: Collection[int] = ()) -> None:
        """Freeze all `but` these bodies until something that moves comes near them.

        It is for bodies at rest, which creep in pybullet: a rope by a millimetre a second.
        """
        for body in self.movable():
            if body not in but:
                self._activate(body, p.ACTIVATION_STATE_SLEEP)

    def wake(self, bodies: Iterable[int]) -> None:
        """Simulate these movable bodies again until they are put to sleep."""
        for body in bodies:
            self._activate(body, p.ACTIVATION_STATE_DISABLE_SLEEPING)

    def sleep_soft(self) -> None:
        """Freeze ropes and piles until something that moves comes near them."""
        if self._soft is not None:
            self._soft.sleep()

    def wake_soft(self, bodies: Collection[int] | None = None) -> None:
        """Simulate these beads and crumbs, or all, until they are at rest."""
        if self._soft is not None:
            self._soft.wake(self.movable() if bodies is None else bodies)

    def _activate(self, body: int, state: int) -> None:
        self.client.changeDynamics(body, -1, activationState=state)

    def body_pose(self, body: int) -> tuple[Array, Array]:
        """Middle (3,) and orientation (4,) xyzw of a body."""
        position, orientation = self.client.getBasePositionAndOrientation(body)
        return np.array(position), np.array(orientation)

    def item_of(self, body: int) -> int | None:
        """Index of the item that a body belongs to; None for the table."""
        return self._item_of.get(body)

    def name_of(self, body: int) -> str:
        """The name of a body's item, as an instruction would call it."""
        item = self.item_of(body)
        return "table" if item is None else str(self.spec.items[item].asset)

    def snapshot(self) -> Snapshot:
        """Return the current state of all items."""
        if self._snapshot is None:
            self._snapshot = self._measure(self._contacts())
        return self._snapshot

    def _measure(self, contacts: Contacts) -> Snapshot:
        now = self.poses()
        poses: list[Pose] = []
        tilts: list[float] = []
        soft: dict[int, Array] = {}
        rotations: dict[int, Array] = {}
        hulls: dict[int, Array] = {}
        for item, data in enumerate(self.spec.items):
            bodies = self.bodies[item]
            tilt, pose = 0.0, data.start
            if not bodies:
                pose = Pose(data.start.x, data.start.y, -1.0)  # not there yet
            elif data.bodies:
                soft[item] = np.array([position for position, _ in now[item]])
                middle = soft[item].mean(axis=0)
                pose = Pose(float(middle[0]), float(middle[1]))
            elif not data.fixed:
                (x, y, z), quaternion = now[item][0]
                rotation = np.reshape(p.getMatrixFromQuaternion(quaternion), (3, 3))
                tilt, yaw = tilt_and_yaw(data.asset.tumbles, rotation)
                pose = Pose(x, y, z - data.asset.height / 2, yaw)
                rotations[item] = rotation
                if tilt > TILT_TOLERANCE:
                    hulls[item] = hull(data.asset) @ rotation.T + (x, y, z)
            poses.append(pose)
            tilts.append(tilt)
        return Snapshot(tuple(poses), tuple(tilts), soft, contacts, rotations, hulls)

    def _contacts(self) -> Contacts:
        highest: Contacts = {}
        for contact in self.client.getContactPoints():
            a, b = self.item_of(contact[1]), self.item_of(contact[2])
            if a is not None and b is not None and a != b and contact[8] < 0.001:
                pair = (min(a, b), max(a, b))
                highest[pair] = max(highest.get(pair, -math.inf), contact[5][2])
        return highest

    def top_down(self, view: cameras.ViewConditions = cameras.DEFAULT_VIEW) -> cameras.TopDown:
        """Render the view from above.

        Raises:
            RuntimeError: the world was made with `renders=False`, so nothing in it is visible.
        """
        if not self._renders:
            raise RuntimeError("nothing is visible in a world that was made with renders=False")
        return cameras.render_top_down(self.client, view)
