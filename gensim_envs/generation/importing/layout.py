"""What several recordings of a program have in common: things, and where each pose comes from.

A random pose is another in each recording, so an offset that is the same in all of them tells from
which pose a target was computed. Heights are not read: nothing ever judged them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from gensim_envs.errors import TaskError
from gensim_envs.generation.importing.assets import asset_of
from gensim_envs.sandbox.legacy.recording import Frame, Recording, Thing
from gensim_envs.task.assets import Asset, KitPiece
from gensim_envs.task.pose import Pose, wrap

_SAME = 1e-4
"""Metres or radians within which numbers of two recordings are the same."""
_NEAR = 2.0
"""Metres from a pose within which something is on its island."""

Root = tuple[Literal["thing", "axes", "island", "world"], int]
"""What a pose is relative to: a thing, the place of a thing but in the axes of the world, a random
pose on which nothing stands, or the world."""


Kind = Literal["color", "shape"]
"""What of a thing can be drawn: the name of a field."""


@dataclass(frozen=True)
class Spot:
    """A place in terms of what the program drew.

    Attributes:
        root: what it is relative to.
        pose: in that frame; z is 0.
    """

    root: Root
    pose: Pose


@dataclass
class Entry:
    """A thing of the translated task.

    Attributes:
        thing: as recorded first.
        asset: what stands for it.
        start: where it starts; None where that is drawn.
        fixed: whether it is part of the table.
        variables: names of fields whose value is drawn -> number of the variable.
    """

    thing: Thing
    asset: Asset
    start: Spot | None
    fixed: bool
    variables: dict[str, int] = field(default_factory=dict)

    @property
    def looks(self) -> tuple[object, ...]:
        """Equal for things that look just alike."""
        return self.asset, self.variables


@dataclass(frozen=True)
class Variable:
    """A colour or a shape of a kit piece that is drawn.

    Attributes:
        kind: which.
        values: in each recording.
    """

    kind: Kind
    values: tuple[str, ...]


@dataclass
class Layout:
    """The things of a program and where its goals put them."""

    recordings: Sequence[Recording]
    entries: list[Entry] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def spot(self, poses: Sequence[Frame]) -> Spot:
        """The place that one pose in each recording stands for.

        Raises:
            TaskError: its offset differs from recording to recording.
        """
        flat = [flat_pose(pose) for pose in poses]
        place = _common(flat)
        if place is not None and max(abs(place.x), abs(place.y)) < 3:
            return Spot(("world", 0), place)
        found = [_relative(root, origins, flat) for root, origins in self._origins()]
        spots = [spot for spot in found if spot is not None]
        if not spots:
            raise TaskError("a pose is computed from a different place in each draw", cause="spec")
        return min(spots, key=_rank)

    def _origins(self) -> list[tuple[Root, list[Pose]]]:
        """Things that have a place of their own, and random poses on which nothing stands."""
        rows: list[tuple[Root, list[Pose]]] = []
        for k, entry in enumerate(self.entries):
            if entry.start is None and not entry.thing.corners:
                poses = [flat_pose(r.things[k].pose) for r in self.recordings]
                rows.append((("thing", k), poses))
        for n, islands in enumerate(_islands(self.recordings)):
            poses = [flat_pose(island) for island in islands]
            if not any(_same(poses, origins) for _, origins in rows):
                rows.append((("island", n), poses))
        return rows


def layout_of(recordings: Sequence[Recording]) -> Layout:
    """What the recordings have in common.

    Raises:
        TaskError: their structure differs, or nothing here stands for a thing.
    """
    _check_structure(recordings)
    layout = Layout(recordings)
    islands = [[flat_pose(pose) for pose in poses] for poses in _islands(recordings)]
    resized = False
    for rows in zip(*(recording.things for recording in recordings), strict=True):
        thing, poses = rows[0], [flat_pose(row.pose) for row in rows]
        island = next((n for n, each in enumerate(islands) if _same(poses, each)), None)
        room = None if island is None else recordings[0].islands[island].size
        asset = asset_of(thing, room, layout.notes)
        entry = Entry(thing, asset, None, thing.fixed)
        _draw(layout, entry, rows)
        owner = island is not None and not any(
            other.start is None and _same([flat_pose(other.thing.pose)], poses[:1])
            for other in layout.entries
        )
        if not (owner or thing.corners or thing.file == "pile"):
            entry.start = layout.spot([row.pose for row in rows])
            if entry.start.root[0] == "island":
                layout.notes.append(f"the {asset} starts at a free place of its own")
                entry.start = None
        layout.entries.append(entry)
        resized |= not isinstance(asset, KitPiece) and any(r.fills != thing.fills for r in rows)
    if resized:
        layout.notes.append("sizes that are drawn are fixed at those of the first draw")
    return layout


def _islands(recordings: Sequence[Recording]) -> list[tuple[Frame, ...]]:
    """The random poses that all recordings have, each as it is in all of them."""
    return list(zip(*([i.pose for i in r.islands] for r in recordings), strict=False))


def _check_structure(recordings: Sequence[Recording]) -> None:
    first = recordings[0]
    checks: tuple[tuple[str, Callable[[Recording], object]], ...] = (
        ("number of things", lambda r: len(r.things)),
        ("kinds of things", lambda r: [(t.file, t.fixed, len(t.parts)) for t in r.things]),
        ("number of goals", lambda r: len(r.goals)),
        ("items of a goal", lambda r: [(g.objs, len(g.targets), g.zone) for g in r.goals]),
        ("matches of a goal", lambda r: [g.matches for g in r.goals]),
    )
    for what, of in checks:
        if any(of(other) != of(first) for other in recordings[1:]):
            raise TaskError(f"the {what} differs from draw to draw", "Import it by hand")
    if not first.goals:
        raise TaskError("the program adds no goal", "Import programs that call add_goal")


def _draw(layout: Layout, entry: Entry, rows: Sequence[Thing]) -> None:
    """Note which of a thing's colour and shape are drawn."""
    drawn = [asset_of(row, None, []) for row in rows]
    for kind in get_args(Kind):
        variable = Variable(kind, tuple(getattr(asset, kind, "") for asset in drawn))
        if len(set(variable.values)) > 1:
            if variable not in layout.variables:
                layout.variables.append(variable)
            entry.variables[kind] = layout.variables.index(variable)


