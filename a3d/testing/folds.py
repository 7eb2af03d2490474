"""Which clips are held out together: those of one group of UCF101 are scenes of one recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

FOLDS = 5


def folds_of(paths: Sequence[Path]) -> Tensor:
    """Return the number of each clip's fold, int64 (N,), 0 to 4: one for all clips of a group, v_CLASS_gNN_cNN."""
    names = [path.stem.rpartition("_c")[0] or path.stem for path in paths]
    known = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([known[name] % FOLDS for name in names])
