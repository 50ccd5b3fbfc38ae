"""The contract that every registered env keeps, and what the env class does beyond it."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import math
import os
import pickle
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np
import pybullet as p
import pytest
from conftest import NOTHING, Program
from gymnasium.utils.env_checker import check_env

import gensim_envs
from gensim_envs import seeds, transitions
from gensim_envs.api import Block, Bowl, Box, Pallet, Pile, Pose, Rope, Scene, Stand, Zone, line
from gensim_envs.envs.action import ACTION
from gensim_envs.envs.observation import state_observation
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import TaskError
from gensim_envs.library import Library, shipped
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.sandbox.client import shared
from gensim_envs.sandbox.gate import check
from gensim_envs.task.assets import ASSETS, COLORS
from gensim_envs.task.goals import RELATIONS, Snapshot
from gensim_envs.task.progress import GoalStatus

IDS = sorted(id for id in gym.registry if id.startswith("gensim/"))
GENERATED = sorted(record.id for record in shipped().records() if not record.hand_written)
BOWL, PILE = "gensim/PutBlockInBowl-v0", "gensim/SweepingPiles-v0"
KINDS = [
    BOWL,
    PILE,
    *(f"gensim/{name}-v0" for name in (
        "AssemblingKitsSeq", "BuildWheel", "ManipulatingTwoRopes", "PackingShapes",
        "PlaceBallInElevatedBowl", "SweepAndSortBlocks", "TowersOfHanoi",
    )),
]  # fmt: skip
"""Tasks of all kinds, for what depends on the physics but not on the single task."""
INFO = {"success", "is_success", "progress", "instruction", "goals_left", "violation"}
SEED = seeds.CERTIFICATE[0]
every_id = pytest.mark.parametrize("id", IDS)
every_kind = pytest.mark.parametrize("id", KINDS)
two_ids = pytest.mark.parametrize("id", [BOWL, PILE])
each_mode = pytest.mark.parametrize("obs_mode", ["rgbd", "state"])
each_split = pytest.mark.parametrize("split", ["train", "test"])


def fingerprint(observation: Any) -> str:
    parts = observation if isinstance(observation, dict) else {"state": observation}
    digest = hashlib.sha256()
    for key in sorted(parts):
        digest.update(key.encode() + np.ascontiguousarray(parts[key]).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Played:
    """What was done in an episode and what came of it."""

    seed: int
    actions: list[np.ndarray]
    observations: list[str]
    rewards: list[float]
    ends: list[tuple[bool, bool]]
    infos: list[dict[str, Any]]
    in_space: bool


def play(env: gym.Env, seed: int, actions: list[np.ndarray] | None = None) -> Played:
    """Play an episode with the oracle's actions, or with the given ones."""
    observation, info = env.reset(seed=seed)
    played = Played(seed, [], [fingerprint(observation)], [], [], [info], True)
    oracle, given = Oracle(env), iter(actions or ())
    steps = transitions(
        env,
        lambda *_: oracle.act() if actions is None else next(given),
        seed=seed,
        max_steps=None if actions is None else len(actions),
    )
    inside = env.observation_space.contains(observation)
    for step in steps:
        inside = inside and env.observation_space.contains(step.next_observation)
        played.actions.append(step.action)
        played.observations.append(fingerprint(step.next_observation))
        played.rewards.append(step.reward)
        played.ends.append((step.terminated, step.truncated))
        played.infos.append(step.next_info)
    return replace(played, in_space=inside)


@cache
def solved(id: str, split: str, seed: int) -> Played:
    """An episode of the oracle; several tests look at the same one."""
    env = gym.make(id, split=split)
    try:
        return play(env, seed)
    finally:
        env.close()


@pytest.fixture
def make() -> Iterator[Any]:
    """`gym.make` whose envs are closed."""
    envs: list[gym.Env] = []

    def opened(*args: Any, **options: Any) -> gym.Env:
        envs.append(gym.make(*args, **options))
        return envs[-1]

    yield opened
    for env in envs:
        env.close()


# --------------------------------------------------------------------------- every registered env


