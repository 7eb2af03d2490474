"""A folder of extracted frames, read like a video."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from a3d.video.decode import VideoError
from a3d.video.transforms import short_side as resize_short_side

NUMBERED = re.compile(r"(\d+)\.(jpe?g|png)", re.IGNORECASE)  # the end of a frame's name


class FrameFolder:
    """Pictures `…000001.jpg`, `…000002.jpg`, … read like a `Video`: .path .times .frame_rate .duration .width .height.

    A number missing between others leaves a gap in time, in which the frame before it is shown.
    begin: the time of number 1, seconds. Raises VideoError if there are no pictures.
    """

    def __init__(self, path: str | Path, frame_rate: float, begin: float = 0.0) -> None:
        self.path, self.frame_rate = Path(path), float(frame_rate)
        names = (path.name for path in self.path.iterdir())
        numbered = ((NUMBERED.search(name), name) for name in names if name[0] != ".")
        files = dict(sorted((int(match[1]), os.fsencode(name)) for match, name in numbered if match))
        if not files:
            raise VideoError(f"{self.path}: no frames like {self.path.name}-000001.jpg; extract them or give the video")
        self._files = np.array(list(files.values()))  # bytes: a movie has 27,000 frames, and hundreds are kept open
        self.times = begin + (np.fromiter(files, dtype=np.float64) - 1) / self.frame_rate
        self.duration = float(self.times[-1]) + 1 / self.frame_rate
        self.height, self.width = self._read(0).shape[:2]

    def __len__(self) -> int:
        return len(self.times)

    def read(self, indices: Sequence[int], short_side: int | None = None) -> Tensor:
        """Pictures `indices`, in any order and with repeats, as uint8 (n, H, W, 3); as `Video.read`."""
        wanted = [int(index) for index in indices]
        if not wanted or min(wanted) < 0 or max(wanted) >= len(self):
            raise IndexError(f"{self.path} has frames 0 to {len(self) - 1}, asked for {wanted}")
        pictures = {index: self._read(index, short_side) for index in set(wanted)}
        return torch.stack([pictures[index] for index in wanted])

    def _read(self, index: int, short_side: int | None = None) -> Tensor:
        file = self.path / os.fsdecode(self._files[index])
        try:
            with Image.open(file) as image:
                picture = torch.from_numpy(np.array(image.convert("RGB")))
        except (OSError, SyntaxError):  # the latter is what Pillow says of a broken PNG
            raise VideoError(f"{file}: it is no whole picture; extract it again") from None
        if short_side is not None and min(picture.shape[:2]) > short_side:
            picture = resize_short_side(picture[None], short_side)[0]
        return picture
