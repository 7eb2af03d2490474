"""Parts of a residual 3D network: stem, blocks, stages; every one runs at any width."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from a3d.adaptive.slimmable import Pass, SlimmableBatchNorm3d, SlimmableConv3d


class ConvNorm(nn.Module):
    """A convolution and its batch norm, and what may follow at once: an addition, a ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int, int], stride=(1, 1, 1), dilation: int = 1, **kwargs
    ) -> None:
        """dilation: in space."""
        super().__init__()
        steps = (1, dilation, dilation)
        padding = tuple(k // 2 * step for k, step in zip(kernel, steps, strict=True))
        self.conv = SlimmableConv3d(inputs, outputs, kernel, stride, padding, steps, **kwargs)
        self.norm = SlimmableBatchNorm3d(outputs)

    def forward(self, x: Tensor, how: Pass, relu: bool = False, plus: Tensor | None = None) -> Tensor:
        x = self.norm(self.conv(x, how), how)
        x = x if plus is None else x + plus
        return F.relu(x) if relu else x


class Stem(nn.Module):
    """Convolution of 7² with spatial stride 2, then a max pool of 3² with stride 2: (B, 3, T, S, S) to S/4."""

    def __init__(self, outputs: int, temporal: int, fixed: bool = False) -> None:
        super().__init__()
        self.conv = ConvNorm(3, outputs, (temporal, 7, 7), (1, 2, 2), fixed=fixed)

    def forward(self, x: Tensor, how: Pass) -> Tensor:
        x = self.conv(x, how, relu=True)
        return F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))


class Bottleneck(nn.Module):
    """t×1², 1×3² (with the stride), 1×1²; the shortcut is a convolution where the shape changes."""

    expansion = 4

    def __init__(
        self, inputs: int, inner: int, temporal: int, stride: int, dilation: int, tail: int, fixed: bool
    ) -> None:
        super().__init__()
        outputs, step = inner * self.expansion, (1, stride, stride)
        self.a = ConvNorm(inputs, inner, (temporal, 1, 1), tail=tail, fixed=fixed)
        self.b = ConvNorm(inner, inner, (1, 3, 3), step, dilation, fixed=fixed)
        self.c = ConvNorm(inner, outputs, (1, 1, 1), fixed=fixed)
        self.shortcut = shortcut(inputs, outputs, step, tail, fixed)
        nn.init.zeros_(self.c.norm.weight)

    def forward(self, x: Tensor, how: Pass) -> Tensor:
        residual = self.a(x, how, relu=True)
        residual = self.b(residual, how, relu=True)
        return self.c(residual, how, relu=True, plus=x if self.shortcut is None else self.shortcut(x, how))


class BasicBlock(nn.Module):
    """t×3² (with the stride), 1×3²: the block of the 18-layer variants."""

    expansion = 1

    def __init__(
        self, inputs: int, inner: int, temporal: int, stride: int, dilation: int, tail: int, fixed: bool
    ) -> None:
        super().__init__()
        step = (1, stride, stride)
        self.a = ConvNorm(inputs, inner, (temporal, 3, 3), step, dilation, tail=tail, fixed=fixed)
        self.b = ConvNorm(inner, inner, (1, 3, 3), dilation=dilation, fixed=fixed)
        self.shortcut = shortcut(inputs, inner, step, tail, fixed)
        nn.init.zeros_(self.b.norm.weight)

    def forward(self, x: Tensor, how: Pass) -> Tensor:
        residual = self.a(x, how, relu=True)
        return self.b(residual, how, relu=True, plus=x if self.shortcut is None else self.shortcut(x, how))


def shortcut(inputs: int, outputs: int, stride: tuple[int, int, int], tail: int, fixed: bool) -> ConvNorm | None:
    if inputs == outputs and stride == (1, 1, 1):
        return None
    return ConvNorm(inputs, outputs, (1, 1, 1), stride, tail=tail, fixed=fixed)


class Stage(nn.ModuleList):
    """Residual blocks, one for each of the `temporal` kernel sizes.

    The first one takes `tail` fused channels besides its own and carries the stride; dilation: of all, in space.
    """

    def __init__(
        self,
        block: type,
        temporal: tuple[int, ...],
        inputs: int,
        inner: int,
        stride: int,
        dilation: int = 1,
        tail: int = 0,
        fixed: bool = False,
    ) -> None:
        first = block(inputs + tail, inner, temporal[0], stride, dilation, tail, fixed)
        outputs = inner * block.expansion
        super().__init__([first, *(block(outputs, inner, kernel, 1, dilation, 0, fixed) for kernel in temporal[1:])])

    def forward(self, x: Tensor, how: Pass) -> Tensor:
        for block in self:
            x = block(x, how)
        return x


def initialise(network: nn.Module) -> None:
    """He initialisation by fan-out of the convolutions; classifiers from N(0, 0.01²). Zeroed batch norms stay."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
