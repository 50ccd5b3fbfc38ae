"""Write videos with the ffmpeg of imageio-ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: int) -> None:
    """Write an H.264 video.

    Args:
        path: of the .mp4 file, replaced if it exists.
        frames: at least one of (height, width, 3), all of one size.
        fps: frames a second.

    Raises:
        ModuleNotFoundError: if imageio-ffmpeg is missing.
        OSError: if the file cannot be written.
    """
    import imageio_ffmpeg  # an optional dependency

    pictures = iter(frames)
    first = next(pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")  # fails at once if the file cannot be written
    height, width, _ = first.shape
    writer = imageio_ffmpeg.write_frames(str(path), (width, height), fps=fps, macro_block_size=1)
    writer.send(None)
    for frame in (first, *pictures):
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    if not path.stat().st_size:  # ffmpeg has printed the reason
        raise OSError(f"ffmpeg could not write {path}")
