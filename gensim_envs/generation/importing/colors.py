"""Colours of a translation: what goes somewhere must differ from its place.

The original GenSim never asked that. A colour that no sentence names is changed, with a note; one
that a sentence names stays, and the check of visibility then refuses to publish the task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gensim_envs.generation.importing.derive import Goal
from gensim_envs.generation.importing.layout import Entry, Layout
from gensim_envs.task.assets import COLORS
from gensim_envs.task.assets.base import SPLIT_COLORS
from gensim_envs.task.checks.sentences import NOUNS, plural
from gensim_envs.task.colors import distinguishable
from gensim_envs.task.visibility import looks_like

_CHOICES = ("black", "white", "blue", "yellow", "purple", "orange", "red", "green", "cyan", "gold")
"""Colours that are given, in order of preference."""
_DRAWN = sorted({color for colors in SPLIT_COLORS.values() for color in colors})
_MODIFIERS = (
    r"(?:[ -](?!(?:in|into|on|onto|to|at|with|from|inside|next|beside|between|then|atop|upon)\b)"
    r"\w+|,)*? "
)
"""What may stand between a colour and its noun: no preposition, since a new phrase begins there."""
_MATCHING = re.compile(r"\b(match|same|correspond|respective|colou?r)")


@dataclass
class Recolor:
    """Changes colours of a layout's things so that each item differs from its places.

    Attributes:
        layout: its entries are changed, and its notes.
        goals: where things go.
        restated: indices of goals whose sentences no longer tell their things apart.
    """

    layout: Layout
    goals: Sequence[Goal]
    restated: set[int] = field(default_factory=set)

    def run(self) -> set[int]:
        """Change what may be changed; the indices of goals to restate."""
        self._split_stacks()
        bases = [base for goal in self.goals for base in goal.bases]
        items = [item for goal in self.goals for item in goal.items]
        for k in dict.fromkeys([*bases, *items]):
            why = self._clash(k)
            if why is not None and not self._said(k):
                changed = self._equals(k)
                self._paint(changed, why)
                self._tell_apart(changed)
        return self.restated

    @property
    def excluded(self) -> list[str]:
        """Colours that drawn things may not have."""
        drawn = [k for k, e in enumerate(self._entries) if "color" in e.variables]
        met = {other for k in drawn for other in self._partners(k)}
        kinds = {type(self._entries[k].asset) for k in drawn}
        said = " ".join(goal.sentence or "" for goal in self.goals)
        fixed = {
            e.asset.color for n, e in enumerate(self._entries) if "color" not in e.variables
            and (n in met or type(e.asset) in kinds or e.asset.color in said)
        }  # fmt: skip
        return [c for c in _DRAWN if not all(distinguishable(c, each) for each in fixed)]

    @property
    def _entries(self) -> list[Entry]:
        return self.layout.entries

    def _tell_apart(self, changed: Sequence[int]) -> None:
        """Restate goals with one sentence whose places may have been told apart by colours."""
        kind = type(self._entries[changed[0]].asset)
        for n, goal in enumerate(self.goals):
            others = [
                base for other in self.goals
                if other.sentence == goal.sentence and other.bases != goal.bases
                for base in other.bases
            ]  # fmt: skip
            alike = any(isinstance(self._entries[base].asset, kind) for base in others)
            if alike and {*changed} & {*goal.bases}:
                self.restated.add(n)

    def _equals(self, k: int) -> list[int]:
        """All things that look just like one."""
        looks = self._entries[k].looks
        return [n for n, other in enumerate(self._entries) if other.looks == looks]

    def _partners(self, k: int) -> Iterator[int]:
        """Things that may not have the colour of one: its places, and what goes to it."""
        for goal in self.goals:
            for p in goal.placements:
                if k == p.item:
                    yield from p.bases
                if k in p.bases:
                    yield p.item

    def _clash(self, k: int) -> str | None:
        """Why a thing cannot keep its colour; None if it can."""
        entry = self._entries[k]
        for n in self._partners(k):
            other = self._entries[n]
            drawn, there = entry.variables.get("color"), other.variables.get("color")
            apart = drawn is None and distinguishable(entry.asset.color, other.asset.color)
            if drawn == there and not apart:  # the writer draws colours apart from all others
                color = f"{other.asset.color} " if there is None else ""
                others = f"{color}{plural(other.asset.called[0])}"
                goes = any(n in goal.items and k in goal.bases for goal in self.goals)
                return f"{others} go there" if goes else f"it goes to {others}"
        for goal in self.goals:
            named = {*goal.items, *goal.bases}
            for n, other in enumerate(self._entries):
                if (k in named) == (n in named) or entry.variables or other.variables:
                    continue
                if entry.asset != other.asset and looks_like(entry.asset, other.asset):
                    return f"there is another {other.asset}"
        return None

    def _drawn(self, k: int) -> Sequence[str]:
        """The colours that a thing can have."""
        entry = self._entries[k]
        if "color" in entry.variables:
            return _DRAWN
        return (entry.asset.color,)

    def _said(self, k: int) -> bool:
        """Whether a sentence names the colour of a thing."""
        entry = self._entries[k]
        number = entry.variables.get("color")
        color = entry.asset.color if number is None else f"{{{number}}}"
        nouns = {noun.lower() for each in self._entries for noun in each.asset.called} | {*NOUNS}
        ordered = "|".join(map(re.escape, sorted(nouns, key=len, reverse=True)))
        for goal in self.goals:
            text = (goal.sentence or "").lower().replace("grey", "gray")
            if k in {*goal.items, *goal.bases} and _MATCHING.search(text):
                return True
            for found in re.finditer(rf"(?<!\w){re.escape(color)}(?!\w)", text):
                noun = re.match(rf"{_MODIFIERS}({ordered})", text[found.end() :])
                if k in (self._meant(noun[1]) or goal.items if noun else self._coloured(goal, k)):
                    return True
        return False

    def _coloured(self, goal: Goal, k: int) -> set[int]:
        """The things that a colour without a noun means: those to which the program gives it."""
        told = [other for other in self.goals if other.sentence == goal.sentence]
        named = {
            n for other in told for n in (*other.items, *other.bases)
            if self._entries[n].asset.color == self._entries[k].asset.color
            and self._entries[n].variables == self._entries[k].variables
        }  # fmt: skip
        return {n for n in named if self._entries[n].thing.color is not None} or named or {k}

    def _meant(self, noun: str) -> set[int]:
        """The things that a noun means: those usually called so, if there are any."""
        called = [[name.lower() for name in e.asset.called] for e in self._entries]
        usual = {k for k, names in enumerate(called) if names[0] == noun}
        return usual or {k for k, names in enumerate(called) if noun in names}

    def _paint(self, things: Sequence[int], why: str) -> None:
        """Give things a colour that differs from what they meet and from all of their kind."""
        asset = self._entries[things[0]].asset
        meet = {color for k in things for n in self._partners(k) for color in self._drawn(n)}
        kind = {
            color for n, e in enumerate(self._entries) if type(e.asset) is type(asset)
            for color in self._drawn(n) if n not in things
        }  # fmt: skip
        said = {color for color in COLORS if any(color in (g.sentence or "") for g in self.goals)}
        fitting = (
            color
            for avoided in (meet | kind | said, meet | kind, meet)
            for color in _CHOICES
            if all(distinguishable(color, each) for each in avoided)
        )
        color = next(fitting, None)
        if color is None:
            return
        for k in things:
            self._entries[k].asset = replace(asset, color=color)
            self._entries[k].variables.pop("color", None)
        name = asset.called[0]
        subject = f"the {name} is" if len(things) == 1 else f"the {plural(name)} are"
        self.layout.notes.append(f"{subject} {color}: {why}")

    def _split_stacks(self) -> None:
        """Draw every other level of a stack of equal things in another colour."""
        level: dict[int, int] = {}
        for goal in self.goals:
            for p in goal.placements:
                below = [level.get(base, 0) for base in p.bases if base in self._equals(p.item)]
                level[p.item] = max(below, default=-1) + 1
        while odd := next((k for k in level if level[k] % 2 and not self._said(k)), None):
            equals = self._equals(odd)
            others = [k for k in equals if level.get(k, 0) % 2]
            self._paint(others, "things that go onto or beside each other differ in colour")
            # What named them by their kind alone must tell them apart now.
            self.restated |= {
                n for n, goal in enumerate(self.goals) if {*equals} & {*goal.items, *goal.bases}
            }
            for k in others:
                level[k] = 0
