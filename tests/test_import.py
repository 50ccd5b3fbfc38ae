"""Programs of the original GenSim: the gate's dialect, the recorder, and their translation."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from gensim_envs.cli import main
from gensim_envs.errors import TaskError
from gensim_envs.generation.check import program_of
from gensim_envs.generation.importing import run
from gensim_envs.generation.importing.colors import Recolor
from gensim_envs.generation.importing.derive import Derivation
from gensim_envs.generation.importing.layout import layout_of
from gensim_envs.generation.importing.translate import Translation, record, translate
from gensim_envs.generation.importing.write import Writer
from gensim_envs.generation.semantics import check_sentences
from gensim_envs.generation.validate import run_episode
from gensim_envs.sandbox.client import shared
from gensim_envs.sandbox.legacy import gate
from gensim_envs.task.spec import TaskSpec
from tests.sandbox.corpus import REFUSED

FOLDER = Path(__file__).parent / "legacy"
PROGRAMS = sorted(FOLDER.glob("*.py"))
DIFFERS = "some_of_many"
"""The one whose structure differs from draw to draw."""
OTHER_DIALECT = {
    # allowed here: their modules are stand-ins, and `self` holds what `reset` reads
    "while", "print", "import os", "import numpy", "import as math", "import in build",
    "class-body import", "self assignment", "augmented attribute", "str.format",
    # about the shape of our own programs
    "build with more", "build twice", "static", "__init__", "module-level call",
    "module-level comprehension", "module-level f-string", "lower-case constant",
    "class-body call", "class-body loop", "version", "negative version", "undefined",
}  # fmt: skip

HEAD = """
import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils

