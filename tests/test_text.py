"""Reading files that users wrote."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from gensim_envs.errors import FileError
from gensim_envs.utils.text import read_text

TEXT = "class Tiny:\n    name = 'é'\n"


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_text_is_read_as_python_reads_it(tmp_path: Path, mark: bytes, line_end: str) -> None:
    path = tmp_path / "tiny.py"
    path.write_bytes(mark + TEXT.replace("\n", line_end).encode())
    assert read_text(path) == TEXT


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (TEXT.encode("utf-16"), "is encoded as UTF-16. Save it as UTF-8"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "is encoded as UTF-16"),
        (TEXT.encode("latin-1"), "is not encoded as UTF-8: .*at byte"),
    ],
)
def test_another_encoding_is_an_error(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "tiny.py"
    path.write_bytes(data)
    with pytest.raises(FileError, match=rf"^program .*tiny\.py {problem}"):
        read_text(path, "program")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^file .*tiny\.py cannot be read: No such file"):
        read_text(tmp_path / "tiny.py")