def sentence_of(layout: Layout, said: Sequence[str | None]) -> str | None:
    """A sentence with `{0}`, `{1}` for drawn words; None without one.

    Raises:
        TaskError: it differs from draw to draw otherwise.
    """
    texts = [" ".join((text or "").split()) for text in said]
    if not all(texts):
        return None
    plain = [text.replace("{", "(").replace("}", ")") for text in texts]
    if len(set(plain)) == 1:
        return plain[0]
    for seed, text in enumerate(plain):
        words = {v.values[seed]: n for n, v in enumerate(layout.variables)}
        if len(words) < len(layout.variables):
            continue  # two drawn words are the same in this draw
        known = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        template = re.sub(rf"\b({known})\b", lambda m: f"{{{words[m[0]]}}}", text)  # noqa: B023
        filled = [
            template.format(*(v.values[other] for v in layout.variables))
            for other in range(len(plain))
        ]
        if filled == plain:
            return template
    raise TaskError("the words of a sentence differ from draw to draw", "Import it by hand")


def flat_pose(frame: Frame) -> Pose:
    """A pose in the plane, of a frame (x, y, z, qx, qy, qz, qw)."""
    x, y, _, qx, qy, qz, qw = frame
    yaw = math.atan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))
    return Pose(x, y, 0.0, yaw)


def _relative(root: Root, origins: Sequence[Pose], poses: Sequence[Pose]) -> Spot | None:
    """Poses relative to an origin, where that is the same in all recordings."""
    pairs = list(zip(origins, poses, strict=True))
    if any(a.distance(b) > _NEAR for a, b in pairs):
        return None
    if place := _common([a.inverse() @ b for a, b in pairs]):
        return Spot(root, place)
    shift = _common([Pose(b.x - a.x, b.y - a.y) for a, b in pairs])
    if shift is None or root[0] not in ("thing", "island"):
        return None
    return Spot(root if root[0] == "island" else ("axes", root[1]), shift)


def _rank(spot: Spot) -> tuple[int, bool]:
    """Of several spots the one with the least rank is meant."""
    order = ("thing", "island", "axes").index(spot.root[0])
    away = math.hypot(spot.pose.x, spot.pose.y) > 1e-3
    return (order + 2 if away and order else order), away


def _common(poses: Sequence[Pose]) -> Pose | None:
    """What poses have in common: a place, and a yaw if that is the same, too."""
    first = poses[0]
    if any(pose.distance(first) >= _SAME for pose in poses):
        return None
    turned = any(abs(wrap(pose.yaw - first.yaw)) >= _SAME for pose in poses)
    yaw = 0.0 if turned else round(wrap(first.yaw), 4) + 0.0
    return Pose(round(first.x, 4) + 0.0, round(first.y, 4) + 0.0, 0.0, yaw)


def _same(poses: Sequence[Pose], others: Sequence[Pose]) -> bool:
    """Whether poses are at the same places as others."""
    return all(a.distance(b) < _SAME for a, b in zip(poses, others, strict=True))
