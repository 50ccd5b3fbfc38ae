"""Demonstrations: what goes in comes out, files are checked, and none of it needs a simulator."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.data import hdf5, layout
from agents.data.demonstrations import IMAGE, Demonstrations, Sample
from agents.errors import AgentsError

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
    return Sample("", 0, 0, instruction, **fields)


def some(**tokens: Any) -> Demonstrations:
    demos = Demonstrations("rgbd", LOW, HIGH)
    demos.add_episode("a", 5, [sample(1), sample(2, "then this")])
    demos.add_episode("b", 7, [sample(3)])
    demos.add_episode("a", 6, [sample(4, "then this")])
    demos.tokens = {name: {"put it there": known} for name, known in tokens.items()}
    return demos


def test_steps_come_back_as_they_were_with_heights_to_a_tenth_of_a_millimetre() -> None:
    step = some()[1]
    color, height = scene(2)
    assert (step.env, step.episode, step.step, step.instruction) == ("a", 0, 1, "then this")
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
    with pytest.raises(AgentsError, match="1 demonstrations of b, not 2"):
        demos.first(2)


def test_parts_are_joined_and_only_like_with_like() -> None:
    demos = some()
    whole = Demonstrations.joined([demos.first(1, ["b"]), demos.first(2, ["a"])])
    assert whole.envs == ["b", "a"] and len(whole) == 4
    assert whole[0].episode == 0 and whole[3].episode == 2
    state = Demonstrations("state", LOW, HIGH)
    with pytest.raises(AgentsError, match="obs_mode"):
        Demonstrations.joined([demos, state])
    with pytest.raises(AgentsError, match="bounds"):
        Demonstrations.joined([demos, Demonstrations("rgbd", LOW, HIGH + 1)])
    with pytest.raises(AgentsError, match=r"room for \{\}, others for \{'items': 3\}"):
        Demonstrations.joined([demos, Demonstrations("rgbd", LOW, HIGH, {"items": 3})])
    short, long = (Demonstrations("state", LOW, HIGH) for _ in range(2))
    short.add_episode("a", 0, [sample(0, state=np.zeros(3, np.float32))])
    long.add_episode("a", 0, [sample(0, state=np.zeros(4, np.float32))])
    with pytest.raises(AgentsError, match="common_bounds"):
        Demonstrations.joined([short, long])


def test_the_hash_is_that_of_the_content() -> None:
    assert some().sha256() == some().sha256() == some(words=np.arange(3)).sha256()
    assert some().first(1).sha256() != some().sha256()
    other = Demonstrations("rgbd", LOW, HIGH)
    other.add_episode("a", 5, [sample(1, action=ACTION + np.float32(1e-3))])
    assert other.sha256() != some().first(1, ["a"]).sha256()


def test_a_thousand_demonstrations_fit_in_two_gigabytes() -> None:
    # The crowded table compresses worse than any of the suite's; 31 steps are its longest task.
    rng = np.random.default_rng(0)
    color, height = scene(0)
    noisy = rng.integers(0, 4, (*IMAGE, 3), dtype=np.uint8) * (rng.random((*IMAGE, 1)) < 0.2)
    demos = Demonstrations("rgbd", LOW, HIGH)
    demos.add_episode("a", 0, [sample(0, color=color + noisy.astype(np.uint8), height=height)])
    assert demos.nbytes * 31 * 1000 < 2e9


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
        ({"action": [0.5] * 5}, "six finite"),
        ({"action": [np.nan] * 6}, "six finite"),
        ({"action": ACTION * 2}, "is not between"),
        ({"color": None}, "color is missing"),
        ({"color": np.zeros((160, 320, 3), np.float32)}, "color is float32"),
        ({"color": np.zeros((320, 160, 3), np.uint8)}, r"color is uint8 \(320, 160, 3\)"),
        ({"height": np.zeros((160, 320), np.uint16)}, "height is uint16"),
        ({"height": np.full(IMAGE, np.nan, np.float32)}, "3.2 metres"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(fields: dict[str, Any], said: str) -> None:
    demos = Demonstrations("rgbd", LOW, HIGH)
    with pytest.raises(AgentsError, match=said):
        demos.add_episode("a", 0, [sample(0), sample(1, **fields)])
    assert len(demos) == 0


def test_modes_and_bounds_are_checked() -> None:
    with pytest.raises(AgentsError, match="not 'cameras'"):
        Demonstrations("cameras", LOW, HIGH)
    with pytest.raises(AgentsError, match="cross"):
        Demonstrations("rgbd", HIGH, LOW)
    with pytest.raises(AgentsError, match="two times six"):
        Demonstrations("rgbd", LOW[:5], HIGH[:5])
    with pytest.raises(AgentsError, match="no steps"):
        Demonstrations("rgbd", LOW, HIGH).add_episode("a", 0, [])


# ------------------------------------------------------------------------------------------ files

texts = st.text(max_size=8)


@st.composite
def any_demos(draw: st.DrawFn) -> Demonstrations:
    mode = draw(st.sampled_from(["rgbd", "state"]))
    room = draw(st.dictionaries(texts, st.integers(0, 9), max_size=2))
    demos = Demonstrations(mode, LOW, HIGH, room)
    width = draw(st.integers(1, 5))
    numbers = st.floats(-9, 9, width=32)
    for _ in range(draw(st.integers(0, 3))):
        steps = []
        for _ in range(draw(st.integers(1, 3))):
            share = draw(arrays(np.float32, 6, elements=st.floats(0, 1, width=32)))
            action = np.clip(LOW + share * (HIGH - LOW), LOW, HIGH)
            fields: dict[str, Any] = {"action": action}
            if mode == "state":
                fields["state"] = draw(arrays(np.float32, width, elements=numbers))
            steps.append(sample(draw(st.integers(0, 9)), draw(texts), **fields))
        demos.add_episode(draw(texts), draw(st.integers(0, 2**31)), steps)
    for name in draw(st.lists(texts, max_size=2, unique=True)):
        length = draw(st.integers(1, 3))
        words = {s: np.arange(length) for s in demos.instructions()}
        vectors = {s: np.ones((length, 2), np.float16) for s in demos.instructions()}
        demos.tokens[name] = draw(st.sampled_from([words, vectors]))
    return demos


@given(any_demos())
@settings(max_examples=25)
def test_a_file_holds_all_there_is(tmp_path_factory: Any, demos: Demonstrations) -> None:
    path = tmp_path_factory.mktemp("file") / "demos.h5"
    demos.save(path)
    read = Demonstrations.load(path)
    assert read.sha256() == demos.sha256()
    assert (read.envs, len(read), read.obs_mode) == (demos.envs, len(demos), demos.obs_mode)
    assert read.state_bounds == demos.state_bounds
    for new, old in zip(read, demos, strict=True):
        assert (new.env, new.episode, new.step, new.instruction) == (
            old.env, old.episode, old.step, old.instruction,
        )  # fmt: skip
        for name in ("action", "color", "height", "state"):
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
    filled = {name: known for name, known in demos.tokens.items() if known}
    assert read.tokens.keys() == filled.keys()
    for name, known in filled.items():
        assert read.tokens[name].keys() == known.keys()
        for sentence, tokens in known.items():
            np.testing.assert_array_equal(read.tokens[name][sentence], tokens)
            assert read.tokens[name][sentence].dtype == tokens.dtype
    first = path.read_bytes()
    read.save(path)
    assert path.read_bytes() == first


@given(data=st.data())
@settings(max_examples=40)
def test_a_damaged_file_is_refused(tmp_path_factory: Any, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("damaged") / "demos.h5"
    demos = some(words=np.arange(3))
    demos.save(path)
    whole = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    with pytest.raises(AgentsError, match="damaged") as raised:
        Demonstrations.load(path)
    assert str(path) in str(raised.value) and "agents export" in str(raised.value)


def changed(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    """Rewrite a file with other texts and tables."""
    said, tables = hdf5.unpack(layout.FORMAT, path.read_bytes())
    change(said, tables)
    path.write_bytes(hdf5.pack(layout.FORMAT, said, tables))


WRONG: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "action_bounds is missing": lambda _, t: t.pop("action_bounds"),
    "bounds of actions cross": lambda _, t: t.update({"action_bounds": t["action_bounds"][::-1]}),
    "step/action is float64": lambda _, t: t.update({"step/action": t["step/action"].astype("f8")}),
    "six finite": lambda _, t: t["step/action"].fill(np.nan),
    "is not between": lambda _, t: t["step/action"].fill(9),
    "episode/steps does not add up": lambda _, t: t["episode/steps"].fill(9),
    "episode/env has a number": lambda _, t: t["episode/env"].fill(-1),
    "step/instruction has a number": lambda _, t: t["step/instruction"].fill(2),
    "step/color_bytes does not add up": lambda _, t: t["step/color_bytes"].fill(1),
    "picture is damaged": lambda _, t: t["step/color"].fill(0),
    "picture does not have": lambda _, t: t.update(
        {"step/height": t["step/color"], "step/height_bytes": t["step/color_bytes"]}
    ),
    "tokens/0/count": lambda _, t: t["tokens/0/count"].fill(0),
    "not finite": lambda _, t: t["tokens/1/values"].fill(np.inf),
    "obs_mode rgbd or state": lambda s, _: s.update(obs_mode="pixels"),
    "laid out": lambda s, _: s.pop("envs"),
    "is no text": lambda s, _: s.update(envs=[1, 2]),
    "state_bounds are no numbers": lambda s, _: s.update(state_bounds={"items": "3"}),
}


@pytest.mark.parametrize("said", WRONG)
def test_each_part_of_a_file_is_checked(tmp_path: Path, said: str) -> None:
    path = tmp_path / "demos.h5"
    some(words=np.arange(3), minilm=np.ones((3, 2), np.float16)).save(path)
    changed(path, lambda said, tables: None)
    assert Demonstrations.load(path).sha256() == some().sha256()
    changed(path, WRONG[said])
    with pytest.raises(AgentsError, match=said):
        Demonstrations.load(path)


def test_a_file_from_before_the_bounds_of_states_is_read(tmp_path: Path) -> None:
    path = tmp_path / "demos.h5"
    some().save(path)
    changed(path, lambda said, _: said.pop("state_bounds"))
    assert Demonstrations.load(path).state_bounds == {}


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with pytest.raises(AgentsError, match="cannot be read"):
        Demonstrations.load(path)
    path.write_text("color, height\n")
    with pytest.raises(AgentsError, match="another kind of file"):
        Demonstrations.load(path)
    path.write_bytes(hdf5.pack("something else", {}, {"observations": np.zeros(3)}))
    with pytest.raises(AgentsError, match="not of the format"):
        Demonstrations.load(path)


def test_a_file_cannot_bring_in_another(tmp_path: Path) -> None:
    secret, path = tmp_path / "secret.bin", tmp_path / "demos.h5"
    secret.write_bytes(b"{}" + bytes(1000))
    with h5py.File(path, "w") as file:
        file.attrs["format"] = layout.FORMAT
        file.create_group("tables")
        file.create_dataset("texts", (2,), np.uint8, external=[(str(secret), 0, 2)])
    path.write_bytes(path.read_bytes() + hashlib.sha256(path.read_bytes()).digest())
    with pytest.raises(AgentsError, match="not stored plainly"):
        Demonstrations.load(path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    path = tmp_path / "demos.h5"
    some().save(path)
    before = path.read_bytes()
    os.symlink("/dev/full", tmp_path / "demos.h5.part")
    with pytest.raises(AgentsError, match=r"no space is left for .*demos\.h5"):
        some().first(1).save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["demos.h5"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(AgentsError, match="cannot be written: No such file"):
        some().save(tmp_path / "nowhere" / "demos.h5")


def test_reading_needs_no_simulator(tmp_path: Path) -> None:
    some().save(tmp_path / "demos.h5")
    code = (
        "import sys; from agents.data.demonstrations import Demonstrations; print(len(Demonstrations.load(sys.argv[1])));"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "demos.h5")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    count, loaded = done.stdout.splitlines()
    assert count == "4"
    assert not {"gymnasium", "gensim_envs", "minari", "pybullet", "torch"} & set(loaded.split())
