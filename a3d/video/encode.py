"""From frames to a file that every browser plays: H.264, yuv420p, in an MP4."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from a3d.errors import InputError
from a3d.files import remove_leftovers, temporary_name


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    frame_rate: float,
    quality: int = 20,
    keyframes: int | None = None,
) -> Path:
    """Writes frames uint8 (H, W, 3) RGB, all of one size with even sides; returns the path.

    quality: the constant rate factor of x264, 0 (lossless) to 51, 20 is good. keyframes: frames from one keyframe to
    the next, by default where x264 likes them, 250 at most. Folders are made as needed; the file appears under its name
    only when it is whole. Raises ValueError for odd sides or no frames.
    """
    return write_whole(path, lambda unfinished: _encode(unfinished, frames, frame_rate, _options(quality, keyframes)))


def write_whole(path: str | Path, encode: Callable[[Path], object]) -> Path:
    """Call `encode` with a temporary name beside `path`, then rename; return the path. An OSError names the file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = temporary_name(path)
    remove_leftovers(path.parent)
    try:
        encode(unfinished)
        unfinished.replace(path)
    except av.FFmpegError as error:  # which names no file
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _encode(path: Path, frames: Iterable[np.ndarray], frame_rate: float, options: dict[str, str]) -> None:
    stream = None
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        for frame in frames:
            stream = stream or _stream(container, frame, frame_rate, options)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        if stream is None:
            raise InputError("no frames to write: a video needs at least one")
        container.mux(stream.encode())


def _stream(container: av.container.OutputContainer, frame: np.ndarray, frame_rate: float, options: dict[str, str]):
    height, width = frame.shape[:2]
    if width % 2 or height % 2:
        raise InputError(f"frames of {width}x{height}: yuv420p needs even sides; crop or resize by one pixel")
    rate = Fraction(frame_rate).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    return stream


def _options(quality: int, keyframes: int | None) -> dict[str, str]:
    # Without macroblock trees, the same frames give the same file: with them, x264 drifts from call to call.
    options = {"crf": str(quality), "preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}
    if keyframes is not None:
        options |= {"g": str(keyframes), "sc_threshold": "0"}
    return options
