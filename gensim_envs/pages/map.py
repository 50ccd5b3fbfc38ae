"""Write a map of a library: a page on which similar tasks lie near each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from gensim_envs.generation.embed import Array, Embedder
from gensim_envs.generation.memory import Entry
from gensim_envs.pages.render import render, shortened
from gensim_envs.utils.naming import words

MOST_LABELLED = 200
"""Number of tasks up to which the map has labels."""
NEIGHBOURS = 3
CANVASES = {"broad": (1120, 700), "narrow": (340, 460)}
"""Width and height of the map in pixels, for wide and for narrow windows; see style.css."""
_CHARACTER, _LINE, _MARGIN = 5.6, 12.0, 12.0


class Label(NamedTuple):
    """The name of a task on the map, with the position of its anchor and baseline in pixels."""

    text: str
    x: float
    y: float
    anchor: Literal["start", "middle", "end"]


_POSITIONS: tuple[tuple[float, float, Literal["start", "middle", "end"]], ...] = (
    (7, 0, "start"), (-7, 0, "end"), (0, -12, "middle"), (0, 12, "middle"),
    (5, -9, "start"), (5, 9, "start"), (-5, -9, "end"), (-5, 9, "end"),
)  # fmt: skip
"""Positions of a label relative to its point: offset (x, y) in pixels, and the anchor."""


def map_page(entries: Sequence[Entry], generated: Collection[str], chosen: Embedder) -> str:
    """The page: a map, and the nearest neighbours of each task.

    Args:
        entries: the tasks.
        generated: names of the tasks that a model wrote.
        chosen: measures their similarity.
    """
    texts = [entry.text for entry in entries]
    similarity = np.asarray(chosen.likeness(texts, texts)) if texts else np.zeros((0, 0))
    points, kept = layout(1 - similarity)
    names = [words(entry.name) for entry in entries]
    drawings = []
    for canvas, size in CANVASES.items():
        spots = _fitted(points, *size)
        drawings.append((canvas, *size, spots, list(_labels(names, spots, *size))))
    # Hand-written tasks are drawn last, so that the many generated ones do not cover them.
    order = sorted(range(len(entries)), key=lambda k: entries[k].name not in generated)
    near = np.argsort(-(similarity - 9 * np.eye(len(entries))), axis=1, kind="stable")
    return render(
        "map.html",
        entries=entries,
        generated=set(generated),
        order=order,
        kept=kept,
        embedder=chosen.name,
        drawings=drawings,
        radius=4 if len(entries) <= MOST_LABELLED else 3,
        similarity=similarity,
        nearest=near[:, : min(NEIGHBOURS, len(entries) - 1)].tolist(),
    )


def layout(distance: Array) -> tuple[Array, float]:
    """Points whose distances approximate those given: classical scaling (Torgerson, 1952).

    Args:
        distance: (n, n), symmetric.

    Returns:
        Points (n, 2), the wider direction first, and the share of the two directions in the sum of
        squared eigenvalues. The largest coordinate of each direction is positive.
    """
    from sklearn.decomposition import KernelPCA  # takes a second to load
    from sklearn.preprocessing import KernelCenterer

    count = len(distance)
    if count < 3 or not distance.any():
        return np.column_stack([np.arange(count) * distance.max(initial=0), np.zeros(count)]), 1.0
    # PCA of the centred kernel of squared distances is classical scaling.
    products = KernelCenterer().fit_transform(-0.5 * distance**2)
    scaling = KernelPCA(2, kernel="precomputed", random_state=0)
    points = scaling.fit_transform(products)
    kept = float((scaling.eigenvalues_**2).sum() / (products**2).sum())
    return points, min(kept, 1.0)


def _fitted(points: Array, width: int, height: int) -> Array:
    """Points (n, 2) in pixels of a canvas; its longer side takes the wider direction."""
    if not len(points):
        return points
    if height > width:
        points = points[:, ::-1]
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.array([width, height])
    scale = ((size - 2 * _MARGIN) / np.maximum(high - low, 1e-9)).min()
    found: Array = size / 2 + (points - (low + high) / 2) * scale * [1, -1]  # y points down
    return found


def _labels(names: Sequence[str], spots: Array, width: int, height: int) -> Iterator[Label]:
    """Names beside their points; a name that would cover something is left out."""
    if len(names) > MOST_LABELLED:
        return
    taken = np.column_stack([spots - 5, spots + 5])  # (n, 4): left, top, right, bottom
    for name, spot in zip(names, spots, strict=True):
        text = shortened(name, 24)
        length = _CHARACTER * len(text)
        for dx, dy, anchor in _POSITIONS:
            x, y = spot + (dx, dy)
            left = x - length * ("start", "middle", "end").index(anchor) / 2
            box = np.array([left, y - _LINE / 2, left + length, y + _LINE / 2])
            covers = ((taken[:, :2] < box[2:]) & (taken[:, 2:] > box[:2])).all(axis=1).any()
            if not covers and (box[:2] >= 0).all() and (box[2:] <= (width, height)).all():
                taken = np.vstack([taken, box])
                yield Label(text, x, y + 3.5, anchor)
                break
