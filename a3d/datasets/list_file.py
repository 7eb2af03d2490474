"""Lists of clips as people write them: a path and a label a line, separated by commas, tabs or spaces."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from a3d.datasets.annotations import SUFFIXES
from a3d.datasets.items import DatasetError

FORMS = "lines `path,label`, `path label` or with a tab between, with or without a first line that says so"
PATHS = frozenset({"path", "video", "file", "filename", "file_name", "clip", "video_path", "name"})  # of a first line
LABELS = frozenset({"label", "class", "category", "action", "target", "class_name", "label_name"})
SEPARATORS = ("\t", ",", ";", " ")

Line = tuple[int, str]  # its number, from 1, and its text


def read_list(file: Path) -> list[tuple[str, str]]:
    """The path and the label of every line that is not empty, as they are written.

    Raises DatasetError, with file and line, for a line that is in none of the `FORMS`.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")  # with or without the mark of Windows
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: neither a folder nor a text file with {FORMS}; give one") from None
    lines = [(number, line.strip(" \r")) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        return []
    separator = _separator(lines[0][1])
    columns = header(_fields(lines[0][1], separator))
    return [_parse(line, separator, columns, file) for line in lines[columns is not None :]]


def header(fields: Sequence[str]) -> tuple[int, int] | None:
    """The places of path and label in a first line that names its columns; None for any other line."""
    names = [field.strip().lower() for field in fields]
    paths, labels = ([i for i, name in enumerate(names) if name in known] for known in (PATHS, LABELS))
    return (paths[0], labels[0]) if paths and labels else None


def _separator(line: str) -> str:
    """What lies between a path and its label, by the first line: names of videos may hold spaces and commas."""
    present = [separator for separator in SEPARATORS if separator in line]
    for separator in present:
        fields = _fields(line, separator)
        if header(fields) or (len(fields) == 2 and Path(fields[0]).suffix.lower() in SUFFIXES):
            return separator
    return present[0] if present else " "


def _fields(line: str, separator: str) -> list[str]:
    """The columns of a line; with spaces, the label is the last word."""
    if separator != " ":
        return [field.strip() for field in next(csv.reader([line], delimiter=separator))]
    path, _, label = line.strip().rpartition(" ")
    return [field for field in (path.strip(), label) if field]


def _parse(line: Line, separator: str, columns: tuple[int, int] | None, file: Path) -> tuple[str, str]:
    number, text = line
    fields = _fields(text, separator)
    path, label = columns or (0, 1)
    has_both = len(fields) > max(path, label) if columns else len(fields) == 2
    if not has_both or not fields[path] or not fields[label]:
        raise DatasetError(f"{file}:{number}: {text.strip()!r} is not `path label`; write both, in {FORMS}")
    return fields[path], fields[label]
