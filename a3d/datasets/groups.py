"""Clips of one scene on both sides of a split: what is tested was then learnt, and the accuracy is too good.

A random split of UCF101 reads 96% where the official one, by groups, reads 45%.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from a3d.datasets.items import ClipSet
from a3d.video.decode import VideoError
from a3d.video.transforms import resize

# What is before a clip's own number: UCF101's groups, the video that a trimmed clip of Kinetics is cut from.
GROUPS = (re.compile(r"(.+_g\d+)_c\d+"), re.compile(r"(.{11})_\d{6}_\d{6}"))
SIDE = 16  # of the small grey picture whose steps from left to right are compared
ALIKE = 0.15  # share of the steps in which near duplicates may differ
FLAT = 4.0  # grey levels of deviation, below which a picture has nothing to be known by


def crossing_groups(training: ClipSet, testing: ClipSet) -> list[str]:
    """The groups, by the names of files, that have clips on both sides, sorted."""
    first, second = ({group(item.path) for item in clips.items} - {None} for clips in (training, testing))
    return sorted(first & second)


def group(path: Path) -> str | None:
    """The group that a clip's name tells, None if it tells none."""
    found = [match[1] for pattern in GROUPS if (match := pattern.fullmatch(path.stem))]
    return found[0] if found else None


def warning(training: ClipSet, testing: ClipSet) -> str | None:
    """One line for clips of one group on both sides, None where there are none."""
    groups = crossing_groups(training, testing)
    if not groups:
        return None
    return (
        f"warning: {len(groups)} groups have clips to learn from and clips to test on, {groups[0]} for one: "
        f"the accuracy will be too good; keep the clips of a group on one side"
    )


def near_duplicates(training: ClipSet, testing: ClipSet) -> Iterator[tuple[Path, Path]]:
    """Clips to test on whose middle frame looks like that of a clip to learn from, with the most similar such clip."""
    paths, prints = _fingerprints(training)
    for path, own in zip(*_fingerprints(testing), strict=True):
        differences = (prints != own).mean((1, 2)) if len(prints) else np.ones(1)
        if differences.min() <= ALIKE:
            yield path, paths[int(differences.argmin())]


def _fingerprints(clips: ClipSet) -> tuple[list[Path], np.ndarray]:
    """The files that can be told apart, and of each bool (SIDE, SIDE): whether it is brighter to the right."""
    kept, found = [], []
    for path in dict.fromkeys(item.path for item in clips.items):
        try:
            video = clips.open(path)
            picture = video.read([len(video) // 2])
        except VideoError:
            continue  # which `verify` reports by itself
        grey = resize(picture, SIDE, SIDE + 1)[0].to(torch.float32).mean(2).numpy()
        if grey.std() >= FLAT:
            kept.append(path)
            found.append(grey[:, 1:] > grey[:, :-1])
    return kept, np.array(found, dtype=bool).reshape(-1, SIDE, SIDE)
