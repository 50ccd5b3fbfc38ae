"""Goals, and the states that they are checked against, as plain data.

Imports nothing but NumPy and poses, so that state vectors can be read without the simulator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gensim_envs.task.pose import Pose

Relation = Literal["at", "on", "inside", "along"]
"""The possible relations between the items of a goal and its places.

To add one, name it here, define in `relations` when it holds and in `checks.goals` which items and
places it accepts, and teach it to `scene`, `places`, the oracle and `generation.semantics`.
"""
RELATIONS: tuple[Relation, ...] = get_args(Relation)
"""All relations. Their order is that of the one-hot field `relation` of state vectors."""

POSITION_TOLERANCE = 0.01
HEIGHT_TOLERANCE = 0.01
YAW_TOLERANCE = math.radians(15)
TILT_TOLERANCE = math.radians(15)


@dataclass(frozen=True, slots=True)
class Place:
    """The target of one item of a goal.

    Attributes:
        pose: in the world where `base` is None or the relation is `at`, else in the base's frame.
            For `inside` it only tells the oracle where to put the item.
        base: index of the item it refers to.
    """

    pose: Pose
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """An instruction and the condition under which it is fulfilled.

    Attributes:
        instruction: the text that the policy reads.
        items: indices of the items to move.
        relation: required relation between the items and the places.
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
    """The state of all items at one moment.

    Attributes:
        poses: one for each item; z is the height of the underside.
        tilts: (n,) how far each leans from the nearest way up that its symmetry allows, radians.
        bodies: for ropes and piles, centres of beads and crumbs by item index, each (k, 3).
        contacts: pairs (i, j), i < j, of items that touch.
    """

    poses: tuple[Pose, ...]
    tilts: tuple[float, ...]
    bodies: dict[int, NDArray[np.float64]]
    contacts: frozenset[tuple[int, int]]

    def has(self, item: int) -> bool:
        """Whether an item is on the table: neither still to appear nor fallen off."""
        return self.poses[item].z > -0.5
