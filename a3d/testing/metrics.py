"""What a test counts: top-k and mean class accuracy, in percent."""

from __future__ import annotations

from torch import Tensor


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
