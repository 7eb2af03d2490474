"""The clips that a network is quantised on: some of those that it was calibrated on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor

from a3d.datasets import ClipSet, read_dataset
from a3d.engines.runtime import EngineError
from a3d.video import Sampling, VideoError, crop_views, decode_views

CLIPS = 32  # as many as ranges of values need; more changed no answer


class CalibrationClips:
    """At most 32 clips, evenly over a data set; each is decoded once, when it is first asked for."""

    def __init__(self, dataset: ClipSet, sampling: Sampling) -> None:
        self.dataset, self.sampling = dataset, sampling
        self._frames: list[Tensor] = []

    @classmethod
    def read(cls, source: str | Path, sampling: Sampling) -> CalibrationClips:
        """Those of a folder (its train/, if it has one) or a list. Raises DatasetError."""
        split = "train" if (Path(source) / "train").is_dir() else None
        return cls(read_dataset(source, split=split, labelled=False), sampling)

    def at(self, side: int) -> list[Tensor]:
        """Return the clips, (1, 3, T, side, side), normalised. Raises EngineError if none can be read."""
        return [crop_views(frames, self.sampling, 1, side) for frames in self.frames()]

    def frames(self) -> list[Tensor]:
        """Return the clips as they were decoded, uint8 (1, T, H, W, 3). Raises EngineError if none can be read."""
        if not self._frames:
            self._decode()
        return self._frames

    def _decode(self) -> None:
        items, broken = self.dataset.items, []
        count = min(CLIPS, len(items))
        for item in (items[i * len(items) // count] for i in range(count)):
            try:
                self._frames.append(decode_views(item.path, self.sampling, 1, item.span, self.dataset.open)[0])
            except VideoError as error:
                broken.append(str(error))
        if not self._frames:
            raise EngineError(f"none of the {count} clips to quantise on can be read; {' '.join(broken[:1])}")


def named_clips(provenance: Mapping[str, Any]) -> Path | None:
    """Return the data that a checkpoint was trained on, by the command that it keeps, where it is still there."""
    words = shlex.split(str(provenance.get("command", "")))
    named = [Path(after) for word, after in pairwise(words) if word == "--data"]
    return named[0] if named and named[0].exists() else None
