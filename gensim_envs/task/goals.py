"""Goals, rules, and the states that they are checked against, as plain data.

Imports nothing but NumPy and poses, so that state vectors can be read without the simulator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gensim_envs.task.pose import Pose, PoseField
from gensim_envs.utils.decode import Line, Range, Size

Index = Annotated[int, Range(0, 59)]
Indices = Annotated[tuple[Index, ...], Size(0, 60)]
Instruction = Annotated[str, Size(1, 300), Line()]

Relation = Literal[
    "at", "on", "inside", "along",
    "left of", "right of", "in front of", "behind", "next to", "between", "around", "row",
]  # fmt: skip
"""The possible relations between the items of a goal and its places.

To add one, name it here, define in `relations` when it holds and in `checks.goals` which items and
places it accepts. CONTRIBUTING.md lists what else a relation needs.
"""
RELATIONS: tuple[Relation, ...] = get_args(Relation)
"""All relations. Their order is that of the one-hot field `relation` of state vectors."""
DIRECTIONS: dict[Relation, tuple[float, float]] = {
    "left of": (0.0, -1.0), "right of": (0.0, 1.0), "in front of": (1.0, 0.0), "behind": (-1.0, 0.0)
}  # fmt: skip
"""World (x, y) of each direction as the view from above shows it: x points down, y to the right."""
REGIONS: tuple[Relation, ...] = (*DIRECTIONS, "next to", "between")
"""Relations to a region beside other things, which takes any number of items."""
GROUPS: tuple[Relation, ...] = ("around", "row")
"""Relations that the items of a goal have among each other."""
BASES: dict[Relation, tuple[int, int]] = {
    "at": (0, 1), "on": (1, 20), "inside": (1, 1), "along": (0, 1), "next to": (1, 1),
    "between": (2, 2), "around": (1, 1), "row": (0, 20), **dict.fromkeys(DIRECTIONS, (1, 1)),
}  # fmt: skip
"""Least and largest number of bases of each place."""
Part = Literal["", "middle", "end", "first end", "second end", "edge"]
"""A named part of the top of a base; "" for all of it."""

POSITION_TOLERANCE = 0.01
HEIGHT_TOLERANCE = 0.01
YAW_TOLERANCE = math.radians(15)
TILT_TOLERANCE = math.radians(15)
FIT_POSITION, FIT_YAW = 0.005, math.radians(8)
"""Tolerances of silhouettes and fixtures, metres and radians."""

ZONE_MARGIN = 0.005
"""Metres by which a footprint or a crumb may reach over the border of a zone."""
ZONE_ROOM = 0.01
"""Metres to spare on each side from which a zone takes an item's whole footprint."""
REGION_REACH = 0.15
"""Largest distance between middles for a direction, metres."""
REGION_ANGLE = math.radians(45)
NEIGHBOUR_GAP = 0.03
"""Largest gap between footprints for `next to` and within a row, metres."""
ROW_WIDTH = 0.01
"""Largest distance of an item's middle from the line of its row, metres."""
EVENNESS = 0.2
"""Share by which distances and angles of items around something may differ from even ones."""
ROPE_END = 0.02
"""Largest distance of a rope's end from the end of its path, metres."""


