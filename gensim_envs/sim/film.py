"""The motion as people see it: an arm that does what the simulation says was done."""

from __future__ import annotations

import os

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim.cameras import OVERVIEW, TABLE_COLOR, Camera, for_people
from gensim_envs.sim.renderer import box
from gensim_envs.sim.robot import ArmView, Tool, inverse
from gensim_envs.sim.world import STEP, World
from gensim_envs.task.goals import Array

FPS = 24
_SPEED = 0.6  # m/s at which the tool crosses free space in the film
_TURN = 3.0  # rad/s at which it turns
_HOME = np.array([0.42, -0.12, 0.25, 0.0])
_FRAME_STEPS = round(1 / FPS / STEP)
Frame = NDArray[np.uint8]


class Film:
    """Pictures of the motion. Filming changes no bit of the simulation.

    The arm and the table top are bodies without collision shapes. They are moved out of sight
    after each picture, so agents never see them.

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
        self.length = 0
        self._frames: list[Frame] = []
        self._tip = _HOME
        self._tool: Tool = "suction"
        self._steps = 0

    def start(self) -> None:
        """Set up after the world has been loaded."""
        self._arm = ArmView(self._world.client)
        sand = [*(channel / 255 for channel in TABLE_COLOR), 1.0]
        top = box(self._world.client, (1.20, 1.44, 0.04), sand)
        self._top = p.createMultiBody(
            0, -1, top, [0, 0, -9], useMaximalCoordinates=True, physicsClientId=self._world.client
        )
        p.setCollisionFilterGroupMask(self._top, -1, 0, 0, physicsClientId=self._world.client)
        self._tip, self._tool = _HOME, "suction"
        self._frames, self.length = [], 0
        if self._moving:
            self._frames.append(self.picture())
            self._world.watcher = self

    def picture(self, camera: Camera | None = None) -> Frame:
        """The scene as it is now, (height, width, 3) uint8; taken like the film, if not said."""
        client = self._world.client
        self._arm.show(inverse(self._tip[:3], float(self._tip[3])), self._tool)
        # A hair below zero, so that paint on the table is not lost in it.
        p.resetBasePositionAndOrientation(
            self._top, (0.45, 0, -0.0205), (0, 0, 0, 1), physicsClientId=client
        )
        picture = for_people(client, camera or self._camera)
        self._arm.hide()
        p.resetBasePositionAndOrientation(
            self._top, (0, 0, -9), (0, 0, 0, 1), physicsClientId=client
        )
        return picture

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

    def glide(self, tip: Array, tool: Tool, held: int | None) -> None:
        """The tool went straight to `tip` (x, y, z, yaw), with a body in its grip or none.

        The body is left at the end of the way.
        """
        start, self._tool = self._tip, tool
        client = self._world.client
        if held is not None:
            pose = p.getBasePositionAndOrientation(held, physicsClientId=client)
            grip = p.multiplyTransforms(*p.invertTransform(*_frame(start)), *pose)
        change = np.abs(tip - start)
        seconds = max(float(np.linalg.norm(change[:3])) / _SPEED, float(change[3]) / _TURN)
        count = max(1, round(seconds * FPS))
        for k in range(1, count + 1):
            self._tip = start + (tip - start) * k / count
            if held is not None:
                moved = p.multiplyTransforms(*_frame(self._tip), *grip)
                p.resetBasePositionAndOrientation(held, *moved, physicsClientId=client)
            self._pass()

    def leave(self) -> None:
        """Show how the empty tool goes up and back to where every film starts."""
        self.glide(np.array([*self._tip[:2], _HOME[2], self._tip[3]]), self._tool, None)
        self.glide(_HOME, self._tool, None)


def _frame(tip: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
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
