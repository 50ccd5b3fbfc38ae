"""States of episodes: saved, restored, edited, copied."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import GensimError, OracleError, StateError, TaskError
from gensim_envs.library import shipped
from gensim_envs.oracle.demonstrator import Oracle
from gensim_envs.task.assets import Block, Bowl
from gensim_envs.utils.processes import in_order, processes

IDS = [record.id for record in shipped().records()]
TWO = ["gensim/PlaceRedInGreen-v0", "gensim/AlignRope-v0"]
SEED = 21


def made(id: str, **options: Any) -> TabletopEnv:
    env = gym.make(id, **{"obs_mode": "state", **options}).unwrapped
    assert isinstance(env, TabletopEnv)
    return env


def action_of(env: TabletopEnv) -> Any:
    """The oracle's action where it knows one, else a random one."""
    try:
        return Oracle(env).act()
    except OracleError:
        return env.action_space.sample()


def image(observation: Any) -> tuple[bytes, ...]:
    """The bits of an observation."""
    leaves = observation.values() if isinstance(observation, dict) else [observation]
    return tuple(leaf.tobytes() for leaf in leaves)


def outcome(result: tuple[Any, ...]) -> tuple[Any, ...]:
    """The bits of what a step returned."""
    return (*image(result[0]), *result[1:4], result[4]["instruction"])


def outcomes(job: tuple[str, dict[str, Any], str, list[list[float]]]) -> list[tuple[Any, ...]]:
    """What the actions do from a state, in an env of its own."""
    id, options, state, actions = job
    env = made(id, **options)
    env.set_state(json.loads(state))
    results = [outcome(env.step(action)) for action in actions]
    env.close()
    return results


def played(
    id: str, steps: int = 1, again: bool = False, **options: Any
) -> tuple[Any, list[tuple[Any, ...]]]:
    """A job for `outcomes` from the state after one step, and what it must return."""
    env = made(id, **options)
    env.reset(seed=SEED)
    env.action_space.seed(SEED)
    before = image(env.step(action_of(env))[0])
    state = json.dumps(env.get_state())
    actions, results = [], []
    for _ in range(steps):
        actions.append(action_of(env).tolist())
        results.append(outcome(env.step(actions[-1])))
    if again:  # in the same env, which goes back in time
        after = env.get_state()
        assert image(env.set_state(json.loads(state))[0]) == before
        assert [outcome(env.step(action)) for action in actions] == results
        assert env.get_state() == after
    env.close()
    return (id, options, state, actions), results


@pytest.fixture(scope="module")
def play() -> Any:
    """Runs `played` in a worker, since this process may compute other bits than workers do."""
    with processes(1) as executor:
        yield lambda *args, **kwargs: executor.submit(played, *args, **kwargs).result()


@pytest.fixture(scope="module")
def elsewhere() -> Any:
    """Runs jobs in another process."""
    with processes(1) as executor:
        yield lambda jobs: list(in_order(executor, outcomes, [(job,) for job in jobs]))


@pytest.mark.parametrize("part", range(4))
def test_every_task_goes_on_from_a_state_in_another_process(
    part: int, play: Any, elsewhere: Any
) -> None:
    runs = []
    for id in IDS[part::4]:
        with contextlib.suppress(TaskError):  # test_tasks.py tests that all can be drawn
            runs.append(play(id))
    assert len(runs) > 12
    found = elsewhere([job for job, _ in runs])
    wrong = [
        job[0] for (job, expected), result in zip(runs, found, strict=True) if result != expected
    ]
    assert not wrong


@pytest.mark.parametrize("id", TWO)
def test_states_are_exact_with_the_arm_and_with_noise(id: str, play: Any, elsewhere: Any) -> None:
    options = {"motion": "arm", "obs_mode": "cameras", "sensor_noise": True}
    job, expected = play(id, 1, again=True, **options)
    assert elsewhere([job]) == [expected]


@pytest.mark.parametrize("id", TWO)
def test_many_steps_from_a_state_are_exact(id: str, play: Any, elsewhere: Any) -> None:
    job, expected = play(id, 3, again=True)
    assert elsewhere([job]) == [expected]


@pytest.mark.parametrize("id", TWO)
def test_the_next_episodes_are_the_same(id: str) -> None:
    env, other = made(id), made(id)
    env.reset(seed=SEED, options={"perturb": {"instruction": "blank", "light": 0.5}})
    first, info = other.set_state(env.get_state())
    assert info["instruction"] == ""
    assert np.array_equal(first, env._observation())
    assert np.array_equal(env.reset()[0], other.reset()[0])
    env.close()
    other.close()


def two_blocks(scene: Any) -> None:
    red = scene.add(Block("red"))
    bowl = scene.add(Bowl("blue"))
    scene.goal(f"put the {red} into the {bowl}", red, inside=bowl)


