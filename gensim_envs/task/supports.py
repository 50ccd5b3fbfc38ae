"""Which items the items of each goal come to stand on."""

from __future__ import annotations

from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import HEIGHT_TOLERANCE
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import TaskSpec


def supports(spec: TaskSpec) -> list[set[int]]:
    """Return for each goal the items on, in or at which its items come to stand.

    These are the bases of its places and, for poses, what earlier goals have put right below it.
    """
    found: list[set[int]] = []
    stands = {k: item.start for k, item in enumerate(spec.items) if item.fixed}
    placed: set[int] = set()
    for goal in spec.goals:
        below = {place.base for place in goal.places if place.base is not None}
        for item in goal.items:
            placed.discard(item)
            stands.pop(item, None)
        new: dict[int, Pose] = {}
        for k, place in enumerate(goal.places if goal.relation in ("at", "on") else ()):
            item, pose = goal.item_for(k), place.pose
            if goal.relation == "at":
                below |= {k for k in placed if _rests_on(spec, item, pose, k, stands[k])}
                new[item] = pose
            elif place.base in stands:
                new[item] = (stands[place.base] @ pose).up(spec.items[place.base].asset.height)
        stands |= new
        placed |= set(new)
        found.append(below)
    return found


def _rests_on(spec: TaskSpec, item: int, pose: Pose, other: int, stands: Pose) -> bool:
    """Whether an item at a pose is right above another one where that stands."""
    top = stands.z + spec.items[other].asset.height
    level = abs(pose.z - top) < HEIGHT_TOLERANCE
    return level and footprint(spec.geometry(other).outline, stands).intersects(
        footprint(spec.geometry(item).outline, pose)
    )
