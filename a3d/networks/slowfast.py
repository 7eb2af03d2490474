"""SlowFast: a Slow pathway with many channels, a Fast one with many frames (Sec. 3.2, Fig. 3)."""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn

from a3d.networks.blocks import Pathway
from a3d.networks.layers import ConvNorm, initialise
from a3d.networks.slow import SLOW_KERNELS

FAST_KERNELS = (5, 3, 3, 3, 3)
FIXED = ("fast", "fusions")  # what keeps all channels and sees the clip as it is, in the adaptive network


class Fusion(nn.Module):
    """Fast features (βC, αT) become 2βC channels at the T frames of the Slow ones, and stand behind those.

    norm: a batch norm and a ReLU follow the convolution, as published.
    """

    def __init__(self, fast_channels: int, alpha: int, kernel: int, norm: bool = True) -> None:
        super().__init__()
        self.lateral = ConvNorm(fast_channels, 2 * fast_channels, (kernel, 1, 1), (alpha, 1, 1))
        self.act = nn.ReLU() if norm else nn.Identity()
        if not norm:
            self.lateral.norm = nn.Identity()

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        return torch.cat([slow, self.act(self.lateral(fast))], 1)


class SlowFast(nn.Module):
    """Takes one clip of αT frames: Fast sees all of it, Slow every α-th frame.

    alpha: Fast frames to a Slow frame; beta: Slow channels to a Fast channel, the paper's 1/β. fusion_kernel: in time,
    of the lateral convolutions. spread: Slow sees frames from the first to the last of the clip, as the official code
    picks them, not every α-th. temporal_blocks: as of `Slow`, one number a pathway. lateral_norm: whether batch norm
    and ReLU follow the lateral convolutions; in mmaction2's published weights they do not.
    """

    def __init__(
        self,
        depth: int,
        classes: int,
        base_channels: int = 64,
        alpha: int = 8,
        beta: int = 8,
        dropout: float = 0.5,
        fusion_kernel: int = 5,
        temporal_blocks: tuple[int, ...] = (),
        spread: bool = False,
        detects: bool = False,
        lateral_norm: bool = True,
    ) -> None:
        super().__init__()
        self.alpha, self.spread = alpha, spread
        slow_blocks, fast_blocks = temporal_blocks or (None, None)
        self.fast = Pathway(depth, base_channels // beta, FAST_KERNELS, (0,) * 4, fast_blocks, detects)
        fused = self.fast.channels[:-1]  # after the stem and every stage but the last
        laterals = tuple(2 * c for c in fused)
        self.slow = Pathway(depth, base_channels, SLOW_KERNELS, laterals, slow_blocks, detects)
        self.fusions = nn.ModuleList(Fusion(c, alpha, fusion_kernel, lateral_norm) for c in fused)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.slow.channels[-1] + self.fast.channels[-1], classes)
        initialise(self)

    def forward(self, clip: Tensor) -> Tensor:
        """Return logits (B, classes) of a clip (B, 3, αT, S, S)."""
        slow, fast = self.slow.stem(slow_frames(clip, self.alpha, self.spread)), self.fast.stem(clip)
        for fuse, slow_stage, fast_stage in zip(self.fusions, self.slow.stages, self.fast.stages, strict=True):
            slow, fast = slow_stage(fuse(slow, fast)), fast_stage(fast)
        pooled = torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1)
        return self.classifier(self.dropout(pooled))


@fx.wrap
def slow_frames(clip: Tensor, alpha: int, spread: bool) -> Tensor:
    """Return every α-th frame of a clip, or as many from its first to its last."""
    frames = clip.shape[2]
    count = frames // alpha
    if not spread or count < 2:
        return clip[:, :, ::alpha]
    return clip[:, :, [i * (frames - 1) // (count - 1) for i in range(count)]]
