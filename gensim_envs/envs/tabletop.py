"""The Gymnasium environment: a drawn task on a simulated table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.envs.observation import (
    ObsMode,
    calibration,
    from_above,
    from_the_sides,
    space,
    state,
)
from gensim_envs.envs.perturbations import Perturbation
from gensim_envs.envs.state_layout import StateLayout
from gensim_envs.errors import PerturbationError, TaskError
from gensim_envs.sandbox.program import Program
from gensim_envs.sim import primitives
from gensim_envs.sim.arm import motion as by_arm
from gensim_envs.sim.video import Film, Window
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Pile
from gensim_envs.task.goals import Goal, Judge, Verdict, fraction_met
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.spec import TaskSpec

Split = Literal["train", "test"]
Motion = Literal["direct", "arm"]
RenderMode = Literal["rgb_array", "rgb_array_list", "human"]

ACTION = ("pick x", "pick y", "pick yaw", "place x", "place y", "place yaw")
_LOW = np.array([WORKSPACE[0][0], WORKSPACE[1][0], -math.pi] * 2)
_HIGH = np.array([WORKSPACE[0][1], WORKSPACE[1][1], math.pi] * 2)
_ROUNDING = 1e-6
_SPAWNS = 20  # specs that may fail to come to rest before it is an error


class TabletopEnv(gym.Env[Any, NDArray[np.float32]]):
    """Pick, place and push on a table, as a sentence asks.

    Args:
        program: where specs come from.
        bounds: upper bounds {"items", "targets", "steps"} of its specs; they fix the state space.
        obs_mode: "rgbd" for the picture from above, "cameras" for three views from the sides,
            "state" for a vector.
        split: "train" or "test", the colours that are drawn.
        motion: "direct" simulates only the stretches where something can touch something, "arm"
            a UR5e and all that it does.
        joints: whether `info["joints"]` holds the arm's `JointTrajectory` since the last call.
        sensor_noise: whether the cameras of "cameras" have the noise of real ones.
        render_mode: see `gymnasium.Env`.

    Raises:
        ValueError: on an option that is not one of the allowed ones.
        RuntimeError: where GENSIM_RENDERER asks for what does not start here.
    """

    metadata = {
        "render_modes": list(get_args(RenderMode)),
        "render_fps": 24,
    }

    def __init__(
        self,
        program: Program,
        bounds: Mapping[str, int],
        *,
        obs_mode: ObsMode = "rgbd",
        split: Split = "train",
        motion: Motion = "direct",
        joints: bool = False,
        sensor_noise: bool = False,
        render_mode: RenderMode | None = None,
    ) -> None:
        _allowed("obs_mode", obs_mode, get_args(ObsMode))
        _allowed("split", split, get_args(Split))
        _allowed("motion", motion, get_args(Motion))
        _allowed("joints", joints, (False, True))
        _allowed("sensor_noise", sensor_noise, (False, True))
        if joints and motion != "arm":
            raise ValueError(f'motion={motion!r} moves no joints; joints=True needs motion="arm"')
        _allowed("render_mode", render_mode, (None, *get_args(RenderMode)))
        if sensor_noise and obs_mode != "cameras":
            raise ValueError(
                f'sensor_noise goes with obs_mode="cameras", not with {obs_mode!r}; leave it out'
            )
        self._window = Window() if render_mode == "human" else None
        self._program = program
        self._bounds = dict(bounds)
        self._split: Split = split
        self._sensor_noise = sensor_noise
        self.obs_mode: ObsMode = obs_mode
        self.render_mode = render_mode
        self.action_space = spaces.Box(
            _LOW.astype(np.float32), _HIGH.astype(np.float32), dtype=np.float32
        )
        self.observation_space = space(obs_mode, self._bounds)
        self.world = World(pictures=obs_mode != "state", with_arm=motion == "arm")
        self._motion = by_arm if motion == "arm" else primitives
        self._joints = joints
        self._film = Film(self.world, moving=render_mode != "rgb_array") if render_mode else None
        self._verdict = Verdict(0.0, 0, 0)

    @property
    def state_layout(self) -> StateLayout:
        """Where everything is in the state vector."""
        return StateLayout.of(self._bounds)

    @property
    def spec_drawn(self) -> TaskSpec:
        """The task as drawn at the last reset."""
        return self.world.spec

    @property
    def goal(self) -> Goal | None:
        """The goal to work on; None when the task is solved."""
        current = self._verdict.current
        return None if current is None else self.spec_drawn.goals[current]

    @property
    def instruction(self) -> str:
        """The current goal's sentence; the last one's when the task is solved."""
        return (self.goal or self.spec_drawn.goals[-1]).instruction

    @property
    def pushes(self) -> bool:
        """Whether the tool is the spatula: the current goal is about a pile."""
        goal = self.goal
        return goal is not None and isinstance(self.spec_drawn.items[goal.items[0]].asset, Pile)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Draw a task and put it on the table.

        Args:
            seed: of this episode and those that follow.
            options: {"perturb": {...}}, see `gensim_envs.envs.perturbations.Perturbation`.

        Raises:
            ValueError: on an unknown option, or one that is not in its range.
            PerturbationError: where this episode cannot be perturbed in this way.
            TaskError: where the program fails, or no draw of it comes to rest.
        """
        asked = Perturbation.of(options)
        super().reset(seed=seed)
        number = self._draw()
        self._perturb(asked, number)
        self._sight = asked.sight(number)
        # A generator of its own: an episode goes on as it would without noise.
        noise = np.random.default_rng([number, *b"noise"])
        self._noise = noise if self._sensor_noise else None
        start = self.world.snapshot()
        self._judge = Judge(self.spec_drawn, start)
        self._verdict = self._judge.judge(start)
        if self._film is not None:
            self._film.start()
            self._show()
        return self._observation(), self._info()

    def _draw(self) -> int:
        """Put a draw of the task on the table; the number from which it was drawn.

        A record's bounds are those of 1,000 draws, so that a rarer one may exceed them. It is drawn
        again whatever is observed: a seed is the same episode in each `obs_mode`.
        """
        for attempt in range(_SPAWNS):
            number = int(self.np_random.integers(2**31))
            spec = self._program.draw(self._split, number).spec
            try:
                self._check_bounds(spec)
                self.world.load(spec)
                return number
            except TaskError as error:
                if not error.redraw or attempt == _SPAWNS - 1:
                    raise
        raise AssertionError("unreachable")

    def _perturb(self, asked: Perturbation, number: int) -> None:
        """Put what was drawn on the table as it is to be seen.

        It has come to rest undisturbed before, so that the sequence of draws, and with it every
        later episode, does not depend on perturbations.
        """
        plain = self.spec_drawn
        for attempt in range(_SPAWNS):
            try:
                spec = asked.scene(plain, number + attempt)
                if spec is not plain:
                    self._check_room(spec, asked.distractors)
                    self.world.load(spec)
                return
            except TaskError as error:
                if not error.redraw or attempt == _SPAWNS - 1:
                    raise PerturbationError(str(error)) from error

    def _check_room(self, spec: TaskSpec, distractors: int) -> None:
        items, most = spec.bounds["items"], self._bounds["items"]
        if self.obs_mode == "state" and items > most:
            raise PerturbationError(
                f"perturb's distractors is {distractors}: with them {spec.name} has {items} items, "
                f'its state vector holds {most}; give fewer, or use obs_mode="rgbd"'
            )

    def _check_bounds(self, spec: TaskSpec) -> None:
        for name, most in spec.bounds.items():
            if most > self._bounds[name]:
                raise TaskError(
                    f"{spec.name} drew {most} {name}, its record allows {self._bounds[name]}",
                    "Publish it again, so that its bounds are measured anew",
                    redraw=True,
                )

    def step(
        self, action: NDArray[np.float32] | NDArray[np.float64] | list[float]
    ) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act once, wait until everything is at rest, and judge.

        Args:
            action: (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and
                radians. With the spatula, the start and end of a push.

        Raises:
            ValueError: naming the component that is not a number in its range.
        """
        checked = check_action(action)
        act = self._motion.push if self.pushes else self._motion.pick_and_place
        rested = act(self.world, checked)
        self.world.next_in_line(self._is_placed)
        before = self._verdict.progress
        if rested:
            self._verdict = self._judge.judge(self.world.snapshot())
        self._show()
        reward = self._verdict.progress - before
        return self._observation(), reward, self._verdict.success, False, self._info()

    def _is_placed(self, item: int) -> bool:
        now = self.world.snapshot()
        return any(
            fraction_met(self.spec_drawn, goal, now, [item]) == 1
            for goal in self.spec_drawn.goals
            if item in goal.items
        )

    def _info(self) -> dict[str, Any]:
        info = {
            "success": self._verdict.success,
            "is_success": self._verdict.success,
            "progress": self._verdict.progress,
            "instruction": self.instruction,
            "goals_left": self._verdict.goals_left,
        }
        if self.obs_mode == "cameras":
            info["cameras"] = calibration()
        if self._joints and self.world.arm is not None:
            info["joints"] = self.world.arm.trajectory(self.world.name_of)
        return info

    def _observation(self) -> Any:
        if self.obs_mode == "state":
            now = self.world.snapshot()
            return state(self.spec_drawn, now, self._verdict, self.pushes, self.state_layout)
        if self.obs_mode == "cameras":
            return from_the_sides(self.world, self._sight, self._noise)
        return from_above(self.world, self._sight)

    def _show(self) -> None:
        if self._window is not None and self._film is not None:
            self._window.play(self._film.take())

    def render(self) -> Any:
        """A picture (480, 640, 3), or with "rgb_array_list" those since the last call."""
        if self._film is None:
            gym.logger.warn("render() was called, but gym.make got no render_mode")
            return None
        if self.render_mode == "rgb_array_list":
            return self._film.take()
        return None if self.render_mode == "human" else self._film.picture()

    def close(self) -> None:
        """Give back the simulator; more than once is fine."""
        self.world.close()
        if self._film is not None:
            self._film.close()
        if self._window is not None:
            self._window.close()


def _allowed(name: str, value: object, values: tuple[object, ...]) -> None:
    if value not in values:
        raise ValueError(f"{name} is {value!r}; use one of {', '.join(map(repr, values))}")


def check_action(action: Any) -> NDArray[np.float64]:
    """An action as (6,) float64 within bounds, with rounding up to 1e-6 clipped.

    Raises:
        ValueError: naming the component and its range.
    """
    values = np.asarray(action, dtype=np.float64)
    if values.shape != (6,):
        raise ValueError(f"an action has shape (6,): {', '.join(ACTION)}; got {values.shape}")
    for name, value, low, high in zip(ACTION, values, _LOW, _HIGH, strict=True):
        if not low - _ROUNDING <= value <= high + _ROUNDING:
            raise ValueError(f"{name} is {value}, outside {low:.4g} .. {high:.4g}")
    return np.clip(values, _LOW, _HIGH)