def test_the_suite_registers_its_tasks() -> None:
    assert {record.id for record in shipped().records()} <= set(IDS)
    assert len(IDS) >= 8


@every_id
def test_record_spec_and_program_agree(id: str) -> None:
    spec = gym.spec(id)
    assert gym.envs.registration.EnvSpec.from_json(spec.to_json()) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec.max_episode_steps > 0
    where = spec.kwargs["library"]
    library = shipped() if where is None else Library(Path(where))
    record = library.record(id)
    source = library.source(record)
    assert hashlib.sha256(source.encode()).hexdigest() == record.sha256
    check(source)
    assert re.fullmatch(rf"gensim/{record.name}-v\d+", id)
    assert f"class {record.name}(Task)" in source
    if where is None:
        assert str(Path(gensim_envs.__file__).parent.parent) not in spec.to_json()


# A generated task has been played on all twenty seeds before it was published.
@pytest.mark.parametrize(
    ("id", "seed"),
    [(id, seed) for id in IDS for seed in seeds.CERTIFICATE[: 1 if id in GENERATED else 2]],
)
@each_split
def test_the_oracle_solves_it_for_a_return_of_one(id: str, seed: int, split: str) -> None:
    episode = solved(id, split, seed)
    assert episode.infos[-1]["success"]
    assert abs(sum(episode.rewards) - 1) <= 1e-9
    # terminated on success and not before
    assert [end[0] for end in episode.ends] == [info["success"] for info in episode.infos[1:]]
    assert episode.ends[-1][0]
    assert episode.in_space
    assert not any(np.array_equal(a, b) for a, b in itertools.pairwise(episode.observations))
    check_infos(episode)


def check_infos(episode: Played) -> None:
    progress = [info["progress"] for info in episode.infos]
    assert progress[0] == 0
    assert [value == 1 for value in progress] == [info["success"] for info in episode.infos]
    np.testing.assert_allclose(np.diff(progress), episode.rewards, atol=1e-12)
    for info in episode.infos:
        assert set(info) == INFO
        assert info["success"] is info["is_success"] is (info["goals_left"] == 0)
        assert 0 <= info["progress"] <= 1
        assert isinstance(info["instruction"], str)
        assert info["instruction"]
    assert episode.infos[0]["goals_left"] >= 1


@every_kind
def test_two_envs_agree_bit_for_bit(id: str, make: Any) -> None:
    """On the oracle's actions and on random ones; the second env has played other episodes."""
    env, other = make(id), make(id)
    low, high = env.action_space.low, env.action_space.high
    random = list(np.random.default_rng(0).uniform(low, high, (3, 6)))
    assert same(play(other, SEED, random), play(env, SEED, random))
    assert same(play(other, SEED, solved(id, "train", SEED).actions), solved(id, "train", SEED))
    assert play(other, SEED + 1, []).observations != play(env, SEED, []).observations


def same(a: Played, b: Played) -> bool:
    keys = ("observations", "rewards", "ends", "infos")
    return all(getattr(a, key) == getattr(b, key) for key in keys)


