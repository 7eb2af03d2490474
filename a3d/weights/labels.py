"""Class names from whatever file a user has them in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from a3d.datasets.ava import read_label_map
from a3d.weights.assembly import ConversionError


def read_labels(path: str | Path, classes: int) -> tuple[str, ...]:
    """Names in the order of the classes: one a line, JSON (a list, name to number or number to name), CSV of both, or
    AVA's list (`.pbtxt`).

    Raises ConversionError for a file that does not name exactly `classes` of them.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConversionError(f"{path} does not exist: give a file of class names, one a line") from None
    except UnicodeDecodeError:
        raise ConversionError(f"{path} is not text: give class names one a line, as JSON or as CSV") from None
    names = _actions(path, classes) if path.suffix == ".pbtxt" else _parse(path, text)
    if len(names) != classes:
        raise ConversionError(f"{path} names {len(names)} classes, the weights have {classes}: give the list they fit")
    if len(set(names)) != len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ConversionError(f"{path} names {double!r} twice: a class needs a name of its own")
    return names


def _actions(path: Path, classes: int) -> tuple[str, ...]:
    """AVA's lists leave out the actions that are not evaluated."""
    known = read_label_map(path)
    return tuple(known.get(action, f"action {action}") for action in range(1, classes + 1))


def _parse(path: Path, text: str) -> tuple[str, ...]:
    if path.suffix == ".json":
        return _json(path, text)
    if path.suffix == ".csv":
        rows = [row for row in csv.reader(text.splitlines()) if row]
        if all(len(row) == 2 for row in rows):
            return _numbered(path, (row for row in rows if any(cell.strip().isdecimal() for cell in row)))
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _json(path: Path, text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConversionError(f"{path} is not JSON ({error}): restore the file") from None
    if isinstance(found, list):
        return tuple(map(str, found))
    if isinstance(found, dict):
        return _numbered(path, ((str(key), str(value)) for key, value in found.items()))
    raise ConversionError(f"{path} holds neither a list of names nor names and numbers")


def _numbered(path: Path, pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """From (name, number) or (number, name), whichever side counts from 0 without gaps."""
    pairs = [tuple(cell.strip() for cell in pair) for pair in pairs]
    for side in (0, 1):
        numbers = [pair[side] for pair in pairs]
        if pairs and sorted(numbers) == sorted(map(str, range(len(pairs)))):
            ordered = sorted(pairs, key=lambda pair: int(pair[side]))
            return tuple(pair[1 - side].strip('"') for pair in ordered)  # PyTorchVideo's names stand in quotes
    raise ConversionError(f"{path}: classes must be numbered from 0 without gaps, a number and a name a class")
