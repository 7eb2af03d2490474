"""A video as tensors.

A video is indexed once by reading its packets (a millisecond for a short clip); from then on a frame is asked for by
its number. Numbers follow display order and every frame has its time, so nothing downstream needs a constant frame
rate, a declared length or a first timestamp of zero.

Larger pictures are shrunk one by one after conversion, by the same filter as everywhere (`a3d.video.transforms`): to
convert and scale in one call of swscale takes longer, and gives other pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a3d.video import transforms
from a3d.video.container import VideoError as VideoError
from a3d.video.container import opened
from a3d.video.reader import Reader


class Video(Reader):
    """A file's frames by number, in display order, upright and with square pixels; see `Reader`."""

    def read(self, indices: Sequence[int], short_side: int | None = None) -> Tensor:
        """Frames `indices`, in any order and with repeats, as uint8 (n, H, W, 3), RGB and upright.

        Only these are converted. A frame that does not decode is replaced by the latest before it that was decoded,
        much as a player does. With `short_side`, larger pictures are resized one by one as they are decoded, so that
        a minute of 4K fits in memory.
        Raises IndexError for a number that is not in the video, VideoError if nothing decodes or the frames take more
        memory than the limit.
        """
        wanted, places = np.unique(np.asarray(indices, dtype=np.int64), return_inverse=True)
        self._check_memory(len(places), short_side)
        pictures = list(self.shrunk(wanted, short_side))
        # NumPy copies on this thread: on a busy machine PyTorch's others come late, by more than the copy takes.
        return torch.from_numpy(np.stack([pictures[place] for place in places]))

    def shrunk(self, numbers: Sequence[int], short_side: int | None = None) -> Iterator[np.ndarray]:
        """Yield the frames of the ascending `numbers` one by one, uint8 (H, W, 3), larger ones resized as in `read`.

        Raises VideoError if nothing decodes.
        """
        return (_shrunk(picture, short_side) for picture in self.pictures(numbers))

    def _check_memory(self, count: int, short_side: int | None) -> None:
        scale = min(1.0, (short_side or min(self.width, self.height)) / min(self.width, self.height))
        size = count * 3 * self.width * self.height * scale * scale
        if size > self.limits.memory:
            raise VideoError(
                f"{self.path}: {count} frames take {size / 1e9:.1f} GB, more than {self.limits.memory / 1e9:.1f}; "
                f"read fewer, or smaller ones by short_side"
            )


def _shrunk(picture: np.ndarray, short_side: int | None) -> np.ndarray:
    if short_side is None or min(picture.shape[:2]) <= short_side:
        return picture
    return transforms.short_side(torch.from_numpy(picture)[None], short_side)[0].numpy()


def header_duration(path: str | Path) -> float | None:
    """Seconds as the file itself says, without reading a frame; None if it does not say.

    Raises VideoError for what is no video.
    """
    with opened(Path(path)) as file:
        if file.stream.duration:
            return float(file.stream.duration * file.stream.time_base)
        return file.container.duration / 1_000_000 if file.container.duration else None