@every_kind
def test_an_episode_with_video_is_the_same_bit_for_bit(
    id: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the rendering of frames is done, to save time."""
    blank = np.zeros((480, 640, 3), np.uint8)
    monkeypatch.setattr("gensim_envs.sim.studio.take_picture", lambda *_: blank)
    played = play(make(id, render_mode="rgb_array_list"), SEED, solved(id, "train", SEED).actions)
    assert same(played, solved(id, "train", SEED))


@two_ids
@each_mode
@pytest.mark.filterwarnings("ignore:.*For Box action spaces, we recommend.*:UserWarning")
def test_gymnasiums_checker_finds_nothing(id: str, obs_mode: str, make: Any) -> None:
    check_env(make(id, obs_mode=obs_mode).unwrapped, skip_render_check=True)


@every_id
def test_a_no_op_has_no_reward(id: str, make: Any) -> None:
    env = make(id, obs_mode="state")
    _, info = env.reset(seed=SEED)
    before = info
    now = env.unwrapped.world.snapshot()
    spots = [(pose.x, pose.y) for pose in now.poses if pose.z > -0.5][:3]
    for x, y in [*spots, (0.25, 0.5)]:
        action = np.array([x, y, 0.3, x, y, 0.3], np.float32)
        _, reward, terminated, _, info = env.step(action)
        assert (reward, terminated, info) == (0, False, before)


@two_ids
def test_an_episode_is_truncated_at_its_limit(id: str, make: Any) -> None:
    env = make(id, obs_mode="state")
    env.reset(seed=SEED)
    limit = env.spec.max_episode_steps
    ends = [env.step(NOTHING)[2:4] for _ in range(limit)]
    assert ends == [(False, False)] * (limit - 1) + [(False, True)]
    assert limit >= env.unwrapped.task_spec.bounds["steps"]


BAD: dict[str, tuple[Any, str]] = {
    "five numbers": (np.zeros(5, np.float32), r"shape \(6,\).*got \(5,\)"),
    "seven numbers": ([0.0] * 7, r"got \(7,\)"),
    "a row": (np.zeros((1, 6)), r"got \(1, 6\)"),
    "a scalar": (0.5, r"got \(\)"),
    **{
        f"{name} {value}": (
            [value if other == name else float(number)
             for other, number in zip(ACTION, NOTHING, strict=True)],
            rf"^{name} is {value}.*outside .* \.\. ",
        )
        for name in ACTION
        for value in (math.nan, math.inf, -math.inf, -4.0, 4.0)
    },
}  # fmt: skip


@two_ids
def test_bad_actions_are_named_and_leave_the_env_usable(id: str, make: Any) -> None:
    env = make(id, obs_mode="state").unwrapped
    observation, _ = env.reset(seed=SEED)
    for action, message in BAD.values():
        with pytest.raises(ValueError, match=message):
            env.step(action)
    assert fingerprint(env.step(NOTHING)[0]) == fingerprint(observation)


@two_ids
def test_actions_may_be_lists_and_doubles_and_rounded(id: str, make: Any) -> None:
    env = make(id, obs_mode="state")
    low, high = (
        np.asarray(bound, float) for bound in (env.action_space.low, env.action_space.high)
    )
    results = []
    for action in (
        NOTHING,
        NOTHING.tolist(),
        NOTHING.astype(np.float64),
        NOTHING + np.array([-9e-7, 9e-7, 0, -9e-7, 9e-7, 0]),  # clipped
    ):
        env.reset(seed=SEED)
        results.append(fingerprint(env.unwrapped.step(action)[0]))
    assert len(set(results)) == 1
    for corner in (low, high):
        env.reset(seed=SEED)
        assert env.observation_space.contains(env.unwrapped.step(corner.tolist())[0])
    with pytest.raises(ValueError, match=r"pick x is 0\.249"):
        env.unwrapped.step((low - 2e-6).tolist())


@two_ids
def test_unknown_options_are_refused(id: str, make: Any) -> None:
    env = make(id)
    with pytest.raises(ValueError, match="wind"):
        env.reset(seed=0, options={"wind": 1})
    env.reset(seed=0, options={})
    for option in ({"obs_mode": "rgb"}, {"split": "val"}, {"motion": "fly"}, {"render_mode": "x"}):
        with pytest.raises(ValueError, match=next(iter(option))):
            env.spec.make(**option)
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'frameskip'"):
        env.spec.make(frameskip=1)  # TorchRL's GymEnv tries it, and goes on after this message


@every_kind
def test_the_state_is_bounded_and_masked(id: str, make: Any) -> None:
    env = make(id, obs_mode="state", privileged=True)
    space = env.observation_space
    assert space.dtype == np.float32
    assert np.isfinite([space.low, space.high]).all()
    assert play(env, SEED, solved(id, "train", SEED).actions).in_space
    vector, _ = env.reset(seed=SEED)
    layout, spec = env.unwrapped.state_layout, env.unwrapped.task_spec
    now = env.unwrapped.world.snapshot()
    there = sum(max(1, len(i.bodies)) for k, i in enumerate(spec.items) if now.has(k))
    for block, count in (
        (layout.items, there), (layout.places, sum(len(i.asset.slots) for i in spec.items))
    ):  # fmt: skip
        present = block.field(vector, "present")[:, 0]
        assert present.sum() == count
        assert not block.view(vector)[present == 0].any()
    goal = env.unwrapped.goal
    targets = layout.targets.view(vector)
    expected = 20 if goal.relation == "along" else len(goal.places)
    assert targets[:, 0].tolist() == [1.0] * expected + [0.0] * (len(targets) - expected)
    relations = layout.targets.field(vector, "relation")[:expected]
    assert (relations == [name == goal.relation for name in RELATIONS]).all()
    marked = [max(1, len(spec.items[k].bodies)) for k in goal.items]
    assert layout.in_goal.view(vector).sum() == sum(marked)


@every_kind
def test_the_state_does_not_depend_on_the_goal(id: str, make: Any) -> None:
    """The same scene, declared in another order and with other goals, has the same vector."""
    env = make(id, obs_mode="state")
    env.reset(seed=SEED)
    inner = env.unwrapped
    spec, now = inner.task_spec, inner.world.snapshot()
    turned = range(len(spec.items))[::-1]
    other = replace(spec, items=spec.items[::-1], goals=spec.goals[-1:])
    seen = Snapshot(
        now.poses[::-1], now.tilts[::-1], {turned[k]: v for k, v in now.bodies.items()}, {}
    )
    layout = inner.state_layout
    first = state_observation(spec, now, GoalStatus(0.0, 0, len(spec.goals)), False, layout)
    second = state_observation(other, seen, GoalStatus(0.7, None, 0), False, layout)
    assert np.array_equal(first, second)
    assert not any(block.rows for block in (layout.goal, layout.in_goal, layout.targets))


def test_items_keep_their_rows_while_they_move(make: Any) -> None:
    env = make(BOWL, obs_mode="state")
    vector, _ = env.reset(seed=SEED)
    layout = env.unwrapped.state_layout
    for action in solved(BOWL, "train", SEED).actions:
        after = env.step(action)[0]
        for name in ("kind", "color", "size", "variant"):
            assert np.array_equal(layout.items.field(vector, name), layout.items.field(after, name))
    assert not np.array_equal(vector, after)


def test_slots_are_where_things_go(make: Any) -> None:
    env = make("gensim/AssemblingKits-v0", obs_mode="state")
    vector, _ = env.reset(seed=SEED)
    layout, spec = env.unwrapped.state_layout, env.unwrapped.task_spec
    board = next(item for item in spec.items if item.asset.slots)
    found = {
        (round(float(variant) * 100), *np.round(position, 4).tolist())
        for (variant,), position in zip(
            layout.places.field(vector, "variant"), layout.places.field(vector, "position"),
            strict=True,
        )
    }  # fmt: skip
    poses = [board.start @ slot.pose for slot in board.asset.slots]
    assert found == {
        (slot.variant, *np.round(np.float32([pose.x, pose.y, pose.z]), 4).tolist())
        for slot, pose in zip(board.asset.slots, poses, strict=True)
    }


def test_the_layout_names_every_entry_of_the_state(make: Any) -> None:
    plain, told = make(BOWL, obs_mode="state"), make(BOWL, obs_mode="state", privileged=True)
    vector, _ = told.reset(seed=SEED)
    layout, short = told.unwrapped.state_layout, plain.unwrapped.state_layout
    assert layout.size == vector.size
    # A privileged vector begins with the plain one.
    assert np.array_equal(plain.reset(seed=SEED)[0], vector[: short.size])
    blocks = astuple(layout)
    assert [first + rows * sum(n for _, n in fields) for first, rows, fields in blocks] == [
        *(first for first, _, _ in blocks[1:]), layout.size
    ]  # fmt: skip
    layout.items.field(vector, "color")[:] = 0.5  # a view: this changes the vector
    assert (layout.items.view(vector)[:, 2:5] == 0.5).all()
    with pytest.raises(KeyError, match="no field 'mass'; there are present, kind"):
        layout.items.columns("mass")
    with pytest.raises(ValueError, match='privileged=True needs obs_mode="state"'):
        make(BOWL, privileged=True)


@two_ids
def test_close_twice_leaves_no_client(id: str) -> None:
    env = gym.make(id)
    env.reset(seed=SEED)
    client = env.unwrapped.world.client.id
    assert p.getConnectionInfo(client)["isConnected"]
    env.close()
    env.close()
    assert not p.getConnectionInfo(client)["isConnected"]


def test_before_reset_and_after_close_gymnasiums_own_errors_are_raised() -> None:
    env = gym.make(BOWL, render_mode="rgb_array").unwrapped
    uses: dict[str, Callable[[], Any]] = {
        "step": lambda: env.step(NOTHING),
        "render": env.render,
        "oracle": Oracle(env).act,
        "instruction": lambda: env.instruction,
        "goal": lambda: env.goal,
        "spec": lambda: env.task_spec,
    }
    for name, use in uses.items():
        with pytest.raises(gym.error.ResetNeeded, match=r"call reset\(\) first"):
            pytest.fail(f"{name} returned {use()}")
    env.reset(seed=SEED)
    env.step(NOTHING)
    env.close()
    for name, use in {**uses, "reset": env.reset}.items():
        with pytest.raises(gym.error.ClosedEnvironmentError, match="has been closed"):
            pytest.fail(f"{name} returned {use()}")


def test_a_failed_reset_leaves_the_env_to_be_reset(make: Any, monkeypatch: Any) -> None:
    env = make(BOWL, obs_mode="state").unwrapped
    env.reset(seed=SEED)
    with pytest.raises(ValueError, match="perturb"):
        env.reset(options={"perturb": {"wind": 1}})
    env.step(NOTHING)  # the options were refused before anything changed
    monkeypatch.setattr(env.world, "settle", lambda: False)
    with pytest.raises(TaskError):
        env.reset()
    with pytest.raises(gym.error.ResetNeeded):
        env.step(NOTHING)


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "cloudpickle": cloudpickle.dumps,
}


@pytest.mark.parametrize("take", COPIES.values(), ids=COPIES)
def test_copies_of_parts_are_refused(make: Any, take: Callable[[Any], Any]) -> None:
    """A copy would share the simulator: to step it would move the original's blocks."""
    env = make(BOWL, render_mode="rgb_array")
    inner = env.unwrapped
    env.reset(seed=SEED)
    for each in (inner.world, inner.world.client, inner._video, Oracle(env)):
        with pytest.raises(TypeError, match=f"{type(each).__name__} cannot be copied or pickled"):
            take(each)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("id", [BOWL, GENERATED[0]])
def test_closed_standard_streams_do_no_harm(closed: str, id: str, tmp_path: Path) -> None:
    file = tmp_path / "done"
    code = (
        "import gymnasium as gym, gensim_envs, pathlib\n"
        f"env = gym.make({id!r})\nenv.reset(seed=0)\nenv.step(env.action_space.sample())\n"
        f"env.close()\npathlib.Path({str(file)!r}).write_text('done')"
    )
    command = f"exec {sys.executable} -c {shlex.quote(code)} {closed}"
    subprocess.run(command, shell=True, timeout=120, check=True)
    assert file.read_text() == "done"


FRESH = """
import json, sys
import gymnasium as gym
import gensim_envs
from gensim_envs.sandbox.client import shared
sys.path.insert(0, sys.argv[1])
from test_env import play
found = {}
for id in sys.argv[3:]:
    env = gym.make(id)
    found[id] = play(env, int(sys.argv[2])).observations
    env.close()
print(json.dumps({"worker": shared().worker_pid, "found": found}))
"""


def test_a_fresh_process_agrees_bit_for_bit_and_leaves_no_worker() -> None:
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, here, str(SEED), *KINDS],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["found"] == {id: solved(id, "train", SEED).observations for id in KINDS}
    assert (answer["worker"] is None) == (not GENERATED)
    assert answer["worker"] is None or is_gone(answer["worker"])


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within five seconds; a zombie has."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_envs_in_one_process_do_not_disturb_each_other(make: Any) -> None:
    """One step of each in turn, each after five episodes of its own."""
    envs = {id: make(id) for id in KINDS}
    for env in envs.values():
        for seed in range(5):
            env.reset(seed=seed)
            env.step(env.action_space.sample())
    seen = {id: [fingerprint(env.reset(seed=SEED)[0])] for id, env in envs.items()}
    for step in range(4):
        for id, env in envs.items():
            actions = solved(id, "train", SEED).actions
            if step < len(actions):
                seen[id].append(fingerprint(env.step(actions[step])[0]))
    for id, found in seen.items():
        assert found == solved(id, "train", SEED).observations[: len(found)], id


