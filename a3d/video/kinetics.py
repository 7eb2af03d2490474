"""Kinetics-400 and its larger sisters, from their official CSV files, `label,youtube_id,time_start,time_end,split`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from a3d.video.annotations import find_files, number, once, records
from a3d.video.items import ClipSet, DatasetError, Item

COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
SPLITS = {"train": ("train",), "val": ("val", "validate", "validation"), "test": ("test",)}  # as the releases call them


class Line(NamedTuple):
    """One annotation. place: file and line."""

    place: str
    label: str
    video: str
    start: float
    end: float


class Kinetics(ClipSet):
    """The clips of an official CSV file that lie in a folder, its class folders included.

    A trimmed clip is called `ID_000010_000020.mp4` (the seconds in six digits), a whole video `ID.mp4`, with any ending
    of a video. Of the latter the annotated seconds alone are used. Clips that are not there are in `.missing`; the
    authors of the paper lacked 4% of them too.

    classes: names in the order of their numbers; by default those of the file, sorted. split: "train", "val" or "test",
    for a file that holds several. Raises DatasetError, with file and line, for a line that cannot be right.
    """

    def __init__(
        self, file: str | Path, videos: str | Path, classes: Sequence[str] | None = None, split: str | None = None
    ) -> None:
        annotated = _read(Path(file), classes, split)
        self.classes = tuple(classes or sorted({line.label for line in annotated}))
        labels = {name: label for label, name in enumerate(self.classes)}
        found = find_files(Path(videos))
        self.items, missing = [], []
        for line in annotated:
            trimmed = f"{line.video}_{round(line.start):06}_{round(line.end):06}"
            if trimmed in found:
                self.items.append(Item(found[trimmed], labels[line.label]))
            elif line.video in found:
                self.items.append(Item(found[line.video], labels[line.label], (line.start, line.end)))
            else:
                missing.append(trimmed)
        self.missing = tuple(missing)
        if not self.items:
            raise DatasetError(
                f"{videos}: it holds none of the {len(annotated)} clips of {file}, such as {missing[0]}.mp4"
                if missing
                else f"{file}: it annotates no clips of the split {split!r}"
            )


def _read(file: Path, classes: Sequence[str] | None, split: str | None) -> list[Line]:
    wanted, known, seen, found = SPLITS.get(split or "", ()), set(classes or ()), {}, []
    for place, fields in records(file, COLUMNS):
        label, video = fields["label"], fields["youtube_id"]
        if not label or not video:
            raise DatasetError(f"{place}: no {'youtube_id' if label else 'label'}; mend the line")
        if known and label not in known:
            raise DatasetError(f"{place}: class {label!r} is none of the {len(known)} known; mend the line")
        start = number(fields["time_start"], "time_start", place)
        end = number(fields["time_end"], "time_end", place)
        if end <= start:
            raise DatasetError(f"{place}: time_end {end:g} is not after time_start {start:g}; mend the line")
        once(seen, (video, start, end), f"youtube_id {video} at {start:g} to {end:g} s", place)
        if not wanted or fields["split"].lower() in wanted:
            found.append(Line(place, label, video, start, end))
    return found
