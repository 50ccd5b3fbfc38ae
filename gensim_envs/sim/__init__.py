"""How tasks are simulated; the only package that imports pybullet."""

import os


def _load_quietly() -> None:
    """Import pybullet without the line on stderr by which it tells when it was built."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import pybullet  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


_load_quietly()