def test_the_shared_worker_ends_when_asked() -> None:
    assert GENERATED, "no generated task is registered"
    env = gym.make(GENERATED[0])
    env.reset(seed=SEED)
    env.close()
    pid = shared().worker_pid
    assert pid is not None
    shared().close()
    assert shared().worker_pid is None
    assert is_gone(pid)


def test_envs_work_in_spawned_workers() -> None:
    envs = gym.make_vec(
        f"gensim_envs:{GENERATED[0]}",
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"context": "spawn"},
    )
    try:
        observations, infos = envs.reset(seed=[SEED, SEED + 1])
        for number in range(2):
            alone = {key: value[number] for key, value in observations.items()}
            assert fingerprint(alone) == play_nothing(GENERATED[0], SEED + number)
            assert infos["instruction"][number]
    finally:
        envs.close()


def play_nothing(id: str, seed: int) -> str:
    env = gym.make(id)
    first = play(env, seed, []).observations[0]
    env.close()
    return first


# ------------------------------------------------------------------------------- tasks in place


def one_block(scene: Scene) -> None:
    block = scene.add(Block("red"), at=Pose(0.5, -0.2))
    scene.goal("move the red block", block, at=scene.mark(block, Pose(0.5, 0.2)))


def two_things(scene: Scene) -> None:
    stand = scene.add(Stand("blue"), at=Pose(0.4, 0.3))
    block = scene.add(Block("red"), at=Pose(0.5, -0.2, 0, 0.5))
    ball = scene.add(Bowl("green"), at=Pose(0.6, 0.0))
    scene.goal("put the red block on the stand", block, on=stand)
    scene.goal("move the green bowl", ball, at=scene.mark(ball, Pose(0.65, -0.4)))


