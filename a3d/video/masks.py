"""Masks of where people are in the clips of a folder: a .npz file of them by `CLASS/NAME.mp4`."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from a3d.errors import InputError
from a3d.files import replace

EVERY = 8  # frames of the video from one mask to the next

Masks = Mapping[str, np.ndarray]  # uint8 (n, h, w), 255 where a person is, of the frames 0, 8, 16, …


def read_masks(path: str | Path) -> dict[str, np.ndarray]:
    """Return the masks of a .npz file by the names in it. Raises InputError for a file that is none."""
    try:
        with np.load(path) as file:
            masks = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"{path} holds no masks ({str(error)[:100]}): give a .npz file of numpy.savez") from None
    wrong = next((name for name, mask in masks.items() if mask.dtype != np.uint8 or mask.ndim != 3), None)
    if wrong is not None:
        raise InputError(f"{path}: {wrong!r} is {masks[wrong].dtype} {masks[wrong].shape}, not uint8 (n, h, w)")
    return masks


def write_masks(path: str | Path, masks: Masks) -> Path:
    """Write masks as `read_masks` reads them, whole or not at all; returns the path."""

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **masks)

    replace(Path(path), save)
    return Path(path)


def mask_name(path: Path) -> str:
    """Return the name of a clip's masks in a file of them: its folder's and its own, `CLASS/NAME.mp4`."""
    return "/".join(path.parts[-2:])


def nearest_masks(masks: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return of masks (n, h, w) those nearest to these frames of the video, by their numbers: (len(frames), h, w)."""
    return masks[np.clip(np.rint(frames / EVERY).astype(int), 0, len(masks) - 1)]


def masks_fingerprint(masks: Masks) -> str:
    """Return 12 hexadecimal digits that tell sets of masks apart."""
    digest = hashlib.sha256()
    for name in sorted(masks):
        digest.update(repr((name, masks[name].shape)).encode(errors="surrogateescape"))
        digest.update(np.ascontiguousarray(masks[name]))
    return digest.hexdigest()[:12]
