"""Which clips are held out together: those of one group of UCF101 are scenes of one recording."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import torch
from torch import Tensor

from a3d.datasets import ClipSet, DatasetError

FOLDS = 5


def folds_of(paths: Sequence[Path]) -> Tensor:
    """Return the number of each clip's fold, int64 (N,), 0 to 4: one for all clips of a group, v_CLASS_gNN_cNN."""
    names = [path.stem.rpartition("_c")[0] or path.stem for path in paths]
    known = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([known[name] % FOLDS for name in names])


def fold(training: ClipSet, testing: ClipSet, number: int) -> tuple[ClipSet, ClipSet]:
    """Return all clips of two sets but those of a fold, to learn from, and those of the fold, to test on.

    number: 0 to 4. The sets are of one kind and have the same classes. Raises DatasetError for a fold without clips.
    """
    items = [*training.items, *testing.items]
    away = (folds_of([item.path for item in items]) == number).tolist()
    if not any(away):
        raise DatasetError(f"{len(items)} clips of fewer than {FOLDS} groups have no {FOLDS} folds: add clips")
    kept, held = copy(training), copy(training)
    kept.items = [item for item, is_away in zip(items, away, strict=True) if not is_away]
    held.items = [item for item, is_away in zip(items, away, strict=True) if is_away]
    return kept, held
