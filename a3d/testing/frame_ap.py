"""AVA's frame AP at IoU 0.5, by the rules of the official evaluation.

Class by class and frame by frame, a detection belongs to the annotated box that it overlaps most, and is right if the
two share at least half of their union and no detection before it in the file was right about that box: what detects a
person twice should name the better detection first. AP is then the area under precision over recall, detections of all
frames from the highest score down, each precision raised to the best at a higher recall; of equal scores the later
comes first.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable

import numpy as np

from a3d.datasets.ava import ActionBox, Key
from a3d.testing.average_precision import centred_interval

OVERLAP = 0.5  # intersection over union


def frame_ap(
    truth: Iterable[ActionBox],
    detections: Iterable[ActionBox],
    classes: Collection[int],
    excluded: Collection[Key] = (),
) -> dict[int, float | None]:
    """AP of every class, 0..1; None for a class that is nowhere in `truth`, which a mean leaves out.

    excluded: movies and seconds that do not count, in either. Both are read once, so generators will do.
    """
    frames: dict[Key, int] = {}  # numbered in the order of the detections
    found = _columns(detections, classes, excluded, frames)
    wanted = _columns(truth, classes, excluded, frames)
    return {action: _class_ap(found[action], wanted[action]) if len(wanted[action]) else None for action in classes}


def mean_ap(aps: dict[int, float | None]) -> float:
    """Mean over the classes that have one; NaN if none has."""
    known = [ap for ap in aps.values() if ap is not None]
    return float(np.mean(known)) if known else float("nan")


def frame_ap_interval(
    truth: Iterable[ActionBox],
    detections: Iterable[ActionBox],
    classes: Collection[int],
    excluded: Collection[Key] = (),
    draws: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """95% interval of the mean AP over frames: lower and upper end, 0..1; NaN if nothing is annotated.

    From that many draws of as many frames as there are, with repeats; a class that no frame of a draw annotates is left
    out of its mean.
    """
    frames: dict[Key, int] = {}
    found = _columns(detections, classes, excluded, frames)
    wanted = _columns(truth, classes, excluded, frames)
    if not frames:
        return float("nan"), float("nan")
    counts = np.random.default_rng(seed).multinomial(len(frames), np.full(len(frames), 1 / len(frames)), draws)
    counts = np.concatenate([np.ones_like(counts[:1]), counts])  # the first is what was measured
    drawn = np.stack([_drawn_aps(found[action], wanted[action], counts) for action in classes])  # (classes, 1 + draws)
    there = ~np.isnan(drawn)
    if not there[:, 0].any():
        return float("nan"), float("nan")
    means = np.where(there, drawn, 0).sum(0)[there.any(0)] / there.sum(0)[there.any(0)]
    return centred_interval(means[0], means[1:], 1.0)


def _drawn_aps(found: np.ndarray, truth: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """AP of a class where frame n is there counts[:, n] times, (draws,); NaN where nothing is annotated."""
    found, right = _ranked(found, truth)
    total = counts[:, truth[:, 0].astype(int)].sum(1)
    aps = np.full(len(counts), np.nan)
    for draw in np.flatnonzero(total):
        times = counts[draw, found[:, 0].astype(int)]
        aps[draw] = _area(np.cumsum(times * right), np.cumsum(times), total[draw])
    return aps


def _columns(
    boxes: Iterable[ActionBox], classes: Collection[int], excluded: Collection[Key], frames: dict[Key, int]
) -> dict[int, np.ndarray]:
    """Of every class the boxes as rows (n, 6), frame by frame: number of the frame, x1, y1, x2, y2, score."""
    values = {action: array("d") for action in classes}
    for box in boxes:
        if box.action in values and box.key not in excluded:
            values[box.action].extend((frames.setdefault(box.key, len(frames)), *box.box, box.score))
    rows = {action: np.array(numbers, dtype=np.float64).reshape(-1, 6) for action, numbers in values.items()}
    return {action: part[np.argsort(part[:, 0], kind="stable")] for action, part in rows.items()}


def _class_ap(found: np.ndarray, truth: np.ndarray) -> float:
    """AP of a class from rows of `_columns`."""
    _, right = _ranked(found, truth)
    return _area(np.cumsum(right), np.arange(1, len(right) + 1), len(truth))


def _ranked(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Detections from the highest score down, and which are right. Those without area do not count."""
    found = found[(found[:, 1] < found[:, 3]) & (found[:, 2] < found[:, 4])]
    order = np.argsort(found[:, 5], kind="stable")[::-1]
    return found[order], _right(found, truth)[order]


def _area(right: np.ndarray, seen: np.ndarray, total: int) -> float:
    """Under precision over recall, from how many detections of so many are right, the highest score first."""
    precision = np.maximum.accumulate((right / np.maximum(seen, 1))[::-1])[::-1]
    return float(np.sum(np.diff(right / total, prepend=0.0) * precision))


def _right(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Which detections are right: bool (n,)."""
    right = np.zeros(len(found), dtype=bool)
    for frame in np.unique(truth[:, 0]):
        part, boxes = (slice(*np.searchsorted(rows[:, 0], (frame, frame + 1))) for rows in (found, truth))
        right[part] = _first_matches(_overlaps(found[part, 1:5], truth[boxes, 1:5]))
    return right


def _first_matches(overlaps: np.ndarray) -> np.ndarray:
    """Of detections and annotated boxes (n, m), the first detection that matches each box: bool (n,)."""
    nearest = overlaps.argmax(1)
    enough = np.flatnonzero(overlaps[np.arange(len(overlaps)), nearest] >= OVERLAP)
    firsts = np.unique(nearest[enough], return_index=True)[1]
    matches = np.zeros(len(overlaps), dtype=bool)
    matches[enough[firsts]] = True
    return matches


def _overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair, (n, m)."""
    low, high = np.maximum(boxes[:, None, :2], others[:, :2]), np.minimum(boxes[:, None, 2:], others[:, 2:])
    both = (high - low).clip(0).prod(2)
    areas = [(part[:, 2] - part[:, 0]) * (part[:, 3] - part[:, 1]) for part in (boxes, others)]
    return both / (areas[0][:, None] + areas[1] - both)
