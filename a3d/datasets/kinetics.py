"""Kinetics-400 and its larger sisters, from their official CSV files, `label,youtube_id,time_start,time_end,split`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from a3d.datasets.annotations import check_unique, find_files, number, records
from a3d.datasets.items import ClipSet, DatasetError, Item

COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
UNLABELLED = COLUMNS[1:]  # of the lists to test on, whose labels are not given out
SPLITS = {"train": ("train",), "val": ("val", "validate", "validation"), "test": ("test",)}  # as the releases call them


class Line(NamedTuple):
    """One annotation: a class, None if it is not given, and a part of a video, in seconds."""

    label: str | None
    video: str
    start: float
    end: float

    @property
    def trimmed(self) -> str:
        """Name of the trimmed clip."""
        return f"{self.video}_{round(self.start):06}_{round(self.end):06}"


class Kinetics(ClipSet):
    """The clips of an official CSV file that lie in a folder, its class folders included.

    A trimmed clip is called `ID_000010_000020.mp4` (the seconds in six digits), a whole video `ID.mp4`, with any ending
    of a video. Of the latter the annotated seconds alone are used. Clips that are not there are in `.missing`; the
    authors of the paper lacked 4% of them too.

    classes: names in the order of their numbers; by default those of the file, sorted. split: "train", "val" or "test",
    for a file that holds several. Without the column `label`, as in the official lists to test on, items have the empty
    label (), to be verified or predicted. Raises DatasetError, with file and line, for a line that cannot be right.
    """

    def __init__(
        self, file: str | Path, videos: str | Path, classes: Sequence[str] | None = None, split: str | None = None
    ) -> None:
        annotated = _read(Path(file), classes, split)
        self.classes = tuple(classes or sorted({line.label for line in annotated} - {None}))
        labels = {name: label for label, name in enumerate(self.classes)}
        found = find_files(Path(videos))
        self.items, self.lengths = [], {}
        for line in annotated:
            path, span = found.get(line.trimmed), None
            if path is None:
                path, span = found.get(line.video), (line.start, line.end)
            if path is not None:
                self.items.append(Item(path, () if line.label is None else labels[line.label], span))
                self.lengths[path] = max(span[1] if span else line.end - line.start, self.lengths.get(path, 0.0))
        self.missing = tuple(line.trimmed for line in annotated if not {line.trimmed, line.video} & found.keys())
        if not annotated:
            raise DatasetError(f"{file}: it annotates no clips of the split {split!r}; give another file")
        if not self.items:
            raise DatasetError(
                f"{videos}: it holds none of the {len(annotated)} clips of {file}, such as {self.missing[0]}.mp4; "
                f"give their folder"
            )


def _read(file: Path, classes: Sequence[str] | None, split: str | None) -> list[Line]:
    wanted, known, seen, found = SPLITS.get(split or "", ()), set(classes or ()), {}, []
    for place, fields in records(file, UNLABELLED):
        label, video = fields.get("label"), fields["youtube_id"]
        if label == "" or not video:
            raise DatasetError(f"{place}: no {'label' if label == '' else 'youtube_id'}; mend the line")
        if known and label is not None and label not in known:
            raise DatasetError(f"{place}: class {label!r} is none of the {len(known)} known; mend the line")
        start = number(fields["time_start"], "time_start", place)
        end = number(fields["time_end"], "time_end", place)
        if end <= start:
            raise DatasetError(f"{place}: time_end {end:g} is not after time_start {start:g}; mend the line")
        check_unique(seen, (video, start, end), f"youtube_id {video} at {start:g} to {end:g} s", place)
        if not wanted or fields["split"].lower() in wanted:
            found.append(Line(label, video, start, end))
    return found
