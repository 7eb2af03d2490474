"""Annotation files, line by line: every error names the file, the line and the cause; and the videos they speak of."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from a3d.datasets.items import DatasetError

# What counts as a video in a folder; notes and thumbnails beside them do not.
SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)


def lines(file: Path, columns: Collection[int] | None = None) -> Iterator[tuple[str, list[str]]]:
    """The place `file:line` and the fields of every line that is not empty; `columns`: how many there may be."""
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as text:
            reader = csv.reader(text, strict=True)
            for fields in reader:
                place = f"{file}:{reader.line_num}"
                if columns is not None and fields and len(fields) not in columns:
                    wanted = " or ".join(map(str, sorted(columns)))
                    raise DatasetError(f"{place}: {len(fields)} columns, not {wanted}; mend or remove the line")
                if fields:
                    yield place, [field.strip() for field in fields]
    except FileNotFoundError:
        raise DatasetError(f"{file}: no such file; check the path") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not a text file in UTF-8; give the CSV file") from None
    except csv.Error as error:
        raise DatasetError(f"{file}:{reader.line_num}: {error}; mend the line") from None


def records(file: Path, needed: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """As `lines`, by the names that the first line gives to the columns, `needed` among them."""
    header: list[str] = []
    for place, fields in lines(file):
        if not header:
            header = fields
            absent = [name for name in needed if name not in header]
            if absent:
                raise DatasetError(f"{place}: no column {absent[0]!r}; the header has {','.join(needed)}")
        elif len(fields) != len(header):
            raise DatasetError(f"{place}: {len(fields)} columns, not {len(header)} as the header; mend the line")
        else:
            yield place, dict(zip(header, fields, strict=True))


def number(text: str, what: str, place: str, low: float = 0.0, high: float = math.inf) -> float:
    """Return a field as a number within its bounds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high or math.isinf(value):
        bounds = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise DatasetError(f"{place}: {what} is {text!r}, not a number {bounds}; mend the line")
    return value


def check_unique(seen: dict[object, str], key: object, what: str, place: str) -> None:
    """Notes where `key` is; an error if it was somewhere before."""
    if key in seen:
        raise DatasetError(f"{place}: {what} is there already, in line {seen[key].rpartition(':')[2]}; remove one")
    seen[key] = place


def read_classes(file: str | Path) -> tuple[str, ...]:
    """Class names, one a line in the order of their numbers; codes of Charades before them (`c000 `) are left out."""
    try:
        names = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DatasetError(f"{file}: no such file; give a class name a line") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not a text file in UTF-8; give a class name a line") from None
    seen: dict[object, str] = {}
    placed = [(f"{file}:{line}", name.strip()) for line, name in enumerate(names, 1) if name.strip()]
    if placed and all(re.match(rf"c{number:03} ", name) for number, (_, name) in enumerate(placed)):
        placed = [(place, name[5:].strip()) for place, name in placed]
    for place, name in placed:
        check_unique(seen, name, f"class {name!r}", place)
    if not placed:
        raise DatasetError(f"{file}: it is empty; give a class name a line")
    return tuple(name for _, name in placed)


def find_files(folder: Path) -> dict[str, Path]:
    """The videos of a folder and of all folders in it, by name without ending; of two alike the first in order."""
    _check_folder(folder)
    found: dict[str, Path] = {}
    for root, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            if path.suffix.lower() in SUFFIXES and name[0] != ".":
                found.setdefault(path.stem, path)
    return found


def find_videos(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Folders of frames called as `names` say, if there is one; else the videos of `find_files`."""
    _check_folder(folder)
    frames = {name: folder / name for name in names if (folder / name).is_dir()}
    return frames or find_files(folder)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give the one that holds the videos (--videos)")
