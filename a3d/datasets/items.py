"""What every data set is made of: items, their classes, and how an item's file is opened."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from a3d.errors import A3DError
from a3d.video.decode import Video, header_duration

Span = tuple[float, float]  # start and end, in seconds
BoxShares = tuple[float, float, float, float]  # x1, y1, x2, y2 as shares 0..1 of the width and height of the picture

FOREIGN = -1  # the label of a clip that shows none of the classes, which only training takes


class DatasetError(A3DError, ValueError):
    """A data set that cannot be read; one line: the place, the cause, the remedy."""


class Item(NamedTuple):
    """One thing to learn from or to test on.

    path: a video, or a folder of its frames.
    label: a class, or FOREIGN; several for task "multilabel"; those of each box, a tuple of tuples, for "detection".
    span: the seconds of the file that it is about, None for all of it; (t, t) is a clip centred on t.
    boxes: of people, for "detection".
    times: when each of several labels holds; empty: all the time.
    """

    path: Path
    label: int | tuple[int, ...] | tuple[tuple[int, ...], ...]
    span: Span | None = None
    boxes: tuple[BoxShares, ...] = ()
    times: tuple[Span, ...] = ()


class ClipSet:
    """Items, class names and what the labels mean. No file is opened to make one.

    .task: "classification", "multilabel" or "detection", as of `Architecture.task`
    .missing: names of what is annotated but not there
    .lengths: seconds at which a file ends by its annotation, where that says so
    """

    task = "classification"
    items: list[Item]
    classes: tuple[str, ...]
    missing: tuple[str, ...] = ()
    lengths: Mapping[Path, float] = MappingProxyType({})

    def __len__(self) -> int:
        return len(self.items)

    def open(self, path: Path) -> Video:
        """Return the frames of an item by number, and their times. Raises VideoError."""
        return Video(path)

    def duration(self, path: Path) -> float:
        """Seconds at which a file ends, by its header if that says so. Raises VideoError."""
        if path.is_dir():
            return self.open(path).duration
        return header_duration(path) or Video(path).duration


def fingerprint(dataset: ClipSet) -> str:
    """Return 12 hexadecimal digits that tell data sets apart: classes, and every item's path, labels, span and boxes.

    Paths count from the folder that holds all of them, so that a data set may be moved. No file is read.
    """
    paths = [Path(os.path.normpath(item.path.absolute())) for item in dataset.items]
    root = os.path.commonpath([path.parent for path in paths]) if paths else ""
    digest = hashlib.sha256(repr((dataset.task, tuple(dataset.classes))).encode())
    for path, item in zip(paths, dataset.items, strict=True):
        digest.update(repr((str(path.relative_to(root)), *item[1:])).encode(errors="surrogateescape"))
    return digest.hexdigest()[:12]


def seen_labels(item: Item, span: Span) -> list[int]:
    """The labels of an item that hold at some moment of `span`: all of them, if it does not say when."""
    times = item.times or (span,) * len(item.label)
    return [label for label, (start, end) in zip(item.label, times, strict=True) if start <= span[1] and end >= span[0]]
