"""Read UTF-8 text files, with clear errors for other encodings."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from gensim_envs.errors import FileError
from gensim_envs.utils import files

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(
    path: Path, what: str = "file", root: Path | None = None, limit: int = files.LARGEST
) -> str:
    r"""Return the text of a UTF-8 file, as Python reads its own sources.

    A byte-order mark is dropped, and every line ends with `\n`.

    Args:
        path: the file.
        what: what the file is, for the message of an error: "program", "config".
        root: see `files.read`.
        limit: most bytes of the file.

    Raises:
        FileError: if the file cannot be read, or is not UTF-8; UTF-16 is named as such.
    """
    data = files.read(path, what, root, limit)
    if data.startswith(_UTF_16):
        raise FileError(f"{what} {path} is encoded as UTF-16. Save it as UTF-8")
    try:
        return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()
    except UnicodeDecodeError as error:
        raise FileError(
            f"{what} {path} is not encoded as UTF-8: {error.reason} at byte {error.start}. "
            "Save it as UTF-8"
        ) from error
