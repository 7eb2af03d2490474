"""What of a data set is missing, broken, too short or never labelled, before anyone waits a day."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from a3d.datasets.annotations import find_files
from a3d.datasets.items import ClipSet
from a3d.video.completeness import cut_off
from a3d.video.decode import VideoError

OK, MISSING, BROKEN, SHORT, UNLABELLED = STATES = ("ok", "missing", "broken", "short", "unlabelled")
SLACK = 1.0  # seconds that a file may end before its annotation: cuts fall on keyframes
READERS = 8  # files at once: opening one is waiting for the disk


class Finding(NamedTuple):
    """This is what was found about one file. state: of `STATES`; detail: the cause, empty for "ok"."""

    file: str
    state: str
    detail: str = ""


def verify(dataset: ClipSet, decode: bool = False) -> Iterator[Finding]:
    """A finding for every file of a data set, those that are missing first.

    Headers are read, and no frames; decode: also the middle and the last frame of each, and whether it is all there.
    """
    yield from (Finding(name, MISSING, "annotated, but not in the folder") for name in dataset.missing)
    bare = {str(item.path) for item in dataset.items if item.label == ()}
    paths = list(dict.fromkeys(item.path for item in dataset.items))
    with ThreadPoolExecutor(READERS) as pool:
        for found in pool.map(partial(_check, dataset, decode), paths):
            is_bare = found.state == OK and found.file in bare
            yield Finding(found.file, UNLABELLED, "annotated without a class") if is_bare else found


def unlabelled(folder: Path, datasets: Iterable[ClipSet]) -> Iterator[Finding]:
    """A finding for every video in a folder that none of the data sets names."""
    named = {item.path for dataset in datasets for item in dataset.items}
    frames = {path.name for path in named if path.is_dir()}
    others = (folder / name for name in _folders(folder) - frames) if frames else set(find_files(folder).values())
    yield from (Finding(str(path), UNLABELLED, "not annotated") for path in sorted(set(others) - named))


def write_report(file: Path, findings: list[Finding]) -> None:
    """Write CSV, a line a file."""
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(Finding._fields)
        writer.writerows(findings)


def _folders(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}


def _check(dataset: ClipSet, decode: bool, path: Path) -> Finding:
    if not path.exists():
        return Finding(str(path), MISSING, "in the list, but not there")
    try:
        seconds = dataset.duration(path)
        if decode:
            video = dataset.open(path)
            video.read([len(video) // 2, len(video) - 1])
        cut = cut_off(path) if decode and path.is_file() else None
    except VideoError as error:
        return Finding(str(path), BROKEN, str(error).removeprefix(f"{path}: "))
    if cut:
        return Finding(str(path), BROKEN, f"cut off: {cut.there:.1f} of {cut.declared:.1f} s are there; get it again")
    wanted = dataset.lengths.get(path, 0.0)
    if seconds < wanted - SLACK:
        return Finding(str(path), SHORT, f"it ends at {seconds:.1f} s, annotated to {wanted:.1f} s")
    return Finding(str(path), OK)
