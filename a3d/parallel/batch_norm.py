"""Batch norm over the batch of all processes, so that several train as one does (`torchrun`).

On a CPU, torch's own batch norm of a single process sums in float32: it is off by 1e-5 where a channel has 100,000
positions, this one by 1e-7. That rounding is all in which one process and several differ.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from a3d import parallel


def batch_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Normalise own rows x (B, C, T, H, W) by the moments of all rows; weight, bias: (C,), or None for 1 and 0."""
    if not parallel.is_distributed():
        if x.numel() == x.shape[1]:  # torch refuses; a single position is its own mean
            scaled = (x - x) if weight is None else (x - x) * _channels(weight)
            return scaled if bias is None else scaled + _channels(bias)
        return F.batch_norm(x, None, None, weight, bias, True, 0.0, eps)
    if weight is None:
        weight, bias = (torch.full(x.shape[1:2], value, device=x.device) for value in (1.0, 0.0))
    return _BatchNorm.apply(x, weight, bias, eps)


class _BatchNorm(torch.autograd.Function):
    """With y = w (x - μ) / σ + b over n positions, dx = w/σ (dy - Σdy/n - (x - μ)/σ · Σ(dy (x - μ)/σ)/n)."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        mean, variance, count = _moments(x)
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps, ctx.count = eps, count
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, variance = ctx.saved_tensors
        dx, dw, db = dy, torch.zeros_like(weight), torch.zeros_like(weight)
        if len(x):  # else torch divides by zero
            # The pass with fixed moments gives w/σ · dy and the two sums over own rows.
            dx, dw, db = torch.ops.aten.native_batch_norm_backward(
                dy, x, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
            )
        scaled, plain = parallel.all_reduce(torch.stack([dw, db])) / ctx.count
        inverse = (variance + ctx.eps).rsqrt()
        slope = -weight * inverse.square() * scaled
        offset = -weight * inverse * plain - slope * mean
        return torch.addcmul(dx + _channels(offset), x, _channels(slope)).to(x.dtype), dw, db, None


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance (C,), float32, and the number of positions, over all processes; summed in float64."""
    channels = x.shape[1]
    sums = torch.zeros(1 + 2 * channels, dtype=torch.float64, device=x.device)
    if len(x):
        mean, variance = (m.double() for m in mean_and_variance(x))
        sums = torch.cat([sums.new_ones(1), mean, variance + mean.square()]) * (x.numel() // channels)
    count, *sums = parallel.all_reduce(sums).split([1, channels, channels])
    mean, square = (part / count for part in sums)
    return mean.float(), (square - mean.square()).clamp(min=0).float(), count.float()


def mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return both of each channel of x (B, C, T, H, W), over the rest: (C,), float32, the variance biased."""
    rows = x.float().movedim(1, -1).reshape(-1, x.shape[1])  # torch.var_mean is 20 times as slow in this layout
    mean = rows.mean(0)
    return mean, (rows - mean).square_().mean(0)


def _channels(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1, 1)
