"""Every check of a task that needs no physics. Each failure names the goal and the remedy."""

from __future__ import annotations

import itertools
import operator
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import ASSETS, COLORS, Pile, Rope, Zone, asset_geometry
from gensim_envs.task.goals import (
    HEIGHT_TOLERANCE,
    POSITION_TOLERANCE,
    YAW_TOLERANCE,
    Goal,
    Place,
    footprint,
    fraction_met,
    target_of,
)
from gensim_envs.task.pose import WORKSPACE, Pose
from gensim_envs.task.spec import MAX_PLACES, MAX_POSE, MAX_SENTENCE, ItemSpec, TaskSpec

_TOUCH = 0.001
"""Metres by which outlines or heights may overlap and still only touch."""
NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_OTHER_SENSES = {
    "base", "board", "circle", "corner", "flower", "heap", "hexagon", "object", "pentagon", "piece",
    "plus", "rectangle", "ring", "square", "stand", "star", "triangle",
}  # fmt: skip
"""Nouns that sentences also use for shapes and deeds, so that they prove nothing."""
NOUNS = sorted(
    sorted({noun.lower() for cls in ASSETS.values() for noun in cls.nouns} - _OTHER_SENSES),
    key=len,
    reverse=True,
)
"""Every noun that proves what a sentence is about, longest first."""


def plural(name: str) -> str:
    """The English plural of an asset's name."""
    return name + ("es" if name.endswith(("x", "s", "ch")) else "s")


_SINGULAR = {form: noun for noun in NOUNS for form in (noun, plural(noun))}
_ANY_NOUN = re.compile(
    rf"\b({'|'.join(map(re.escape, sorted(_SINGULAR, key=len, reverse=True)))})\b"
)


def check_number(name: str, value: Any, low: float, high: float, goal: int | None = None) -> None:
    """A plain finite number from `low` to `high`."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not low <= value <= high:
        allowed = f"Give a number from {low:.4g} to {high:.4g}"
        raise TaskError(f"{name} is {value!r:.60}", allowed, goal=goal)


def check_count(name: str, value: Any) -> int:
    """A whole number of at least 1; numpy's are fine, True is not."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise TaskError(f"{name} is {value!r:.60}", "Give a whole number of at least 1")
    return count


def check_pose(name: str, pose: Any, goal: int | None = None) -> None:
    """A pose of finite numbers, within what a spec may hold."""
    if not isinstance(pose, Pose):
        raise TaskError(f"{name} got {pose!r:.60}", "Give a Pose", goal=goal)
    for axis in ("x", "y", "z", "yaw"):
        value = getattr(pose, axis)
        check_number(f"{axis} of a pose in {name}", value, -MAX_POSE, MAX_POSE, goal)


def check_goal(items: Sequence[ItemSpec], goal: Goal, number: int) -> None:
    """A single goal, as soon as it is declared.

    Raises:
        TaskError: naming what does not fit.
    """
    if not (goal.instruction.strip() and len(goal.instruction.encode()) <= MAX_SENTENCE):
        raise TaskError(
            "its sentence is empty or too long",
            f"Write 1 to {MAX_SENTENCE} bytes of text",
            goal=number,
        )
    if not goal.items or len(set(goal.items)) != len(goal.items):
        raise TaskError("it has no items, or one twice", "Give each item once", goal=number)
    if not 0 < len(goal.places) <= MAX_PLACES:
        raise TaskError("it has no places", "Give at least one", goal=number)
    for k in goal.items:
        if items[k].fixed:
            raise TaskError(
                f"the {items[k].asset} is fixed and cannot be moved",
                "Move something else, or add it with fixed=False",
                goal=number,
            )
        if items[k].distractor:
            raise TaskError(
                f"the {items[k].asset} was declared a distractor", "Use scene.add", goal=number
            )
    if not goal.shared and goal.relation != "along" and len(goal.items) > len(goal.places):
        raise TaskError(
            f"{len(goal.items)} items for {len(goal.places)} places",
            "Give at least as many places as items",
            goal=number,
        )
    for name, value, least, most in (
        ("tolerance", goal.position_tolerance, 1e-4, POSITION_TOLERANCE),
        ("yaw_tolerance", goal.yaw_tolerance, 1e-3, YAW_TOLERANCE),
    ):
        check_number(f"its {name}, which may only be tightened,", value, least, most, number)
    _check_relation(items, goal, number)


