"""Charades from its official CSV files: 157 classes, several of them in every video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from a3d.datasets.annotations import check_unique, find_videos, number, records
from a3d.datasets.items import ClipSet, DatasetError, Item, Span
from a3d.video.decode import Video
from a3d.video.frames import FrameFolder

COLUMNS = ("id", "actions", "length")
CLASSES = 157
FRAME_RATE = 24.0  # of the frames that the authors offer
LATE = 2.0  # seconds: the official files round ends up, to as much as 1.6 s after the end of the video


class Charades(ClipSet):
    """The videos of an official CSV file that lie in a folder: `ID.mp4`, or folders of frames `ID/ID-000001.jpg`.

    A label is the tuple of all the actions of a video, which is what a test asks for; `.times` of an item says when
    each of them is seen, so that training asks for those of its clip alone.

    classes: 157 names; by default the codes c000 to c156. Videos that are not there are in `.missing`.
    Raises DatasetError, with file and line, for a line that cannot be right: an action of no such class, or one that
    ends more than 2 s after the video.
    """

    task = "multilabel"

    def __init__(self, file: str | Path, videos: str | Path, classes: Sequence[str] | None = None) -> None:
        self.classes = tuple(classes or (f"c{number:03}" for number in range(CLASSES)))
        if len(self.classes) != CLASSES:
            raise DatasetError(f"{len(self.classes)} class names: Charades has {CLASSES}; give Charades_v1_classes.txt")
        annotated = _read(Path(file))
        found = find_videos(Path(videos), annotated)
        there = {found[name]: annotation for name, annotation in annotated.items() if name in found}
        self.items = [
            Item(path, tuple(label for label, _ in actions), times=tuple(span for _, span in actions))
            for path, (_, actions) in there.items()
        ]
        self.lengths = {path: length for path, (length, _) in there.items()}
        self.missing = tuple(name for name in annotated if name not in found)
        if not self.items:
            raise DatasetError(f"{videos}: it holds none of the {len(annotated)} videos of {file}; give their folder")

    def open(self, path: Path) -> Video | FrameFolder:
        return FrameFolder(path, FRAME_RATE) if path.is_dir() else Video(path)


def _read(file: Path) -> dict[str, tuple[float, list[tuple[int, Span]]]]:
    """Of every video its length in seconds and its actions, class and seconds."""
    seen: dict[object, str] = {}
    found = {}
    for place, fields in records(file, COLUMNS):
        check_unique(seen, fields["id"], f"id {fields['id']!r}", place)
        length = number(fields["length"], "length", place)
        texts = [text for text in fields["actions"].split(";") if text.strip()]
        found[fields["id"]] = length, [_action(text, length, place) for text in texts]
    return found


def _action(text: str, length: float, place: str) -> tuple[int, Span]:
    """`c092 11.90 21.20` as (92, (11.9, 21.2))."""
    parts = text.split()
    if len(parts) != 3:
        raise DatasetError(f"{place}: action {text.strip()!r} is not `class start end`; mend the line")
    code, start, end = parts
    if not (code[0] == "c" and code[1:].isdecimal() and int(code[1:]) < CLASSES):
        raise DatasetError(f"{place}: class {code!r} is none of c000 to c{CLASSES - 1}; mend the line")
    span = number(start, "start of an action", place), number(end, "end of an action", place)
    if span[1] < span[0]:
        raise DatasetError(f"{place}: action {text.strip()!r} ends before it starts; mend the line")
    if span[1] > length + LATE:
        raise DatasetError(f"{place}: action {text.strip()!r} ends after the video, {length:g} s long; mend the line")
    return int(code[1:]), span
