"""Videos of the motion, with the arm, and the window that shows them."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim import Uncopyable
from gensim_envs.sim.arm.look import ArmView
from gensim_envs.sim.arm.robot import Tool, inverse
from gensim_envs.sim.cameras import OVERVIEW, Camera
from gensim_envs.sim.client import STEP, Client, selected_renderer
from gensim_envs.sim.spawn import spawn_visuals
from gensim_envs.sim.world import BodyPose, World
from gensim_envs.task.assets import Rope, asset_geometry
from gensim_envs.task.geometry import Array

FPS = 24
"""Frames a second."""
_SPEED = 0.6  # m/s at which the tool crosses free space in a video
_ANGULAR_SPEED = 3.0  # rad/s at which it rotates
_HOME = np.array([0.42, -0.12, 0.25, 0.0])
_FRAME_STEPS = round(1 / FPS / STEP)
_PAINT_LIFT = 0.0005  # metres: seen from below, things hide the paint they stand on
_RECONNECT_EVERY = 50  # scenes: pybullet frees meshes only with the connection
Frame = NDArray[np.uint8]


class VideoRecorder(Uncopyable):
    """Renders the motion of a world with the arm.

    It renders copies of the bodies, and the arm in a pybullet client of its own,
    where nothing collides. So it changes no bit of the simulation, and observations never show
    the arm.

    Args:
        world: the world to render.
        motion: record a frame sequence of every motion; otherwise only `render` works.
        camera: the viewpoint.
        every: record every n-th frame, for a video that is faster than real time. The others are
            not rendered.
        arm: show the arm.

    Attributes:
        length: frames of the motion since the start, including those that were not recorded.
    """

    def __init__(
        self,
        world: World,
        motion: bool,
        *,
        camera: Camera = OVERVIEW,
        every: int = 1,
        arm: bool = True,
    ) -> None:
        self._world = world
        self._motion = motion
        self._camera = camera
        self._every = every
        self._shows_arm = arm
        self._client: Client | None = None
        self._arm: ArmView | None = None
        self._scenes = 0
        self._copies: dict[int, list[int]] = {}  # item -> copies of its bodies here
        self._clear()

    def _clear(self) -> None:
        self.length = self._steps = 0
        self._frames: list[Frame] = []
        self._tip = _HOME
        self._tool: Tool = "suction"
        self._is_new = True  # whether the scene still shows another one's items, or nothing
        self._paint: set[int] = set()  # copies that are flat on the table
        self._held: tuple[int, BodyPose] | None = None  # a body, its pose from the tip

    def start(self) -> None:
        """Begin, after the world has been loaded."""
        self._clear()
        if self._motion:
            self._frames.append(self.render())
            self._world.watcher = self

    def close(self) -> None:
        """Disconnect; may be called again."""
        if self._client is not None:
            self._client.close()
            self._client = self._arm = None

    def render(self, camera: Camera | None = None) -> Frame:
        """The current scene, (height, width, 3) uint8, by default from the video's camera."""
        client, view = self._scene()
        for item, bodies in enumerate(self._world.bodies):
            if bodies and item not in self._copies:
                asset = self._world.spec.items[item].asset
                self._copies[item] = spawn_visuals(asset, len(bodies), client)
                if asset_geometry(asset).flat:
                    self._paint.update(self._copies[item])
            for body, copy in zip(bodies, self._copies.get(item, []), strict=True):
                pose = self._world.client.getBasePositionAndOrientation(body)
                if self._held is not None and body == self._held[0]:
                    pose = p.multiplyTransforms(*_frame(self._tip), *self._held[1])
                if copy in self._paint:
                    (x, y, z), rotation = pose
                    pose = (x, y, z + _PAINT_LIFT), rotation
                client.resetBasePositionAndOrientation(copy, *pose)
        arm = self._world.arm
        if self._shows_arm and arm is None:
            view.show(inverse(self._tip[:3], float(self._tip[3])), self._tool)
        elif self._shows_arm and arm is not None:
            view.show(arm.joints(), arm.tool)
        from gensim_envs.sim.studio import take_picture  # takes long to load

        ropes = [
            copies
            for item, copies in self._copies.items()
            if isinstance(self._world.spec.items[item].asset, Rope)
        ]
        return take_picture(client, camera or self._camera, self._paint, ropes)

    def _scene(self) -> tuple[Client, ArmView]:
        """A scene with the arm, without the items of earlier scenes."""
        if self._is_new and self._scenes % _RECONNECT_EVERY == 0:
            self.close()
        if self._client is None or self._arm is None:
            self._client = Client(selected_renderer())
            self._arm = ArmView(self._client)
            self._copies = {}
        if self._is_new:
            self._is_new = False
            self._scenes += 1
            if self._client.egl:  # whose pictures would depend on the bodies before
                self._client.resetSimulation()
                self._arm, self._copies = ArmView(self._client), {}
            # The last one first: the next bodies then get the same ids, in order.
            for copy in sorted(itertools.chain(*self._copies.values()), reverse=True):
                self._client.removeBody(copy)
            self._copies = {}
        return self._client, self._arm

    def pop_frames(self) -> list[Frame]:
        """The frames since the last call."""
        frames, self._frames = self._frames, []
        return frames

    def _record(self) -> None:
        """Record a frame if it is due."""
        self.length += 1
        if self.length % self._every == 0:
            self._frames.append(self.render())

    def stepped(self, tip: Array | None, tool: Tool) -> None:
        """See `Watcher`."""
        if tip is not None:
            self._tip, self._tool = tip, tool
        self._steps += round(self._world.time_step / STEP)
        if self._steps % _FRAME_STEPS == 0:
            self._record()

    def grasp(self, body: int) -> None:
        """See `Watcher`."""
        pose = self._world.client.getBasePositionAndOrientation(body)
        tip = p.invertTransform(*_frame(self._tip))
        self._held = body, p.multiplyTransforms(*tip, *pose)

    def release(self) -> None:
        """See `Watcher`."""
        self._held = None

    def glide(self, tip: Array, tool: Tool) -> None:
        """See `Watcher`."""
        start, self._tool = self._tip, tool
        change = np.abs(tip - start)
        seconds = max(float(np.linalg.norm(change[:3])) / _SPEED, float(change[3]) / _ANGULAR_SPEED)
        count = max(1, round(seconds * FPS))
        for k in range(1, count + 1):
            self._tip = start + (tip - start) * k / count
            self._record()

    def return_home(self) -> None:
        """Show how the empty tool returns to where every video starts."""
        self.glide(np.array([*self._tip[:2], _HOME[2], self._tip[3]]), self._tool)
        self.glide(_HOME, self._tool)


def _frame(tip: Array) -> BodyPose:
    """A tip (x, y, z, yaw) as position and quaternion."""
    return tuple(tip[:3]), p.getQuaternionFromEuler((0, 0, float(tip[3])))


class Window:
    """Shows frames in a window.

    Raises:
        RuntimeError: there is no display, or pygame is not installed.
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
                'render_mode="human" needs pygame. Run pip install ".[video]" in a checkout'
            ) from error
        self._pygame = pygame
        pygame.display.init()
        self._screen = pygame.display.set_mode((640, 480))
        pygame.display.set_caption("gensim")
        self._clock = pygame.time.Clock()

    def play(self, frames: list[Frame]) -> None:
        """Show frames at the speed of the motion."""
        for frame in frames:
            self._pygame.event.pump()
            surface = self._pygame.surfarray.make_surface(frame.swapaxes(0, 1))
            self._screen.blit(surface, (0, 0))
            self._pygame.display.flip()
            self._clock.tick(FPS)

    def close(self) -> None:
        """Close the window; may be called again."""
        self._pygame.display.quit()
