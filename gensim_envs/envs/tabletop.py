"""The Gymnasium environment: a drawn task on a simulated table."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Literal, SupportsIndex, get_args

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gensim_envs.envs import observation
from gensim_envs.envs.action import action_space, check_action
from gensim_envs.envs.episode_state import EpisodeState, generator
from gensim_envs.envs.observation import ObsMode
from gensim_envs.envs.perturbations import Perturbation
from gensim_envs.envs.potential import potential
from gensim_envs.envs.state_layout import StateLayout
from gensim_envs.errors import PerturbationError, StateError, TaskError, blaming
from gensim_envs.sandbox.program import Program, task_names
from gensim_envs.sim import primitives
from gensim_envs.sim.arm import motion as arm_motion
from gensim_envs.sim.arm.dynamics import JointTrajectory
from gensim_envs.sim.video import FPS, VideoRecorder, Window
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Pile
from gensim_envs.task.goals import Goal, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.progress import GoalStatus, GoalTracker
from gensim_envs.task.spec import TaskSpec

Split = Literal["train", "test"]
Motion = Literal["direct", "arm"]
Reward = Literal["sparse", "dense"]
RenderMode = Literal["rgb_array", "rgb_array_list", "human"]

_MAX_DRAWS = 20  # specs that may fail to come to rest before it is an error


class TabletopEnv(gym.Env[Any, NDArray[np.float32]]):
    """Pick, place and push on a table, following an instruction.

    Args:
        program: draws task specs.
        bounds: upper bounds {"items", "places", "targets", "steps"} of these specs; they fix the
            layout of the state vector.
        obs_mode: "rgbd" for an image from above, "cameras" for images of three cameras beside the
            table, "state" for a vector.
        privileged: whether the vector of "state" also says what the current goal means, for RL
            without language and for debugging.
        split: "train" or "test", the colours that are drawn.
        motion: "direct" simulates only the stretches where something can touch something, "arm"
            the whole motion of a UR5e.
        reward: "sparse" for the change of progress; "dense" adds the change of a potential, see
            `gensim_envs.envs.potential`, so that nearly right actions earn something too.
        joints: whether `info["joints"]` holds the arm's `JointTrajectory` of the last step.
        sensor_noise: whether the images of "cameras" have the noise of real cameras.
        render_mode: see `gymnasium.Env`.

    Raises:
        ValueError: an option has a value that is not allowed.
        RuntimeError: the renderer that GENSIM_RENDERER selects does not start here.
    """

    metadata = {"render_modes": list(get_args(RenderMode)), "render_fps": FPS}

    def __init__(
        self,
        program: Program,
        bounds: Mapping[str, int],
        *,
        obs_mode: ObsMode = "rgbd",
        privileged: bool = False,
        split: Split = "train",
        motion: Motion = "direct",
        reward: Reward = "sparse",
        joints: bool = False,
        sensor_noise: bool = False,
        render_mode: RenderMode | None = None,
    ) -> None:
        _check_option("obs_mode", obs_mode, get_args(ObsMode))
        _check_option("privileged", privileged, (False, True))
        _check_option("split", split, get_args(Split))
        _check_option("motion", motion, get_args(Motion))
        _check_option("reward", reward, get_args(Reward))
        _check_option("joints", joints, (False, True))
        _check_option("sensor_noise", sensor_noise, (False, True))
        _check_option("render_mode", render_mode, (None, *get_args(RenderMode)))
        if joints and motion != "arm":
            raise ValueError(f'joints=True needs motion="arm", not {motion!r}')
        if privileged and obs_mode != "state":
            raise ValueError(f'privileged=True needs obs_mode="state", not {obs_mode!r}')
        if sensor_noise and obs_mode != "cameras":
            raise ValueError(f'sensor_noise=True needs obs_mode="cameras", not {obs_mode!r}')
        self._options: dict[str, Any] = {
            "obs_mode": obs_mode, "privileged": privileged, "split": split, "motion": motion,
            "reward": reward, "joints": joints, "sensor_noise": sensor_noise,
            "render_mode": render_mode,
        }  # fmt: skip
        self._window = Window() if render_mode == "human" else None
        self._program = program
        self._bounds = dict(bounds)
        self.obs_mode: ObsMode = obs_mode
        self.render_mode = render_mode
        self.action_space = action_space()
        self.observation_space = observation.space(obs_mode, self._bounds, privileged)
        self.world = World(renders=obs_mode != "state", with_arm=motion == "arm")
        self._motion = arm_motion if motion == "arm" else primitives
        self._video = (
            VideoRecorder(self.world, motion=render_mode != "rgb_array") if render_mode else None
        )
        self._status: Literal["new", "running", "closed"] = "new"
        self._verdict = GoalStatus(0.0, 0, 0)
        self._noise_before: np.random.Generator | None = None

    def _require(self, *, reset: bool) -> None:
        """Refuse calls after `close`, and, with `reset`, calls before `reset`."""
        if self._status == "closed":
            raise gym.error.ClosedEnvironmentError(
                "the env has been closed; make another with gym.make"
            )
        if reset and self._status == "new":
            raise gym.error.ResetNeeded("call reset() first; the env has not been reset yet")

    @cached_property
    def state_layout(self) -> StateLayout:
        """The layout of the state vector."""
        return StateLayout.of(self._bounds, self._options["privileged"])

    @property
    def task_spec(self) -> TaskSpec:
        """The task as drawn at the last reset.

        Raises:
            gymnasium.error.ResetNeeded: the env has not been reset yet.
            gymnasium.error.ClosedEnvironmentError: the env has been closed.
        """
        self._require(reset=True)
        return self.world.spec

    @property
    def goal(self) -> Goal | None:
        """The current goal; None when the task is solved."""
        self._require(reset=True)
        current = self._verdict.current
        return None if current is None else self.task_spec.goals[current]

    @property
    def instruction(self) -> str:
        """The current goal's instruction, or the last goal's when the task is solved."""
        return (self.goal or self.task_spec.goals[-1]).instruction

    @property
    def pushes(self) -> bool:
        """Whether the tool is the spatula: the current goal is about a pile."""
        goal = self.goal
        return goal is not None and isinstance(self.task_spec.items[goal.items[0]].asset, Pile)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Draw a task and put it on the table.

        Args:
            seed: of this episode and those that follow.
            options: {"perturb": {...}}, see `gensim_envs.envs.perturbations.Perturbation`.

        Raises:
            ValueError: an option is unknown or not in its range.
            PerturbationError: this episode cannot be perturbed in this way.
            TaskError: the program fails, no draw of it comes to rest, or a draw makes the
                simulator or the judge fail.
            gymnasium.error.ClosedEnvironmentError: the env has been closed.
        """
        self._require(reset=False)
        perturbation = Perturbation.from_options(options)
        super().reset(seed=seed)
        self._status = "new"
        number = self._draw()
        with blaming(self.world.spec.name):
            self._perturb(perturbation, number)
            self._begin(number, perturbation, None, self.world.snapshot())
            self._verdict = self._tracker.update(self._start)
            return self._started()

    def _begin(
        self,
        number: int,
        perturbation: Perturbation,
        noise: np.random.Generator | None,
        start: Snapshot,
    ) -> None:
        """Set what stays the same during an episode."""
        self._number, self._perturbation, self._start = number, perturbation, start
        self._view = perturbation.view(number)
        if noise is None:  # a generator of its own, so that noise does not change the episode
            noise = np.random.default_rng([number, *b"noise"])
        self._noise = noise if self._options["sensor_noise"] else None
        self._tracker = GoalTracker(self.world.spec, start)

    def _started(self) -> tuple[Any, dict[str, Any]]:
        """Begin to run; returns the first observation and info."""
        self._status = "running"
        self._trajectory = self._arm_trajectory()
        if self._options["reward"] == "dense":
            self._potential = self._measured()
        if self._video is not None:
            self._video.start()
            self._show()
        return self._observation(), self._info()

    def get_state(self) -> dict[str, Any]:
        """The episode as it is between two steps, as plain data for `set_state` and for JSON.

        It holds all that the following steps depend on, the env's generator included, but not what
        wrappers keep (such as the number of steps until truncation) nor frames of the video.

        Poses may be edited: `state["bodies"][item][body]` is [x, y, z, qx, qy, qz, qw], the middle
        of a body in metres and its orientation as a quaternion. Ropes and piles have several
        bodies, and an item that has not appeared yet none.

        Raises:
            gymnasium.error.ResetNeeded: the env has not been reset yet.
            gymnasium.error.ClosedEnvironmentError: the env has been closed.
        """
        self._require(reset=True)
        arm = self.world.arm
        return EpisodeState(
            self.task_spec, self.world.poses(), self.world.snapshot().contacts, self._start,
            self._tracker.state, self._verdict, self._number, self._perturbation,
            0 if arm is None else arm.time, self.np_random, self._np_random_seed,
            self._noise_before,
        ).to_json()  # fmt: skip

    def set_state(self, state: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Go on with an episode that `get_state` saved, here or in another process.

        The steps that follow are the same to the bit. Where poses have been edited, everything
        comes to rest first and is judged as after a step.

        Returns:
            The observation and info of the state.

        Raises:
            StateError: the state is malformed, is not of this env's task, exceeds the state vector,
                or does not come to rest. After the last of these the env must be reset.
            gymnasium.error.ClosedEnvironmentError: the env has been closed.
        """
        self._require(reset=False)
        saved = EpisodeState.from_json(state)
        self._check_fits(saved.spec)
        self._status = "new"
        self.world.watcher = None
        contacts = None if saved.edited else saved.contacts
        self.world.restore(saved.spec, saved.bodies, contacts, saved.time)
        self._begin(saved.number, saved.perturb, saved.noise, saved.start)
        self._tracker.state = saved.goals
        self._np_random, self._np_random_seed = saved.np_random, saved.seed
        self._verdict = saved.status
        if saved.edited:
            if not self.world.settle():
                raise StateError("the edited state does not come to rest; move things apart")
            self.world.spawn_waiting(self._is_placed)
            self._verdict = self._tracker.update(self.world.snapshot())
            self.world.rebuild()
        return self._started()

    def _check_fits(self, spec: TaskSpec) -> None:
        names = task_names(self._program)
        if spec.name not in names:
            raise StateError(
                f"the state is of the task {spec.name}, the env of {', '.join(names)}; use an env "
                "of that task"
            )
        for name, most in self._bounds.items():
            if self.obs_mode == "state" and spec.bounds[name] > most:
                raise StateError(
                    f"the state has {spec.bounds[name]} {name}, but the state vector has room for "
                    f"{most}; use larger bounds"
                )

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Copy and pickle by the state: the copy has a simulator of its own."""
        if self.render_mode == "human" or self._status == "closed":
            what = "an env with a window" if self._status != "closed" else "a closed env"
            raise TypeError(f"{what} cannot be copied or pickled; make another with gym.make")
        make = partial(type(self), self._program, self._bounds, **self._options)
        rng = None if self._np_random is None else self._np_random.bit_generator.state
        state = self.get_state() if self._status == "running" else None
        return make, (), (self.spec, rng, self._np_random_seed, state)

    def __setstate__(self, kept: tuple[Any, ...]) -> None:
        """Make a new env the copy of another; see `__reduce_ex__`."""
        self.spec, rng, self._np_random_seed, state = kept
        self._np_random = None if rng is None else generator(rng)
        if state is not None:
            self.set_state(state)

    def _draw(self) -> int:
        """Put a draw of the task on the table.

        A record's bounds are measured over 1,000 draws, so a rare draw may exceed them. It is drawn
        again in every `obs_mode`, so that a seed gives the same episode in each.

        Returns:
            The number from which the task was drawn.
        """
        for attempt in range(_MAX_DRAWS):
            number = int(self.np_random.integers(2**31))
            spec = self._program.draw(self._options["split"], number).spec
            try:
                self._check_bounds(spec)
                with blaming(spec.name):
                    self.world.load(spec)
                return number
            except TaskError as error:
                if not error.redraw or attempt == _MAX_DRAWS - 1:
                    raise
        raise AssertionError("unreachable")

    def _perturb(self, perturbation: Perturbation, number: int) -> None:
        """Put the perturbed task on the table.

        The plain task has come to rest there before, so that the sequence of draws, and with it
        every later episode, does not depend on perturbations.
        """
        plain = self.world.spec
        for attempt in range(_MAX_DRAWS):
            try:
                spec = perturbation.apply(plain, number + attempt)
                if spec is not plain:
                    self._check_capacity(spec, perturbation.distractors)
                    self.world.load(spec)
                return
            except TaskError as error:
                if not error.redraw or attempt == _MAX_DRAWS - 1:
                    raise PerturbationError(str(error)) from error

    def _check_capacity(self, spec: TaskSpec, distractors: int) -> None:
        items, most = spec.bounds["items"], self._bounds["items"]
        if self.obs_mode == "state" and items > most:
            raise PerturbationError(
                f"with {distractors} distractors {spec.name} has {items} items, but its state "
                f"vector has room for {most}; use fewer distractors, larger bounds or "
                'obs_mode="rgbd"'
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
        """Execute one action, simulate until everything is at rest, and compute the reward.

        Args:
            action: (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and
                radians. With the spatula, the start and end of a push.

        Raises:
            ValueError: a component is not a number in its range.
            TaskError: the task makes the simulator or the judge fail.
            gymnasium.error.ResetNeeded: the env has not been reset yet.
            gymnasium.error.ClosedEnvironmentError: the env has been closed.
        """
        self._require(reset=True)
        checked = check_action(action)
        with blaming(self.world.spec.name):
            return self._carry_out(checked)

    def _carry_out(
        self, action: NDArray[np.float64]
    ) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        act = self._motion.push if self.pushes else self._motion.pick_and_place
        self.world.set_margin()
        rested = act(self.world, action)
        self.world.spawn_waiting(self._is_placed)
        before = self._verdict.progress
        if rested:
            self._verdict = self._tracker.update(self.world.snapshot())
        self._trajectory = self._arm_trajectory()
        self.world.rebuild()
        self._show()
        reward = self._verdict.progress - before
        if self._options["reward"] == "dense" and rested:
            was, self._potential = self._potential, self._measured()
            reward += self._potential - was
        ended = self._verdict.success or bool(self._verdict.violation)
        return self._observation(), reward, ended, False, self._info()

    def _measured(self) -> float:
        return potential(self.task_spec, self.judge, self._verdict, self.world.snapshot())

    def _is_placed(self, item: int) -> bool:
        return item in self.judge.placed(self.world.snapshot())

    def _arm_trajectory(self) -> JointTrajectory | None:
        """The arm's motion in this step."""
        arm = self.world.arm if self._options["joints"] else None
        return None if arm is None else arm.trajectory(self.world.name_of)

    @property
    def judge(self) -> Judge:
        """Judges states of the current task."""
        return self._tracker.judge

    def _info(self) -> dict[str, Any]:
        info = {
            "success": self._verdict.success,
            "is_success": self._verdict.success,
            "progress": self._verdict.progress,
            "instruction": self.instruction,
            "goals_left": self._verdict.goals_left,
            "violation": self._verdict.violation,
        }
        if self.obs_mode == "cameras":
            info["cameras"] = observation.calibration()
        if self._options["joints"]:
            info["joints"] = self._trajectory
        return info

    def _observation(self) -> Any:
        if self.obs_mode == "state":
            now = self.world.snapshot()
            return observation.state_observation(
                self.task_spec, now, self._verdict, self.pushes, self.state_layout
            )
        if self.obs_mode == "cameras":
            # A state keeps the generator as it was, so that its observation has the same noise.
            self._noise_before = copy.deepcopy(self._noise)
            return observation.camera_observation(self.world, self._view, self._noise)
        return observation.rgbd_observation(self.world, self._view)

    def _show(self) -> None:
        if self._window is not None and self._video is not None:
            self._window.play(self._video.pop_frames())

    def render(self) -> Any:
        """An image (480, 640, 3), or with "rgb_array_list" the images since the last call.

        Raises:
            gymnasium.error.ResetNeeded: the env has not been reset yet.
            gymnasium.error.ClosedEnvironmentError: the env has been closed.
        """
        self._require(reset=True)
        if self._video is None:
            gym.logger.warn("render() needs a render_mode; pass one to gym.make")
            return None
        if self.render_mode == "rgb_array_list":
            return self._video.pop_frames()
        with blaming(self.world.spec.name):
            return None if self.render_mode == "human" else self._video.render()

    def close(self) -> None:
        """Disconnect from the simulator; may be called again."""
        self._status = "closed"
        self.world.close()
        if self._video is not None:
            self._video.close()
        if self._window is not None:
            self._window.close()


def _check_option(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; use one of {', '.join(map(repr, allowed))}")
