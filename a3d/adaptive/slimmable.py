"""Layers that run at any width: each uses the first channels of its weights, as many as the input and the width say.

No layer keeps a mode: the input width is read from the tensor, everything else comes with the `Pass`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from a3d.configuration import channels_at
from a3d.parallel.batch_norm import batch_norm, mean_and_variance

Statistics = dict[str, tuple[Tensor, Tensor]]  # batch-norm layer name -> mean (C,), variance (C,)


class Moments:
    """Sums of batch-norm inputs over batches, in float64: the population average of calibration (Sec. 3.3)."""

    def __init__(self) -> None:
        self.sums: dict[str, tuple[int, Tensor, Tensor]] = {}

    def add(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, C, T, H, W). Batches are merged by count, so uneven ones weigh as they should. Returns x's moments."""
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


@dataclass(frozen=True)
class Pass:
    """How one forward pass runs. Without `statistics`, batch norm uses the batch's own moments."""

    width: float = 1.0
    statistics: Statistics | None = None
    moments: Moments | None = None


class SlimmableConv3d(nn.Conv3d):
    """A convolution whose first output channels, `channels_at(out_channels, width)`, are used.

    tail: that many input channels are always the last of the weight, whatever the width before them: those
    of a Fast pathway fused into the Slow one (Fig. 3).
    fixed: keep every output channel at every width (Fast pathway, lateral connections).
    """

    def __init__(self, *args, tail: int = 0, fixed: bool = False, **kwargs) -> None:
        super().__init__(*args, bias=False, **kwargs)
        self.tail, self.fixed = tail, fixed

    def sliced(self, in_channels: int, width: float) -> Tensor:
        """The weight used: (channels at width, in_channels, *kernel)."""
        out = self.out_channels if self.fixed else channels_at(self.out_channels, width)
        return slice_inputs(self.weight[:out], in_channels, self.tail)

    def forward(self, x: Tensor, how: Pass) -> Tensor:
        weight = self.sliced(x.shape[1], how.width)
        if weight.shape != self.weight.shape:  # a slice is not dense, and fast kernels are for dense weights alone
            last = x.is_contiguous(memory_format=torch.channels_last_3d)
            weight = weight.contiguous(memory_format=torch.channels_last_3d if last else torch.contiguous_format)
        return F.conv3d(x, weight, None, self.stride, self.padding, self.dilation)


class SlimmableBatchNorm3d(nn.Module):
    """Batch norm over however many channels come in: scale and shift only, statistics belong to a configuration."""

    eps = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.name = ""  # its path in the network, set by the network
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, how: Pass) -> Tensor:
        if x.is_meta:  # tracing shapes: torch would spend half the time of a trace here
            return x
        weight, bias = self.weight[: x.shape[1]], self.bias[: x.shape[1]]
        if how.statistics is None and how.moments is None:
            return batch_norm(x, weight, bias, self.eps)
        mean, variance = how.moments.add(self.name, x) if how.moments is not None else how.statistics[self.name]
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, self.eps)


class SlimmableLinear(nn.Linear):
    """A classifier over however many features come in; the last `tail` are those of a Fast pathway."""

    def __init__(self, in_features: int, out_features: int, tail: int = 0) -> None:
        super().__init__(in_features, out_features)
        self.tail = tail

    def sliced(self, in_features: int) -> Tensor:
        return slice_inputs(self.weight, in_features, self.tail)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.sliced(x.shape[1]), self.bias)


def slice_inputs(weight: Tensor, channels: int, tail: int) -> Tensor:
    """The first `channels - tail` and the last `tail` input channels (dimension 1) of a weight."""
    if channels == weight.shape[1]:
        return weight
    if tail == 0:
        return weight[:, :channels]
    return torch.cat([weight[:, : channels - tail], weight[:, -tail:]], 1)
