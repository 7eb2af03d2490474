"""How sure a network may be: one number that its log-probabilities are divided by, fitted on clips held out.

It changes no order, and so no accuracy. Guo et al., "On Calibration of Modern Neural Networks", 2017, Sec. 4.2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOWEST, HIGHEST = 0.1, 10.0  # where it is looked for: beyond, the clips say nothing about it
BINS = 15
STEPS = 60  # of the golden section, each leaves 0.618 of what was left
GOLDEN = (math.sqrt(5) - 1) / 2


def tempered(probabilities: Tensor, temperature: float) -> Tensor:
    """Return probabilities (N, classes), 0..1, at a temperature > 0: softmax(log p / T), which is softmax(logits / T).

    Above 1 they become less sure. At 1 they are returned as they are.
    """
    if temperature == 1:
        return probabilities
    return (_logarithms(probabilities) / temperature).softmax(1).to(probabilities.dtype)


def fit(probabilities: Tensor, labels: Tensor) -> float:
    """Return the temperature, 0.1 to 10, of the least mean negative log-likelihood of labels (N,), int64.

    probabilities: (N, classes), 0..1. The likelihood has one peak along the temperature, which a golden section finds.
    """
    logarithms = _logarithms(probabilities.double())

    def loss(exponent: float) -> float:
        scaled = (logarithms / math.exp(exponent)).log_softmax(1)
        return -scaled.gather(1, labels[:, None]).mean().item()

    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(STEPS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Return the expected calibration error of the most probable class, percent.

    It is the mean over clips of the distance between confidence and accuracy in each of 15 bins of equal width.
    Chance adds to it: on 135 clips of 12 classes a network that is calibrated perfectly shows about 10%.
    probabilities: (N, classes), 0..1; labels: (N,), int64.
    """
    confidence, best = probabilities.double().max(1)
    right = (best == labels).double()
    bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    gaps = torch.zeros(BINS, dtype=torch.float64).index_add_(0, bins, confidence - right)
    return 100 * gaps.abs().sum().item() / len(labels)


def log_loss(probabilities: Tensor, labels: Tensor) -> float:
    """Return the mean negative logarithm of the probabilities (N, classes), 0..1, of the labels (N,), int64."""
    return -_logarithms(probabilities.double()).gather(1, labels[:, None]).mean().item()


def held_out(probabilities: Tensor, labels: Tensor, folds: Tensor) -> Tensor:
    """Return probabilities (N, classes), those of each fold at the temperature fitted on all others.

    folds: (N,), int64, the number of the fold of each clip, two different ones at least.
    """
    found = probabilities.clone()
    for fold in folds.unique():
        away = folds == fold
        found[away] = tempered(probabilities[away], fit(probabilities[~away], labels[~away]))
    return found


def _logarithms(probabilities: Tensor) -> Tensor:
    return probabilities.clamp_min(torch.finfo(torch.float32).tiny).log()
