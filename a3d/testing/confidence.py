"""Probabilities that mean what they say: one temperature a configuration, and how far off they are.

A network that was trained until it knew every clip is too sure of others. One number, fitted on clips that training
never saw, mends most of it and changes no answer (Guo et al., "On calibration of modern neural networks", 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

TEMPERATURES = torch.logspace(-1, 1, 401, dtype=torch.float64)  # 0.1 to 10, a hundredth apart
BINS = 10
FOLDS = 5
LEAST = 1e-12


def tempered(probabilities: Tensor, temperature: float) -> Tensor:
    """Return the probabilities (N, classes) of the logits divided by a temperature; their order stays."""
    return (probabilities.clamp_min(LEAST).log() / temperature).softmax(-1)


def fit_temperature(probabilities: Tensor, labels: Tensor) -> float:
    """Return the temperature, 0.1 to 10, at which the labels (N,) are most probable; probabilities: (N, classes)."""
    logs = probabilities.double().clamp_min(LEAST).log()
    right = logs.gather(1, labels[:, None])[:, 0]
    losses = [(logs / t).logsumexp(1).mean() - right.mean() / t for t in TEMPERATURES]
    return float(TEMPERATURES[torch.stack(losses).argmin()])


def calibration_error(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> float:
    """Return the expected calibration error, percent: the mean over clips of |accuracy - confidence| of their bin.

    probabilities: (N, classes). bins: equally many clips each, most unsure first, which needs no bin to be empty.
    """
    confidence, answers = probabilities.double().max(1)
    order = confidence.argsort(stable=True)
    right = (answers == labels).double()[order]
    gaps = [
        len(part) * (hits.mean() - part.mean()).abs()
        for part, hits in zip(confidence[order].tensor_split(bins), right.tensor_split(bins), strict=True)
        if len(part)
    ]
    return 100 * float(sum(gaps)) / len(labels)


def held_out(probabilities: Tensor, labels: Tensor, groups: Sequence[str]) -> Tensor:
    """Return the probabilities of each clip at the temperature that the clips of other groups give.

    groups: of each clip; those of one, as of one person, are held out together, in at most five parts.
    """
    part = folds(groups)
    found = probabilities.clone()
    for number in part.unique():
        out = part == number
        if not out.all():
            found[out] = tempered(probabilities[out], fit_temperature(probabilities[~out], labels[~out]))
    return found


def folds(groups: Sequence[str], count: int = FOLDS) -> Tensor:
    """Return int64 (N,): the part that each clip is held out with, clips of one group together."""
    names = list(dict.fromkeys(groups))
    return torch.tensor([names.index(group) % count for group in groups])
