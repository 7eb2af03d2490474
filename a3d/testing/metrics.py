"""What a test counts: top-k, mean class accuracy, and how far a share of so many clips can be trusted. In percent."""

from __future__ import annotations

import math

from torch import Tensor

NORMAL_95 = 1.959964  # a standard normal variable lies within ± this in 95 of 100 draws


def top_k(scores: Tensor, labels: Tensor, k: int = 1) -> float:
    """Percent of clips whose label, or one of whose labels, is among the k highest scores.

    scores: (N, classes), any unit that grows with belief. labels: (N,), int64, or 0 and 1 for each class, (N, classes).
    Of equal scores the class that comes first wins, so that a network that says nothing is not rewarded.
    """
    best = scores.argsort(dim=1, descending=True, stable=True)[:, :k]
    right = best == labels[:, None] if labels.ndim == 1 else labels.gather(1, best) > 0
    return 100 * right.any(1).double().mean().item()


def mean_class_accuracy(scores: Tensor, labels: Tensor) -> float:
    """Mean over the classes that occur of the percent of their clips that are right; shapes as in `top_k`."""
    present = labels.unique()
    return sum(top_k(scores[labels == label], labels[labels == label]) for label in present) / len(present)


def wilson(accuracy: float, clips: int) -> tuple[float, float]:
    """95% Wilson score interval of an accuracy measured on that many clips: lower and upper end, all in percent."""
    share, square = accuracy / 100, NORMAL_95**2
    centre = share + square / (2 * clips)
    reach = NORMAL_95 * math.sqrt(share * (1 - share) / clips + square / (4 * clips**2))
    low, high = ((centre + side * reach) / (1 + square / clips) for side in (-1, 1))
    return 100 * max(0.0, low), 100 * min(1.0, high)