def test_an_end_state_can_be_built_by_hand(table: Any) -> None:
    env = table(two_blocks, obs_mode="state")
    env.reset(seed=SEED)
    state = env.get_state()
    assert not state["status"]["progress"]
    state["bodies"][0][0][:3] = [*state["bodies"][1][0][:2], 0.08]  # it falls into the bowl
    _, info = env.set_state(state)
    assert info["success"]
    assert info["progress"] == 1
    assert env.world.snapshot().poses[0].z < 0.01
    again = env.get_state()
    assert env.set_state(again)[1] == info
    assert env.get_state() == again


def test_a_waiting_item_appears_where_a_state_puts_it() -> None:
    env = made(next(id for id in IDS if waits(id)))
    env.reset(seed=SEED)
    state = env.get_state()
    item = next(k for k, bodies in enumerate(state["bodies"]) if not bodies)
    height = env.task_spec.items[item].asset.height
    state["bodies"][item] = [[0.7, 0.45, height / 2, 0, 0, 0, 1]]
    env.set_state(state)
    assert env.world.snapshot().has(item)
    env.close()


def waits(id: str) -> bool:
    env = made(id)
    try:
        env.reset(seed=SEED)
    except TaskError:
        return False
    waiting = any(item.after is not None for item in env.task_spec.items)
    env.close()
    return waiting


@pytest.mark.parametrize("take", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("options", [{}, {"obs_mode": "rgbd", "render_mode": "rgb_array"}])
def test_a_copy_goes_on_by_itself(take: Any, options: dict[str, Any]) -> None:
    env = gym.make(TWO[0], **{"obs_mode": "state", **options})
    env.reset(seed=SEED)
    other = take(env)
    assert other.unwrapped.world.client.id != env.unwrapped.world.client.id
    action = Oracle(env).act()
    expected = outcome(env.step(action))
    before = other.unwrapped.get_state()
    assert before != env.unwrapped.get_state()  # the copy has not moved
    assert outcome(other.step(action)) == expected
    assert other.spec == env.spec
    env.close()
    other.close()


def test_an_env_that_has_not_been_reset_is_copied_with_its_seed() -> None:
    env = made(TWO[0])
    env.np_random = np.random.default_rng(3)
    other = copy.deepcopy(env)
    assert np.array_equal(env.reset()[0], other.reset()[0])
    env.close()
    other.close()
    with pytest.raises(TypeError, match="a closed env cannot be copied"):
        copy.deepcopy(env)


def broken(state: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    """A copy of a state with another value at a path."""
    state = copy.deepcopy(state)
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return state


def test_what_is_no_state_is_refused_by_name() -> None:
    env = made(TWO[0])
    env.reset(seed=SEED)
    state = env.get_state()
    k = next(k for k, item in enumerate(env.task_spec.items) if not item.fixed)
    cases = [
        ("spec", broken(state, "spec", "items", value=[])),
        ("spec", broken(state, "spec", "goals", 0, "items", value=[99])),
        ("bodies", broken(state, "bodies", value=[])),
        ("bodies", broken(state, "bodies", k, value=[])),
        ("bodies", broken(state, "bodies", k, 0, 0, value=float("nan"))),
        ("bodies", broken(state, "bodies", k, 0, value=[0.5, 0, 0.1, 0, 0, 0, 2])),
        ("contacts", broken(state, "contacts", value=[[0, 99, 0.1]])),
        ("start", broken(state, "start", "poses", value=[[0, 0, 0, 0]])),
        ("goals", broken(state, "goals", value={"latched": 99, "violation": ""})),
        ("status", broken(state, "status", "progress", value=2)),
        ("perturb", broken(state, "perturb", value={"wind": 1})),
        ("np_random", broken(state, "np_random", value={"bit_generator": "MT19937"})),
        ("noise", broken(state, "noise", value=3)),
        ("time", broken(state, "time", value=-1)),
        ("number", broken(state, "number", value="x")),
        ("wind", {**state, "wind": 1}),
        ("time", {key: value for key, value in state.items() if key != "time"}),
        ("NoneType", None),
        ("StackX", broken(state, "spec", "name", value="StackX")),
    ]
    for name, data in cases:
        with pytest.raises(StateError, match=name):
            env.set_state(data)
        assert env.get_state() == state  # nothing has changed
    assert issubclass(StateError, GensimError)
    env.close()


def test_a_state_that_does_not_come_to_rest_is_refused(table: Any, monkeypatch: Any) -> None:
    env = table(two_blocks, obs_mode="state")
    env.reset(seed=SEED)
    state = broken(env.get_state(), "bodies", 0, 0, 2, value=0.5)
    monkeypatch.setattr(env.world, "settle", lambda: False)
    with pytest.raises(StateError, match="does not come to rest"):
        env.set_state(state)
    with pytest.raises(gym.error.ResetNeeded):
        env.get_state()


def test_states_need_a_reset_and_an_open_env() -> None:
    env = made(TWO[0])
    with pytest.raises(gym.error.ResetNeeded):
        env.get_state()
    env.reset(seed=SEED)
    state = env.get_state()
    env.close()
    for use in (env.get_state, lambda: env.set_state(state)):
        with pytest.raises(gym.error.ClosedEnvironmentError):
            use()
