"""SlowFast with adaptive fusion: the Slow pathway adapts, the Fast one does not (Sec. 3.2, Fig. 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from a3d.adaptive.network import AdaptiveNetwork, Architecture, Pathway
from a3d.adaptive.resampling import resample
from a3d.adaptive.slimmable import Pass
from a3d.configuration import Configuration
from a3d.networks.blocks import ConvNorm
from a3d.networks.slow import SLOW_KERNELS

FAST_KERNELS = (5, 3, 3, 3, 3)


class AdaptiveFusion(nn.Module):
    """Fast features (βC, αT, S²) become the last 2βC channels of the Slow features (γwC, γtT, (γsS)²)."""

    def __init__(self, fast_channels: int, alpha: int, kernel: int) -> None:
        super().__init__()
        self.lateral = ConvNorm(fast_channels, 2 * fast_channels, (kernel, 1, 1), (alpha, 1, 1), fixed=True)

    def forward(self, slow: Tensor, fast: Tensor, how: Pass) -> Tensor:
        lateral = self.lateral(fast, how, relu=True)  # (B, 2βC, T, S, S)
        return torch.cat([slow, resample(lateral, *slow.shape[2:])], 1)


class SlowFast(AdaptiveNetwork):
    """Takes one clip of αT frames: Fast sees all of it, Slow every α-th frame, then the configuration's."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        base = architecture.base_channels
        self.fast = Pathway(architecture, 1, base // architecture.beta, FAST_KERNELS, fixed=True)
        fused = self.fast.channels[:-1]  # after the stem and every stage but the last
        self.slow = Pathway(architecture, 0, base, SLOW_KERNELS, tails=tuple(2 * c for c in fused))
        self.fusions = nn.ModuleList(AdaptiveFusion(c, architecture.alpha, architecture.fusion_kernel) for c in fused)
        self._finish(self.slow.channels[-1] + self.fast.channels[-1], tail=self.fast.channels[-1])

    def run(self, clip: Tensor, configuration: Configuration, how: Pass) -> tuple[Tensor, ...]:
        sides = self.picture_sides(*clip.shape[3:], configuration)[0]
        slow = resample(clip[:, :, self.slow_frames(clip.shape[2])], configuration.frames, *sides)
        slow, fast = self.slow.stem(slow, how), self.fast.stem(clip, how)
        for fuse, slow_stage, fast_stage in zip(self.fusions, self.slow.stages, self.fast.stages, strict=True):
            slow, fast = slow_stage(fuse(slow, fast, how), how), fast_stage(fast, how)
        return slow, fast

    def picture_sides(self, height: int, width: int, configuration: Configuration) -> tuple[tuple[int, int], ...]:
        return (*super().picture_sides(height, width, configuration), (height, width))

    def slow_frames(self, frames: int) -> list[int]:
        """Every α-th, or as many from the first to the last (`Architecture.spread`)."""
        count = frames // self.architecture.alpha
        if not self.architecture.spread or count < 2:
            return list(range(0, frames, self.architecture.alpha))
        return [i * (frames - 1) // (count - 1) for i in range(count)]

    def clip_shape(self, configuration: Configuration) -> tuple[int, int]:
        frames = max(self.architecture.frames, configuration.frames)
        return self.architecture.alpha * frames, max(self.architecture.spatial, configuration.spatial)


def slowfast_r18(classes: int = 400, **options) -> SlowFast:
    """Options of every builder: the fields of `Architecture` (base_channels, spatial, frames, alpha, beta, dropout)."""
    return SlowFast(Architecture("slowfast", 18, classes, **({"frames": 4} | options)))


def slowfast_r26(classes: int = 400, **options) -> SlowFast:
    """Bottlenecks (2, 2, 2, 2): half the cost of R-50."""
    return SlowFast(Architecture("slowfast", 26, classes, **({"frames": 4} | options)))


def slowfast_r50(classes: int = 400, **options) -> SlowFast:
    """The paper's SlowFast 4×16: 36.1 GFLOPs at 256²×4, 34.5 M parameters."""
    return SlowFast(Architecture("slowfast", 50, classes, **({"frames": 4} | options)))


def slowfast_r101(classes: int = 400, **options) -> SlowFast:
    """Bottlenecks (3, 4, 23, 3)."""
    return SlowFast(Architecture("slowfast", 101, classes, **({"frames": 4} | options)))
