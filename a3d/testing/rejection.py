"""Whether a clip shows none of the classes: one line between the features of known clips and of foreign ones.

A softmax is as sure of what it never saw. What tells more are the features before the classifier, averaged over the
clip: a logistic regression between clips that training never saw and clips of other actions (by default none, and then
the network's energy alone tells: the more its logits speak for any class at all, the more the clip is one of them).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

DECAY = 0.003  # weight of the squared weights, for features of variance 1
ACCEPTED = 0.95  # share of the known clips that a line drawn without foreign ones accepts


def described(pooled: Sequence[Tensor], logits: Tensor) -> Tensor:
    """Return what the line looks at, (N, C + 1): the pooled features of all pathways, and the energy of the logits."""
    return torch.cat([x.flatten(1) for x in pooled] + [logits.logsumexp(1, keepdim=True)], 1).float()


def rejected(line: Tensor, looked: Tensor) -> Tensor:
    """Return the probability (N,) that a clip shows none of the classes. line: (C + 2,), as `fit` gives it."""
    return (looked @ line[:-1] + line[-1]).sigmoid()


def fit(known: Tensor, foreign: Tensor | None = None) -> Tensor:
    """Return the line, float32 (C + 2,), between known and foreign clips, (N, C + 1) as `described`, equally weighed.

    Without foreign clips it is drawn across the energy alone, so that 95% of the known ones are accepted.
    """
    if foreign is None or not len(foreign):
        return _across_the_energy(known)
    looked = torch.cat([known, foreign]).double()
    mean, spread = looked.mean(0), looked.std(0).clamp_min(1e-6)
    scaled = (looked - mean) / spread
    target = torch.cat([torch.zeros(len(known)), torch.ones(len(foreign))]).double()
    weight = torch.where(target > 0, 0.5 / len(foreign), 0.5 / len(known))
    line = torch.zeros(scaled.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([line], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        found = binary_cross_entropy_with_logits(scaled @ line[:-1] + line[-1], target, weight, reduction="sum")
        found = found + DECAY * line[:-1].square().sum()
        found.backward()
        return found

    optimiser.step(loss)
    found = line.detach()
    weights = found[:-1] / spread
    return torch.cat([weights, (found[-1] - weights @ mean)[None]]).float()


def _across_the_energy(known: Tensor) -> Tensor:
    energy = known[:, -1].double()
    slope = 2 / energy.std().clamp_min(1e-6) if len(energy) > 1 else torch.tensor(1.0)
    line = torch.zeros(known.shape[1] + 1, dtype=torch.float64)
    line[-2], line[-1] = -slope, slope * energy.quantile(1 - ACCEPTED)
    return line.float()


def auroc(known: Tensor, foreign: Tensor) -> float:
    """Return how often, percent, a foreign clip is rejected more surely than a known one; ties count a half."""
    differences = foreign[:, None] - known[None]
    return 100 * float(((differences > 0).double() + 0.5 * (differences == 0).double()).mean())