def a_pile(scene: Scene) -> None:
    zone = scene.add(Zone("blue"), at=Pose(0.5, 0.3))
    scene.goal("sweep the pile into the blue zone", scene.add(Pile("red")), inside=zone)


def a_rope(scene: Scene) -> None:
    scene.goal("lay the rope", scene.add(Rope("red")), along=line(Pose(0.5, 0.3), 2, 0.22))


def act(px: float, py: float, qx: float, qy: float, turn: float = 0.0) -> np.ndarray:
    return np.array([px, py, 0.0, qx, qy, turn], np.float32)


def test_the_state_says_what_is_where(table: Any) -> None:
    env = table(two_things, obs_mode="state", privileged=True)
    vector, _ = env.reset(seed=0)
    layout = env.state_layout
    assert layout.episode.view(vector).tolist() == [[0]]
    np.testing.assert_allclose(layout.goal.view(vector)[0], [1, 0, 0])
    rows = layout.items.view(vector)[:3]  # sorted by kind
    for row, asset in zip(rows, (Block("red"), Bowl("green"), Stand("blue")), strict=True):
        assert row[1] == pytest.approx(list(ASSETS).index(type(asset).__name__) / 100)
        np.testing.assert_allclose(row[2:5] * 255, COLORS[asset.color], atol=0.01)
        np.testing.assert_allclose(row[10:13], asset.size, atol=1e-6)
    assert layout.in_goal.view(vector)[:3, 0].tolist() == [1, 0, 0]
    np.testing.assert_allclose(rows[0, 5:8], (0.5, -0.2, 0), atol=1e-3)
    np.testing.assert_allclose(rows[0, 8:10], (math.sin(0.5), math.cos(0.5)), atol=1e-3)
    target = layout.targets.field(vector, "position")[0]
    np.testing.assert_allclose(target, (0.4, 0.3, 0.015), atol=1e-6)

    vector = env.step(act(0.5, -0.2, 0.4, 0.3, -0.5))[0]
    np.testing.assert_allclose(layout.goal.view(vector)[0], [1, 0.5, 0.5])
    assert layout.in_goal.view(vector)[:3, 0].tolist() == [0, 1, 0]
    position = layout.items.field(vector, "position")[0]
    np.testing.assert_allclose(position, (0.4, 0.3, 0.015), atol=1e-3)
    target = layout.targets.field(vector, "position")[0]
    np.testing.assert_allclose(target, (0.65, -0.4, 0), atol=1e-6)
    assert env.instruction == "move the green bowl"

    vector, _, terminated, _, info = env.step(act(0.6, 0.0, 0.65, -0.4))
    assert terminated
    assert info["instruction"] == "move the green bowl"
    np.testing.assert_allclose(layout.goal.view(vector)[0], [0, 1, 1])
    assert not layout.targets.view(vector).any()