def _check_relation(items: Sequence[ItemSpec], goal: Goal, number: int) -> None:
    """That the items and bases can stand in this relation."""
    for place in goal.places:
        check_pose(f"{goal.relation}=", place.pose, number)
        if place.base in goal.items:
            raise TaskError("an item is to be on or in itself", "Choose another base", goal=number)
        if goal.relation == "inside" and place.base is not None:
            base = items[place.base].asset
            if base.opening is None:
                raise TaskError(
                    f"nothing can be inside the {base}",
                    "Use a Bowl, Container or Zone",
                    goal=number,
                )
        if goal.relation == "on" and place.base is not None:
            base = items[place.base].asset
            if (
                asset_geometry(base).flat
                or base.hollow
                or base.bodies > 1
                or base.tumbles == "ball"
            ):
                raise TaskError(
                    f"nothing can stand on the {base}", "Use inside= or at=", goal=number
                )
            _check_overlap(items, goal, place, number)
    soft = [items[k].asset for k in goal.items if items[k].asset.bodies > 1]
    if soft and len(goal.items) > 1:
        raise TaskError(
            f"the {soft[0]} shares a goal with something else", "Give it its own goal", goal=number
        )
    rope, pile = bool(soft) and isinstance(soft[0], Rope), bool(soft) and isinstance(soft[0], Pile)
    if (goal.relation == "along") != rope:
        raise TaskError(
            "along= goes with a rope, and a rope with along=", "Use the other", goal=number
        )
    if rope:
        _check_path(goal, number)
    zones = all(p.base is not None and isinstance(items[p.base].asset, Zone) for p in goal.places)
    if pile and not (goal.relation == "inside" and zones):
        raise TaskError("a pile can only be swept inside a zone", "Use inside=zone", goal=number)


def _check_overlap(items: Sequence[ItemSpec], goal: Goal, place: Place, number: int) -> None:
    """What is to stand on a base must be over it."""
    base = items[place.base or 0].asset
    under = shapely.Polygon(asset_geometry(base).outline)
    for k in goal.items:
        outline = asset_geometry(items[k].asset).outline
        if not footprint(outline, place.pose).intersects(under):
            raise TaskError(
                f"its offset is beside the {base}", "Give it in metres from the base's middle",
                goal=number,
            )  # fmt: skip


def _check_path(goal: Goal, number: int) -> None:
    if len(goal.places) < 2:
        raise TaskError("its path has fewer than two corners", "Give more poses", goal=number)
    corners = [place.pose for place in goal.places]
    length = sum(a.distance(b) for a, b in itertools.pairwise(corners))
    if not 0.93 * Rope.LENGTH <= length <= 1.01 * Rope.LENGTH:
        raise TaskError(
            f"its path is {length:.3f} m long, the rope {Rope.LENGTH} m",
            f"Make the path {0.93 * Rope.LENGTH:.3f} to {Rope.LENGTH} m long",
            goal=number,
        )


def check_declared(items: Sequence[ItemSpec], goals: Sequence[Goal]) -> None:
    """That there are goals, and that each movable item has a part to play."""
    if not goals:
        raise TaskError("the task has no goal", "Declare one with scene.goal")
    used = {k for goal in goals for k in goal.items}
    used |= {place.base for goal in goals for place in goal.places if place.base is not None}
    for k, item in enumerate(items):
        if not (item.fixed or item.distractor or k in used):
            raise TaskError(
                f"no goal is about the {item.asset}", "Add it with scene.distract, or leave it out"
            )


