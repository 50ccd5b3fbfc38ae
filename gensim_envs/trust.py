"""Which programs run where this machine cannot isolate them: those of the installed library.

They are known by their hash, so that a copy of one is trusted as it is. Imports only the standard
library, since each `import gensim_envs` fills the list.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

VARIABLE = "GENSIM_WEAK_SANDBOX"
"""Environment variable: a library whose programs run without isolation too."""

_installed: set[str] = set()


def install(digests: Iterable[str]) -> None:
    """Trust programs, given their sha256 in hexadecimal digits."""
    _installed.update(digests)


def is_installed(source: str) -> bool:
    """Whether a program is one of the installed library."""
    return hashlib.sha256(source.encode()).hexdigest() in _installed


def is_weak(library: Path) -> bool:
    """Whether the user has asked, in the environment, for the weak mode of a library."""
    named = os.environ.get(VARIABLE)
    # Unlike Path.resolve, this does not fail for a loop of links.
    return bool(named) and _real(named or "") == _real(library)


def _real(path: str | Path) -> str:
    return os.path.realpath(os.path.expanduser(path))