def test_the_state_refuses_what_its_row_has_no_room_for() -> None:
    env = TabletopEnv(
        Program(a_pile), {"items": 10, "places": 0, "targets": 4, "steps": 4}, obs_mode="state"
    )
    with pytest.raises(TaskError, match="drew 51 items, its record allows 10"):
        env.reset(seed=0)
    env.close()


def test_a_draw_beyond_its_rows_bounds_is_drawn_again_whatever_is_observed() -> None:
    """This seed's first draw has 12 items, two more than any of those that made the row."""
    drawn = []
    for mode in ("state", "rgbd"):
        env = gym.make("gensim/PackingBoxesPairs-v0", obs_mode=mode)
        env.reset(seed=30_000)
        drawn.append(env.unwrapped.task_spec)  # type: ignore[attr-defined]
        env.close()
    assert drawn[0] == drawn[1]
    assert len(drawn[0].items) <= 10


def test_progress_falls_when_something_is_taken_away(table: Any) -> None:
    env = table(two_things)
    env.reset(seed=0)
    rewards = [
        env.step(action)[1]
        for action in (
            act(0.5, -0.2, 0.4, 0.3, -0.5),
            act(0.4, 0.3, 0.5, -0.2),
            act(0.5, -0.2, 0.4, 0.3),
            act(0.6, 0.0, 0.65, -0.4),
        )
    ]
    assert rewards == [0.5, -0.5, 0.5, 0.5]


