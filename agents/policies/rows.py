"""The rows of this suite's state vectors as arrays, in scenes that may be moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.data import colors, nouns, phrases
from agents.data.augment import Motion
from agents.data.table import Table
from agents.errors import AgentsError
from gensim_envs import StateLayout

if TYPE_CHECKING:
    from agents.policies.base import PolicySpec

KINDS = 128
"""Kinds of assets, and variants of a kind, that rows may hold: more than there are."""
WORDS = 4
"""Colour words of an instruction that the pointer gets, in the order in which they are named."""


def layout_of(spec: PolicySpec) -> StateLayout | None:
    """The layout of the state vectors that a policy is trained on; None if it is unknown.

    Raises:
        AgentsError: if they have another size, as in a dataset that was changed.
    """
    bounds, (size,) = spec.state_bounds, spec.observation["state"]
    if not bounds:
        return None
    complete = {"items", "places", "targets"} <= set(bounds)
    if not complete or StateLayout.of(bounds).size != size:
        raise AgentsError(
            f"the state_bounds {bounds} do not fit states of {size} numbers; record the dataset "
            "again, or omit them from its metadata"
        )
    return StateLayout.of(bounds)


def move_rows(
    states: NDArray[np.float32], layout: StateLayout, table: Table, motions: Sequence[Motion]
) -> NDArray[np.float32]:
    """State vectors (B, n) of the moved scenes."""
    states = states.copy()
    # As complex numbers, which a product rotates.
    spin = np.exp([[1j * motion.rotation] for motion in motions])
    shift = np.array([[complex(*motion.shift)] for motion in motions])
    middle = complex(*table.middle)
    for block in (layout.items, layout.places):
        present = block.field(states, "present")[..., 0]  # 0 or 1
        position, yaw = block.field(states, "position"), block.field(states, "yaw")
        point = position[..., 0] + 1j * position[..., 1]
        point = ((point - middle) * spin + middle + shift) * present
        heading = (yaw[..., 1] + 1j * yaw[..., 0]) * spin
        position[..., 0], position[..., 1] = point.real, point.imag
        yaw[..., 0], yaw[..., 1] = heading.imag, heading.real
    return states


def present_rows(states: NDArray[np.float32], layout: StateLayout) -> list[NDArray[np.float32]]:
    """The rows of items, and those of places, that some scene of state vectors (b, n) needs.

    In each (b, rows, width) those that there are come first. There is at least one, so that
    nothing is empty. A vector has room for the task with the most rows, and most tasks need a
    small part of it.
    """
    found = []
    for block in (layout.items, layout.places):
        rows = block.view(states)
        absent = block.field(states, "present")[..., 0] <= 0
        most = max(1, (~absent).sum(1).max(initial=0))
        order = absent.argsort(axis=1, kind="stable")[:, :most]
        found.append(np.take_along_axis(rows, order[..., None], axis=1))
    return found


def named_rows(
    items: NDArray[np.float32],
    places: NDArray[np.float32],
    layout: StateLayout,
    instructions: Sequence[str],
) -> dict[str, NDArray[np.float32]]:
    """What instructions name, and which rows of `present_rows` they may mean.

    Returns:
        `colors` (b, WORDS, 4); `nouns` (b, rows, NOUNS), which rows are called by which noun;
        `phrases` (b, rows, PHRASES), likewise by the nouns of phrases; and their colours
        `phrase colors` (b, PHRASES, 4).
    """
    kinds, variants = (
        np.concatenate([_codes(items[..., layout.items.columns(first)]),
                        _codes(places[..., layout.places.columns(second)])], 1)
        for first, second in (("kind", "kind"), ("variant", "base_variant"))
    )  # fmt: skip
    paints, things = map(np.stack, zip(*map(phrases.phrases_in, instructions), strict=True))
    called = nouns.called(kinds, variants, things)
    return {
        "colors": np.stack([colors.colors_in(each, WORDS) for each in instructions]),
        "nouns": nouns.called(kinds, variants, np.stack([*map(nouns.nouns_in, instructions)])),
        "phrases": np.where(things[:, None], called, paints[:, None, :, 3]),
        "phrase colors": paints,
    }


@dataclass(frozen=True)
class Rows:
    """The rows of b scenes: (b, rows, ...), those of items before those of places.

    Attributes:
        items: how many are of items.
        present: (b, rows) bool.
        position: (b, rows, 3) metres.
        yaw: (b, rows) radians.
        color: (b, rows, 3), 0..1.
        size: (b, rows, 3) metres; 0 for places.
        kind: (b, rows), of the asset.
        variant: (b, rows), of an item, or the one that fits into a place.
        base: (b, rows), the variant of the item that has a place; 0 for items.
    """

    items: int
    present: Tensor
    position: Tensor
    yaw: Tensor
    color: Tensor
    size: Tensor
    kind: Tensor
    variant: Tensor
    base: Tensor

    @classmethod
    def of(cls, items: Tensor, places: Tensor, layout: StateLayout) -> Rows:
        """The rows that `present_rows` found."""
        blocks = layout.items, layout.places

        def field(name: str) -> Tensor:
            return torch.cat(
                [r[..., b.columns(name)] for r, b in zip((items, places), blocks, strict=True)], 1
            )

        sine, cosine = field("yaw").unbind(-1)
        size = items[..., blocks[0].columns("size")]
        base = places[..., blocks[1].columns("base_variant")]
        return cls(
            items=items.shape[1], present=field("present")[..., 0] > 0, position=field("position"),
            yaw=torch.atan2(sine, cosine), color=field("color"),
            size=torch.cat([size, size.new_zeros(*places.shape[:2], 3)], 1),
            kind=_index(field("kind")), variant=_index(field("variant")),
            base=_index(torch.cat([base.new_zeros(*items.shape[:2], 1), base], 1)),
        )  # fmt: skip


def _codes(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Numbers (b, n, 1) of a state vector, which hold hundredths, as integers (b, n)."""
    return (values[..., 0] * 100).round().astype(np.int64)


def _index(values: Tensor) -> Tensor:
    """Numbers (b, n, 1) of a state vector, which hold hundredths, as indices (b, n)."""
    return (values[..., 0] * 100).round().long().clamp(0, KINDS - 1)
