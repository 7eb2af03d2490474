"""The files of a checkpoint, which belong together: all of one writing, or all of the one before.

`config.json` holds the checksum of every other file and is replaced in one moment. Before it, what is new lies beside
the old under `.NAME.next`; after it, that takes the name. Whoever is killed on the way leaves a folder that reads as
it was or as it was to be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from a3d.errors import A3DError
from a3d.files import FileError, parse_json, read_bytes, remove_leftovers, replace_bytes

CONFIG, WEIGHTS, STATISTICS, TABLE = "config.json", "weights.safetensors", "statistics.safetensors", "table.csv"
REJECTIONS = "rejections.safetensors"
NAMES = (WEIGHTS, STATISTICS, TABLE, REJECTIONS)
LARGEST_CONFIG = 2**20  # bytes: the names of thirty thousand classes


class CheckpointError(A3DError, ValueError):
    """A checkpoint that cannot be read; the message names the file, the cause and the remedy."""


class Mixed(CheckpointError):
    """A file is not the one that `config.json` speaks of: damaged, or replaced by another process in this moment."""


class Contents:
    """A checkpoint folder as it is now. config: what `config.json` says."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.config = _read_config(self.folder / CONFIG)

    @property
    def checksums(self) -> dict[str, str] | None:
        """SHA-256 of every other file; None in a checkpoint of an older version."""
        return self.config.get("files")

    def read(self, name: str, limit: int, check: Callable[[Path], object] = lambda path: None) -> bytes | None:
        """Return what a file holds, at most `limit` bytes, None if there is none. Raises CheckpointError.

        check: of the file, before memory is taken for it; raises FileError or CheckpointError.
        """
        path, wrong = self.folder / name, None
        if self.checksums is None:
            return _read(path, limit, check) if path.exists() else None
        if name not in self.checksums or (name == TABLE and not (path.exists() or _next(path).exists())):
            return None  # the table: removed by hand
        for place in (path, _next(path)):
            try:
                content = _read(place, limit, check) if place.exists() else None
            except CheckpointError as error:
                wrong = wrong or str(error)
                continue
            if content is not None and _checksum(content) == self.checksums[name]:
                return content
        state = "is not the file that config.json speaks of, damaged or of another checkpoint"
        raise Mixed(wrong or f"{path} {state if path.exists() else 'does not exist'}: restore the whole folder")


def _read(path: Path, limit: int, check: Callable[[Path], object]) -> bytes:
    try:
        check(path)
        return read_bytes(path, limit)
    except FileError as error:
        raise CheckpointError(str(error)) from None


def write(folder: str | Path, files: Mapping[str, bytes], config: Mapping[str, Any]) -> None:
    """Write files of a checkpoint, those of `NAMES` that are not among them as they are, and its config."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    _finish(folder)
    for name, content in files.items():
        replace_bytes(_next(folder / name), content)
    kept = {name: (folder / name).read_bytes() for name in NAMES if name not in files and (folder / name).exists()}
    checksums = {name: _checksum(content) for name, content in (kept | dict(files)).items()}
    content = json.dumps({**config, "files": checksums}, indent=1, ensure_ascii=False).encode()
    if len(content) > LARGEST_CONFIG:
        raise CheckpointError(f"{folder / CONFIG} would have {len(content)} bytes: give shorter names of fewer classes")
    replace_bytes(folder / CONFIG, content)
    for name in files:
        _next(folder / name).replace(folder / name)


def remove(folder: str | Path, name: str) -> None:
    """Take a file out of a checkpoint that is about to be written anew without it."""
    (Path(folder) / name).unlink(missing_ok=True)


def _finish(folder: Path) -> None:
    """Finish what was killed after its config was written, and remove what was killed before that."""
    waiting = [name for name in NAMES if _next(folder / name).exists()]
    contents = Contents(folder) if waiting and (folder / CONFIG).exists() else None
    for name in waiting:
        checksum = (contents.checksums or {}).get(name) if contents else None
        if checksum == _checksum(_next(folder / name).read_bytes()):
            _next(folder / name).replace(folder / name)
        else:
            _next(folder / name).unlink()


def _next(path: Path) -> Path:
    return path.with_name(f".{path.name}.next")


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = parse_json(read_bytes(path, LARGEST_CONFIG), path)
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(
            f"{path} does not exist: give a checkpoint folder, one that a3d train, convert or save wrote"
        ) from None
    except FileError as error:
        raise CheckpointError(str(error)) from None
    if not isinstance(config, dict):
        raise CheckpointError(f"{path} holds no object: restore the file")
    return config