def check_spec(spec: TaskSpec) -> None:
    """A whole spec, once everything has been placed.

    Raises:
        TaskError: with `redraw` set where another draw may be fine.
    """
    _check_starts(spec)
    below = supports(spec)
    for number, goal in enumerate(spec.goals, 1):
        _check_sentence(spec, goal, number, below[number - 1])
    _check_targets_on_table(spec)
    _check_held_targets(spec)
    _check_loads(spec, below)
    _check_not_met(spec)


def _polygon(spec: TaskSpec, item: int, pose: Pose) -> shapely.Polygon:
    return footprint(spec.geometry(item).outline, pose)


def _on_table(shape: shapely.Polygon) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    a, b, c, d = shape.bounds
    return x0 - _TOUCH <= a and c <= x1 + _TOUCH and y0 - _TOUCH <= b and d <= y1 + _TOUCH


def _check_starts(spec: TaskSpec) -> None:
    """Everything starts on the table, and solid things start apart."""
    shapes = []
    for k, item in enumerate(spec.items):
        shape = _polygon(spec, k, item.start)
        if not item.bodies and not _on_table(shape):
            raise TaskError(
                f"the {item.asset} starts off the table", "Move or shrink it", redraw=True
            )
        solid = not (spec.geometry(k).flat or item.asset.hollow or item.bodies)
        if solid and item.after is None:
            shapes.append((item, item.start.z, shape))
    for k, (a, low_a, shape_a) in enumerate(shapes):
        for b, low_b, shape_b in shapes[:k]:
            overlap = _heights_overlap(low_a, a.asset.height, low_b, b.asset.height)
            if overlap and _intersect(shape_a, shape_b):
                raise TaskError(
                    f"the {a.asset} and the {b.asset} start inside each other",
                    "Give them room",
                    redraw=True,
                )


def _intersect(a: shapely.Polygon, b: shapely.Polygon) -> bool:
    """Whether two areas do more than touch."""
    if not a.intersects(b):  # which is nearly always so, and much quicker to see
        return False
    inner_a, inner_b = (area.buffer(-_TOUCH, join_style="mitre") for area in (a, b))
    return bool(inner_a.intersects(inner_b))


def _heights_overlap(low_a: float, height_a: float, low_b: float, height_b: float) -> bool:
    return min(low_a + height_a, low_b + height_b) - max(low_a, low_b) > _TOUCH


def _check_sentence(spec: TaskSpec, goal: Goal, number: int, supports: set[int]) -> None:
    """A colour, count or kind that the sentence names must be that of an item or a target.

    What the items come to stand on (`supports`) is a target, too.
    """
    used = [*goal.items, *supports]
    assets = [spec.items[k].asset for k in used]
    text = goal.instruction.lower().replace("grey", "gray")
    words = re.findall(r"[a-z0-9]+(?:-[a-z]+)*", text)
    for color in COLORS:
        if color in words and color not in {asset.color for asset in assets}:
            raise TaskError(
                f"its sentence says {color!r}, but nothing in it is {color}",
                "Name the colors of its own items and targets",
                cause="semantics",
                goal=number,
            )
    have = {noun.lower() for asset in assets for noun in asset.called}
    for said in _ANY_NOUN.findall(text):
        noun = _SINGULAR[said]
        if noun not in have:
            raise TaskError(
                f"its sentence says {noun!r}, but nothing in it is one",
                "Name the kinds of its own items and targets",
                cause="semantics",
                goal=number,
            )
    _check_counts(spec, goal, number, words, supports)


def _check_counts(
    spec: TaskSpec, goal: Goal, number: int, words: Sequence[str], supports: set[int]
) -> None:
    assets = [spec.items[k].asset for k in goal.items]
    bases = {p.base for p in goal.places if p.base is not None}
    counts = {len(assets), len(goal.places), len(bases)}
    counts |= {assets.count(asset) for asset in assets}
    counts |= {sum(a.color == asset.color for a in assets) for asset in assets}
    counts |= set(Counter(type(item.asset) for item in spec.items if item.fixed).values())
    counts |= set(Counter(type(spec.items[k].asset) for k in supports).values())
    for word in words:
        said = int(word) if word.isdecimal() else NUMBERS.get(word)
        if said is not None and said not in counts:
            raise TaskError(
                f"its sentence says {word!r}, but it has {len(assets)} item(s)",
                "Say how many items or places it has",
                cause="semantics",
                goal=number,
            )


