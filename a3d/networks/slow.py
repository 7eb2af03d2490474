"""Slow: the single-pathway network (Sec. 3.1)."""

from __future__ import annotations

from torch import Tensor, nn

from a3d.networks.blocks import Pathway
from a3d.networks.layers import initialise

SLOW_KERNELS = (1, 1, 1, 3, 3)  # in time, of stem and stages: the Slow pathway looks along time only late


class Slow(nn.Module):
    """In this network every dimension adapts: width, spatial size and frames.

    depth: 18, 26, 50 or 101. base_channels: of the stem, 64 as published. dropout: before the classifier.
    temporal_blocks: how many blocks of the third stage look along time, one number; all of them if empty.
    """

    def __init__(
        self,
        depth: int,
        classes: int,
        base_channels: int = 64,
        dropout: float = 0.5,
        temporal_blocks: tuple[int, ...] = (),
        detects: bool = False,
    ) -> None:
        super().__init__()
        blocks = temporal_blocks[0] if temporal_blocks else None
        self.pathway = Pathway(depth, base_channels, SLOW_KERNELS, temporal_blocks=blocks, detects=detects)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.pathway.channels[-1], classes)
        initialise(self)

    def forward(self, clip: Tensor) -> Tensor:
        """Return logits (B, classes) of a clip (B, 3, T, S, S)."""
        return self.classifier(self.dropout(self.pathway(clip).mean((2, 3, 4))))
