"""Write what was derived as a program of this suite."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import shapely

from gensim_envs.generation.importing.colors import Recolor
from gensim_envs.generation.importing.derive import Goal, Placement
from gensim_envs.generation.importing.layout import Entry, Layout, Root, Spot
from gensim_envs.task.assets import (
    COLORS,
    Asset,
    Bowl,
    Container,
    Fixture,
    Line,
    OpenSquare,
    Pallet,
    Rope,
    Stand,
    asset_geometry,
)
from gensim_envs.task.checks.sentences import plural
from gensim_envs.task.pose import Pose

_HOLDERS = (Bowl, Container, Pallet, Stand, Fixture)
_MARGIN = 0.02  # metres around what is reserved together
_STRIPES = (*("white", "black", "yellow", "purple"), *COLORS)
"""Colours of painted paths, in order of preference."""


@dataclass
class Writer:
    """Writes one program.

    Args:
        name: class name of the task.
        summary: first line of its docstring.
        layout: its things.
        goals: its goals.
        restated: indices of goals whose sentences are written anew.
        notes: what differs from the old program, once `text` was written.
    """

    name: str
    summary: str
    layout: Layout
    goals: Sequence[Goal]
    restated: Collection[int] = ()
    notes: list[str] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _groups: dict[str, list[int]] = field(default_factory=dict)
    _lines: list[str] = field(default_factory=list)
    _marks: dict[tuple[int, int], str] = field(default_factory=dict)
    _spots: dict[int, str] = field(default_factory=dict)
    _stripes: dict[int, str] = field(default_factory=dict)  # goal -> colour of its painted path
    _used: set[str] = field(default_factory=set)

    def text(self) -> str:
        """The program."""
        self.notes = list(self.layout.notes)
        self._prepare()
        self._draw_words()
        starts = {k: self._entries[k].start for k in self._kept}
        free = [k for k, start in starts.items() if start is None]
        world = [k for k, start in starts.items() if start and start.root[0] == "world"]
        self._add([k for k in free if not self._fixed[k]])
        self._add(world)
        self._paint({"world"})
        self._add([k for k in free if self._fixed[k]])
        self._reserve()
        self._add([k for k in starts if k not in (*free, *world)])
        self._paint({"thing", "axes", "island"})
        self._lines.append("")
        for n, goal in enumerate(self.goals):
            self._goal(n, goal)
        self.notes = list(dict.fromkeys(self.notes))
        return self._module()

    # --- what is there --------------------------------------------------------------------

    @property
    def _entries(self) -> list[Entry]:
        return self.layout.entries

    def _prepare(self) -> None:
        """Decide what is fixed, what distracts, and what is left out."""
        moved = {p.item for goal in self.goals for p in goal.placements}
        bases = {base for goal in self.goals for base in goal.bases}
        spots = [p.spot for p in self._painted()] + [e.start for e in self._entries if e.start]
        frames = {spot.root[1] for spot in spots if spot.root[0] in ("thing", "axes")}
        ended = {base for goal in self.goals if goal.relation == "along" for base in goal.bases}
        self._fixed: dict[int, bool] = {}
        self._kept: list[int] = []
        self._idle: set[int] = set()
        for k, entry in enumerate(self._entries):
            held = isinstance(entry.asset, _HOLDERS) or k in frames | ended
            fixed = k not in moved and (entry.fixed or held or asset_geometry(entry.asset).flat)
            if fixed and not entry.fixed and not asset_geometry(entry.asset).flat:
                self.notes.append(f"the {entry.asset} is fixed, since no goal moves it")
            if entry.fixed and not fixed:
                self.notes.append(f"the {entry.asset} is not fixed, since a goal moves it")
            self._fixed[k] = fixed
            if not fixed and k not in moved | bases:
                if any(self._entries[other].looks == entry.looks for other in moved):
                    self.notes.append(f"a further {entry.asset}, which no goal moves, is left out")
                    continue
                self._idle.add(k)
            self._kept.append(k)
        for k in self._kept:
            self._name(k)

    def _name(self, k: int) -> None:
        entry = self._entries[k]
        noun = re.sub(r"\W+", "_", entry.asset.called[0].lower())
        base = noun if entry.variables else f"{entry.asset.color}_{noun}"
        equals = [
            other for other in self._kept
            if self._entries[other].looks == entry.looks and self._entries[other].start is None
            and not self._fixed[other] and (other in self._idle) == (k in self._idle)
        ]  # fmt: skip
        if k not in equals or len(equals) == 1 or entry.variables:
            self._names[k] = self._unique(base)
        elif k == equals[0]:
            group = self._unique(plural(base))
            self._groups[group] = equals
            self._names.update((other, f"{group}[{n}]") for n, other in enumerate(equals))

    def _unique(self, base: str, count: int = 1) -> str:
        """The next of names such as "mark", "mark_2"; of `count` names the first is "mark_1"."""
        numbered = (f"{base}_{n}" for n in itertools.count(2 if count == 1 else 1))
        names = itertools.chain([base] if count == 1 else [], numbered)
        name = next(name for name in names if name not in self._used)
        self._used.add(name)
        return name

    # --- lines ----------------------------------------------------------------------------

    def _draw_words(self) -> None:
        """Draw colours and shapes."""
        self._words: dict[int, str] = {}
        for kind in ("color", "shape"):
            numbers = [n for n, v in enumerate(self.layout.variables) if v.kind == kind]
            for n in numbers:
                self._words[n] = self._unique(kind, len(numbers))
            if not numbers:
                continue
            names = ", ".join(self._words[n] for n in numbers)
            exclude = Recolor(self.layout, self.goals).excluded if kind == "color" else []
            more = f", exclude={json.dumps(exclude)}" if exclude else ""
            comma = "," if len(numbers) == 1 else ""
            self._lines.append(f"{names}{comma} = scene.{kind}s({len(numbers)}{more})")

    def _expression(self, asset: Asset, drawn: dict[str, int]) -> str:
        """An asset as an expression; `drawn` are the variables of an `Entry`."""
        self._used.add(type(asset).__name__)
        parts = [self._words[drawn["color"]] if "color" in drawn else json.dumps(asset.color)]
        for f in fields(asset)[1:]:
            value = getattr(asset, f.name)
            if f.name in drawn:
                parts.append(f"{f.name}={self._words[drawn[f.name]]}")
            elif value != f.default:
                parts.append(f"{f.name}={_literal(value)}")
        return f"{type(asset).__name__}({', '.join(parts)})"

    def _add(self, things: Sequence[int]) -> None:
        for k in things:
            entry, name = self._entries[k], self._names[k].partition("[")[0]
            options = [self._expression(entry.asset, entry.variables)]
            if name in self._groups:
                if k != self._groups[name][0]:
                    continue
                options.append(f"count={len(self._groups[name])}")
            if k in self._idle:
                self._lines.append(f"scene.distract({', '.join(options)})")
                continue
            if entry.start is not None:
                options.append(f"at={self._pose(entry.start, self._top(entry.start))}")
            elif self._fixed[k] and (room := self._reserved(("thing", k))):
                options.append(f"at={room}")
            if self._fixed[k] != entry.asset.fixed and not asset_geometry(entry.asset).flat:
                options.append(f"fixed={self._fixed[k]}")
            self._lines.append(f"{name} = scene.add({', '.join(options)})")

    def _over(self, root: Root, pose: Pose) -> bool:
        """Whether a place is over the thing in whose frame it is."""
        kind, base = root
        if kind != "thing":
            return False
        x, y, _ = asset_geometry(self._entries[base].asset).size
        return abs(pose.x) <= x / 2 + 0.005 and abs(pose.y) <= y / 2 + 0.005

    def _top(self, spot: Spot) -> float:
        """The height of what is below a spot: of the top or floor of a thing, or 0."""
        kind, base = spot.root
        asset = self._entries[base].asset if kind == "thing" else None
        if asset is None or asset_geometry(asset).flat or not self._over(spot.root, spot.pose):
            return 0.0
        if asset.hollow:
            return 0.006 if asset.opening is not None else 0.0
        return asset_geometry(asset).size[2]

    def _reserved(self, root: Root) -> str:
        """The pose of a root as an expression that reserves the room; "" if it needs none."""
        radius, middle = self._room(root)
        if not radius:
            return ""
        there = f"scene.reserve(radius={radius})"
        near = math.hypot(middle.x, middle.y) < 0.01
        return there if near else f"{there} @ Pose({-middle.x:.4g}, {-middle.y:.4g})"

    def _room(self, root: Root) -> tuple[float, Pose]:
        """The disc that a root and all that hangs on it need: its radius, and its middle.

        What stands or goes beside a thing must be on the table, wherever the thing is drawn. The
        radius is 0 where the root's own place is enough; the middle is in the frame of the root.
        """
        discs = list(self._discs(root))
        if root[0] == "thing":
            corners = asset_geometry(self._entries[root[1]].asset).outline
            own = max(math.hypot(x, y) for x, y in corners)
            beside = any(p.spot.root == root and not self._top(p.spot) for p in self._painted())
            if not beside and all(math.hypot(x, y) + radius <= own for x, y, radius in discs):
                return 0.0, Pose(0, 0)
            discs += [(x, y, 0.0) for x, y in corners]
        x0, y0, x1, y1 = shapely.total_bounds(
            [shapely.box(x - r, y - r, x + r, y + r) for x, y, r in discs]
        )
        x, y = (round(float(a + b) / 2, 3) + 0.0 for a, b in ((x0, x1), (y0, y1)))
        far = max(math.hypot(disc[0] - x, disc[1] - y) + disc[2] for disc in discs)
        return min(0.24, round(far + _MARGIN, 3)), Pose(x, y)

    def _discs(self, root: Root) -> Iterator[tuple[float, float, float]]:
        """(x, y, radius) of what stands or goes in the frame of a root."""
        spots: list[tuple[Asset, Spot, str]] = [
            (self._entries[p.item].asset, p.spot, p.relation)
            for goal in self.goals for p in goal.placements
            if p.relation in ("mark", "along", "at", "corner")
        ]  # fmt: skip
        spots += [(e.asset, e.start, "start") for e in self._entries if e.start is not None]
        for asset, spot, how in spots:
            width, depth, _ = asset_geometry(asset).size
            radius = math.hypot(width, depth) / (1 if how == "corner" else 2)
            x, y = (0.0, 0.0) if how == "corner" else (spot.pose.x, spot.pose.y)
            if spot.root == ("axes", root[1]) and root[0] == "thing":  # in any direction
                yield 0.0, 0.0, math.hypot(x, y) + radius
            elif spot.root == root and not (how == "start" and self._over(root, spot.pose)):
                yield x, y, 0.0 if how == "along" else radius

    def _painted(self) -> list[Placement]:
        return [
            p for goal in self.goals for p in goal.placements
            if p.relation == "mark" or (p.relation == "along" and self._shown(goal) is None)
        ]  # fmt: skip

    def _reserve(self) -> None:
        """Reserve room for random poses on which nothing stands."""
        spots = [p.spot for p in self._painted()] + [e.start for e in self._entries if e.start]
        islands = {spot.root[1] for spot in spots if spot.root[0] == "island"}
        for k in sorted(islands):
            self._spots[k] = self._unique("spot", len(islands))
            self._lines.append(f"{self._spots[k]} = {self._reserved(('island', k))}")

    def _paint(self, kinds: Collection[str]) -> None:
        """Paint marks where goals put things that nothing else shows."""
        for n, goal in enumerate(self.goals):
            for m, p in enumerate(goal.placements):
                if p.relation != "mark" or p.spot.root[0] not in kinds:
                    continue
                name = self._unique("mark", len(self._painted()))
                self._marks[n, m] = name
                pose = self._pose(p.spot, self._top(p.spot))
                self._lines.append(f"{name} = scene.mark({self._names[p.item]}, {pose})")
            if goal.relation == "along" and goal.placements[0].spot.root[0] in kinds:
                self._path(n, goal)

    def _path(self, n: int, goal: Goal) -> None:
        """Paint a line where nothing shows a rope's path."""
        if self._shown(goal) is not None:
            return
        first = goal.placements[0]
        a, b = (p.spot.pose for p in goal.placements)
        yaw = math.atan2(b.y - a.y, b.x - a.x)
        middle = Pose((a.x + b.x) / 2, (a.y + b.y) / 2, 0.0, yaw)
        rope = self._entries[first.item].asset
        assert isinstance(rope, Rope)
        name = self._unique("line")
        self._marks[n, 0] = name
        self.notes.append("the path of a rope is shown by a painted line")
        taken = {rope.color, *self._stripes.values()}
        self._stripes[n] = next(color for color in _STRIPES if color not in taken)
        line = self._expression(Line(self._stripes[n], length=round(rope.length, 3)), {})
        pose = self._pose(Spot(first.spot.root, middle), 0.0)
        self._lines.append(f"{name} = scene.add({line}, at={pose})")

    def _shown(self, goal: Goal) -> str | None:
        """The painted thing that shows a rope's path, as the value of `along=`."""
        a, b = goal.placements
        kind, k = a.spot.root
        if a.bases and b.bases and a.bases != b.bases:
            return f"[{', '.join(self._names.get(p.bases[0], '') for p in (a, b))}]"
        if a.spot.root != b.spot.root or kind != "thing":
            return None
        asset, name = self._entries[k].asset, self._names.get(k, "")
        if isinstance(asset, Line):
            return name
        if isinstance(asset, OpenSquare):
            for edge in ("open", "far", "left", "right"):
                ends = asset.edge(edge)
                # The old square is open at +y, ours at -y.
                flipped = [Pose(-end.x, -end.y) for end in ends]
                if all(min(map(p.spot.pose.distance, flipped)) < 0.03 for p in (a, b)):
                    return f'[{name}.pose @ end for end in {name}.asset.edge("{edge}")]'
        return None

    def _pose(self, spot: Spot, z: float) -> str:
        """A pose as an expression."""
        (kind, k), pose = spot.root, spot.pose
        numbers = [pose.x, pose.y, round(z, 4), pose.yaw]
        if kind == "axes":
            name = self._names[k]
            signed = (f" {'-' if v < 0 else '+'} {_literal(abs(v))}" if v else "" for v in numbers)
            x, y = (f"{name}.pose.{axis}{v}" for axis, v in zip("xy", signed, strict=False))
            return f"Pose({x}, {y})"
        while numbers and not numbers[-1] and len(numbers) > 2:
            numbers.pop()
        local = f"Pose({', '.join(_literal(v) for v in numbers)})"
        if kind == "world":
            return local
        frame = self._spots[k] if kind == "island" else f"{self._names[k]}.pose"
        return frame if numbers == [0.0, 0.0] else f"{frame} @ {local}"

    # --- goals ----------------------------------------------------------------------------

    def _goal(self, n: int, goal: Goal) -> None:
        sentence = goal.sentence
        if n in self.restated or not sentence:
            sentence = self._restated(n, goal)
            self.notes.append(f"the instruction of goal {n + 1} is restated")
        place = self._place(n, goal)
        items = self._several(list(dict.fromkeys(goal.items)))
        self._lines += [
            "scene.goal(",
            f"    {self._sentence(sentence)},",
            f"    {items}, {place},",
            ")",
        ]

    def _place(self, n: int, goal: Goal) -> str:
        relation, placements = goal.relation, goal.placements
        first = placements[0]
        if relation == "along":
            return f"along={self._shown(goal) or self._marks[n, 0]}"
        if relation == "mark":
            marks = [self._marks[n, m] for m in range(len(placements))]
            return f"at={_listed(marks, '[]')}"
        name = self._names[first.bases[0]]
        if relation == "corner":
            size = f"{self._names[first.item]}.asset.size"
            return f"at=[{name}.pose @ fit for fit in {name}.asset.inner({size})]"
        if relation == "at":
            pose = first.spot.pose
            loose = isinstance(self._entries[first.bases[0]].asset, Fixture)
            if loose or first.spot.root[0] != "thing" or math.hypot(pose.x, pose.y) < 1e-6:
                return f"at={name}"
            return f"at={self._pose(Spot(first.spot.root, Pose(pose.x, pose.y)), 0.0)}"
        word = {"beside": "next_to"}.get(relation, relation)
        bases = [_listed([self._names[base] for base in p.bases], "()") for p in placements]
        same = len({p.bases for p in placements}) == 1
        return f"{word}={bases[0]}" if same else f"{word}=[{', '.join(bases)}]"

    def _several(self, items: Sequence[int]) -> str:
        """Items as an expression: a group where it is one."""
        for group, members in self._groups.items():
            if list(items) == members:
                return group
        return _listed([self._names[k] for k in items], "[]")

    def _sentence(self, sentence: str) -> str:
        text = sentence.format(*(f"{{{self._words[n]}}}" for n in sorted(self._words)))
        return ("f" if "{" in sentence else "") + json.dumps(text, ensure_ascii=False)

    def _restated(self, n: int, goal: Goal) -> str:
        """A plain sentence for a goal."""
        items = self._called(list(dict.fromkeys(goal.items)))
        bases = self._called(goal.bases)
        several = len(goal.placements) > 1
        path = f"{self._stripes[n]} stripe" if n in self._stripes else bases
        return {
            "inside": f"put the {items} into the {bases}",
            "on": f"put the {items} on the {bases}",
            "mark": f"put the {items} on the {'marks' if several else 'mark'}",
            "corner": f"fit the {items} into the {bases}",
            "at": f"put the {items} at the {bases}",
            "beside": f"put the {items} next to the {bases}",
            "along": f"lay the {items} along the {path}",
        }[goal.relation]

    def _called(self, things: Sequence[int]) -> str:
        """Their names, each once: "red block and two blue balls" without the numbers."""
        names: Counter[str] = Counter()
        for entry in (self._entries[k] for k in things):
            drawn = {kind: f"{{{n}}}" for kind, n in entry.variables.items()}
            color = drawn.get("color", entry.asset.color)
            names[f"{color} {drawn.get('shape', entry.asset.called[0])}"] += 1
        words = [plural(name) if count > 1 else name for name, count in names.items()]
        return " and the ".join(words)

    # --- the whole ------------------------------------------------------------------------

    def _module(self) -> str:
        about = f'"""{self.name}, imported from a program of the original GenSim.'
        if self.notes:
            about += "\n".join(["", "", "Notes:", *(f"- {note}" for note in self.notes), ""])
        body = "\n".join(f"        {line}" if line else "" for line in self._lines)
        used = {n for n in ("Pose", *self._used) if n[0].isupper() and re.search(rf"\b{n}\(", body)}
        imported = ", ".join(sorted({*used, "Scene", "Task"}))
        return (
            f'{about}"""\n\nfrom gensim_envs.api import {imported}\n\n\n'
            f'class {self.name}(Task):\n    """{self.summary}"""\n\n'
            f"    def build(self, scene: Scene) -> None:\n{body}\n"
        )


def _listed(names: Sequence[str], brackets: str) -> str:
    """Names as one expression: a single one as it is, several in brackets."""
    return names[0] if len(names) == 1 else f"{brackets[0]}{', '.join(names)}{brackets[1]}"


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_literal(v) for v in value)})"
    if isinstance(value, float):
        return f"{value:.4g}" if "e" not in f"{value:.4g}" else f"{value:.4f}"
    return json.dumps(value)