def one_by_one(scene: Scene) -> None:
    pallet = scene.add(Pallet("gray"))
    boxes = scene.add(Box("red", extents=(0.07, 0.05, 0.04)), count=3, one_by_one=True)
    marks = scene.mark(boxes[0], line(pallet.pose.up(pallet.asset.height), 3, 0.075))
    scene.goal("stack the red boxes on the gray pallet", boxes, at=marks)


@pytest.mark.parametrize("seed", range(3))
def test_of_things_in_a_line_the_next_appears_when_the_last_is_placed(
    table: Any, seed: int
) -> None:
    env = table(one_by_one)
    _, info = env.reset(seed=seed)
    start = env.task_spec.items[1].start
    oracle, total = Oracle(env), 0.0
    for placed in range(3):
        now = env.world.snapshot()
        assert [pose.z > -0.5 for pose in now.poses[1:4]] == [k <= placed for k in range(3)]
        assert now.poses[1 + placed].distance(start) < 0.005
        env.step(act(0.25, 0.5, 0.25, 0.5))  # nothing more appears for nothing
        aside = act(start.x, start.y, start.x, start.y)
        env.step(aside)
        assert env.world.snapshot().poses[1 + placed].distance(start) < 0.005
        _, reward, terminated, _, info = env.step(oracle.act())
        total += reward
        assert info["progress"] == pytest.approx((placed + 1) / 3)
    assert terminated
    assert abs(total - 1) <= 1e-9


def test_what_is_next_waits_while_the_last_lies_elsewhere(table: Any) -> None:
    env = table(one_by_one)
    env.reset(seed=0)
    start = env.task_spec.items[1].start
    x, y = (0.3, 0.4) if start.y < 0 else (0.3, -0.4)
    env.step(act(start.x, start.y, x, y))
    assert env.world.snapshot().poses[2].z == -1
    oracle, terminated = Oracle(env), False
    for _ in range(4):
        if not terminated:
            terminated = env.step(oracle.act())[2]
    assert terminated


