"""Which asset here stands for a file of the original GenSim.

The sizes are those of its files. A template that was not filled has the size that the program asked
for when it drew a random pose for it: what its author meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.legacy.facade import RGB
from gensim_envs.sandbox.legacy.recording import Thing, Triple
from gensim_envs.task import assets
from gensim_envs.task.assets import KIT_SHAPES, Asset

_BLOCK = 0.04
_WIDEST = 0.12
"""Metres; nobody asks for a wider cylinder or ball, but for room around one."""
Made = tuple[type[Asset], dict[str, object]]


@dataclass
class Size:
    """The extents (x, y, z) of a thing; what was assumed is noted."""

    dims: tuple[float, ...]
    room: Triple | None
    notes: list[str]

    def extents(self, what: str, usual: Triple) -> Triple:
        """What the template was filled with, else the room that was asked for, else `usual`."""
        if len(self.dims) >= 3:
            x, y, z = self.dims[:3]
        else:
            x, y, z = self.room if self.room and min(self.room) > 0.002 else usual
            if len(self.dims) == 1:
                x = y = z = self.dims[0]
            self.notes.append(f"the size of a {what} is assumed: {_cm(x)} x {_cm(y)} x {_cm(z)} cm")
        return (_length(x), _length(y), _length(z))

    def round(self, what: str) -> Triple:
        """As `extents`; room in which things are to go round it is no size of a round thing."""
        if self.room and not self.dims and min(self.room[:2]) > _WIDEST:
            self = replace(self, room=None)
        return self.extents(what, (_BLOCK, _BLOCK, _BLOCK))

    def side(self) -> float:
        """The length of what is painted."""
        return _length(self.dims[0] if self.dims else max(self.room[:2]) if self.room else 0.2)


def _cm(metres: float) -> str:
    return f"{100 * metres:.3g}"


def _length(value: float) -> float:
    return round(min(0.5, max(0.006, abs(value))), 4)


def asset_of(thing: Thing, room: Triple | None, notes: list[str]) -> Asset:
    """The asset that stands for a thing.

    Args:
        thing: as recorded.
        room: extents for which a random pose was drawn that is the thing's own; None without one.
        notes: what was assumed is appended.

    Raises:
        TaskError: nothing here stands for it.
    """
    numbers = [v for v in thing.fills.get("DIM", ()) if isinstance(v, float)]
    size = Size(tuple(numbers), room, notes)
    name = re.sub(r"(-template)?(\.urdf)?$", "", thing.file)
    make = _FILES.get(name) or _FILES.get(name.rpartition("/")[2])
    if make is None:
        notes.append(f"there is no {thing.file}, so it is a block of 4 cm, as there")
        make = _plain(assets.Block)
    cls, options = make(thing, size)
    return cls(color_of(thing, cls), **options)


def _box(thing: Thing, size: Size) -> Made:
    extents = size.extents("box", (_BLOCK, _BLOCK, _BLOCK))
    if all(abs(side - _BLOCK) < 1e-6 for side in extents):
        return assets.Block, {}
    return assets.Box, {"extents": extents}


def _cylinder(thing: Thing, size: Size) -> Made:
    filled = len(size.dims) >= 3
    x, _, z = size.round("cylinder")
    return assets.Cylinder, {"diameter": _length(2 * x) if filled else x, "length": z}


def _ball(thing: Thing, size: Size) -> Made:
    if size.dims:
        return assets.Ball, {"diameter": _length(2 * size.dims[0])}
    if "-template" not in thing.file:
        return assets.Ball, {"diameter": 0.06}
    return assets.Ball, {"diameter": size.round("ball")[0]}


def _container(thing: Thing, size: Size) -> Made:
    x, y, z = size.extents("container", (0.2, 0.16, 0.06))
    return assets.Container, {"extents": (max(x, 0.03), max(y, 0.03), max(z, 0.012))}


def _line(thing: Thing, size: Size) -> Made:
    return assets.Line, {"length": size.side()}


def _square(thing: Thing, size: Size) -> Made:
    return assets.OpenSquare, {"side": max(0.03, size.side())}


def _rope(thing: Thing, size: Size) -> Made:
    (a, b) = thing.corners
    length = math.dist(a[:2], b[:2])
    if not 0.1 <= length <= 0.5:
        usual = assets.Rope("red").length
        size.notes.append(f"the path of a rope is {length:.3f} m long; rescaled to {usual} m")
        length = usual
    return assets.Rope, {"length": round(length, 3)}


def _pile(thing: Thing, size: Size) -> Made:
    return assets.Pile, {"count": min(80, max(5, len(thing.parts)))}


def _piece(thing: Thing, size: Size) -> Made:
    name = str(thing.fills.get("FNAME", ("",))[0])
    found = re.search(r"(\d+)\.obj$", name)
    if found is None or int(found[1]) >= len(KIT_SHAPES):
        raise TaskError(f"the kit piece {name!r:.60} has no shape here", cause="spec")
    return assets.KitPiece, {"shape": KIT_SHAPES[int(found[1])]}


def _plain(cls: type[Asset], **options: object) -> Callable[[Thing, Size], Made]:
    return lambda thing, size: (cls, options)


_FILES: dict[str, Callable[[Thing, Size], Made]] = {
    "block": _plain(assets.Block), "block_for_anchors": _plain(assets.Block),
    "small": _plain(assets.Box, extents=(0.01, 0.01, 0.01)), "box": _box,
    "cylinder": _cylinder, "ball": _ball, "sphere": _ball, "container": _container,
    
    "pallet": _plain(assets.Pallet, extents=(0.30, 0.25, 0.0375)),
    "stacking/stand": _plain(assets.Stand, extents=(0.05, 0.15, 0.005)),
    "bowl": _plain(assets.Bowl), "zone": _plain(assets.Zone),
    "corner": _plain(assets.Corner, arm=0.055), "line": _line, "single-green-line": _line,
    "square": _square, "ell": _plain(assets.Ell), "fixture": _plain(assets.Fixture),
    "kitting/object": _piece, "object-template-nocollision": _piece, "rope": _rope, "pile": _pile,
}  # fmt: skip
_COLORS = {
    assets.Zone: "green", assets.Bowl: "green", assets.Pallet: "brown", assets.Stand: "gray",
    assets.Container: "brown", assets.Corner: "green", assets.Line: "green",
    assets.OpenSquare: "green", assets.Fixture: "gray",
}  # fmt: skip


def color_of(thing: Thing, cls: type[Asset]) -> str:
    """The name of a thing's colour; without one that of its file."""
    given = thing.color
    if given is None:
        return _COLORS.get(cls, "red")
    if isinstance(given, str):
        name = given.lower().replace("grey", "gray")
        return name if name in assets.COLORS else "red"
    return min(RGB, key=lambda name: sum((255 * a - b) ** 2 for a, b in zip(given, RGB[name])))  # noqa: B905
