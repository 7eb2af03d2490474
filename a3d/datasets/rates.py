"""How many frames a second the videos of a data set have: what a stride in frames means in seconds."""

from __future__ import annotations

import statistics

import numpy as np

from a3d.datasets.items import ClipSet
from a3d.video.decode import VideoError

OPENED = 64  # files, evenly over the data set: their packets are read, which takes milliseconds each


def median_rate(dataset: ClipSet) -> float | None:
    """Frames a second, the median over a sample of the files, to whole numbers where it is one; None if none opens."""
    paths = list(dict.fromkeys(item.path for item in dataset.items))
    chosen = np.unique(np.linspace(0, len(paths) - 1, min(OPENED, len(paths))).round().astype(int)) if paths else ()
    rates = []
    for number in chosen:
        try:
            rates.append(dataset.open(paths[number]).frame_rate)
        except VideoError:
            continue  # training reports it by itself
    if not rates:
        return None
    median = statistics.median_low(rates)
    return float(round(median)) if abs(median - round(median)) < 1e-3 else median