class Sample(Task):
    def __init__(self):
        super().__init__()
        self.lang_template = "put the {color} block on the zone"
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
"""


def program(body: str) -> str:
    return HEAD + "".join(f"        {line}\n" for line in body.splitlines())


def legacy(source: str) -> str:
    """A program of the hostile corpus in the other dialect."""
    source = source.replace(
        "from gensim_envs.api import Block, Scene, Task, Zone\n",
        "from cliport.tasks.task import Task\n",
    )
    return source.replace("def build(", "def reset(")


def translated(name: str) -> Translation:
    source = (FOLDER / f"{name}.py").read_text()
    return translate(source, record(source))


def spec_of(name: str) -> TaskSpec:
    return translated(name).program.draw("train", 2000).spec


# --- the gate and the recorder ----------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_hostile_programs_are_refused_or_harmless(name: str) -> None:
    source = legacy(REFUSED[name][0])
    with pytest.raises(TaskError) as refused:
        gate.check(source)
        # What this dialect allows runs on stand-ins; it adds no goal, so it is refused after all.
        assert name in OTHER_DIALECT
        for goal in shared().record(source, "train", 0).goals or [None]:
            assert goal is None
            raise TaskError("it is harmless")
    assert refused.value.cause in ("gate", "parse", "runtime", "spec")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs_pass_the_gate(path: Path) -> None:
    assert gate.check(path.read_text()).class_name


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('x = "{0.mode}".format(self)', "plain names only"),
        ('x = "{:99999999d}".format(1)', "format does not accept"),
        ("while True:\n    pass", "ran for more than"),
        ("self.add_goal(objs=[7], matches=[[1]], targ_poses=[1])", "TypeError"),
    ],
)
def test_what_the_worker_stops(body: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        shared().record(program(body), "train", 0)


def test_random_poses_lie_on_islands_of_their_own() -> None:
    body = 'for _ in range(5):\n    env.add_object("block/block.urdf", self.get_random_pose(env, '
    recording = shared().record(program(body + "(0.04, 0.04, 0.04)))"), "train", 3)
    xs = sorted(island.pose[0] for island in recording.islands)
    assert len(recording.things) == 5
    assert all(b - a > 5 for a, b in itertools.pairwise(xs)) and xs[0] > 5


def test_equal_seeds_record_the_same() -> None:
    source = (FOLDER / "some_of_many.py").read_text()
    once, again = (shared().record(source, "train", 5) for _ in range(2))
    assert once == again != shared().record(source, "train", 6)


def test_a_recording_is_checked_by_the_host() -> None:
    body = 'env.add_object("block/block.urdf", ((1e9, 0, 0), (0, 0, 0, 1)))'
    with pytest.raises(TaskError, match="out of range"):
        shared().record(program(body), "train", 0)


# --- the translation --------------------------------------------------------------------------


def test_what_differs_in_structure_is_refused() -> None:
    with pytest.raises(TaskError, match="number of things differs from draw to draw"):
        translated(DIFFERS)


def test_relations_follow_from_offsets_and_order() -> None:
    goals = spec_of("gate_tower").goals
    assert [goal.relation for goal in goals] == ["at", "on", "on"]
    assert len(goals[1].places[0].bases) == 2  # the beam lies across both posts
    assert goals[2].places[0].bases == goals[1].items  # the old place of the beam is the beam
    assert goals[0].instruction == "put the blue blocks on the stand"  # as it was


def test_heights_tell_a_stack_from_things_side_by_side() -> None:
    assert [goal.relation for goal in spec_of("post_box_cap").goals] == ["inside", "on"]
    assert len(spec_of("many_in_one_bowl").goals) == 1


def test_room_round_a_thing_is_not_its_size() -> None:
    made = translated("ring_and_core")
    assert "the size of a cylinder is assumed: 4 x 4 x 4 cm" in made.notes
    assert [goal.relation for goal in spec_of("ring_and_core").goals] == ["at"]


@pytest.mark.parametrize(
    "name",
    ["array_offsets", "blocks_at_line_ends", "boxes_to_corners", "kit_marks", "rope_between_boxes",
     "rope_to_corners", "square_of_blocks"],
)  # fmt: skip
def test_what_goes_beside_a_thing_has_room(name: str) -> None:
    program = translated(name).program
    assert sum(program.draw("train", seed).redraws for seed in range(2000, 2030)) == 0


def test_a_sentence_that_arranges_what_may_be_anywhere_is_restated() -> None:
    said = [goal.instruction for goal in spec_of("pallet_three_kinds").goals]
    assert said == [
        "put the red block on the brown pallet",
        "put the blue cylinder on the brown pallet",
        "put the green ball on the brown pallet",
    ]


def test_bare_places_become_marks() -> None:
    spec = spec_of("world_square")
    assert [goal.relation for goal in spec.goals] == ["at"]
    marks = [spec.items[place.bases[0]] for place in spec.goals[0].places]
    assert [type(mark.asset).__name__ for mark in marks] == ["Mark"] * 4
    assert {(round(m.start.x, 3), round(m.start.y, 3)) for m in marks} == {
        (0.4, -0.2), (0.4, 0.2), (0.6, -0.2), (0.6, 0.2)
    }  # fmt: skip


def test_drawn_colours_are_drawn() -> None:
    made = translated("drawn_colors")
    said = {
        made.program.draw("train", seed).spec.goals[0].instruction for seed in range(2000, 2005)
    }
    assert "scene.colors(2)" in made.source and len(said) > 1


@pytest.mark.parametrize(
    "name",
    ["bowl_on_pallet", "bridge_on_posts", "corner_tower", "rope_on_green_line", "random_stack"],
)
def test_restated_sentences_agree_with_their_goals(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text()
    layout = layout_of(record(source))
    goals = Derivation(layout).run()
    Recolor(layout, goals).run()
    writer = Writer("Restated", "Restated.", layout, goals, set(range(len(goals))))
    _, program = program_of(writer.text())
    check_sentences(program.draw("train", 2000).spec)


def test_notes_say_what_was_changed() -> None:
    made = translated("move_loaded")
    assert any("comes earlier" in note for note in made.notes)
    assert all(note in made.source for note in made.notes)
    sizes = translated("balls_home").notes
    assert sizes == ("the size of a ball is assumed: 5 x 5 x 5 cm",)


@pytest.mark.parametrize(
    "name",
    ["gate_tower", "close_the_square", "container_stack", "rope_between_boxes"],
)
def test_the_oracle_solves_translations(name: str) -> None:
    made = translated(name)
    bounds = made.program.draw("train", 2000).spec.bounds
    run = run_episode(made.program, bounds, "oracle", "train", 2000)
    assert run.episode.success, run.problem


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("brown_boxes_packed", "the container is black: brown boxes go there"),
        ("green_circle_on_zones", "the zones are black: green cylinders go there"),
        ("green_pile_swept", "the zone is black: green piles go there"),
    ],
)
def test_a_place_gets_another_colour_than_what_goes_there(name: str, note: str) -> None:
    made = translated(name)
    assert note in made.notes
    for split in ("train", "test"):
        made.program.draw(split, 2000)


def test_stacked_things_differ_where_no_sentence_names_their_colour() -> None:
    made = translated("plain_tower")
    said = [goal.instruction for goal in made.program.draw("train", 2000).spec.goals]
    assert said == [
        "put the red block on the gray stand",
        "put the black block on the red block",
        "put the red block on the black block",
        "put the black block on the red block",
    ]


def test_drawn_colours_differ_from_those_that_they_meet() -> None:
    made = translated("random_block_on_zone")
    assert 'scene.colors(1, exclude=["green"])' in made.source


def test_a_colour_without_a_noun_means_what_the_program_gave_it() -> None:
    made = translated("helper_tower")  # "in the order gray, brown, cyan"; a stand is gray by itself
    assert made.notes == ("the stand is black: gray blocks go there",)


@pytest.mark.parametrize(
    "name", ["ball_on_tower", "balls_in_matching_zones", "cans_in_crates_by_color", "red_wall"]
)
def test_colours_that_a_sentence_names_stay(name: str) -> None:
    made = translated(name)
    made.trial.draw("train", 2000)
    with pytest.raises(TaskError, match="cannot be told apart by colour"):
        made.program.draw("train", 2000)


def test_sight_refuses_to_publish_what_the_oracle_solves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, report = str(FOLDER / "ball_on_tower.py"), tmp_path / "report.json"
    library = ("--library", str(tmp_path / "new"))
    assert main(["import", file, *library, "--report", str(report)]) == 1
    data = json.loads(report.read_text())
    assert data["passed"]["solve"] == 1 and data["failed"] == {"publish: sight": 1}
    (row,) = data["programs"]
    assert row["problem"].startswith("goal 2: the blue block and its place, the blue block")


# --- the command ------------------------------------------------------------------------------


def test_a_report_says_how_far_each_program_got(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("class Broken(Task:\n")
    files = [str(broken), str(FOLDER / f"{DIFFERS}.py")]
    report = tmp_path / "report.json"
    code = main(["import", *files, "--library", str(tmp_path / "new"), "--report", str(report)])
    data = json.loads(report.read_text())
    assert code == 1
    assert data["passed"] == {"programs": 2, "record": 1, "translate": 0, "solve": 0, "publish": 0}
    assert [row["failed"] for row in data["programs"]] == ["record", "translate"]
    assert "2 programs: 1 recorded" in capsys.readouterr().out


def test_published_programs_are_counted() -> None:
    done = run.Outcome("a.py", "A")
    failed = run.Outcome("b.py", "B", failed="solve", cause="oracle", problem="no")
    assert run.counts([done, failed]) == {
        "programs": 2, "record": 2, "translate": 2, "solve": 1, "publish": 1
    }  # fmt: skip


def test_missing_files_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "nowhere.py"]) == 2
    assert "nowhere.py" in capsys.readouterr().err
