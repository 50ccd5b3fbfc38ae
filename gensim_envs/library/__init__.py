"""A library on disk: a folder with `registry.json` and `generated/`."""

from gensim_envs.errors import LibraryError
from gensim_envs.library.library import Broken, Library, in_checkout, is_shipped, shipped
from gensim_envs.library.records import (
    Record,
    class_of,
    digest,
    dump_records,
    file_of,
    is_hand_written,
    parse_record,
)

__all__ = [
    "Broken", "Library", "LibraryError", "Record", "class_of", "digest", "dump_records", "file_of",
    "in_checkout", "is_hand_written", "is_shipped", "parse_record", "shipped",
]  # fmt: skip
