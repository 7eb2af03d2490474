"""Batch-norm statistics: what a configuration needs, and the population average that gives it (Sec. 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from a3d.parallel.batch_norm import mean_and_variance

Statistics = dict[str, tuple[Tensor, Tensor]]  # batch-norm layer name -> mean (C,), variance (C,)


class Moments:
    """Sums of batch-norm inputs over batches, in float64: the population average of calibration (Sec. 3.3)."""

    def __init__(self) -> None:
        self.sums: dict[str, tuple[int, Tensor, Tensor]] = {}

    def add(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """Add x (B, C, T, H, W) and return its moments; uneven batches weigh by their count."""
        count, (mean, variance) = x.numel() // x.shape[1], mean_and_variance(x)
        self.merge(name, count, mean.double(), variance.double() * count)
        return mean, variance

    def merge(self, name: str, count: int, mean: Tensor, square: Tensor) -> None:
        """Adds the mean (C,) of `count` positions, and the sum of the squares of their distances from it."""
        old_count, old_mean, old_square = self.sums.get(name, (0, torch.zeros_like(mean), torch.zeros_like(mean)))
        total, delta = old_count + count, mean - old_mean
        square = old_square + square + delta.square() * (old_count * count / total)
        self.sums[name] = (total, old_mean + delta * (count / total), square)

    def statistics(self) -> Statistics:
        """Mean and (biased) variance by layer name, float32."""
        return {name: (mean.float(), (square / n).float()) for name, (n, mean, square) in self.sums.items()}
