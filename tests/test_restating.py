"""Restated instructions of imported programs name what their goals have, in its role."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs.generation.importing.derive import Goal, Placement, Relation
from gensim_envs.generation.importing.layout import Entry, Layout, Spot, Variable
from gensim_envs.generation.importing.write import Writer
from gensim_envs.generation.phrases import phrases
from gensim_envs.generation.semantics import check_sentences
from gensim_envs.sandbox.legacy.recording import Thing
from gensim_envs.task import assets
from gensim_envs.task.assets import Asset
from gensim_envs.task.checks.sentences import plural
from gensim_envs.task.drawing import draw
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import TaskSpec

COLORS = ("red", "blue", "yellow", "purple", "orange", "white", "cyan", "green", "black", "pink")
SMALL: tuple[Any, ...] = (
    assets.Block,
    lambda color: assets.Box(color, extents=(0.05, 0.03, 0.03)),
    lambda color: assets.Ball(color, diameter=0.03),
    assets.Cylinder,
    assets.KitPiece,
)
PLACES: dict[Relation, tuple[Any, ...]] = {
    "inside": (lambda color: assets.Container(color, extents=(0.24, 0.24, 0.05)), assets.Zone),
    "on": (lambda color: assets.Pallet(color, extents=(0.3, 0.25, 0.0375)),),
    "mark": (),
    "corner": (assets.Corner,),
    "at": (assets.Fixture,),
    "beside": (assets.Block,),
    "along": (lambda color: assets.Line(color, length=0.22), None),
}
ONLY: dict[Relation, tuple[Any, ...]] = {
    "corner": SMALL[:2], "at": (assets.Ell,), "beside": SMALL[:2], "along": (assets.Rope,)
}  # fmt: skip
"""What alone goes to such a place, one at a time."""
MEANS = {"inside": "inside", "on": "on", "mark": "on", "corner": "inside", "at": "",
         "beside": "beside", "along": ""}  # fmt: skip
"""What the preposition of a relation must state."""


class Drawn:
    """Things and goals as `gensim import` derives them from an old program."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.layout = Layout([])
        self.colors = data.draw(st.permutations(COLORS))
        self.goals = [self._goal(n) for n in range(data.draw(st.integers(1, 2)))]

    def _goal(self, number: int) -> Goal:
        choose = self.data.draw
        relation = choose(st.sampled_from(sorted(PLACES)))
        if relation in ONLY:
            groups = [(choose(st.sampled_from(ONLY[relation])), 1)]
        else:
            kinds = choose(st.lists(st.sampled_from(SMALL), min_size=1, max_size=2))
            groups = [(kind, choose(st.integers(1, 2))) for kind in kinds]
        items = [k for kind, count in groups for k in self._add(kind, count)]
        place = choose(st.sampled_from(PLACES[relation])) if PLACES[relation] else None
        each = place is assets.Zone and choose(st.booleans())
        bases = [] if place is None else self._add(place, len(items) if each else 1, fixed=True)
        spots = [
            Spot(("thing", bases[0]), Pose(0.0, 0.0)) if bases
            else Spot(("world", 0), Pose(0.4 + 0.08 * k, 0.4 * number - 0.2))
            for k in range(len(items))
        ]  # fmt: skip
        if relation == "along":
            items, middle = items * 2, spots[0]
            spots = [Spot(middle.root, middle.pose @ Pose(x, 0.0)) for x in (-0.11, 0.11)]
        placements = [
            Placement(item, relation, tuple(bases[k * each :][:1]), spot)
            for k, (item, spot) in enumerate(zip(items, spots, strict=True))
        ]
        return Goal(None, placements, number + 1)

    def _add(self, make: Any, count: int, fixed: bool = False) -> list[int]:
        color, entries = self.colors.pop(), self.layout.entries
        asset: Asset = make(color)
        variables: dict[str, int] = {}
        if not fixed and not entries and self.data.draw(st.booleans()):
            variables = {"color": 0}
            self.layout.variables.append(Variable("color", ("red", "blue")))
        first, frame = len(entries), (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        for k in range(first, first + count):
            thing = Thing("", {}, frame, fixed, color, (k,))
            entries.append(Entry(thing, asset, None, fixed, dict(variables)))
        return list(range(first, first + count))

    def spec(self) -> TaskSpec:
        """A draw of the program that is written."""
        space: dict[str, Any] = {"__name__": "restated"}
        source = Writer("Restated", "Restated.", self.layout, self.goals).text()
        exec(source, space)
        return draw(space["Restated"], "train", 0, visible=False).spec


def named(spec: TaskSpec, things: list[int]) -> Counter[str]:
    """What things are called, and how many of each there are."""
    found = [spec.items[k].asset for k in things]
    return Counter(
        asset.called[0] if isinstance(asset, assets.Mark) else f"{asset.color} {asset.called[0]}"
        for asset in found
    )


@settings(max_examples=150)
@given(st.data())
def test_a_restated_instruction_names_what_its_goal_has(data: st.DataObject) -> None:
    drawn = Drawn(data)
    spec = drawn.spec()  # which checks each instruction's colours, kinds and counts
    check_sentences(spec)
    assert len(spec.goals) == len(drawn.goals)
    for goal, told in zip(spec.goals, drawn.goals, strict=True):
        movers, places = named(spec, list(goal.items)), named(spec, sorted(goal.bases))
        found = phrases(spec, goal.instruction)
        assert [str(each) for each in found if each.where is None] == list(movers)
        said = [each for each in found if each.where is not None]
        assert [str(each) for each in said] == list(places)
        assert said[0].where == MEANS[told.relation]
        for name, count in (movers | places).items():
            form = plural(name) if count > 1 else name
            assert re.search(rf"\b{form}\b", goal.instruction)
