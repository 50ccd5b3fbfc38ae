"""A library in the space of its embedding: tasks that are alike lie near each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from gensim_envs.generation.embed import Array, Embedder, embedder
from gensim_envs.generation.memory import Entry
from gensim_envs.generation.providers import Budget, OpenAIProvider
from gensim_envs.pages.gallery.facts import counted
from gensim_envs.pages.gallery.html import BASE, document, tag
from gensim_envs.pages.report.charts import shortened
from gensim_envs.utils.naming import words

STYLE = BASE + (Path(__file__).parent / "map.css").read_text(encoding="utf-8")
MOST_LABELLED = 200
"""Tasks from which the map has no labels."""
NEIGHBOURS = 3
_DENSE = 1000
"""Tasks up to which all eigenvectors are computed; it takes the cube of their number."""
_TIMEOUT = 120.0
_LETTER, _LINE, _EDGE = 5.6, 12.0, 12.0


@dataclass(frozen=True)
class Canvas:
    """Where a map is drawn.

    Attributes:
        name: its class in the style, which says how wide a window shows it.
        width: in units of the drawing, which are those of the screen.
        height: likewise.
    """

    name: str
    width: float
    height: float


CANVASES = (Canvas("broad", 1120, 700), Canvas("narrow", 340, 460))


def embedder_of(name: str) -> Embedder:
    """An embedder by its name, with a server where it needs one.

    Raises:
        ProviderError: where it cannot be had here.
    """
    server = None
    if name.startswith("openai:"):
        server = OpenAIProvider(name.removeprefix("openai:"), Budget(), timeout=_TIMEOUT)
    return embedder(name, server)


def map_page(entries: Sequence[Entry], generated: Collection[str], chosen: Embedder) -> str:
    """The page: a map, and the nearest of each task.

    Args:
        entries: the tasks.
        generated: names of those that a model has written.
        chosen: says how alike they are.
    """
    texts = [entry.text for entry in entries]
    likeness = np.asarray(chosen.likeness(texts, texts)) if texts else np.zeros((0, 0))
    points, kept = place(1 - likeness)
    written = [entry.name in generated for entry in entries]
    title = "Tasks by likeness"
    models, hands = sum(written), len(entries) - sum(written)
    note = (
        f"{counted(len(entries), 'task')}, laid out by classical scaling of 1 \u2212 likeness "
        f"({chosen.name}). The two directions have {100 * kept:.0f}% of the squared eigenvalues: "
        "what lies far apart is unlike, what lies near is only perhaps alike. Point at a task for "
        "its description; choose it for its nearest."
    )
    body = [
        tag("header", tag("h1", title), tag("p", note, class_="note")),
        _legend(hands, models),
        *(_map(entries, written, points, canvas) for canvas in CANVASES),
        tag("h2", "Nearest to each"),
        _nearest(entries, written, likeness),
    ]
    return document(f"gensim: {title}", STYLE, body)


def place(distance: Array) -> tuple[Array, float]:
    """Points whose distances are near to those given: classical scaling (Torgerson, 1952).

    Args:
        distance: (n, n), symmetric.

    Returns:
        Points (n, 2), the wider direction first, and the share that the two directions have of
        the sum of squared eigenvalues. Of each direction, the largest coordinate is positive.
    """
    count = len(distance)
    if count < 3:
        return np.column_stack([np.arange(count) * distance.max(initial=0), np.zeros(count)]), 1.0
    square = distance**2
    rows = square.mean(axis=0)
    products = -0.5 * (square - rows - rows[:, None] + square.mean())
    values, vectors = _largest_two((products + products.T) / 2)
    strongest = np.abs(vectors).round(9).argmax(axis=0)  # the first of those that are as large
    signs = np.where(vectors[strongest, [0, 1]] < 0, -1.0, 1.0)
    drawn = np.maximum(values, 0)
    whole = float((products**2).sum())
    kept = float((drawn**2).sum()) / whole if whole > 1e-12 else 1.0
    return vectors * (signs * np.sqrt(drawn)), min(kept, 1.0)


def _largest_two(matrix: Array) -> tuple[Array, Array]:
    """The two largest eigenvalues (2,) of a symmetric matrix, and their vectors (n, 2)."""
    if len(matrix) <= _DENSE:
        values, vectors = np.linalg.eigh(matrix)
        return values[:-3:-1], vectors[:, :-3:-1]
    from scipy.sparse.linalg import eigsh

    # A fixed start makes equal matrices give equal vectors.
    values, vectors = eigsh(matrix, 2, which="LA", v0=np.cos(np.arange(len(matrix))))
    order = np.argsort(-values)
    return values[order], vectors[:, order]


def _legend(hands: int, models: int) -> Element:
    return tag(
        "ul",
        tag("li", _sample(False), f"{hands} written by hand"),
        tag("li", _sample(True), f"{models} written by a model"),
        class_="legend",
    )


def _sample(generated: bool) -> Element:
    return tag("svg", _mark(generated, 8, 8), viewBox="0 0 16 16", aria_hidden="true")


def _mark(generated: bool, x: float, y: float, size: float = 4) -> Element:
    """A square for a hand-written task, a disc for a model's."""
    if generated:
        return tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{size:g}", class_="model")
    return tag(
        "rect", x=f"{x - size:.1f}", y=f"{y - size:.1f}", width=f"{2 * size:g}",
        height=f"{2 * size:g}", class_="hand",
    )  # fmt: skip