def test_the_oracle_names_the_goal_it_cannot_reach(table: Any) -> None:
    env = table(one_block)
    env.reset(seed=0)
    env.step(act(0.5, -0.2, 0.5, 0.2))
    with pytest.raises(OracleError, match="solved"):
        Oracle(env).act()
    with pytest.raises(TypeError, match="gensim environments"):
        Oracle(gym.make("CartPole-v1"))


# -------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize(
    ("build", "action"),
    [(two_things, act(0.5, -0.2, 0.4, 0.3)), (a_pile, None), (a_rope, None)],
    ids=["pick and place", "push", "drag"],
)
def test_a_video_changes_no_bit_of_an_episode(
    table: Any, build: Any, action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gensim_envs.sim.video.FPS", 6)  # fewer pictures, to save time
    monkeypatch.setattr("gensim_envs.sim.video._FRAME_STEPS", 40)
    plain = table(build)
    first = plain.reset(seed=3)[0]
    action = Oracle(plain).act() if action is None else action
    wanted = [fingerprint(first), fingerprint(plain.step(action)[0])]
    env = table(build, render_mode="rgb_array_list")
    found = [fingerprint(env.reset(seed=3)[0]), fingerprint(env.step(action)[0])]
    assert found == wanted
    assert len(env.render()) > 10


def test_pictures_between_steps_change_no_bit_of_an_episode(table: Any) -> None:
    plain, env = table(two_things), table(two_things, render_mode="rgb_array")
    assert fingerprint(plain.reset(seed=3)[0]) == fingerprint(env.reset(seed=3)[0])
    for action in (act(0.5, -0.2, 0.4, 0.3), act(0.6, 0.0, 0.4, 0.0), act(0.4, 0.3, 0.5, 0.3)):
        env.render()
        assert fingerprint(plain.step(action)[0]) == fingerprint(env.step(action)[0])


def test_a_picture_is_rgb_and_shows_what_moved(table: Any) -> None:
    env = table(one_block, render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    assert before.shape == (480, 640, 3)
    assert before.dtype == np.uint8
    assert np.array_equal(before, env.render())
    env.step(act(0.5, -0.2, 0.5, 0.2))
    assert not np.array_equal(before, env.render())


def test_frames_are_those_of_the_motion_since_the_last_call(table: Any) -> None:
    env = table(one_block, render_mode="rgb_array_list")
    env.reset(seed=0)
    assert len(env.render()) == 1
    assert env.render() == []
    env.step(act(0.5, -0.2, 0.5, 0.2))
    frames = env.render()
    assert len(frames) > 24  # more than a second of motion
    assert all(frame.shape == (480, 640, 3) and frame.dtype == np.uint8 for frame in frames)
    # The block is seen on its way: most frames differ from the one before.
    moving = [not np.array_equal(a, b) for a, b in itertools.pairwise(frames)]
    assert sum(moving) > 20
    assert env.render() == []


def test_without_a_render_mode_render_warns(table: Any) -> None:
    env = table(one_block)
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_a_window_needs_a_display_and_says_so_before_it_connects(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(p, "connect", lambda *args: pytest.fail("it connected"))
    with pytest.raises(RuntimeError, match="needs a display"):
        table(one_block, render_mode="human")


def test_a_window_plays_the_motion(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pygame

    shown: list[int] = []
    clock = SimpleNamespace(tick=shown.append)
    blank = np.zeros((480, 640, 3), np.uint8)
    monkeypatch.setattr(pygame.time, "Clock", lambda: clock)
    monkeypatch.setattr("gensim_envs.sim.studio.take_picture", lambda *_: blank)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = table(one_block, render_mode="human")
    env.reset(seed=0)
    env.step(act(0.5, -0.2, 0.5, 0.2))
    assert env.render() is None
    assert len(shown) > 24
    assert set(shown) == {env.metadata["render_fps"]}
    assert pygame.display.get_init()
    env.close()
    env.close()
    assert not pygame.display.get_init()
