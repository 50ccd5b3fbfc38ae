"""A window that shows the motion, for `render_mode="human"`."""

from __future__ import annotations

import os

from gensim_envs.sim.video import FPS, Frame


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
                'render_mode="human" needs pygame: pip install "gensim-envs[video]"'
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