def _check_targets_on_table(spec: TaskSpec) -> None:
    (x0, x1), (y0, y1) = WORKSPACE
    for number, goal in enumerate(spec.goals, 1):
        for k, place in enumerate(goal.places):
            if goal.relation == "along":
                inside = x0 <= place.pose.x <= x1 and y0 <= place.pose.y <= y1
            elif goal.relation == "at":
                item = goal.items[min(k, len(goal.items) - 1)]
                inside = _on_table(_polygon(spec, item, place.pose)) and place.pose.z >= -_TOUCH
            else:
                continue
            if not inside:
                raise TaskError(
                    f"its place {k + 1} is off the table",
                    "Move it inwards, for instance with reserve(margin=...)",
                    goal=number,
                    redraw=True,
                )


def _check_held_targets(spec: TaskSpec) -> None:
    """Poses that are occupied at the same time must not intersect."""
    held: dict[int, list[tuple[float, float, shapely.Polygon]]] = {}
    for number, goal in enumerate(spec.goals, 1):
        for item in goal.items:
            held.pop(item, None)
        if goal.relation == "along" or (goal.relation == "inside"):
            continue
        fresh = []
        for k, place in enumerate(goal.places):
            item = goal.items[min(k, len(goal.items) - 1)]
            pose = target_of(spec, goal, place, spec.start_snapshot())
            if goal.relation == "on" and not spec.items[place.base or 0].fixed:
                continue  # it travels with its base
            fresh.append((pose.z, spec.items[item].asset.height, _polygon(spec, item, pose)))
        others = [prism for prisms in held.values() for prism in prisms]
        rivals = len(goal.items) > 1  # a single item takes only one of its places
        for k, (low, height, shape) in enumerate(fresh):
            for low_b, height_b, shape_b in others + (fresh[:k] if rivals else []):
                if _heights_overlap(low, height, low_b, height_b) and _intersect(shape, shape_b):
                    raise TaskError(
                        f"its place {k + 1} intersects another place",
                        "Move the places apart, or count the height of what is below",
                        goal=number,
                        redraw=True,
                    )
        if len(goal.items) == len(fresh):
            held.update({item: [prism] for item, prism in zip(goal.items, fresh, strict=True)})


def supports(spec: TaskSpec) -> list[set[int]]:
    """For each goal, the items on, in or at which its items come to be.

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
            item, pose = goal.items[min(k, len(goal.items) - 1)], place.pose
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
    return level and _polygon(spec, other, stands).intersects(_polygon(spec, item, pose))


def _check_loads(spec: TaskSpec, supports: list[set[int]]) -> None:
    """No goal may move what an earlier goal has put something on or into."""
    loads: dict[int, set[int]] = {}  # item -> the items that it carries
    for number, (goal, below) in enumerate(zip(spec.goals, supports, strict=True), 1):
        for item in goal.items:
            if loads.get(item):
                name = spec.items[item].asset
                raise TaskError(
                    f"it moves the {name}, on which an earlier goal has put something",
                    "Move the base first",
                    goal=number,
                )
        for carried in loads.values():
            carried -= set(goal.items)
        for base in below:
            loads.setdefault(base, set()).update(goal.items)


def _check_not_met(spec: TaskSpec) -> None:
    """No goal is met before anything has moved, and no crumb starts inside."""
    start = spec.start_snapshot()
    moved: set[int] = set()
    for number, goal in enumerate(spec.goals, 1):
        fresh = not moved & set(goal.items)
        met = fraction_met(spec, goal, start)
        pile = isinstance(spec.items[goal.items[0]].asset, Pile)
        if fresh and (met == 1 or (pile and met > 0)):
            raise TaskError(
                "it is met before anything has moved",
                "Start farther away",
                goal=number,
                redraw=True,
            )
        moved |= set(goal.items)
