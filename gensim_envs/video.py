"""Frames -> a video file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: int) -> None:
    """Write an H.264 video with the ffmpeg that imageio-ffmpeg carries.

    Args:
        path: of the .mp4 file, replaced if it exists.
        frames: (height, width, 3) each, all of one size.
        fps: frames a second.

    Raises:
        RuntimeError: where imageio-ffmpeg is missing, or there are no frames.
        OSError: where the file cannot be written.
    """
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError as error:
        raise RuntimeError(
            'videos need imageio-ffmpeg: pip install "gensim-envs[video]"'
        ) from error
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise RuntimeError("there are no frames to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")  # says at once, and plainly, where a file cannot be written
    height, width, _ = first.shape
    writer = imageio_ffmpeg.write_frames(str(path), (width, height), fps=fps, macro_block_size=1)
    writer.send(None)
    for frame in (first, *pictures):
        writer.send(np.ascontiguousarray(frame))
    writer.close()
