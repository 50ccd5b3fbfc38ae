"""Connections to pybullet, with the renderer that `GENSIM_RENDERER` selects.

"tiny", the default, is pybullet's own software renderer; "egl" is OpenGL without a display.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache, partial
from typing import Any

import pybullet as p

from gensim_envs.sim import Uncopyable, quiet

STEP = 1 / 240
"""Seconds of a simulation step."""
RENDERERS = ("tiny", "egl")
"""The values that GENSIM_RENDERER may have."""

_MODULE, _POSTFIX = "eglRenderer", "_eglRendererPlugin"
_REMEDY = (
    "install OpenGL's drivers (on Debian and Ubuntu: apt install libegl1 libgl1 libgl1-mesa-dri), "
    "or unset GENSIM_RENDERER"
)
_WARM_UP = 3  # pictures: EGL's first two lack the shadows that later ones have


def selected_renderer() -> str:
    """The renderer that GENSIM_RENDERER names.

    Raises:
        ValueError: there is no renderer of that name.
    """
    name = os.environ.get("GENSIM_RENDERER") or RENDERERS[0]
    if name not in RENDERERS:
        raise ValueError(f"GENSIM_RENDERER is {name!r}; use one of {', '.join(RENDERERS)}")
    return name


class Client(Uncopyable):
    """One connection to pybullet: `client.f(...)` is `pybullet.f(..., physicsClientId=client.id)`.

    Args:
        renderer: "tiny" or "egl".

    Attributes:
        id: pybullet's number of the connection; -1 once it is closed.
        egl: whether OpenGL renders for it.

    Raises:
        RuntimeError: EGL does not start here.
    """

    def __init__(self, renderer: str) -> None:
        self.egl = renderer == "egl"
        if self.egl:
            _check_egl()
        self.id = int(p.connect(p.DIRECT))
        if self.egl:
            with quiet(1, 2):
                self._plugin = self.loadPlugin(_library(), _POSTFIX)
                for _ in range(_WARM_UP):
                    self.getCameraImage(8, 8, renderer=p.ER_BULLET_HARDWARE_OPENGL)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        function = partial(getattr(p, name), physicsClientId=self.id)
        setattr(self, name, function)  # found without this method from now on
        return function

    def close(self) -> None:
        """Disconnect; may be called again."""
        if self.id < 0:
            return
        if self.egl:
            with quiet(1, 2):
                self.unloadPlugin(self._plugin)
                self.disconnect()
        else:
            self.disconnect()
        self.id = -1


def _library() -> str:
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"this pybullet has no {_MODULE}; unset GENSIM_RENDERER")
    return spec.origin


_PROBE = """
import sys, pybullet as p
client = p.connect(p.DIRECT)
if p.loadPlugin(*sys.argv[1:], physicsClientId=client) < 0:
    sys.exit("the plugin was not loaded")
p.getCameraImage(8, 8, physicsClientId=client)
"""


@cache
def _check_egl() -> None:
    """Start EGL in a child process, since pybullet ends the process where it does not start."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, _library(), _POSTFIX],
            capture_output=True, text=True, errors="replace", timeout=60, check=False,
        )  # fmt: skip
        failure = done.stderr if done.returncode else None
    except subprocess.TimeoutExpired:
        failure = "it does not answer within a minute"
    if failure is not None:
        reason = (failure.strip().splitlines() or ["the process died"])[-1]
        raise RuntimeError(f"EGL does not start here ({reason}); {_REMEDY}")
