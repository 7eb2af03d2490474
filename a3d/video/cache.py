"""Decoded frames on disk, so that training on a small set does not decode every clip every epoch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a3d.errors import InputError
from a3d.files import remove_leftovers, replace
from a3d.video.decode import Video, VideoError


class FrameCache:
    """Keeps clips decoded once in `folder`: every `step`-th frame, the short side at most `short_side` pixels.

    A clip whose size or time of change differs is decoded anew, and so is one whose frames here are damaged. An hour of
    video at 25 frames a second, step 2 and 128 × 170 takes 2.9 GB. `a3d.datasets.training_clips.frame_cache` chooses
    step and side for a training run.

    opened: what opens a path that is not in the cache. Folders of frames are left as they are.
    """

    def __init__(
        self, folder: str | Path, step: int = 2, short_side: int = 128, opened: Callable[[Path], Video] = Video
    ) -> None:
        self.folder, self.step, self.short_side, self.opened = Path(folder), step, short_side, opened
        remove_leftovers(folder)

    def open(self, path: str | Path) -> Video | CachedVideo:
        """As `opened`, from the cache; raises VideoError the same."""
        path = Path(path)
        if path.is_dir():
            return self.opened(path)
        if not path.is_file():
            raise VideoError(f"{path}: no such file; check the path")
        status = path.stat()
        key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{self.step}|{self.short_side}"
        stem = self.folder / f"{path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        try:
            return CachedVideo(path, stem)
        except (OSError, EOFError, ValueError, KeyError, TypeError):  # not here yet, or damaged
            self._store(path, stem)
        return CachedVideo(path, stem)

    def _store(self, path: Path, stem: Path) -> None:
        video = self.opened(path)
        kept = range(0, len(video), self.step)
        frames = video.read(kept, self.short_side).numpy()
        about = {"frame_rate": video.frame_rate, "duration": video.duration, "times": video.times[kept].tolist()}

        def save(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.save(file, frames)

        replace(stem.with_name(stem.name + ".npy"), save)
        text = json.dumps(about)  # last: its presence says that the frames are whole
        replace(stem.with_name(stem.name + ".json"), lambda temporary: temporary.write_text(text))


class CachedVideo:
    """The kept frames of a clip, read like a `Video`: .path .times .frame_rate .duration .width .height .read."""

    def __init__(self, path: Path, stem: Path) -> None:
        about = json.loads(stem.with_name(stem.name + ".json").read_text())
        self.path, self.frame_rate, self.duration = path, about["frame_rate"], about["duration"]
        self.times = np.array(about["times"])
        self._frames = np.load(stem.with_name(stem.name + ".npy"), mmap_mode="r")
        if self._frames.dtype != np.uint8 or self._frames.ndim != 4 or len(self._frames) != len(self.times):
            raise InputError("frames and times differ")
        self.height, self.width = self._frames.shape[1:3]

    def __len__(self) -> int:
        return len(self.times)

    def read(self, indices: Sequence[int]) -> Tensor:
        """Return kept frames `indices` as uint8 (n, H, W, 3)."""
        return torch.from_numpy(self._frames[np.asarray(indices, dtype=np.int64)])
