"""Write videos with the ffmpeg of imageio-ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensim_envs.utils import files, scratch


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: int) -> None:
    """Write an H.264 video.

    Args:
        path: of the .mp4 file, replaced if it exists.
        frames: at least one of (height, width, 3), all of one size.
        fps: frames a second.

    Raises:
        ModuleNotFoundError: if imageio-ffmpeg is missing.
        FileError: if the file cannot be written.
        OSError: if ffmpeg fails.
    """
    import imageio_ffmpeg  # an optional dependency

    pictures = iter(frames)
    first = next(pictures)
    height, width, _ = first.shape
    with scratch.temporary() as folder:  # ffmpeg would follow links
        made = folder / "video.mp4"
        writer = imageio_ffmpeg.write_frames(
            str(made), (width, height), fps=fps, macro_block_size=1
        )
        writer.send(None)
        for frame in (first, *pictures):
            writer.send(np.ascontiguousarray(frame))
        writer.close()
        if not made.exists():  # ffmpeg has printed the reason
            raise OSError(f"ffmpeg could not write {path}")
        files.write(path, made.read_bytes())
