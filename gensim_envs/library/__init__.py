"""A library on disk: a folder with `registry.json` and `generated/`."""

from gensim_envs.errors import LibraryError
from gensim_envs.library.library import (
    REGISTRY,
    Broken,
    Library,
    Record,
    digest,
    dump_records,
    dumps,
    in_checkout,
    is_hand_written,
    is_shipped,
    parse_record,
    shipped,
)

__all__ = [
    "REGISTRY",
    "Broken",
    "Library",
    "LibraryError",
    "Record",
    "digest",
    "dump_records",
    "dumps",
    "in_checkout",
    "is_hand_written",
    "is_shipped",
    "parse_record",
    "shipped",
]
