"""The Gymnasium environment: a drawn task on a simulated table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.program import Program
from gensim_envs.sim.film import Film, Window
from gensim_envs.sim.primitives import pick_and_place, push
from gensim_envs.sim.world import World
from gensim_envs.task.assets import ASSETS, COLORS, Pile
from gensim_envs.task.errors import TaskError
from gensim_envs.task.goals import (
    Goal,
    Judge,
    Snapshot,
    Verdict,
    bead_targets,
    fraction_met,
    target_of,
)
from gensim_envs.task.pose import WORKSPACE, Pose
from gensim_envs.task.spec import TaskSpec
from gensim_envs.views import SHAPE

ObsMode = Literal["rgbd", "state"]
Split = Literal["train", "test"]
Motion = Literal["direct"]
RenderMode = Literal["rgb_array", "rgb_array_list", "human"]

ACTION = ("pick x", "pick y", "pick yaw", "place x", "place y", "place yaw")
_LOW = np.array([WORKSPACE[0][0], WORKSPACE[1][0], -math.pi] * 2)
_HIGH = np.array([WORKSPACE[0][1], WORKSPACE[1][1], math.pi] * 2)
_ROUNDING = 1e-6
_ITEM_ROW, _TARGET_ROW, _GLOBALS = 14, 10, 4
_RELATIONS = ("at", "on", "inside", "along")
_STATE_LIMIT = 2.0
_SPAWNS = 20  # specs that may fail to come to rest before it is an error


class TabletopEnv(gym.Env[Any, NDArray[np.float32]]):
    """Pick, place and push on a table, as a sentence asks.

    Args:
        program: where specs come from.
        bounds: upper bounds {"items", "targets", "steps"} of its specs; they fix the state space.
        obs_mode: "rgbd" for the picture from above, "state" for a vector.
        split: "train" or "test", the colours that are drawn.
        motion: "direct" simulates only the stretches where something can touch something.
        render_mode: see `gymnasium.Env`.

    Raises:
        ValueError: on an option that is not one of the allowed ones.
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
        render_mode: RenderMode | None = None,
    ) -> None:
        _allowed("obs_mode", obs_mode, get_args(ObsMode))
        _allowed("split", split, get_args(Split))
        _allowed("motion", motion, get_args(Motion))
        _allowed("render_mode", render_mode, (None, *get_args(RenderMode)))
        self._window = Window() if render_mode == "human" else None
        self._program = program
        self._bounds = dict(bounds)
        self._split: Split = split
        self.obs_mode: ObsMode = obs_mode
        self.render_mode = render_mode
        self.action_space = spaces.Box(
            _LOW.astype(np.float32), _HIGH.astype(np.float32), dtype=np.float32
        )
        self.observation_space = self._space()
        self.world = World()
        self._film = Film(self.world, moving=render_mode != "rgb_array") if render_mode else None
        self._verdict = Verdict(0.0, 0, 0)

    def _space(self) -> spaces.Space[Any]:
        if self.obs_mode == "state":
            return spaces.Box(-_STATE_LIMIT, _STATE_LIMIT, (self._state_size(),), np.float32)
        return spaces.Dict(
            {
                "color": spaces.Box(0, 255, (*SHAPE, 3), np.uint8),
                "height": spaces.Box(-0.1, 1.0, SHAPE, np.float32),
            }
        )

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

        Raises:
            ValueError: on an unknown option.
            TaskError: where the program fails, or no draw of it comes to rest.
        """
        if options:
            raise ValueError(f"unknown reset option {sorted(options)}; there are none")
        super().reset(seed=seed)
        for attempt in range(_SPAWNS):
            spec = self._program.draw(self._split, int(self.np_random.integers(2**31))).spec
            self._check_bounds(spec)
            try:
                self.world.load(spec)
                break
            except TaskError as error:
                if not error.redraw or attempt == _SPAWNS - 1:
                    raise
        start = self.world.snapshot()
        self._judge = Judge(spec, start)
        self._verdict = self._judge.judge(start)
        if self._film is not None:
            self._film.start()
            self._show()
        return self._observation(), self._info()

    def _check_bounds(self, spec: TaskSpec) -> None:
        for name, most in spec.bounds.items():
            if self.obs_mode == "state" and most > self._bounds[name]:
                raise TaskError(
                    f"{spec.name} drew {most} {name}, its row allows {self._bounds[name]}",
                    "Publish it again, so that its bounds are measured anew",
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
        rested = (push if self.pushes else pick_and_place)(self.world, checked)
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
        return {
            "success": self._verdict.success,
            "is_success": self._verdict.success,
            "progress": self._verdict.progress,
            "instruction": self.instruction,
            "goals_left": self._verdict.goals_left,
        }

    def _observation(self) -> Any:
        if self.obs_mode == "state":
            return self._state()
        view = self.world.top_down()
        return {"color": view.color, "height": view.height}

    def _state_size(self) -> int:
        b = self._bounds
        return _GLOBALS + b["items"] * _ITEM_ROW + b["targets"] * _TARGET_ROW

    def _state(self) -> NDArray[np.float32]:
        """Every body and every place of the current goal, padded; see docs/environments.md."""
        spec, now, goal = self.spec_drawn, self.world.snapshot(), self.goal
        done = 1 - self._verdict.goals_left / len(spec.goals)
        rows = [[float(goal is not None), done, float(self.pushes), self._verdict.progress]]
        for index, item in enumerate(spec.items):
            mine = float(goal is not None and index in goal.items)
            kind = list(ASSETS).index(type(item.asset).__name__) / 100
            look = [c / 255 for c in COLORS[item.asset.color]]
            pose = now.poses[index]
            places = [(pose.x, pose.y, pose.z, pose.yaw)]
            if index in now.bodies:
                low = item.asset.height / 2
                places = [(x, y, z - low, 0.0) for x, y, z in now.bodies[index]]
            for x, y, z, yaw in places:
                rows.append([1.0, mine, kind, *look, x, y, z, math.sin(yaw), math.cos(yaw),
                             *item.asset.size])  # fmt: skip
        state = np.zeros(self._state_size())
        flat = [value for row in rows for value in row]
        state[: len(flat)] = flat
        targets = self._targets(now)
        at = _GLOBALS + self._bounds["items"] * _ITEM_ROW
        state[at : at + targets.size] = targets.ravel()
        return np.clip(state, -_STATE_LIMIT, _STATE_LIMIT).astype(np.float32)

    def _targets(self, now: Snapshot) -> NDArray[np.float64]:
        """Places of the current goal, (k, 10)."""
        goal = self.goal
        if goal is None:
            return np.zeros((0, _TARGET_ROW))
        relation = [float(goal.relation == name) for name in _RELATIONS]
        if goal.relation == "along":
            ways = bead_targets(goal, now.bodies[goal.items[0]])
            poses = [Pose(float(x), float(y)) for x, y in ways]
        else:
            poses = [target_of(self.spec_drawn, goal, place, now) for place in goal.places]
        return np.array(
            [[1.0, *relation, q.x, q.y, q.z, math.sin(q.yaw), math.cos(q.yaw)] for q in poses]
        )

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
