"""Parts of a residual 3D network: stem, blocks, stages."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from a3d.networks.layers import ConvNorm


class Stem(nn.Module):
    """A convolution of 7² with spatial stride 2 and a max pool of 3² with stride 2 bring (B, 3, T, S, S) to S/4."""

    def __init__(self, outputs: int, temporal: int) -> None:
        super().__init__()
        self.conv = ConvNorm(3, outputs, (temporal, 7, 7), (1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool3d(F.relu(self.conv(x)), (1, 3, 3), (1, 2, 2), (0, 1, 1))


class Bottleneck(nn.Module):
    """t×1², 1×3² (with the stride), 1×1²; the shortcut is a convolution where the shape changes."""

    expansion = 4

    def __init__(self, inputs: int, inner: int, temporal: int, stride: int, dilation: int) -> None:
        super().__init__()
        outputs, step = inner * self.expansion, (1, stride, stride)
        self.a = ConvNorm(inputs, inner, (temporal, 1, 1))
        self.b = ConvNorm(inner, inner, (1, 3, 3), step, dilation=dilation)
        self.c = ConvNorm(inner, outputs, (1, 1, 1))
        self.shortcut = shortcut(inputs, outputs, step)
        nn.init.zeros_(self.c.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        residual = F.relu(self.b(F.relu(self.a(x))))
        return F.relu(self.c(residual) + (x if self.shortcut is None else self.shortcut(x)))


class BasicBlock(nn.Module):
    """This is the block of the 18-layer variants: t×3² (with the stride), 1×3²."""

    expansion = 1

    def __init__(self, inputs: int, inner: int, temporal: int, stride: int, dilation: int) -> None:
        super().__init__()
        step = (1, stride, stride)
        self.a = ConvNorm(inputs, inner, (temporal, 3, 3), step, dilation=dilation)
        self.b = ConvNorm(inner, inner, (1, 3, 3), dilation=dilation)
        self.shortcut = shortcut(inputs, inner, step)
        nn.init.zeros_(self.b.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        residual = F.relu(self.a(x))
        return F.relu(self.b(residual) + (x if self.shortcut is None else self.shortcut(x)))


def shortcut(inputs: int, outputs: int, stride: tuple[int, int, int]) -> ConvNorm | None:
    """Return the convolution of a shortcut, None where the shape stays."""
    if inputs == outputs and stride == (1, 1, 1):
        return None
    return ConvNorm(inputs, outputs, (1, 1, 1), stride)


class Stage(nn.Sequential):
    """Residual blocks, one for each of the `temporal` kernel sizes; the first carries the stride.

    dilation: of all, in space.
    """

    def __init__(
        self, block: type, temporal: tuple[int, ...], inputs: int, inner: int, stride: int, dilation: int = 1
    ) -> None:
        first = block(inputs, inner, temporal[0], stride, dilation)
        outputs = inner * block.expansion
        super().__init__(first, *(block(outputs, inner, kernel, 1, dilation) for kernel in temporal[1:]))


DEPTHS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    26: (Bottleneck, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
STRIDES = (1, 2, 2, 2)


class Pathway(nn.Module):
    """A pathway is a stem and four residual stages.

    temporal: kernel sizes in time of the stem and of each stage. fused: channels that come to those of the pathway
    before each stage. temporal_blocks: how many blocks of the third stage look along time; None for all.
    detects: the last stage keeps the resolution, with dilation in place of its stride.
    """

    def __init__(
        self,
        depth: int,
        base: int,
        temporal: tuple[int, ...],
        fused: tuple[int, ...] = (0,) * 4,
        temporal_blocks: int | None = None,
        detects: bool = False,
    ) -> None:
        super().__init__()
        block, depths = DEPTHS[depth]
        self.stem = Stem(base, temporal[0])
        inner = [base * 2**i for i in range(4)]
        inputs = [base, *(c * block.expansion for c in inner)]
        kernels = [(temporal[i + 1],) * depths[i] for i in range(4)]
        if temporal_blocks is not None:
            kernels[2] = kernels[2][:temporal_blocks] + (1,) * (depths[2] - temporal_blocks)
        strides, dilations = list(STRIDES), [1, 1, 1, 1]
        if detects:
            strides[3], dilations[3] = 1, 2
        self.stages = nn.ModuleList(
            Stage(block, kernels[i], inputs[i] + fused[i], inner[i], strides[i], dilations[i]) for i in range(4)
        )
        self.channels = inputs  # out of the stem and of each stage

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x
