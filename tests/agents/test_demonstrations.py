"""Demonstrations in memory, and how they are read from Minari datasets."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import minari
import numpy as np
import pytest
import safetensors.numpy
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from minari.data_collector import EpisodeBuffer
from toys import add, save

from agents.checkpoint import load_tensors
from agents.data.demonstrations import IMAGE, Demonstrations, Sample
from agents.data.episodes import PackedEpisode
from agents.errors import AgentsError
from gensim_envs.errors import GensimError
from gensim_envs.seeds import TEST

LOW, HIGH = np.float32([0.25, -0.5, -np.pi] * 2), np.float32([0.75, 0.5, np.pi] * 2)
ACTION = np.float32([0.5, 0.0, 0.0, 0.5, 0.1, 1.0])


def scene(seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A table with some boxes on it."""
    rng = np.random.default_rng(seed)
    color = np.full((*IMAGE, 3), 200, np.uint8)
    height = np.zeros(IMAGE, np.float32)
    for _ in range(6):
        row, column = rng.integers(0, 140), rng.integers(0, 300)
        color[row : row + 14, column : column + 14] = rng.integers(0, 256, 3)
        height[row : row + 14, column : column + 14] = rng.uniform(-0.1, 0.3)
    return color, height


def sample(seed: int, instruction: str = "put it there", **other: Any) -> Sample:
    color, height = scene(seed)
    fields = {"action": ACTION, "color": color, "height": height} | other
    return Sample(instruction, **fields)


def some(**tokens: Any) -> Demonstrations:
    """Two tasks; the tokens are those of one instruction."""
    demos = Demonstrations("rgbd", LOW, HIGH)
    add(demos, "a", 5, [sample(1), sample(2, "then this")])
    add(demos, "b", 7, [sample(3)])
    add(demos, "a", 6, [sample(4, "then this")])
    demos.tokens = {name: {"put it there": known} for name, known in tokens.items()}
    return demos


def test_steps_are_kept_with_heights_rounded_to_a_tenth_of_a_millimetre() -> None:
    step = some()[1]
    color, height = scene(2)
    assert step.instruction == "then this"
    assert step.color is not None and step.height is not None
    np.testing.assert_array_equal(step.color, color)
    np.testing.assert_allclose(step.height, height, atol=0.5001e-4)
    assert step.height.dtype == np.float32 and step.state is None
    np.testing.assert_array_equal(step.action, ACTION)


def test_envs_seeds_and_steps_are_found() -> None:
    demos = some()
    assert (len(demos), demos.episodes, demos.envs) == (4, 3, ["a", "b"])
    assert demos.seeds("a") == [5, 6]
    assert demos.steps_of("a").tolist() == [0, 1, 3]
    assert demos.instructions() == ["put it there", "then this"]
    first = demos.first(1)
    assert [first.seeds(env) for env in first.envs] == [[5], [7]]
    assert demos.first(2, ["a"]).seeds("a") == [5, 6]
    assert demos.first(1, ["b", "a"]).envs == ["b", "a"]
    with pytest.raises(AgentsError, match="1 demonstrations of b, not 2"):
        demos.first(2)


def test_parts_are_joined_and_only_like_with_like() -> None:
    demos = some()
    whole = Demonstrations.joined([demos.first(1, ["b"]), demos.first(2, ["a"])])
    assert whole.envs == ["b", "a"] and len(whole) == 4
    assert whole.seeds("b") == [7] and whole.seeds("a") == [5, 6]
    state = Demonstrations("state", LOW, HIGH)
    with pytest.raises(AgentsError, match="obs_mode"):
        Demonstrations.joined([demos, state])
    with pytest.raises(AgentsError, match="bounds"):
        Demonstrations.joined([demos, Demonstrations("rgbd", LOW, HIGH + 1)])
    with pytest.raises(AgentsError, match=r"state_bounds \{\}, others \{'items': 3\}"):
        Demonstrations.joined([demos, Demonstrations("rgbd", LOW, HIGH, {"items": 3})])
    short, long = (Demonstrations("state", LOW, HIGH) for _ in range(2))
    add(short, "a", 0, [sample(0, state=np.zeros(3, np.float32))])
    add(long, "a", 0, [sample(0, state=np.zeros(4, np.float32))])
    with pytest.raises(AgentsError, match="common_bounds"):
        Demonstrations.joined([short, long])


