"""How tasks are simulated; the only package that imports pybullet."""

import contextlib
import ctypes
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet(*descriptors: int) -> Iterator[None]:
    """Send what pybullet prints to these file descriptors nowhere, for the time being."""
    flush = ctypes.CDLL(None).fflush  # C keeps a buffer of its own, which Python cannot flush
    flush(None)
    kept = [os.dup(descriptor) for descriptor in descriptors]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in descriptors:
            os.dup2(nowhere, descriptor)
        yield
    finally:
        flush(None)
        for copy, descriptor in zip(kept, descriptors, strict=True):
            os.dup2(copy, descriptor)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)


with quiet(2):  # on import it tells when it was built
    import pybullet  # noqa: F401
