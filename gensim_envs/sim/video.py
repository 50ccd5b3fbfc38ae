"""The motion as people see it: an arm that does what the simulation says was done."""

from __future__ import annotations

import os

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim import renderer
from gensim_envs.sim.arm.robot import ArmView, Tool, inverse
from gensim_envs.sim.cameras import OVERVIEW, TABLE_COLOR, Camera, for_people
from gensim_envs.sim.spawn import show
from gensim_envs.sim.world import STEP, World
from gensim_envs.task.goals import Array

FPS = 24
_SPEED = 0.6  # m/s at which the tool crosses free space in the film
_TURN = 3.0  # rad/s at which it turns
_HOME = np.array([0.42, -0.12, 0.25, 0.0])
_FRAME_STEPS = round(1 / FPS / STEP)
_RECONNECT_EVERY = 50  # stages: pybullet never frees meshes, a new connection does
Frame = NDArray[np.uint8]
Pose3 = tuple[tuple[float, ...], tuple[float, ...]]
"""Position (x, y, z) and quaternion xyzw."""


class Film:
    """Pictures of the motion, taken on a stage.

    The stage is a pybullet client of its own, which holds what everything looks like, the arm and
    the table top too, and nothing that collides. So filming changes no bit of the simulation, and
    agents never see the arm.

    Args:
        world: what to film.
        moving: keep the frames of every motion; otherwise only `picture` works.
        camera: what takes the pictures.
        every: keep one frame of so many, for a film that is faster than life. The others are not
            rendered.

    Attributes:
        length: frames of the motion since the start, those that were not kept included.
    """

    def __init__(
        self, world: World, moving: bool, *, camera: Camera = OVERVIEW, every: int = 1
    ) -> None:
        self._world = world
        self._moving = moving
        self._camera = camera
        self._every = every
        self._client = -1
        self._stages = 0
        self._clear()

    def _clear(self) -> None:
        self.length = self._steps = 0
        self._frames: list[Frame] = []
        self._tip = _HOME
        self._tool: Tool = "suction"
        self._view: ArmView | None = None  # None until the stage is set
        self._copies: dict[int, int] = {}  # simulated body -> the one on the stage
        self._held: tuple[int, Pose3] | None = None  # a body, and its pose seen from the tip

    def start(self) -> None:
        """Begin, after the world has been loaded."""
        self._clear()
        if self._moving:
            self._frames.append(self.picture())
            self._world.watcher = self

    def close(self) -> None:
        """Give the stage back; more than once is fine."""
        if self._client >= 0:
            renderer.disconnect(self._client)
            self._client = -1
            self._view = None

    def picture(self, camera: Camera | None = None) -> Frame:
        """The scene as it is now, (height, width, 3) uint8; taken like the film, if not said."""
        view = self._view or self._set_stage()
        for item, bodies in enumerate(self._world.bodies):
            if bodies and bodies[0] not in self._copies:
                asset = self._world.spec.items[item].asset
                self._copies |= zip(bodies, show(asset, len(bodies), self._client), strict=True)
        for body, copy in self._copies.items():
            pose = p.getBasePositionAndOrientation(body, physicsClientId=self._world.client)
            if self._held is not None and body == self._held[0]:
                pose = p.multiplyTransforms(*_frame(self._tip), *self._held[1])
            p.resetBasePositionAndOrientation(copy, *pose, physicsClientId=self._client)
        arm = self._world.arm
        if arm is None:
            view.show(inverse(self._tip[:3], float(self._tip[3])), self._tool)
        else:
            view.show(arm.joints(), arm.tool)
        return for_people(self._client, camera or self._camera)

    def _set_stage(self) -> ArmView:
        """An empty table with the arm."""
        if self._stages % _RECONNECT_EVERY == 0:
            self.close()
            self._client = renderer.connect(renderer.asked_for())
        self._stages += 1
        p.resetSimulation(physicsClientId=self._client)
        sand = [*(channel / 255 for channel in TABLE_COLOR), 1.0]
        top = renderer.box(self._client, (1.20, 1.44, 0.04), sand)
        # A hair below zero, so that paint on the table is not lost in it.
        p.createMultiBody(
            0, -1, top, (0.45, 0, -0.0205), useMaximalCoordinates=True,
            physicsClientId=self._client,
        )  # fmt: skip
        self._copies = {}
        self._view = ArmView(self._client)
        return self._view

    def take(self) -> list[Frame]:
        """The frames since the last call."""
        frames, self._frames = self._frames, []
        return frames

    def _pass(self) -> None:
        """The time of a frame has passed."""
        self.length += 1
        if self.length % self._every == 0:
            self._frames.append(self.picture())

    def stepped(self, tip: Array | None, tool: Tool) -> None:
        """A simulation step was made, with the tool at `tip` (x, y, z, yaw) or where it was."""
        if tip is not None:
            self._tip, self._tool = tip, tool
        self._steps += 1
        if self._steps % _FRAME_STEPS == 0:
            self._pass()

    def grasp(self, body: int) -> None:
        """From now on a body moves with the tool, wherever the simulation has it."""
        pose = p.getBasePositionAndOrientation(body, physicsClientId=self._world.client)
        tip = p.invertTransform(*_frame(self._tip))
        self._held = body, p.multiplyTransforms(*tip, *pose)

    def release(self) -> None:
        """The tool lets go: the body is again where the simulation has it."""
        self._held = None

    def glide(self, tip: Array, tool: Tool) -> None:
        """The tool went straight to `tip` (x, y, z, yaw), and with it what it holds."""
        start, self._tool = self._tip, tool
        change = np.abs(tip - start)
        seconds = max(float(np.linalg.norm(change[:3])) / _SPEED, float(change[3]) / _TURN)
        count = max(1, round(seconds * FPS))
        for k in range(1, count + 1):
            self._tip = start + (tip - start) * k / count
            self._pass()

    def leave(self) -> None:
        """Show how the empty tool goes up and back to where every film starts."""
        self.glide(np.array([*self._tip[:2], _HOME[2], self._tip[3]]), self._tool)
        self.glide(_HOME, self._tool)


def _frame(tip: Array) -> Pose3:
    """(x, y, z, yaw) as position and quaternion."""
    return tuple(tip[:3]), p.getQuaternionFromEuler((0, 0, float(tip[3])))


class Window:
    """Plays frames in a window of its own.

    Raises:
        RuntimeError: without a display, or without pygame.
    """

    def __init__(self) -> None:
        if not any(os.environ.get(k) for k in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")):
            raise RuntimeError(
                'render_mode="human" needs a display; without one use "rgb_array_list"'
            )
        try:
            import pygame
        except ModuleNotFoundError as error:
            raise RuntimeError(
                'render_mode="human" needs pygame: pip install "gensim-envs[video]"'
            ) from error
        self._pygame = pygame
        pygame.display.init()
        self._screen = pygame.display.set_mode((640, 480))
        pygame.display.set_caption("gensim")
        self._clock = pygame.time.Clock()

    def play(self, frames: list[Frame]) -> None:
        """Show frames at the film's speed."""
        for frame in frames:
            self._pygame.event.pump()
            surface = self._pygame.surfarray.make_surface(frame.swapaxes(0, 1))
            self._screen.blit(surface, (0, 0))
            self._pygame.display.flip()
            self._clock.tick(FPS)

    def close(self) -> None:
        """Close the window; more than once is fine."""
        self._pygame.display.quit()
