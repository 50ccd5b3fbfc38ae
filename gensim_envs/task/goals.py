"""Goals, and the states that they are checked against, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from gensim_envs.task.geometry import Array
from gensim_envs.task.pose import Pose

Relation = Literal["at", "on", "inside", "along"]
"""How the items of a goal stand to its places: a closed set. To add one, add it here, and say
when it holds in `relations` and what it may be declared with in `checks.goals`."""
RELATIONS: tuple[Relation, ...] = get_args(Relation)

POSITION_TOLERANCE = 0.01
HEIGHT_TOLERANCE = 0.01
YAW_TOLERANCE = math.radians(15)
TILT_TOLERANCE = math.radians(15)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a goal wants one item.

    Attributes:
        pose: in the world where `base` is None or the relation is `at`, else in the base's frame.
            For `inside` it only tells the oracle where to put the item.
        base: index of the item it refers to.
    """

    pose: Pose
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """One sentence and what makes it true.

    Attributes:
        instruction: the sentence that the policy reads.
        items: indices of the items to move.
        relation: how they shall stand to the places.
        places: for `along` the corners of the path; for `inside` with a single place any number
            of items may share it, else each place takes one item.
        fully: for a zone, the whole footprint must be inside, not only its centre.
        position_tolerance: metres in the plane.
        yaw_tolerance: radians, up to the asset's symmetry.
    """

    instruction: str
    items: tuple[int, ...]
    relation: Relation
    places: tuple[Place, ...]
    fully: bool = False
    position_tolerance: float = POSITION_TOLERANCE
    yaw_tolerance: float = YAW_TOLERANCE

    @property
    def shared(self) -> bool:
        """Whether one place takes all items."""
        return self.relation == "inside" and len(self.places) == 1

    def item_for(self, place: int) -> int:
        """The item that stands for those which may take a place: the n-th, else the last one."""
        return self.items[min(place, len(self.items) - 1)]


@dataclass(frozen=True)
class Snapshot:
    """Where everything is.

    Attributes:
        poses: one for each item; z is the height of the underside.
        tilts: (n,) how far each leans from the nearest way up that its symmetry allows, radians.
        bodies: for ropes and piles, centres of beads and crumbs by item index, each (k, 3).
        contacts: pairs (i, j), i < j, of items that touch.
    """

    poses: tuple[Pose, ...]
    tilts: tuple[float, ...]
    bodies: dict[int, Array]
    contacts: frozenset[tuple[int, int]]

    def has(self, item: int) -> bool:
        """Whether an item is on the table: neither still to appear nor fallen off."""
        return self.poses[item].z > -0.5
