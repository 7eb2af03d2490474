"""The views of a video that a test averages over: clips in time × crops in space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import Tensor

from a3d.video.decode import Video, VideoError
from a3d.video.sampling import Sampling, clip_starts
from a3d.video.transforms import crops as cut_crops
from a3d.video.transforms import normalise, short_side

DECODED_SIDE = 512  # twice the largest size tested in the paper: keeps the clips of a 4K video in memory


def decode_views(
    path: str | Path,
    sampling: Sampling,
    clips: int = 10,
    span: tuple[float, float] | None = None,
    opened: Callable[[Path], Video] = Video,
) -> tuple[Tensor, np.ndarray]:
    """Decodes a video once for every configuration: `clips` clips, evenly over its length; one is centred.

    span: the seconds to keep to, as in `room`; opened: what opens the path.

    Returns frames, uint8 (clips, T, H, W, 3), the short side at most 512 or twice S; and their times, float64
    (clips, T), seconds from the start of the video. Raises VideoError.
    """
    video = opened(path)
    wanted = sampling.span(video.frame_rate)
    begin, length = room(video, wanted, span)
    starts = begin + clip_starts(length, wanted, clips)
    indices = np.stack([sampling.window(video.times, video.frame_rate, start) for start in starts])
    frames = video.read(indices.ravel(), decoded_side(sampling))
    return frames.unflatten(0, indices.shape), video.times[indices]


def decoded_side(sampling: Sampling) -> int:
    """The short side, in pixels, that larger pictures are brought to before anything else."""
    return max(DECODED_SIDE, 2 * sampling.spatial)


def room(video: Video, wanted: float, span: tuple[float, float] | None = None) -> tuple[float, float]:
    """Where clips of `wanted` seconds are cut from: the begin and the length of a part of the video, in seconds.

    span: start and end of that part, None for the whole video. One that is shorter than a clip is widened around its
    middle, so that (t, t) is the clip centred on t. Raises VideoError for a span that begins after the video's end.
    """
    if span is None:
        return 0.0, video.duration
    begin, end = span[0], min(span[1], video.duration)
    if begin >= video.duration:
        raise VideoError(f"{video.path}: it ends at {video.duration:.2f} s, before {begin:g} s; give the whole video")
    length = max(end - begin, wanted)
    return (begin + end - length) / 2, length


def crop_views(frames: Tensor, sampling: Sampling, crops: int = 1, spatial: int | None = None) -> Tensor:
    """Turn decoded uint8 (clips, T, H, W, 3) to views, float32 (clips · crops, 3, T, S, S), those of a clip together.

    The short side is resized to S = `spatial` (by default the sampling's), then squares are cut: 1 in the centre or 3
    along the longer side.
    """
    return normalise(squares(frames, spatial or sampling.spatial, crops), sampling)


def squares(frames: Tensor, size: int, count: int) -> Tensor:
    """Test crops of uint8 (clips, T, H, W, 3): short side to `size`, `count` squares; (clips · count, T, S, S, 3)."""
    cut = cut_crops(short_side(frames.flatten(0, 1), size), size, count)  # (count, clips · T, S, S, 3)
    return cut.unflatten(1, frames.shape[:2]).transpose(0, 1).flatten(0, 1)


def read_views(
    path: str | Path, sampling: Sampling, clips: int = 10, crops: int = 3, spatial: int | None = None
) -> Tensor:
    """Return the views of a video, float32 (clips · crops, 3, T, S, S), normalised: 30 by default (Sec. 4)."""
    return crop_views(decode_views(path, sampling, clips)[0], sampling, crops, spatial)
