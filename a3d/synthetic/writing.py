"""Synthetic clips as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from a3d.synthetic.clip import ACTIONS, Clip, render
from a3d.video.encode import write_video


def write(clip: Clip, path: str | Path) -> Path:
    """Encodes a clip's frames as H.264 (yuv420p, MP4) under a temporary name, renamed when whole; returns the path."""
    return write_video(path, clip.frames, clip.frame_rate)


def write_dataset(
    folder: str | Path,
    per_class: int,
    validation: float = 0.2,
    *,
    actions: Sequence[str] = ACTIONS,
    first_seed: int = 0,
    seconds: tuple[float, float] = (3.0, 6.0),
    frame_rate: float = 25,
    size: tuple[int, int] = (170, 128),
) -> list[Path]:
    """Writes per_class clips of each action, as folder/train/CLASS/SEED.mp4 and folder/val/CLASS/SEED.mp4.

    validation: share of the clips of each class, the last seeds, that go to val. seconds: range of the clips' lengths.
    Files that exist are kept, so that an interrupted run goes on where it stopped. Returns all paths.
    """
    held = round(per_class * validation)
    paths = []
    for seed in range(first_seed, first_seed + per_class):
        split = "val" if seed >= first_seed + per_class - held else "train"
        length = float(np.random.default_rng(seed).uniform(*seconds))
        for action in actions:
            path = Path(folder) / split / action / f"{seed:05d}.mp4"
            if not path.exists():
                write(render(action, seed, seconds=length, frame_rate=frame_rate, size=size), path)
            paths.append(path)
    return paths
