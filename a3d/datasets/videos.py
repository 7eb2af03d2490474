"""The videos that files, folders and lists name, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from a3d.datasets.annotations import SUFFIXES
from a3d.datasets.items import DatasetError

LISTS = (".txt", ".csv", ".list")


def videos_of(sources: Sequence[str | Path]) -> tuple[str, ...]:
    """Return paths of videos: of a folder, all below it, sorted; of a list (.txt, .csv), a path a line.

    Paths of a list are relative to the working folder or else to the list. Raises DatasetError for an empty source.
    """
    return tuple(path for source in sources for path in _of(Path(source)))


def _of(source: Path) -> list[str]:
    if source.is_dir():
        found = sorted(str(path) for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    elif source.suffix.lower() in LISTS:
        found = _listed(source)
    else:
        found = [str(source)]
    if not found:
        raise DatasetError(f"{source}: no video in it ({', '.join(sorted(SUFFIXES))}); give another")
    if broken := next((name for name in found if "\n" in name), None):
        raise DatasetError(f"{broken!r}: a name of two lines; rename it")
    return found


def _listed(source: Path) -> list[str]:
    try:
        names = [line.strip() for line in source.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise DatasetError(f"{source}: not a text file; write a path a line") from None
    beside = source.parent
    return [name if Path(name).exists() else str(beside / name) for name in names if name and name[0] != "#"]
