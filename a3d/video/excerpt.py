"""A part of a video as a file that every browser plays, whatever it was before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from a3d.video.decode import Video
from a3d.video.encode import write_video
from a3d.video.transforms import short_side as to_short_side

FASTEST = 60.0  # frames a second
SHORT_SIDE = 720  # pixels


def write_excerpt(
    source: str | Path, path: str | Path, start: float, end: float, short_side: int = SHORT_SIDE
) -> tuple[int, int]:
    """Write the seconds from `start` to `end` of a video as H.264, at its own rate; return width and height, pixels.

    Larger pictures are brought to `short_side`, and lose one line or column of an odd size. Beyond the last frame
    nothing is written. Raises VideoError for a file without pictures.
    """
    video = Video(source)
    rate = min(video.frame_rate, FASTEST)
    count = max(1, round((min(end, video.duration) - start) * rate))
    moments = start + np.arange(count) / rate
    numbers = np.searchsorted(video.times, moments + 0.25 / rate, side="right") - 1
    sizes: list[tuple[int, int]] = []
    write_video(path, _even(_shown(video, numbers.clip(0)), short_side, sizes), rate)
    return sizes[0]


def _shown(video: Video, numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The frames at ascending numbers that may repeat."""
    wanted, repeats = np.unique(numbers, return_counts=True)
    for picture, times in zip(video.pictures(wanted), repeats, strict=True):
        yield from [picture] * int(times)


def _even(pictures: Iterator[np.ndarray], short_side: int, sizes: list[tuple[int, int]]) -> Iterator[np.ndarray]:
    for picture in pictures:
        if min(picture.shape[:2]) > short_side:
            picture = to_short_side(torch.from_numpy(picture)[None], short_side)[0].numpy()
        height, width = (side + (1 if side == 1 else -(side % 2)) for side in picture.shape[:2])
        sizes.append((width, height))
        yield np.pad(picture, ((0, 1), (0, 1), (0, 0)), "edge")[:height, :width]
