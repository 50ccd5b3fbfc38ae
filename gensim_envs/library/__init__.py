"""A library on disk: a folder with `registry.json` and `generated/`."""

from gensim_envs.errors import LibraryError
from gensim_envs.library.library import (
    REGISTRY,
    Broken,
    Library,
    Row,
    digest,
    dump_rows,
    dumps,
    in_checkout,
    is_hand_written,
    is_shipped,
    parse_row,
    shipped,
)

__all__ = [
    "REGISTRY",
    "Broken",
    "Library",
    "LibraryError",
    "Row",
    "digest",
    "dump_rows",
    "dumps",
    "in_checkout",
    "is_hand_written",
    "is_shipped",
    "parse_row",
    "shipped",
]
