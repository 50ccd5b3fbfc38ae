"""The simulator; the only package that imports pybullet."""

import contextlib
import ctypes
import fcntl
import os
from collections.abc import Iterator
from typing import NoReturn, SupportsIndex


@contextlib.contextmanager
def quiet(*descriptors: int) -> Iterator[None]:
    """Discard what pybullet prints to these file descriptors; closed ones stay closed."""
    flush = ctypes.CDLL(None).fflush  # C keeps a buffer of its own, which Python cannot flush
    flush(None)
    null = os.open(os.devnull, os.O_WRONLY)
    kept: dict[int, int] = {}
    try:
        for descriptor in descriptors:
            with contextlib.suppress(OSError):  # closed, or just taken by `null`
                # From 3 on, so that a copy does not take the place of a closed standard stream.
                kept[descriptor] = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
                os.dup2(null, descriptor)
        yield
    finally:
        flush(None)
        for descriptor, copy in kept.items():
            if descriptor != null:
                os.dup2(copy, descriptor)
            os.close(copy)
        os.close(null)


class Uncopyable:
    """Refuses `copy`, `pickle` and `cloudpickle`: a copy would share the original's simulator."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be copied or pickled, since it holds a simulator; make "
            "another env with gym.make(env.spec)"
        )


with quiet(2):  # on import it prints when it was built
    import pybullet  # noqa: F401
