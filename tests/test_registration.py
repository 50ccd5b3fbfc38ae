"""Rows of libraries become environments; broken ones say why and harm no other."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from tiny import (
    PROVENANCE,
    TINY,
    edit_registry,
    hand_written_record,
    make_library,
    program,
    publish,
    record,
)

import gensim_envs
from gensim_envs import LibraryError, register_library
from gensim_envs.library import Library, shipped
from gensim_envs.registration import register_shipped, spec

TINY_ID, OTHER_ID = "gensim/TinyZone-v0", "gensim/Other-v0"


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """Gymnasium's registry as it was, after each test."""
    before = dict(gym.registry)
    yield
    gym.registry.clear()
    gym.registry.update(before)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library", "Other", "TinyZone")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a fresh interpreter in which nothing is imported."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def works(env: gym.Env[Any, Any]) -> bool:
    _, info = env.reset(seed=3)
    env.close()
    return isinstance(info["instruction"], str)


# --- the suite's own tasks --------------------------------------------------------------------


def shipped_specs() -> list[EnvSpec]:
    specs = [gym.spec(record.id) for record in shipped().records()]
    assert specs
    return specs


def test_importing_registers_every_row_of_the_suite() -> None:
    records, broken = shipped().read()
    assert not broken
    assert {record.id for record in records} <= set(gym.registry)
    assert [each.max_episode_steps for each in shipped_specs()] == [
        record.max_episode_steps for record in records
    ]


def test_specs_survive_json_and_pickle_and_hold_no_path() -> None:
    for each in shipped_specs():
        assert EnvSpec.from_json(each.to_json()) == each
        assert pickle.loads(pickle.dumps(each)) == each
        assert each.kwargs == {"task": each.id, "library": None}
        assert os.sep not in each.to_json().replace(each.id, "")


def test_specs_of_another_library_survive_json_and_pickle(library: Library) -> None:
    register_library(library.root)
    each = gym.spec(TINY_ID)
    assert each.kwargs["library"] == str(library.root)
    assert works(gym.make(EnvSpec.from_json(each.to_json())))
    assert works(gym.make(pickle.loads(pickle.dumps(each))))