def test_the_hash_is_that_of_the_content() -> None:
    assert some().sha256() == some().sha256() == some(words=np.arange(3)).sha256()
    assert some().first(1).sha256() != some().sha256()
    other = Demonstrations("rgbd", LOW, HIGH)
    add(other, "a", 5, [sample(1, action=ACTION + np.float32(1e-3))])
    assert other.sha256() != some().first(1, ["a"]).sha256()


def test_a_thousand_demonstrations_fit_in_two_gigabytes() -> None:
    # The crowded table compresses worse than any of the suite's; 31 steps are its longest task.
    rng = np.random.default_rng(0)
    color, height = scene(0)
    noisy = rng.integers(0, 4, (*IMAGE, 3), dtype=np.uint8) * (rng.random((*IMAGE, 1)) < 0.2)
    demos = Demonstrations("rgbd", LOW, HIGH)
    add(demos, "a", 0, [sample(0, color=color + noisy.astype(np.uint8), height=height)])
    assert sum(map(len, demos._episodes[0].frames[0])) * 31 * 1000 < 2e9


def test_threads_may_read_together() -> None:
    demos, wrong = some(), []
    expected = [step.color for step in demos]

    def read() -> None:
        for _ in range(5):
            for index, color in enumerate(expected):
                if not np.array_equal(demos[index].color, color):  # type: ignore[arg-type]
                    wrong.append(index)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": [np.nan] * 6}, "six finite"),
        ({"action": ACTION * 2}, "is not between"),
        ({"height": np.full(IMAGE, np.nan, np.float32)}, "3.2 metres"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(fields: dict[str, Any], said: str) -> None:
    demos = Demonstrations("rgbd", LOW, HIGH)
    with pytest.raises(AgentsError, match=said):
        add(demos, "a", 0, [sample(0), sample(1, **fields)])
    assert len(demos) == 0


def test_each_action_needs_a_state() -> None:
    with pytest.raises(AgentsError, match="one finite vector for each action"):
        PackedEpisode.of("state", "a", 0, ["go", "go"], [ACTION, ACTION], [np.zeros(3)])


def test_bounds_are_checked() -> None:
    with pytest.raises(AgentsError, match="in order"):
        Demonstrations("rgbd", HIGH, LOW)
    with pytest.raises(AgentsError, match="two times six"):
        Demonstrations("rgbd", LOW[:5], HIGH[:5])
    with pytest.raises(AgentsError, match="no steps"):
        add(Demonstrations("rgbd", LOW, HIGH), "a", 0, [])


def test_bounds_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(AgentsError, match="bounds of actions are not numbers"):
        Demonstrations("rgbd", None, [[1], [2, 3]])


# --------------------------------------------------------------------------------------- datasets

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@st.composite
def any_demonstrations(draw: st.DrawFn) -> Demonstrations:
    mode = draw(st.sampled_from(["rgbd", "state"]))
    room = draw(st.dictionaries(texts, st.integers(0, 9), max_size=2))
    demos = Demonstrations(mode, LOW, HIGH, room)
    width = draw(st.integers(1, 5))
    numbers = st.floats(-9, 9, width=32)
    for _ in range(draw(st.integers(1, 3))):
        steps = []
        for _ in range(draw(st.integers(1, 3))):
            share = draw(arrays(np.float32, 6, elements=st.floats(0, 1, width=32)))
            action = np.clip(LOW + share * (HIGH - LOW), LOW, HIGH)
            fields: dict[str, Any] = {"action": action}
            if mode == "state":
                state = draw(arrays(np.float32, width, elements=numbers))
                fields |= {"state": state, "color": None, "height": None}
            steps.append(sample(draw(st.integers(0, 9)), draw(texts), **fields))
        add(demos, "a", draw(st.integers(0, 2**31)), steps)
    for name in draw(st.lists(st.sampled_from(["minilm", "clip:RN50/openai"]), unique=True)):
        length = draw(st.integers(1, 3))
        words = {s: np.arange(length) for s in demos.instructions()}
        vectors = {s: np.ones((length, 2), np.float16) for s in demos.instructions()}
        demos.tokens[name] = draw(st.sampled_from([words, vectors]))
    return demos


@given(any_demonstrations())
@settings(max_examples=25, deadline=None)
def test_a_dataset_is_read_as_it_was_written(tmp_path_factory: Any, demos: Demonstrations) -> None:
    read = Demonstrations.load(save(demos, tmp_path_factory.mktemp("data")))
    assert read.sha256() == demos.sha256()
    assert (read.envs, len(read), read.obs_mode) == (demos.envs, len(demos), demos.obs_mode)
    assert read.state_bounds == demos.state_bounds
    for new, old in zip(read, demos, strict=True):
        assert new.instruction == old.instruction
        for name in ("action", "color", "height", "state"):
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
    assert read.tokens.keys() == demos.tokens.keys()
    for name, known in demos.tokens.items():
        assert read.tokens[name].keys() == known.keys()
        for instruction, tokens in known.items():
            np.testing.assert_array_equal(read.tokens[name][instruction], tokens)
            assert read.tokens[name][instruction].dtype == tokens.dtype


def test_several_datasets_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    save(some(words=np.arange(3)), tmp_path)
    demos = Demonstrations.load(tmp_path)
    assert (demos.envs, demos.seeds("a")) == (["a", "b"], [5, 6])
    assert demos.tokens["words"]["put it there"].tolist() == [0, 1, 2]
    demos = Demonstrations.load(tmp_path / "b", tmp_path / "a", episodes=1)
    assert (demos.envs, demos.seeds("a")) == (["b", "a"], [5])
    # Datasets of other tasks may be smaller.
    assert Demonstrations.load(tmp_path, envs=["a"], episodes=2).envs == ["a"]
    with pytest.raises(AgentsError, match="no demonstrations of c; the datasets are of a, b"):
        Demonstrations.load(tmp_path, envs=["c"])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_dataset_that_minari_wrote_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    state, action = np.float32([[1, 2], [3, 4]]), ACTION[None]
    episodes = [
        EpisodeBuffer(
            seed=seed, observations=state, actions=action, rewards=[1.0], terminations=[True],
            truncations=[False], infos={"instruction": ["go", "go"], "success": [False, seed == 8]},
        )
        for seed in (7, 8)
    ]  # fmt: skip
    minari.create_dataset_from_buffers(
        "other/test-v0", episodes, observation_space=spaces.Box(0, 9, (2,)),
        action_space=spaces.Box(LOW, HIGH),
    )  # fmt: skip
    demos = Demonstrations.load(tmp_path / "other")
    assert (demos.envs, demos.seeds("other/test-v0")) == (["other/test-v0"], [8])
    assert demos[0].instruction == "go" and demos[0].state is not None
    np.testing.assert_array_equal(demos[0].state, state[0])


def test_steps_without_a_label_are_left_out(tmp_path: Path) -> None:
    save(some(), tmp_path)
    with h5py.File(tmp_path / "a/oracle-v0/data/main_data.hdf5", "r+") as file:
        file["episode_0/infos/labelled"] = [False, True, False]
        file["episode_0/infos/success"] = [False, False, False]
    demos = Demonstrations.load(tmp_path / "a")
    assert [step.instruction for step in demos] == ["then this", "then this"]


def replace(group: h5py.Group, name: str, value: Any) -> None:
    del group[name]
    group[name] = value


def virtual() -> h5py.VirtualLayout:
    """An array whose numbers are in another file."""
    layout = h5py.VirtualLayout((2, 6), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "numbers", (2, 6))
    return layout


WRONG: dict[str, Callable[[h5py.Group], object]] = {
    "actions is missing": lambda group: group.pop("actions"),
    "actions is not an array": lambda group: replace(group, "actions", 1.0),
    "actions is a link": lambda group: replace(
        group, "actions", h5py.ExternalLink("secret.h5", "actions")
    ),
    "color is a link": lambda group: replace(
        group, "observations/color", h5py.SoftLink("/episode_1/observations/color")
    ),
    "actions refers to another file": lambda group: (
        group.pop("actions"),
        group.create_dataset("actions", (2, 6), "f4", external=[("secret.bin", 0, 48)]),
    ),
    "color claims to be larger": lambda group: (
        group.pop("observations/color"),
        group.create_dataset("observations/color", (2**40, *IMAGE, 3), "u1", chunks=(1, *IMAGE, 3)),
    ),
    "six finite": lambda group: replace(group, "actions", np.full((2, 6), np.nan)),
    "an action is not six": lambda group: replace(group, "actions", np.zeros((2, 5))),
    "is not between": lambda group: replace(group, "actions", np.full((2, 6), 9.0)),
    "actions is not an array of up to": lambda group: replace(group, "actions", ["a", "b"]),
    "it has 3000000 actions, more than 10000": lambda group: (
        group.pop("actions"),
        group.create_dataset("actions", data=np.zeros((3_000_000, 6), "f4"), compression="gzip"),
    ),
    "success is not an array of up to 67108864": lambda group: group.create_dataset(
        "infos/success", data=np.zeros(70_000_000, "u1"), compression="gzip"
    ),
    "episode 0 cannot be read: actions refers to another file": lambda group: (
        group.pop("actions"),
        group.create_virtual_dataset("actions", virtual()),
    ),
    "actions is stored in chunks of more than": lambda group: (
        group.pop("actions"),
        group.create_dataset(
            "actions", (2, 6), "f4", maxshape=(None, 6), chunks=(3_000_000, 6), compression="gzip"
        ).write_direct(np.zeros((2, 6), "f4")),
    ),
    "instruction is missing": lambda group: group.pop("infos/instruction"),
    "instruction is not a list of 2 texts": lambda group: replace(
        group, "infos/instruction", ["a"]
    ),
    "not a text of up to 10000 bytes": lambda group: replace(
        group, "infos/instruction", ["a", "b" * 20_000]
    ),
    "color is float32": lambda group: replace(
        group, "observations/color", np.zeros((3, *IMAGE, 3), "f4")
    ),
    r"color is uint8 \(1, ": lambda group: replace(
        group, "observations/color", np.zeros((1, *IMAGE, 3), "u1")
    ),
    "3.2 metres": lambda group: replace(
        group, "observations/height", np.full((3, *IMAGE), np.inf, "f4")
    ),
    "or a vector": lambda group: group.pop("observations/color"),
    "reserved for test": lambda group: group.attrs.update(seed=TEST.start),
}


@pytest.mark.parametrize("kind", ["infos is", "a soft link", "shape"])
def test_no_other_file_is_opened(tmp_path: Path, kind: str) -> None:
    """The other file is a named pipe, which nobody can open without waiting."""
    demos = Demonstrations("rgbd", LOW, HIGH)
    add(demos, "gensim/A-v0", 1, [sample(1), sample(2)])
    main = save(demos, tmp_path) / "gensim/A-v0/oracle-v0/data/main_data.hdf5"
    os.mkfifo(tmp_path / "pipe")
    with h5py.File(main, "r+") as file:
        group = file["episode_0"]
        file["other"] = h5py.ExternalLink(str(tmp_path / "pipe"), "x")
        if kind == "shape":
            endless = h5py.h5s.UNLIMITED
            layout = h5py.VirtualLayout((2, 6), "f4", maxshape=(None, 6))
            source = h5py.VirtualSource(str(tmp_path / "pipe"), "x", (2, 6), maxshape=(None, 6))
            layout[0:endless, :] = source[0:endless, :]
            del group["actions"]
            group.create_virtual_dataset("actions", layout)
        else:
            link = file.get("other", getlink=True)
            replace(group, "infos", link if kind == "infos is" else h5py.SoftLink("/other/x"))
    code = (
        "import sys; from pathlib import Path\n"
        "from agents.data.demonstrations import Demonstrations\n"
        "Demonstrations.load(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert "DatasetError" in done.stderr
    assert "is a link" in done.stderr or "actions refers to another file" in done.stderr


@pytest.mark.parametrize("message", WRONG)
def test_each_part_of_a_dataset_is_checked(tmp_path: Path, message: str) -> None:
    demos = Demonstrations("rgbd", LOW, HIGH)
    for seed in (1, 2):
        add(demos, "gensim/A-v0", seed, [sample(1), sample(2)])
    folder = save(demos, tmp_path) / "gensim/A-v0/oracle-v0"
    with h5py.File(folder / "data/main_data.hdf5", "r+") as file:
        WRONG[message](file["episode_0"])
    with pytest.raises(GensimError, match=message) as raised:
        Demonstrations.load(tmp_path)
    assert str(folder) in str(raised.value) or "gensim/A-v0" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: [], "malformed: expected an object"),
        (lambda m: m | {"action_space": None}, "metadata.json is malformed: expected a text"),
        (lambda m: m | {"action_space": "{}"}, "two times six"),
        (lambda m: m | {"state_bounds": {"items": "3"}}, "expected an integer, not '3'"),
        (lambda m: m | {"env_spec": json.dumps({"id": "a\x1b[2J"})}, "expected one line"),
        (lambda m: m | {"env_spec": "[" * 100_000}, "nested too deeply"),
        (lambda m: m | {"main_data_sha256": "00"}, "main_data.hdf5 is damaged"),
    ],
)
def test_metadata_are_checked(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    path = save(some(), tmp_path) / "a/oracle-v0/data/metadata.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(GensimError, match=message):
        Demonstrations.load(tmp_path)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_damaged_tokens_are_refused(tmp_path_factory: Any, data: st.DataObject) -> None:
    root = save(some(words=np.arange(3)), tmp_path_factory.mktemp("data"))
    path = root / "a/oracle-v0/tokens-words.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(AgentsError, match="does not hold tokens") as raised:
        Demonstrations.load(root)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "C64", "U64"])
