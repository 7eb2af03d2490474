"""Clips on their way to a test, each file decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from a3d import parallel
from a3d.datasets import Item
from a3d.video import Sampling, Video, VideoError, decode_views

AT_ONCE = 8  # times as many clips stay decoded as run at once, so that each sub-network is extracted less often


class Clips:
    """Brings items to the network, each decoded once. .opened, .decoded: how many so far; .broken: the others."""

    def __init__(
        self,
        items: Sequence[Item],
        sampling: Sampling,
        views: tuple[int, int] = (1, 1),
        opened: Callable[[Path], Video] = Video,
    ) -> None:
        self.items, self.sampling, self.views, self.open = items, sampling, views, opened
        self.opened, self.decoded = 0, 0
        self.broken: list[str] = []

    def skip(self, opened: int, decoded: int, broken: Sequence[str]) -> None:
        """Go on after so many items, of which that is known."""
        self.opened, self.decoded, self.broken = opened, decoded, list(broken)

    def batches(self, size: int) -> Iterator[tuple[list[int], list[Tensor]]]:
        """Yield numbers and frames, uint8 (clips, T, H, W, 3), of up to `size` readable files at a time."""
        numbers: list[int] = []
        frames: list[Tensor] = []
        for number in range(self.opened, len(self.items)):
            item = self.items[number]
            self.opened += 1
            try:
                frames.append(decode_views(item.path, self.sampling, self.views[0], item.span, self.open)[0])
                numbers.append(number)
                self.decoded += 1
            except VideoError as error:
                self.broken.append(str(error))
            if len(frames) == size:
                yield numbers, frames
                numbers, frames = [], []
        if frames:
            yield numbers, frames

    def gather(self) -> None:
        """From now on .decoded and .broken are those of all processes."""
        self.decoded = int(parallel.all_reduce(torch.tensor(self.decoded)))
        self.broken = parallel.gather_objects(self.broken)
