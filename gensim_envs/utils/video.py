"""Write videos with the ffmpeg of imageio-ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: int) -> None:
    """Write an H.264 video.

    Args:
        path: of the .mp4 file, replaced if it exists.
        frames: (height, width, 3) each, all of one size.
        fps: frames a second.

    Raises:
        RuntimeError: if imageio-ffmpeg is missing, or there are no frames.
        OSError: if the file cannot be written.
    """
    write_frames = encoder().write_frames
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise RuntimeError("there are no frames to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")  # fails at once if the file cannot be written
    height, width, _ = first.shape
    writer = write_frames(str(path), (width, height), fps=fps, macro_block_size=1)
    writer.send(None)
    for frame in (first, *pictures):
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    if not path.stat().st_size:  # ffmpeg has printed the reason
        raise OSError(f"ffmpeg could not write {path}")


def encoder() -> Any:
    """The package imageio_ffmpeg.

    Raises:
        RuntimeError: if it is missing.
    """
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError as error:
        raise RuntimeError(
            'videos need imageio-ffmpeg: pip install "gensim-envs[video]"'
        ) from error
    return imageio_ffmpeg
