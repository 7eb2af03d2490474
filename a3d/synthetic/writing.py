"""Synthetic clips as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from a3d.synthetic.clip import ACTIONS, Clip, render
from a3d.video.encode import write_video
from a3d.video.masks import EVERY, mask_name, read_masks, write_masks


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
    masks: bool = False,
) -> list[Path]:
    """Writes per_class clips of each action, as folder/train/CLASS/SEED.mp4 and folder/val/CLASS/SEED.mp4.

    validation: share of the clips of each class, the last seeds, that go to val. seconds: range of the clips' lengths.
    masks: write folder/masks.npz too, where the performers are, as `a3d train` and `a3d evaluate` take it.
    Files that exist are kept, so that an interrupted run goes on where it stopped. Returns all paths.
    """
    folder, held, paths = Path(folder), round(per_class * validation), []
    known = read_masks(folder / "masks.npz") if masks and (folder / "masks.npz").exists() else {}
    for seed in range(first_seed, first_seed + per_class):
        split = "val" if seed >= first_seed + per_class - held else "train"
        length = float(np.random.default_rng(seed).uniform(*seconds))
        before = len(known)
        for action in actions:
            path = folder / split / action / f"{seed:05d}.mp4"
            paths.append(path)
            if path.exists() and (not masks or mask_name(path) in known):
                continue
            clip = render(action, seed, seconds=length, frame_rate=frame_rate, size=size)
            if not path.exists():
                write(clip, path)
            known[mask_name(path)] = clip.bodies[::EVERY].astype(np.uint8) * 255
        if masks and len(known) > before:
            write_masks(folder / "masks.npz", known)
    return paths
