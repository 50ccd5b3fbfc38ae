"""Blind play, sight, and what a certificate says about them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from gymnasium.utils.seeding import np_random

from gensim_envs.api import (
    Block,
    Bowl,
    Box,
    Container,
    Cylinder,
    Ell,
    Fixture,
    Scene,
    Task,
    Zone,
    ring,
)
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import LibraryError, TaskError
from gensim_envs.generation import blind, sight, validate
from gensim_envs.library import parse_record
from gensim_envs.sim.world import World
from gensim_envs.task import visibility
from gensim_envs.task.assets import COLORS, SPLIT_COLORS, Asset
from gensim_envs.task.colors import difference, distinguishable, seen_difference
from gensim_envs.task.drawing import Draw, draw
from gensim_envs.task.items import Item
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import TaskSpec
from tests.tiny import record


@dataclass(frozen=True)
class Trusted:
    """A program that is drawn in this process."""

    task: type[Task]
    name: str = "Trusted"

    def draw(self, split: str, seed: int) -> Draw:
        return draw(self.task, split, seed)


class OneOfTwo(Task):
    """Blind play is right half of the time."""

    def build(self, scene: Scene) -> None:
        zone = scene.add(Zone("cyan", width=0.1))
        block = scene.add(Block("red"))
        scene.distract(Block("blue"))
        scene.goal(f"put the {block} into the {zone}", block, inside=zone)


class OneOfFive(Task):
    """Blind play is right in a fifth of all episodes."""

    def build(self, scene: Scene) -> None:
        zone = scene.add(Zone("cyan", width=0.1))
        block = scene.add(Block("red"))
        for color in ("blue", "green", "yellow", "brown"):
            scene.distract(Block(color))
        scene.goal(f"put the {block} into the {zone}", block, inside=zone)


class AllOfThem(Task):
    """There is nothing to choose."""

    def build(self, scene: Scene) -> None:
        box = scene.add(Container("gray"))
        blocks = scene.add(Block("red"), count=3)
        scene.goal(f"put all {blocks} into the {box}", blocks, inside=box)


class Insertion(Task):
    """One thing and one place."""

    def build(self, scene: Scene) -> None:
        fixture, ell = scene.add(Fixture("gray")), scene.add(Ell("red"))
        scene.goal(f"put the {ell} into the {fixture}", ell, inside=fixture)


class Camouflage(Task):
    """In half of the draws the block has the colour of its zone."""

    def build(self, scene: Scene) -> None:
        color = "red" if scene.rng.random() < 0.5 else "cyan"
        zone, block = scene.add(Zone(color, width=0.1)), scene.add(Block("red"))
        scene.goal(f"put the {block} into the {zone}", block, inside=zone)


class Hidden(Task):
    """The block is under a board that the goal is not about."""

    def build(self, scene: Scene) -> None:
        scene.add(Box("gray", extents=(0.1, 0.1, 0.03)), at=Pose(0.5, 0.2, 0.045), fixed=True)
        block, zone = scene.add(Block("blue"), at=Pose(0.5, 0.2)), scene.add(Zone("red"))
        scene.goal(f"put the {block} into the {zone}", block, inside=zone)


def spec_of(task: type[Task]) -> TaskSpec:
    return draw(task, "train", 0).spec


def with_zone(spec: TaskSpec, zone: Zone) -> TaskSpec:
    """The spec with its last zone replaced, which no draw has checked."""
    items = list(spec.items)
    last = max(k for k, item in enumerate(items) if isinstance(item.asset, Zone))
    items[last] = replace(items[last], asset=zone)
    return replace(spec, items=tuple(items))


def attempts(task: type[Task], count: int) -> list[blind.Attempt]:
    program, bounds = Trusted(task), spec_of(task).bounds
    limit = validate.max_steps(bounds)
    return [blind.play(program, bounds, limit, seed) for seed in range(100, 100 + count)]


def certify(task: type[Task]) -> validate.Certificate:
    with ThreadPoolExecutor(1) as executor:
        return validate.certify(Trusted(task), spec_of(task).bounds, 0.0, executor)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "CERTIFICATE", range(2))
    monkeypatch.setattr(validate, "NEEDED", 2)
    monkeypatch.setattr(validate, "BLIND", range(100, 112))
    monkeypatch.setattr(sight, "STARTS", range(1))


def test_things_go_to_places_that_are_made_for_them() -> None:
    class Kinds(Task):
        def build(self, scene: Scene) -> None:
            scene.distract(Ell("blue"))
            scene.add(Fixture("gray"))
            block, bowl = scene.add(Block("red")), scene.add(Bowl("green"))
            scene.goal(f"put the {block} into the {bowl}", block, inside=bowl)

    spec = spec_of(Kinds)
    kinds = [type(item.asset).__name__ for item in spec.items]
    found = {
        kinds[item]: {(relation, kinds[places[0].bases[0]]) for relation, places in targets}
        for item, targets in blind.fitting(spec).items()
    }
    assert found["Ell"] == {("at", "Fixture")}
    assert found["Block"] == {("inside", "Bowl")}
    assert "Bowl" not in found


def test_arrangements_are_drawn_from_the_generator() -> None:
    spec = spec_of(OneOfFive)
    options = blind.fitting(spec)
    drawn = [blind.draw(spec, options, np.random.default_rng(seed)) for seed in range(100)]
    assert drawn[7] == blind.draw(spec, options, np.random.default_rng(7))
    first = [goals[0].items[0] for goals in drawn]
    assert min(first.count(item) for item in options) >= 8  # of 20 expected
    assert all(len(goals) == 5 for goals in drawn)


def test_nothing_is_stacked_in_a_circle() -> None:
    class Tower(Task):
        def build(self, scene: Scene) -> None:
            a, b = scene.add(Block("red")), scene.add(Block("blue"))
            scene.distract(Block("green"))
            scene.goal(f"put the {a} on the {b}", a, on=b)

    spec = spec_of(Tower)
    for seed in range(50):
        goals = blind.draw(spec, blind.fitting(spec), np.random.default_rng(seed))
        under = {goal.items[0]: goal.places[0].bases[0] for goal in goals}
        for item in under:
            base: int | None = item
            for _ in spec.items:
                base = under.get(base) if base is not None else None
            assert base is None


def test_a_single_arrangement_needs_no_reading() -> None:
    played = attempts(AllOfThem, 4)
    assert all(attempt.solved and not attempt.rejected for attempt in played)


def test_blind_play_is_right_by_chance_only() -> None:
    played = attempts(OneOfFive, 8)
    assert sum(attempt.solved for attempt in played) <= 5
    assert any(attempt.choice and attempt.rejected for attempt in played)
    assert played[:3] == attempts(OneOfFive, 3)


def test_a_task_that_needs_reading_must_not_be_solved_blindly(few: None) -> None:
    with pytest.raises(TaskError, match=r"without reading.*scene\.distract") as caught:
        certify(OneOfTwo)
    assert caught.value.cause == "oracle"


def test_the_certificate_keeps_the_rates(few: None) -> None:
    found = certify(AllOfThem)
    assert (found.blind, found.blind_late, found.reading) == (1.0, 1.0, False)
    assert found.pixels >= sight.LEAST_PIXELS
    assert found.contrast >= 20


def test_named_colors_can_be_told_apart() -> None:
    for colors in SPLIT_COLORS.values():
        assert all(distinguishable(a, b) for a, b in itertools.combinations(colors, 2))
    assert not any(distinguishable(color, color) for color in COLORS)


def test_seen_differences_agree_with_the_renderer() -> None:
    class Palette(Task):
        def build(self, scene: Scene) -> None:
            zone = scene.add(Zone("gray", width=0.1), at=Pose(0.65, 0.4))
            for k, color in enumerate(COLORS):
                block = (scene.distract if k else scene.add)(Block(color))
                if not k:
                    scene.goal(f"put the {block} into the {zone}", block, inside=zone)

    world = World()
    world.load(spec_of(Palette))
    image = world.top_down()
    seen = {
        item.asset.color: np.median(image.color[image.body == world.bodies[k][0]], axis=0)
        for k, item in enumerate(world.spec.items)
        if isinstance(item.asset, Block)
    }
    for a, b in itertools.product(seen, repeat=2):
        expected = pytest.approx(seen_difference(a, b), abs=2)
        assert difference(seen[a].tolist(), seen[b].tolist()) == expected


def test_an_item_of_its_places_color_is_found() -> None:
    (problem,) = visibility.problems(with_zone(spec_of(OneOfTwo), Zone("red", width=0.1)))
    assert problem.check == "place"
    assert "red block" in problem.text
    with pytest.raises(TaskError, match="goal 1: the red block and its place, the red zone"):
        raise problem.error


def test_a_draw_that_cannot_be_told_apart_is_repeated() -> None:
    draws = [draw(Camouflage, "train", seed) for seed in range(20)]
    assert {one.spec.items[0].asset.color for one in draws} == {"cyan"}
    assert {0, 1} <= {one.redraws for one in draws}

    class Always(Task):
        def build(self, scene: Scene) -> None:
            zone, block = scene.add(Zone("red", width=0.1)), scene.add(Block("red"))
            scene.goal(f"put the {block} into the {zone}", block, inside=zone)

    env = TabletopEnv(Trusted(Always), spec_of(OneOfTwo).bounds, obs_mode="state")
    with pytest.raises(TaskError, match="cannot be told apart by colour") as caught:
        env.reset(seed=0)
    assert caught.value.redraw
    env.close()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def test_what_lies_below_something_else_is_not_seen(world: World) -> None:
    world.load(spec_of(Hidden))
    found = sight.look_at_goal(world, 0)
    assert found.pixels == 0
    assert [problem.check for problem in found.problems] == ["size"]
    with pytest.raises(TaskError, match="goal 1: the blue block covers 0 pixels"):
        sight.check(found)


def test_what_blends_in_is_found(world: World) -> None:
    world.load(with_zone(spec_of(OneOfTwo), Zone("red", width=0.1)))
    found = sight.look_at_goal(world, 0)
    assert found.contrast < 20
    assert {problem.check for problem in found.problems} == {"place"}

    world.load(spec_of(OneOfTwo))
    assert sight.look_at_goal(world, 0).problems == ()


Build = Callable[[Scene, list[Item[Block]]], object]
SEEN: dict[str, tuple[Build, float]] = {
    "a mark": (lambda s, red: s.goal("go", red[0], at=s.mark(red[0], Pose(0.6, 0.3))), 20),
    "left of": (lambda s, red: s.goal("go", red[0], left_of=s.add(Bowl("blue"))), 20),
    "next to": (lambda s, red: s.goal("go", red[0], next_to=s.add(Bowl("blue"))), 20),
    "between": (
        lambda s, red: s.goal("go", red[0], between=[s.add(Bowl(c)) for c in ("blue", "cyan")]), 20
    ),
    "around": (lambda s, red: s.goal("go", red, around=s.add(Bowl("blue"))), 20),
    "a row": (lambda s, red: s.goal("go", red, row=True), 100),
    "a pattern": (lambda s, red: s.goal("go", red, at=ring(s.pattern(), 3, 0.08)), 100),
}  # fmt: skip
"""Goals without a surface that their items come to lie on, and their least contrast."""


@pytest.mark.parametrize(("build", "contrast"), SEEN.values(), ids=SEEN)
def test_sight_lets_pass_what_can_be_seen(world: World, build: Build, contrast: float) -> None:
    class Made(Task):
        def build(self, scene: Scene) -> None:
            red = scene.add(Block("red"), count=3)
            build(scene, red)
            scene.untouched(red)

    spec = spec_of(Made)
    visibility.check_draw(spec)
    world.load(spec)
    found = sight.look_at_goal(world, 0)
    assert found.problems == ()
    assert found.pixels >= sight.LEAST_PIXELS
    assert found.contrast >= contrast


def two_zones(width: float) -> type[Task]:
    """A zone 10 cm wide, and another of the same colour."""

    class Made(Task):
        def build(self, scene: Scene) -> None:
            zone, _ = scene.add(Zone("cyan", width=0.1)), scene.add(Zone("cyan", width=width))
            block = scene.add(Block("red"))
            scene.goal(f"put the {block} into the smaller {zone}", block, inside=zone)

    return Made


def test_zones_of_a_sentence_must_be_told_apart() -> None:
    wider = spec_of(two_zones(0.12))
    (problem,) = visibility.problems(with_zone(wider, Zone("cyan", width=0.105)))
    assert (problem.check, problem.goal) == ("alike", 0)
    assert problem.text == "the cyan zone and the cyan zone look the same"
    visibility.check_draw(wider)
    with pytest.raises(TaskError, match="look the same") as caught:
        spec_of(two_zones(0.105))
    assert caught.value.redraw


def test_marks_are_told_apart_by_their_shape() -> None:
    def two_marks(other: Asset) -> TaskSpec:
        class Made(Task):
            def build(self, scene: Scene) -> None:
                for k, item in enumerate([scene.add(Block("red")), scene.add(other)]):
                    place = scene.mark(item, Pose(0.5, 0.2 * k))
                    scene.goal(f"put the {item} on its mark", item, at=place)

        return spec_of(Made)

    visibility.check_draw(two_marks(Cylinder("blue", diameter=0.04)))
    with pytest.raises(TaskError, match="goal 1: the mark and the mark look the same") as caught:
        two_marks(Box("blue", extents=(0.045, 0.045, 0.03)))
    assert "colours" not in caught.value.remedy  # all marks have the same


class Rarely:
    """Nothing to choose, but what the goal is about is hidden in the draws of some seeds."""

    name = "Rarely"

    def __init__(self, *seeds: int) -> None:
        # What `reset` draws first is the number from which the task is drawn.
        self.bad = {int(np_random(seed)[0].integers(2**31)) for seed in seeds}

    def draw(self, split: str, seed: int) -> Draw:
        return draw(Hidden if seed in self.bad else AllOfThem, split, seed)


def test_starts_of_the_survey_are_looked_at_too(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "STARTS", range(1000, 1003))
    bounds = spec_of(AllOfThem).bounds
    with ThreadPoolExecutor(1) as executor:
        assert validate.certify(Rarely(1003), bounds, 0.0, executor).pixels >= sight.LEAST_PIXELS
        with pytest.raises(TaskError, match="goal 1: the blue block covers 0 pixels") as caught:
            validate.certify(Rarely(1002), bounds, 0.0, executor)
    assert caught.value.cause == "oracle"


@pytest.mark.parametrize(
    "wrong", [{"oracle": [1]}, {"blind": 2.0}, {"blind": True}, {"x": 1}, {"steps": float("nan")}]
)
def test_the_reader_bounds_the_figures(wrong: dict[str, object]) -> None:
    data = vars(record())
    parse_record(data | {"certificate": data["certificate"] | {"blind": 0.2, "reading": True}})
    with pytest.raises(LibraryError, match="certificate"):
        parse_record(data | {"certificate": wrong})