def test_an_id_that_names_the_module_works_with_nothing_imported() -> None:
    code = (
        "import gymnasium as gym\n"
        "env = gym.make('gensim_envs:gensim/PutBlockInBowl-v0')\n"
        "print(env.reset(seed=0)[1]['instruction'])"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert "bowl" in done.stdout


def test_without_gymnasium_the_suite_can_be_imported() -> None:
    """As on a machine that only trains, which lacks the simulator too."""
    code = """
import sys
absent = ["gymnasium", "pybullet", "scipy", "shapely", "tqdm"]
sys.modules.update(dict.fromkeys(absent))
import gensim_envs
bounds = {"items": 2, "places": 0, "targets": 1}
print(gensim_envs.StateLayout.of(bounds).size, gensim_envs.GensimError)
assert sorted(gensim_envs.__all__) == gensim_envs.__all__
assert set(gensim_envs.__all__) <= set(dir(gensim_envs))
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("29 ")


def test_register_envs_is_enough() -> None:
    gym.register_envs(gensim_envs)
    assert works(gym.make("gensim/PutBlockInBowl-v0", obs_mode="state"))


def test_spawned_workers_make_envs_of_any_library(library: Library) -> None:
    register_library(library.root)
    specs = [gym.spec("gensim/PutBlockInBowl-v0"), gym.spec(TINY_ID)]
    envs = gym.vector.AsyncVectorEnv(
        [partial(gym.make, each, disable_env_checker=True) for each in specs], context="spawn"
    )
    try:
        seen, info = envs.reset(seed=[1, 2])
        assert seen["color"].shape == (2, 160, 320, 3)
        assert "bowl" in info["instruction"][0]
        assert "zone" in info["instruction"][1]
        corner = np.array([[0.25, 0.5, 0.0, 0.25, 0.5, 0.0]] * 2, np.float32)
        assert envs.step(corner)[1].tolist() == [0, 0]
    finally:
        envs.close()


def test_a_mix_may_be_of_several_libraries(library: Library) -> None:
    register_library(library.root)
    spec = gensim_envs.mix(["gensim/PutBlockInBowl-v0", TINY_ID])
    envs = gym.make_vec(spec, 2, "async", {"context": "spawn"}, obs_mode="state")
    try:
        words = "".join(w for s in range(4) for w in envs.reset(seed=s)[1]["instruction"])
        assert "bowl" in words
        assert "zone" in words
    finally:
        envs.close()


# --- other libraries --------------------------------------------------------------------------


def test_a_library_is_registered_once_or_twice_alike(library: Library) -> None:
    assert register_library(library.root) == [OTHER_ID, TINY_ID]
    before = dict(gym.registry)
    assert register_library(str(library.root)) == [OTHER_ID, TINY_ID]
    assert gym.registry == before
    assert works(gym.make(TINY_ID, obs_mode="state"))


def test_one_folder_by_two_paths_is_one_library(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = library.root.with_name("link")
    link.symlink_to(library.root)
    register_library(library.root)
    assert len(register_library(link)) == 2
    monkeypatch.chdir(library.root.parent)
    assert len(register_library("library")) == 2
    monkeypatch.setenv("HOME", str(library.root.parent))
    assert len(register_library("~/library")) == 2


def test_the_suites_own_folder_can_be_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(gym.registry)
    monkeypatch.setenv("GENSIM_LIBRARY", str(shipped().root))
    register_shipped()
    assert gym.registry == before


def test_an_id_of_two_libraries_stays_with_the_first(library: Library, tmp_path: Path) -> None:
    second = make_library(tmp_path / "second", "TinyZone", "Third")
    register_library(library.root)
    with pytest.warns(UserWarning, match=f"{TINY_ID} of .*second is already in .*library"):
        assert register_library(second.root) == ["gensim/Third-v0"]
    assert gym.spec(TINY_ID).kwargs["library"] == str(library.root)
    assert works(gym.make("gensim/Third-v0", obs_mode="state"))
    # The other one can still be made, by its spec.
    theirs = gym.make(spec(second, second.record(TINY_ID)), obs_mode="state")
    assert theirs.spec is not None
    assert theirs.spec.kwargs["library"] == str(second.root)
    assert works(theirs)


def test_an_id_of_the_suite_stays_with_the_suite(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.write_records([hand_written_record("gensim/PutBlockInBowl-v0")])
    with pytest.warns(UserWarning, match="is already in the suite"):
        assert register_library(tmp_path) == []
    assert gym.spec("gensim/PutBlockInBowl-v0").kwargs["library"] is None


@pytest.mark.parametrize("path", ["nowhere", "file", "~nobody-of-that-name/x", "x" * 5000])
def test_a_library_that_is_not_there_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(LibraryError, match=r"registry\.json"):
        register_library(path)


def test_a_registry_that_is_no_json_is_an_error_that_names_it(library: Library) -> None:
    library.registry.write_text("{")
    with pytest.raises(LibraryError, match=r"library/registry\.json"):
        register_library(library.root)


@pytest.mark.parametrize("path", ["/nowhere", "~nobody-of-that-name/x", "/dev/null"])
def test_gensim_library_that_points_nowhere_is_a_warning(path: str) -> None:
    code = (
        "import gymnasium as gym, gensim_envs, gensim_envs.library.library as l\n"
        "assert all(record.id in gym.registry for record in l.shipped().records())\n"
        "gym.make('gensim/PutBlockInBowl-v0')"
    )
    done = python(code, GENSIM_LIBRARY=path)
    assert done.returncode == 0, done.stderr
    assert "GENSIM_LIBRARY" in done.stderr
    assert "Traceback" not in done.stderr


def test_gensim_library_is_registered_on_import(library: Library) -> None:
    code = f"import gymnasium as gym, gensim_envs\ngym.make({TINY_ID!r}).reset(seed=0)"
    done = python(code, GENSIM_LIBRARY=str(library.root))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


# --- broken records ------------------------------------------------------------------------------


def set_field(name: str, value: object) -> Callable[[Library], None]:
    def change(library: Library) -> None:
        def edit(records: list[Any]) -> None:
            next(record for record in records if record["id"] == TINY_ID)[name] = value

        edit_registry(library, edit)

    return change


BROKEN: dict[str, tuple[Callable[[Library], None], str]] = {
    "unknown field": (set_field("colour", "red"), "'colour' is unknown"),
    "wrong type": (set_field("bounds", [1]), "bounds: expected an object"),
    "path escape": (set_field("file", "../tinyzone.py"), r"file is '\.\./tinyzone\.py'"),
    "absolute path": (set_field("file", "/tmp/tinyzone.py"), "file is '/tmp/tinyzone.py'"),
}


@pytest.mark.parametrize(("change", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_row_warns_and_says_so_when_made_and_hides_no_other(
    library: Library, change: Callable[[Library], None], problem: str
) -> None:
    change(library)
    with pytest.warns(UserWarning, match=problem):
        assert register_library(library.root) == [OTHER_ID]
    for options in ({}, {"obs_mode": "state", "render_mode": "rgb_array"}):
        with pytest.raises(LibraryError, match=problem) as caught:
            gym.make(TINY_ID, **options)  # type: ignore[arg-type]
        assert TINY_ID in str(caught.value)
        assert str(library.registry) in str(caught.value)
    with pytest.raises(LibraryError, match=problem):
        gensim_envs.mix([OTHER_ID, TINY_ID])
    assert works(gym.make(OTHER_ID, obs_mode="state"))


def rewrite(library: Library) -> None:
    (library.root / "generated/tinyzone.py").write_text(TINY + "# harmless\n")


def delete(library: Library) -> None:
    (library.root / "generated/tinyzone.py").unlink()


@pytest.mark.parametrize("change", [rewrite, delete])
def test_a_row_whose_program_is_not_what_was_published_cannot_be_made(
    library: Library, change: Callable[[Library], None]
) -> None:
    change(library)
    register_library(library.root)
    with pytest.raises(LibraryError, match=r"gensim/TinyZone-v0: .*generated/tinyzone\.py"):
        gym.make(TINY_ID)
    assert works(gym.make(OTHER_ID, obs_mode="state"))


def test_a_row_that_was_deleted_after_registration_cannot_be_made(library: Library) -> None:
    register_library(library.root)
    library.write_records([record("Other")])
    with pytest.raises(LibraryError, match=r"registry\.json has no record 'gensim/TinyZone-v0'"):
        gym.make(TINY_ID)


def test_a_duplicate_row_warns_and_the_first_can_be_made(library: Library) -> None:
    edit_registry(library, lambda records: records.append({**asdict(record()), "summary": "again"}))
    with pytest.warns(UserWarning, match="'gensim/TinyZone-v0': duplicate id"):
        assert register_library(library.root) == [OTHER_ID, TINY_ID]
    assert works(gym.make(TINY_ID, obs_mode="state"))


def test_a_broken_row_takes_no_id_from_another_library(library: Library, tmp_path: Path) -> None:
    second = make_library(tmp_path / "second", "TinyZone")
    set_field("summary", None)(second)
    register_library(library.root)
    with pytest.warns(UserWarning, match="summary: expected a text"):
        register_library(second.root)
    assert works(gym.make(TINY_ID, obs_mode="state"))


def test_a_row_that_was_mended_can_be_made(library: Library) -> None:
    set_field("summary", None)(library)
    with pytest.warns(UserWarning, match="summary: expected a text"):
        register_library(library.root)
    set_field("summary", "Fine.")(library)
    register_library(library.root)
    assert works(gym.make(TINY_ID, obs_mode="state"))


# --- mistakes in gym.make ---------------------------------------------------------------------


def test_an_unknown_id_suggests_the_nearest() -> None:
    with pytest.raises(gym.error.NameNotFound, match="PutBlockInBowl"):
        gym.make("gensim/PutBlocksInBowl-v0")


def test_an_unknown_option_raises_pythons_own_error(library: Library) -> None:
    """TorchRL's GymEnv tries `frameskip=1`, and goes on if the error has these words."""
    register_library(library.root)
    for id in (TINY_ID, "gensim/PutBlockInBowl-v0"):
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'frameskip'"):
            gym.make(id, frameskip=1)


@pytest.mark.parametrize(
    ("option", "allowed"),
    [
        ("obs_mode", ["rgbd", "state"]),
        ("split", ["train", "test"]),
        ("motion", ["direct"]),
        ("render_mode", ["rgb_array", "rgb_array_list", "human"]),
    ],
)
@pytest.mark.parametrize("value", ["nonsense", 3])
def test_a_wrong_value_lists_the_allowed_ones(
    library: Library, option: str, allowed: list[str], value: object
) -> None:
    register_library(library.root)
    with pytest.raises(ValueError, match=f"{option} is {value!r}") as caught:
        gym.make(TINY_ID, **{option: value})  # type: ignore[arg-type]
    assert all(repr(each) in str(caught.value) for each in allowed)


# --- many tasks -------------------------------------------------------------------------------


def write_many(root: Path, count: int) -> list[str]:
    """A library of `count` records that share one program."""
    library = Library(root)
    publish(library)
    ids = [f"gensim/Task{k:05}-v0" for k in range(count)]
    records = [{**asdict(record()), "id": id} for id in ids]
    library.registry.write_text(json.dumps({"tasks": records}))
    return ids


def test_ten_thousand_rows_are_registered_and_can_be_made(tmp_path: Path) -> None:
    ids = write_many(tmp_path, 10_000)
    assert register_library(tmp_path) == ids
    assert set(ids) <= set(gym.registry)
    for id in (ids[0], ids[5_000], ids[-1]):
        assert works(gym.make(id, obs_mode="state"))


def test_the_work_of_registering_grows_with_the_number_of_rows_and_no_faster(
    tmp_path: Path,
) -> None:
    def calls(count: int) -> int:
        root = tmp_path / str(count)
        write_many(root, count)
        total = 0

        def profile(frame: object, event: str, argument: object) -> None:
            nonlocal total
            total += event in ("call", "c_call")

        gym.registry.clear()
        sys.setprofile(profile)
        try:
            register_library(root)
        finally:
            sys.setprofile(None)
        return total

    few, many = calls(2_000), calls(10_000)
    assert few > 2_000
    assert many < 5.1 * few


def test_importing_with_a_broken_suite_still_registers_the_named_library(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "registry.json").write_text("no json")
    monkeypatch.setattr("gensim_envs.registration.shipped", lambda: Library(broken))
    monkeypatch.setenv("GENSIM_LIBRARY", str(library.root))
    with pytest.warns(UserWarning, match=r"broken/registry\.json is malformed"):
        register_shipped()
    assert TINY_ID in gym.registry


def test_every_broken_row_is_said(library: Library) -> None:
    edit_registry(library, lambda records: records.extend([1, 2, 3]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        register_library(library.root)
    texts = [str(each.message) for each in caught]
    assert all(
        f"a record: expected an object, not {k}" in text for k, text in enumerate(texts, 1)
    ), texts


def test_a_task_published_later_is_registered_by_registering_again(library: Library) -> None:
    register_library(library.root)
    new = record("Later")
    library.publish(new, program("Later"), PROVENANCE, None)
    assert new.id in register_library(library.root)
    assert works(gym.make(new.id, obs_mode="state"))