def _map(
    entries: Sequence[Entry], written: Sequence[bool], points: Array, canvas: Canvas
) -> Element:
    spots = _fitted(points, canvas)
    labels = _labels([words(entry.name) for entry in entries], spots, canvas)
    size = 4 if len(entries) <= MOST_LABELLED else 3
    # Those written by hand come last, so that many generated ones do not cover them.
    order = sorted(range(len(entries)), key=lambda k: not written[k])
    marks = [
        tag(
            "a",
            tag("title", f"{words(entries[k].name)}: {entries[k].summary}"),
            _mark(written[k], float(spots[k, 0]), float(spots[k, 1]), size),
            href=f"#{entries[k].name}",
        )
        for k in order
    ]
    return tag(
        "svg", *labels, *marks, class_=f"map {canvas.name}", role="img",
        viewBox=f"0 0 {canvas.width:g} {canvas.height:g}",
        aria_label="Map of the tasks; the table below says which are near each other",
    )  # fmt: skip


def _fitted(points: Array, canvas: Canvas) -> Array:
    """Points (n, 2) on a canvas. Its higher side takes the wider direction; y points down."""
    if canvas.height > canvas.width:
        points = points[:, ::-1]
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([canvas.width, canvas.height]) - 2 * _EDGE
    scale = (room / np.maximum(high - low, 1e-9)).min()
    middle = np.array([canvas.width, canvas.height]) / 2
    found: Array = middle + (points - (low + high) / 2) * scale * [1, -1]
    return found


def _labels(names: Sequence[str], spots: Array, canvas: Canvas) -> Iterator[Element]:
    """Names beside their points, each where it covers nothing; those without room are left out."""
    if len(names) > MOST_LABELLED:
        return
    taken = np.column_stack([spots - 5, spots + 5])  # (n, 4): left, top, right, bottom
    size = np.array([canvas.width, canvas.height])
    for name, (x, y) in zip(names, spots, strict=True):
        shown = shortened(name, 24)
        width = _LETTER * len(shown)
        for left, middle, anchor in (
            (x + 7, y, "start"), (x - 7 - width, y, "end"),
            (x - width / 2, y - 12, "middle"), (x - width / 2, y + 12, "middle"),
            (x + 5, y - 9, "start"), (x + 5, y + 9, "start"),
            (x - 5 - width, y - 9, "end"), (x - 5 - width, y + 9, "end"),
        ):  # fmt: skip
            box = np.array([left, middle - _LINE / 2, left + width, middle + _LINE / 2])
            covers = ((taken[:, :2] < box[2:]) & (taken[:, 2:] > box[:2])).all(axis=1).any()
            if not covers and (box[:2] >= 0).all() and (box[2:] <= size).all():
                taken = np.vstack([taken, box])
                at = left + width * ("start", "middle", "end").index(anchor) / 2
                yield tag("text", shown, x=f"{at:.1f}", y=f"{middle + 3.5:.1f}", text_anchor=anchor)
                break


def _nearest(entries: Sequence[Entry], written: Sequence[bool], likeness: Array) -> Element:
    order = np.argsort(-(likeness - 9 * np.eye(len(entries))), axis=1, kind="stable")
    rows = []
    for k, entry in enumerate(entries):
        near = [
            tag("li", tag("a", words(entries[j].name), href=f"#{entries[j].name}"),
                f" {likeness[k, j]:.2f}")
            for j in order[k, : min(NEIGHBOURS, len(entries) - 1)]
        ]  # fmt: skip
        head = tag("h3", _sample(written[k]), words(entry.name))
        body = tag("div", head, tag("p", entry.summary))
        rows.append(tag("li", body, tag("ul", *near), id=entry.name))
    return tag("ol", *rows, class_="nearest")
