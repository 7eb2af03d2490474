"""Clips in a folder for each class, or in a list file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from a3d.datasets.annotations import SUFFIXES
from a3d.datasets.items import ClipSet, DatasetError, Item
from a3d.datasets.list_file import FORMS, read_list


class ClipFolder(ClipSet):
    """The clips of `root/CLASS/*`, of `root/split/CLASS/*` or of a list file with lines `path label` or `path,label`.

    Labels count the classes in sorted order; `classes` fixes names and order, as a trained network has them. In a list
    file a label is a class name or a number, paths start at the file's folder and may contain spaces.
    No clip is opened here.
    """

    def __init__(self, root: str | Path, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        root = Path(root)
        if not root.exists():
            raise DatasetError(f"{root}: no such folder or list file; check the path")
        names, clips = _read_list(root) if root.is_file() else _read_folder(root, split)
        self.classes = names if classes is None else tuple(classes)
        labels = {name: label for label, name in enumerate(self.classes)}
        if root.is_file():
            labels = {str(label): label for label in labels.values()} | labels
        for path, name in clips:
            if name not in labels:
                raise DatasetError(
                    f"{path}: class {name!r} is none of the {len(self.classes)} known; rename or remove it"
                )
        self.items = [Item(path, labels[name]) for path, name in clips]
        if not self.items:
            raise DatasetError(f"{root}: it holds no clips; give a folder with CLASS/*.mp4, or {FORMS}")


def _read_folder(root: Path, split: str | None) -> tuple[tuple[str, ...], list[tuple[Path, str]]]:
    folder = root / split if split else root
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give one that holds a folder a class")
    names = tuple(sorted(part.name for part in folder.iterdir() if part.is_dir() and part.name[0] != "."))
    if split is None and names and set(names) <= {"train", "val", "test"}:
        raise DatasetError(
            f"{root}: it holds the splits {', '.join(names)}, not classes; choose one: {root / names[0]}"
        )
    clips = [(path, name) for name in names for path in sorted((folder / name).rglob("*")) if _is_clip(path)]
    return names, clips


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()


def _read_list(file: Path) -> tuple[tuple[str, ...], list[tuple[Path, str]]]:
    clips = [(file.parent / path, label) for path, label in read_list(file)]
    if all(label.isdecimal() for _, label in clips):
        clips = [(path, str(int(label))) for path, label in clips]
        return tuple(map(str, range(1 + max((int(label) for _, label in clips), default=-1)))), clips
    return tuple(sorted({label for _, label in clips})), clips
