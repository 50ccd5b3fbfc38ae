"""Perturbations of a reset: each does what it says, and leaves everything else as it was."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs import Oracle, PerturbationError
from gensim_envs.api import Block, Bowl, Box, Cylinder, Pose, Scene, Stand, Zone
from gensim_envs.envs.paraphrases import paraphrased
from gensim_envs.envs.perturbations import DISTRACTORS, Perturbation
from gensim_envs.sim.cameras import TABLE_COLOR
from gensim_envs.sim.views import PIXEL, pixel_of_xy
from gensim_envs.task.assets import COLORS, SPLIT_COLORS
from gensim_envs.task.checks.sentences import NOUNS
from gensim_envs.task.geometry import transform
from gensim_envs.wrappers import InstructionObservation, decode

IDS = sorted(id for id in gym.registry if id.startswith("gensim/"))
BOWL, WHEEL = "gensim/PutBlockInBowl-v0", "gensim/BuildWheel-v0"
SEED = 11


@pytest.fixture
def make() -> Any:
    envs: list[gym.Env] = []

    def opened(id: str = BOWL, **options: Any) -> gym.Env:
        envs.append(gym.make(id, **options))
        return envs[-1]

    yield opened
    for env in envs:
        env.close()


def reset(env: gym.Env, seed: int | None = SEED, **perturb: Any) -> tuple[Any, dict[str, Any]]:
    return env.reset(seed=seed, options={"perturb": perturb})


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(np.array_equal(a[key], b[key]) for key in a)
    return np.array_equal(a, b)


def solve(env: gym.Env) -> float:
    """Return of an oracle episode from the current state."""
    oracle, total, done = Oracle(env), 0.0, False
    while not done:
        _, reward, terminated, truncated, _ = env.step(oracle.act())
        total, done = total + float(reward), terminated or truncated
    return total


# ------------------------------------------------------------------------------------- the option


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wind": 1}, "unknown reset option 'wind'; the only one is 'perturb'"),
        ({"perturb": {"wind": 1}}, "no key 'wind'; use camera, light, distractors, instr.*colors"),
        ({"perturb": {"Camera": 0.01}}, "no key 'Camera'"),
        ({"perturb": {3: 1}}, "no key 3"),
        ({"perturb": None}, "perturb is None; pass a dict"),
        ({"perturb": "camera"}, "perturb is 'camera'; pass a dict"),
        ({"perturb": {"camera": 0.2}}, "camera is 0.2; use a number from 0 to 0.1"),
        ({"perturb": {"camera": -0.01}}, "camera is -0.01"),
        ({"perturb": {"camera": float("nan")}}, "camera is nan"),
        ({"perturb": {"camera": True}}, "camera is True"),
        ({"perturb": {"camera": "0.1"}}, "camera is '0.1'"),
        ({"perturb": {"camera": [0.1]}}, r"camera is \[0.1\]"),
        ({"perturb": {"light": 1.5}}, "light is 1.5; use a number from 0 to 1"),
        ({"perturb": {"light": None}}, "light is None"),
        ({"perturb": {"distractors": 9}}, "distractors is 9; use a whole number from 0 to 8"),
        ({"perturb": {"distractors": 1.0}}, "distractors is 1.0"),
        ({"perturb": {"distractors": True}}, "distractors is True"),
        (
            {"perturb": {"instruction": "none"}},
            "instruction is 'none'; use 'wrong' or 'blank' or 'par",
        ),
        ({"perturb": {"instruction": True}}, "instruction is True"),
        ({"perturb": {"colors": "val"}}, "colors is 'val'; use 'train' or 'test'"),
        ({"perturb": {"colors": ["train"]}}, r"colors is \['train'\]"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_not_allowed_is_named(make: Any, options: Any, message: str) -> None:
    env = make(obs_mode="state")
    with pytest.raises(ValueError, match=message):
        env.reset(seed=SEED, options=options)
    fresh, _ = make(obs_mode="state").reset(seed=SEED)
    assert same(env.reset(seed=SEED)[0], fresh)


def test_nothing_asked_for_changes_nothing(make: Any) -> None:
    env = make()
    wanted, info = env.reset(seed=SEED)
    nothing: list[Any] = [{}, {"perturb": {}}, {"perturb": {"camera": 0, "light": 0.0}}]
    for options in [*nothing, {"perturb": {"distractors": np.int64(0), "camera": np.float32(0)}}]:
        found = env.reset(seed=SEED, options=options)
        assert same(found[0], wanted)
        assert found[1] == info


PERTURB = st.fixed_dictionaries(
    {},
    optional={
        "camera": st.floats(0, 0.1),
        "light": st.floats(0, 1),
        "distractors": st.integers(0, 8),
        "instruction": st.sampled_from(["wrong", "blank", "paraphrased"]),
        "colors": st.sampled_from(["train", "test"]),
    },
)


@pytest.fixture(scope="module")
def pair() -> Any:
    envs = [gym.make("gensim/StackBlockPyramid-v0") for _ in range(2)]
    yield envs
    for env in envs:
        env.close()


@given(perturb=PERTURB, seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_seed_and_options_fix_the_episode(pair: Any, perturb: Any, seed: int) -> None:
    """And the episode after it is that of the seed alone."""
    one, other = pair
    plain = other.reset(seed=seed)[0], other.reset()[0]
    found, info = reset(one, seed, **perturb)
    assert one.observation_space.contains(found)
    wanted, wanted_info = reset(other, seed, **perturb)
    assert same(found, wanted)
    assert info == wanted_info
    action = one.action_space.low + 0.4 * (one.action_space.high - one.action_space.low)
    assert same(one.step(action)[0], other.step(action)[0])
    assert same(one.reset()[0], plain[1])
    # Later resets draw the perturbation anew, also without a seed.
    if perturb.get("camera", 0) > 0.01:
        assert not same(reset(other, None, **perturb)[0], plain[1])


# ------------------------------------------------------------------------------ camera and light


@pytest.mark.parametrize(
    "perturb",
    [{"camera": 0.1}, {"light": 1.0}, {"instruction": "wrong"}, {"instruction": "paraphrased"}],
    ids=str,
)
def test_what_is_only_seen_or_said_moves_nothing(make: Any, perturb: Any) -> None:
    plain, env = make(obs_mode="state"), make(obs_mode="state")
    wanted, _ = plain.reset(seed=SEED)
    assert same(reset(env, **perturb)[0], wanted)
    action = Oracle(plain).act()
    wanted, reward, *_ = plain.step(action)
    found, same_reward, *_ = env.step(action)
    assert same(found, wanted)
    assert reward == same_reward


def one_block(scene: Scene) -> None:
    block = scene.add(Block("red"), at=Pose(0.5, 0.0))
    scene.goal("move the red block", block, at=scene.mark(block, Pose(0.5, 0.3)))


@pytest.mark.parametrize("shift", [0.01, 0.05, 0.1])
def test_the_camera_above_is_misplaced_by_at_most_so_much(table: Any, shift: float) -> None:
    env, offs, lifts = table(one_block), [], []
    turn = 0.5 * shift
    for seed in range(8):
        view, _ = env.reset(seed=seed, options={"perturb": {"camera": shift}})
        rows, columns = np.nonzero(view["color"][..., 0] > 2.0 * view["color"][..., 2])
        off = np.array([rows.mean(), columns.mean()]) + 0.5 - (80, 160)
        offs.append(np.abs(off).max() * PIXEL)
        bare = view["height"][(view["color"] == TABLE_COLOR).all(axis=-1)]
        lifts.append(float(np.abs(bare).max()))
        # The plane of the table is a plane still.
        slope = np.diff(bare[:100]).astype(float)
        assert slope.std() < 1e-4
    # Half a metre below the camera's height of one metre, a turn adds to the shift.
    assert max(offs) <= shift + 1.1 * turn
    assert max(offs) > 0.3 * shift
    assert max(lifts) <= shift + 0.9 * turn
    assert max(lifts) > 0.3 * shift


def test_the_poses_in_info_stay_those_where_cameras_should_be(make: Any) -> None:
    env = make(obs_mode="cameras")
    wanted, info = env.reset(seed=SEED)
    found, moved = reset(env, camera=0.03)
    for name, camera in info["cameras"].items():
        for key, value in camera.items():
            assert np.array_equal(value, moved["cameras"][name][key])
    for view in range(3):  # each camera is misplaced on its own
        change = np.abs(found["depth"][view] - wanted["depth"][view])
        assert 0.001 < np.median(change) < 0.1
    assert env.observation_space.contains(found)


@pytest.mark.parametrize("obs_mode", ["rgbd", "cameras"])
def test_light_changes_colours_and_no_depth(make: Any, obs_mode: str) -> None:
    env = make(obs_mode=obs_mode)
    wanted, _ = env.reset(seed=SEED)
    tints = set()
    for seed in range(SEED, SEED + 4):
        plain, _ = env.reset(seed=seed)
        found, _ = reset(env, seed, light=1.0)
        depth = "height" if obs_mode == "rgbd" else "depth"
        assert np.array_equal(found[depth], plain[depth])
        bare = found["color"][(plain["color"] == TABLE_COLOR).all(axis=-1)]
        tints.add(tuple(bare[0].tolist()))
        assert (bare == bare[0]).all()
    assert len(tints) == 4
    faint, _ = reset(env, light=0.05)
    assert 0 < np.abs(faint["color"].astype(int) - wanted["color"]).max() < 25


def test_the_direction_of_the_light_shades_the_sides(table: Any) -> None:
    env, shades = table(one_block, obs_mode="cameras"), set()
    for seed in range(4):
        color = env.reset(seed=seed, options={"perturb": {"light": 1.0}})[0]["color"][0].astype(int)
        body = color[(color[..., 0] > 2 * color[..., 2])]
        shades.add(round(float(body.max() / body[:, 0].min()), 2))
    assert len(shades) > 1


# -------------------------------------------------------------------------------- distractors


@pytest.mark.parametrize("id", IDS)
def test_distractors_are_unlike_what_the_goals_are_about(make: Any, id: str) -> None:
    env = make(id)
    for seed in range(2):
        env.reset(seed=seed)
        plain = env.unwrapped.task_spec
        reset(env, seed, distractors=5)
        spec = env.unwrapped.task_spec
        new = spec.items[len(plain.items) :]
        assert spec.items[: len(plain.items)] == plain.items
        assert spec.goals == plain.goals
        assert len(new) == 5
        for item in new:
            assert item.distractor
            assert isinstance(item.asset, DISTRACTORS)
            assert item.asset.color in SPLIT_COLORS["train"]
            for goal in spec.goals:
                bases = {p.base for p in goal.places if p.base is not None}
                for k in {*goal.items, *bases}:
                    meant = plain.items[k].asset
                    alike = set(meant.nouns) & set(item.asset.nouns)
                    assert not alike or meant.color != item.asset.color
                    assert not alike or meant.color in goal.instruction


def unnamed(scene: Scene) -> None:
    blocks = scene.add(Block("red"), count=2)
    bowl = scene.add(Bowl("blue"))
    scene.goal("put the blocks into the bowl", blocks, inside=bowl)


def test_a_kind_whose_colour_is_not_said_is_not_added(table: Any) -> None:
    env = table(unnamed)
    for seed in range(5):
        reset(env, seed, distractors=8)
        new = env.task_spec.items[3:]
        assert not any(isinstance(item.asset, Block) for item in new)


def everything(scene: Scene) -> None:
    """Every kind of distractor is meant, and no colour is said."""
    things = [scene.add(kind("red")) for kind in DISTRACTORS]
    zone = scene.add(Zone("blue"))
    for thing in things:
        scene.goal("move it", thing, inside=zone)


def test_where_nothing_can_be_told_apart_it_is_an_error(table: Any) -> None:
    with pytest.raises(PerturbationError, match="no distractor can be told apart"):
        reset(table(everything), distractors=1)


def test_distractors_keep_off_what_starts_and_ends_there(table: Any) -> None:
    def build(scene: Scene) -> None:
        stand = scene.add(Stand("blue"))
        block = scene.add(Block("red"))
        scene.goal("put the red block on the blue stand", block, on=stand)
        scene.goal("move the red block", block, at=scene.mark(block, Pose(0.5, 0.0)))

    import shapely

    env = table(build)
    for seed in range(4):
        reset(env, seed, distractors=8)
        items = env.task_spec.items
        shapes = [
            shapely.Polygon(transform(env.task_spec.geometry(k).outline, item.start))
            for k, item in enumerate(items)
        ]
        for k in range(3, len(items)):  # what comes after the stand, the block and its mark
            assert all(
                shapes[k].distance(shape) > 0.005 for j, shape in enumerate(shapes) if j != k
            )
        assert solve(env) == pytest.approx(1)


def test_the_state_refuses_distractors_it_has_no_room_for(make: Any) -> None:
    env = make(WHEEL, obs_mode="state")
    with pytest.raises(
        PerturbationError,
        match=r'with 2 distractors .* has 13 items, .* room for 11; .* obs_mode="rgbd"',
    ):
        reset(env, distractors=2)
    assert same(env.reset(seed=SEED)[0], make(WHEEL, obs_mode="state").reset(seed=SEED)[0])


def test_the_state_shows_distractors_it_has_room_for(table: Any) -> None:
    env = table(one_block, obs_mode="state")
    plain, _ = env.reset(seed=SEED)
    found, _ = reset(env, distractors=3)
    items = env.unwrapped.state_layout.items
    rows = [items.field(state, "present").sum() for state in (plain, found)]
    assert rows == [2, 5]


def test_a_full_table_is_an_error(table: Any) -> None:
    def build(scene: Scene) -> None:
        block = scene.add(Block("red"), at=Pose(0.29, 0.46))
        for row in range(4):
            for column in range(8):
                where = Pose(0.31 + 0.12 * row, -0.44 + 0.115 * column)
                stand = scene.add(Stand("blue", extents=(0.09, 0.09, 0.01)), at=where)
        scene.goal("put the red block on a stand", block, on=stand)

    with pytest.raises(PerturbationError, match="there is no room for the distractor"):
        reset(table(build), distractors=8)


# -------------------------------------------------------------------------------- instructions


def said(words: Any, sentence: str) -> set[str]:
    return {word for word in words if re.search(rf"\b{word}(e?s)?\b", sentence)}


@pytest.mark.parametrize("id", IDS)
def test_a_wrong_sentence_is_about_other_things(make: Any, id: str) -> None:
    env = make(id)
    for seed in range(2):
        env.reset(seed=seed)
        true = env.unwrapped.task_spec
        _, info = reset(env, seed, instruction="wrong")
        spec = env.unwrapped.task_spec
        assert info["instruction"] == env.unwrapped.instruction == spec.goals[0].instruction
        for goal, other in zip(true.goals, spec.goals, strict=True):
            bases = [p.base for p in goal.places if p.base is not None]
            assets = [true.items[k].asset for k in (*goal.items, *bases)]
            own = {asset.color for asset in assets}
            assert other.instruction != goal.instruction
            named = said(COLORS, other.instruction)
            assert not named & own
            if said(COLORS, goal.instruction):
                assert named
            else:
                assert not said({n for a in assets for n in a.nouns}, other.instruction)


@pytest.mark.parametrize("id", IDS)
def test_a_paraphrase_names_the_same_things(make: Any, id: str) -> None:
    env = make(id)
    for seed in range(2):
        env.reset(seed=seed)
        true = env.unwrapped.task_spec
        reset(env, seed, instruction="paraphrased")
        for goal, other in zip(true.goals, env.unwrapped.task_spec.goals, strict=True):
            assert other == replace(goal, instruction=other.instruction)
            assert other.instruction != goal.instruction
            for word in (*COLORS, *NOUNS):
                assert goal.instruction.count(word) == other.instruction.count(word)


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [  # words that every paraphrase has, since others would mean something else
        ("load the sled with blue blocks", "load the sled with blue blocks"),
        ("set up the pins", "set up the pins"),
        ("take away the red block", "take away the red block"),
        ("lay it so that it rests on both", "lay it so that it rests on both"),
        ("sweep the crumbs into the zone", "the crumbs into the zone"),
        ("bring it down, snug against both of its arms", "snug against both of its arms"),
        ("it is the turn of the crosses: set a plus", "it is the turn of the crosses: set a plus"),
        ("Put the red block on the blue block.", "the red block on the blue block"),
        ("put both red blocks next to the zone", "the two red blocks"),
    ],
)
def test_paraphrases_mean_the_same(sentence: str, kept: str) -> None:
    for seed in range(20):
        said = paraphrased(sentence, np.random.default_rng(seed))
        assert kept in said and said != sentence and "." not in said
        assert said == paraphrased(sentence, np.random.default_rng(seed))
        if re.match("could|can|your|I want", said):
            assert not re.search("it is|set up|take away|with", said)
    assert paraphrased("", np.random.default_rng(0)) == ""


def three(scene: Scene) -> None:
    """Sentences with a colour, with a kind only, and with neither; in capitals and British."""
    grey = scene.add(Block("gray"))
    red = scene.add(Box("red", extents=(0.06, 0.06, 0.05)))
    tins = scene.add(Cylinder("cyan"), count=2)
    spots = [scene.reserve(radius=0.05) for _ in range(4)]
    scene.goal("Grey block: move the GREY block", grey, at=scene.mark(grey, spots[0]))
    scene.goal("move the box", red, at=scene.mark(red, spots[1]))
    scene.goal("move these there", tins, at=scene.mark(tins[0], spots[2:]))


def test_wrong_sentences_of_every_sort(table: Any) -> None:
    env = table(three)
    for seed in range(6):
        _, info = reset(env, seed, instruction="wrong")
        color, kind, other = (goal.instruction for goal in env.task_spec.goals)
        match = re.fullmatch(r"(\w+) block: move the (\w+) block", color)
        assert match
        assert match[1] == match[2]
        assert match[1] in {"red", "cyan"}  # of what else is in the scene
        assert re.fullmatch("move the (cylinder|ball)", kind)  # a box may be called a block
        assert re.fullmatch("pick up the (gray block|red box)", other)
        assert info["instruction"] == color


@pytest.mark.parametrize("instruction", ["wrong", "blank"])
def test_success_is_judged_by_the_true_goals(make: Any, instruction: str) -> None:
    env = make(WHEEL)
    reset(env, instruction=instruction)
    assert solve(env) == pytest.approx(1)


def test_a_blank_sentence_passes_through_the_wrapper(make: Any) -> None:
    env = InstructionObservation(make())
    observation, info = env.reset(seed=SEED, options={"perturb": {"instruction": "blank"}})
    assert info["instruction"] == ""
    assert decode(observation["instruction"]) == ""
    assert env.observation_space.contains(observation)


# -------------------------------------------------------------------------------------- colours


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_colours_are_renamed_everywhere_alike(make: Any, id: str, split: str) -> None:
    env = make(id, split="test", obs_mode="state")
    env.reset(seed=SEED)
    plain = env.unwrapped.task_spec
    reset(env, colors=split)
    spec = env.unwrapped.task_spec
    pairs = {(a.asset.color, b.asset.color) for a, b in zip(plain.items, spec.items, strict=True)}
    renamed = dict(pairs)
    assert len(pairs) == len(renamed) == len(set(renamed.values()))
    assert set(renamed.values()) <= set(SPLIT_COLORS[split])
    for old, new in zip(plain.goals, spec.goals, strict=True):
        words = re.findall(r"\w+", old.instruction)
        assert [renamed.get(word, word) for word in words] == re.findall(r"\w+", new.instruction)


def test_a_task_of_fixed_colours_can_be_had_in_unseen_ones(make: Any) -> None:
    env, seen = make(WHEEL), set()
    for seed in range(6):
        view, info = reset(env, seed, colors="test")
        spec = env.unwrapped.task_spec
        seen |= {item.asset.color for item in spec.items}
        assert spec.items[0].asset.color in info["instruction"]
        pose = env.unwrapped.world.snapshot().poses[0]
        shown = view["color"][pixel_of_xy(pose.x, pose.y)]
        assert np.abs(shown.astype(int) - COLORS[spec.items[0].asset.color]).max() < 20
    assert seen - set(SPLIT_COLORS["train"])
    assert solve(env) == pytest.approx(1)


def test_more_colours_than_the_split_has_are_an_error(table: Any) -> None:
    colors = SPLIT_COLORS["train"]
    assert len(colors) > len(SPLIT_COLORS["test"])

    def build(scene: Scene) -> None:
        block = scene.add(Block(colors[0]), at=Pose(0.3, 0.4))
        for color in colors[1:]:
            scene.distract(Block(color))
        scene.goal("move the block", block, at=scene.mark(block, Pose(0.3, -0.4)))

    env = table(build)
    with pytest.raises(PerturbationError, match="has 8 colors, the test split 7"):
        reset(env, colors="test")
    reset(env, colors="train")


def test_keys_do_not_disturb_each_other() -> None:
    everything = Perturbation(0.05, 0.5, 3, "wrong", "test").view(7)
    alone = Perturbation(camera=0.05).view(7), Perturbation(light=0.5).view(7)
    assert same(everything.camera_errors, alone[0].camera_errors)
    assert everything.light == alone[1].light