ORIGIN = Pose(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Place:
    """The target of one item of a goal.

    Attributes:
        pose: in the frame of the first base; without one in the frame of the pattern; without
            either in the world. For `inside` it only tells the oracle where to put the item.
        bases: indices of the items that it refers to; several where an item rests on all of them,
            or lies between them.
        pattern: number of the pattern whose frame `pose` is in.
        part: for `on`, the part of the base's top.
        exact: for `on`, whether the item must be at `pose` and not just anywhere on the base.
        heading: whether the yaw of `pose` counts, up to the item's symmetry.
    """

    pose: PoseField = ORIGIN
    bases: Indices = ()
    pattern: Annotated[int | None, Range(0, 39)] = None
    part: Part = ""
    exact: bool = False
    heading: bool = False

    @property
    def base(self) -> int | None:
        """The first base."""
        return self.bases[0] if self.bases else None


@dataclass(frozen=True, slots=True)
class Goal:
    """An instruction and the condition under which it is fulfilled.

    Attributes:
        instruction: the text that the policy reads.
        items: indices of the items to move; equal ones are exchangeable.
        relation: required relation between the items and the places.
        places: for `along` the corners of the path; otherwise those of the first alternative, then
            those of the next.
        alternatives: number of equally large sets of places, of which one is filled.
        only: whether nothing else may be in or on the places.
        position_tolerance: metres in the plane.
        yaw_tolerance: radians, up to the asset's symmetry.
    """

    instruction: Instruction
    items: Annotated[tuple[Index, ...], Size(1, 60)]
    relation: Relation
    places: Annotated[tuple[Place, ...], Size(1, 100)]
    alternatives: Annotated[int, Range(1, 100)] = 1
    only: bool = False
    position_tolerance: Annotated[float, Range(0, POSITION_TOLERANCE)] = POSITION_TOLERANCE
    yaw_tolerance: Annotated[float, Range(0, YAW_TOLERANCE)] = YAW_TOLERANCE

    @property
    def shared(self) -> bool:
        """Whether one place takes any number of items."""
        if self.relation in REGIONS:
            return True
        anywhere = self.relation in ("inside", "on") and not any(p.exact for p in self.places)
        return anywhere and len(self.places) == 1

    @property
    def bases(self) -> set[int]:
        """Everything that its places refer to."""
        return {base for place in self.places for base in place.bases}

    def sets(self) -> list[tuple[Place, ...]]:
        """The alternative sets of places."""
        size = len(self.places) // self.alternatives
        return [self.places[k : k + size] for k in range(0, len(self.places), size)]

    def item_for(self, place: int) -> int:
        """The item that stands for those which may take a place: the n-th, else the last one."""
        size = len(self.places) // self.alternatives
        return self.items[min(place % size, len(self.items) - 1)]


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that must hold during the whole episode.

    Attributes:
        kind: `ordered`: no item reaches the place of a later goal before that goal has been
            current. `never_on`: none of `items` stands on one of `others`. `stays_on`: each of
            `items` is at rest on one of `others`. `untouched`: none of `items` has moved by more
            than 2 cm or 15 degrees.
        items: indices of items.
        others: indices of items.
    """

    kind: Literal["ordered", "never_on", "stays_on", "untouched"]
    items: Indices = ()
    others: Indices = ()


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A step of a plan for the oracle; it is never judged.

    Attributes:
        item: what to move.
        place: where to.
    """

    item: Index
    place: Place


@dataclass(frozen=True)
class Snapshot:
    """The state of all items at one moment.

    Attributes:
        poses: one for each item; z is the height of the underside of an upright one.
        tilts: (n,) how far each leans from the nearest way up that its symmetry allows, radians.
        bodies: for ropes and piles, centres of beads and crumbs by item index, each (k, 3).
        contacts: pairs (i, j), i < j, of items that touch, with the height of their highest point
            of contact, metres.
        rotations: by item index, the (3, 3) world_from_body of a rigid item that can move; items
            that are not listed stand upright.
        hulls: by item index, points (n, 3) whose convex hull is that of a rigid item that lies or
            leans, metres; items that are not listed stand upright.
    """

    poses: tuple[Pose, ...]
    tilts: tuple[float, ...]
    bodies: dict[int, NDArray[np.float64]]
    contacts: dict[tuple[int, int], float]
    rotations: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    hulls: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def has(self, item: int) -> bool:
        """Whether an item is on the table: neither still to appear nor fallen off."""
        return self.poses[item].z > -0.5

    def touch(self, a: int, b: int) -> float | None:
        """Height of the highest point where two items touch, metres; None where they do not."""
        return self.contacts.get((min(a, b), max(a, b)))