def test_tokens_of_other_types_are_refused(tmp_path: Path, kind: str) -> None:
    path = save(some(words=np.arange(3)), tmp_path) / "a/oracle-v0/tokens-words.safetensors"
    width = {"BF16": 2, "C64": 8, "U64": 8}.get(kind, 1)
    header = {
        "__metadata__": {"encoder": "words"},
        "go": {"dtype": kind, "shape": [8 // width], "data_offsets": [0, 8]},
    }
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    with pytest.raises(AgentsError):
        Demonstrations.load(tmp_path)
    with contextlib.suppress(AgentsError):  # PyTorch has more types
        load_tensors(path)


@pytest.mark.parametrize(
    "tokens", [np.zeros((0, 2), np.float16), np.full((1, 2), np.inf, np.float16), np.ones((1, 2))]
)
def test_tokens_are_checked(tmp_path: Path, tokens: Any) -> None:
    path = save(some(words=np.arange(3)), tmp_path) / "a/oracle-v0/tokens-words.safetensors"
    path.write_bytes(safetensors.numpy.save({"go": tokens}, {"encoder": "words"}))
    with pytest.raises(AgentsError, match="the tokens of 'go' are"):
        Demonstrations.load(tmp_path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GensimError, match="has no Minari dataset"):
        Demonstrations.load(tmp_path / "nowhere")
    main = save(some(), tmp_path) / "a/oracle-v0/data/main_data.hdf5"
    main.write_text("color, height\n")
    with pytest.raises(GensimError, match=r"main_data\.hdf5 cannot be read"):
        Demonstrations.load(tmp_path)
    main.unlink()
    with pytest.raises(GensimError, match=r"main_data\.hdf5 cannot be read"):
        Demonstrations.load(tmp_path)


def test_reading_needs_no_simulator(tmp_path: Path) -> None:
    save(some(), tmp_path)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['gymnasium', 'minari', 'pybullet']));"
        "from pathlib import Path; from agents.data.demonstrations import Demonstrations;"
        "print(len(Demonstrations.load(Path(sys.argv[1]))), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "4 False\n"
