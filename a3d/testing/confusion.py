"""Which classes are taken for which, and on which clips a network is furthest from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from a3d.datasets.items import Span
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import Result


@dataclass(frozen=True)
class Judged:
    """What was answered about one clip. path, span: the file, and the seconds of it, None for all of them.

    truth, label: the right class and the most probable one. probability, of_truth: of the latter and of the former,
    0..1.
    """

    path: Path
    span: Span | None
    truth: str
    label: str
    probability: float
    of_truth: float

    @property
    def is_right(self) -> bool:
        """Tell whether the most probable class is the right one."""
        return self.label == self.truth


def confusion(result: Result) -> Tensor:
    """Return how often each class, a row, was called each class, a column: int64 (classes, classes).

    Raises EvaluationError where a clip can have several classes.
    """
    _check(result)
    classes = result.probabilities.shape[1]
    pairs = result.labels * classes + _best(result)
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes)


def class_accuracies(result: Result, labels: Sequence[str]) -> dict[str, float | None]:
    """Return the percent of the clips of each class that are right, by its name; None for a class without clips."""
    counts = confusion(result).double()
    shares = (100 * counts.diagonal() / counts.sum(1)).tolist()
    return {name: share if of else None for name, share, of in zip(labels, shares, counts.sum(1).tolist(), strict=True)}


def hardest_first(result: Result, labels: Sequence[str]) -> list[Judged]:
    """Return every clip with its answer, those first whose right class was held least probable.

    labels: class names of the network. Raises EvaluationError where a clip can have several classes.
    """
    _check(result)
    best = _best(result).tolist()
    found = [
        Judged(path, span, labels[truth], labels[label], row[label], row[truth])
        for (path, span), truth, label, row in zip(
            result.files, result.labels.tolist(), best, result.probabilities.tolist(), strict=True
        )
    ]
    return sorted(found, key=lambda judged: (judged.of_truth, str(judged.path)))


def _best(result: Result) -> Tensor:
    """The most probable class of each clip, of equals the first, as accuracies count."""
    return result.probabilities.argsort(dim=1, descending=True, stable=True)[:, 0]


def _check(result: Result) -> None:
    if result.labels.ndim == 2:
        raise EvaluationError("clips of several classes have no confusion: test a network for one class a clip")
