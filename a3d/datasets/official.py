"""Any data set by one name: a folder, a list, or an official CSV file, which is known by its first line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from a3d.datasets import charades, kinetics
from a3d.datasets.annotations import SUFFIXES, lines, read_classes
from a3d.datasets.ava import THRESHOLD, Ava
from a3d.datasets.charades import Charades
from a3d.datasets.clip_folder import ClipFolder
from a3d.datasets.items import ClipSet, DatasetError
from a3d.datasets.kinetics import Kinetics
from a3d.datasets.list_file import FORMS, header

FORM = {
    "folder": "a folder with CLASS/*.mp4",
    "list": FORMS,
    "kinetics": f"Kinetics ({','.join(kinetics.COLUMNS)})",
    "charades": "Charades (id,…,actions,length)",
    "ava": "AVA (video,second,x1,y1,x2,y2,action,person)",
}
KINDS = tuple(FORM)


def read_dataset(
    source: str | Path,
    *,
    split: str | None = None,
    videos: str | Path | None = None,
    labels: str | Path | None = None,
    classes: Sequence[str] | None = None,
    excluded: str | Path | None = None,
    proposals: str | Path | None = None,
    threshold: float = THRESHOLD,
    labelled: bool = True,
) -> ClipSet:
    """A `ClipFolder`, `Kinetics`, `Charades` or `Ava`, by what `source` is.

    split: of a folder with train/ and val/, or of a Kinetics file that holds several. videos: the folder that a CSV
    speaks of. labels: class names, one a line, or AVA's list. classes: names in the order of a network, instead of
    labels. excluded, proposals, threshold: as in `Ava`. labelled: False where nothing is learnt or tested, and a list
    without labels will do. Raises DatasetError.
    """
    which = kind(source)
    if which in ("folder", "list"):
        names = classes or (read_classes(labels) if labels else None)
        return ClipFolder(source, split if which == "folder" else None, names)
    if videos is None:
        raise DatasetError(f"{source}: a file of {which.title()} needs the folder of its videos; add --videos FOLDER")
    if which == "ava":
        if labels is None:
            raise DatasetError(f"{source}: AVA needs its list of actions; add --labels ava_action_list_v2.1.pbtxt")
        return Ava(source, videos, labels, excluded, proposals, threshold)
    names = classes or (read_classes(labels) if labels else None)
    if which == "charades":
        return Charades(source, videos, names)
    if labelled and "label" not in next(lines(Path(source)))[1]:
        raise DatasetError(f"{source}:1: no column 'label', so that only verify can use it; give {FORM['kinetics']}")
    return Kinetics(source, videos, names, split)


def kind(source: str | Path) -> str:
    """Return one of `KINDS`. Raises DatasetError for a CSV file that is none of them."""
    path = Path(source)
    if not path.exists():
        raise DatasetError(f"{path}: no such folder or file; check the path")
    if path.is_dir():
        return "folder"
    if path.suffix.lower() != ".csv":
        return "list"
    _, first = next(lines(path), ("", []))
    for name, columns in (("kinetics", kinetics.UNLABELLED), ("charades", charades.COLUMNS)):
        if set(columns) <= set(first):
            return name
    if len(first) in (7, 8) and _is_number(first[1]):
        return "ava"
    is_pair = len(first) == 2 and Path(first[0]).suffix.lower() in SUFFIXES
    if len(first) == 1 or is_pair or header(first):
        return "list"
    raise DatasetError(f"{path}:1: it is none of these: {'; '.join(FORM.values())}; give one of them")


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
