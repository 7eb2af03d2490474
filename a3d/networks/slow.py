"""Slow: the single-pathway network (Sec. 3.1)."""

from __future__ import annotations

from torch import Tensor

from a3d.adaptive.network import AdaptiveNetwork, Architecture, Pathway
from a3d.adaptive.resampling import resample
from a3d.adaptive.slimmable import Pass
from a3d.configuration import Configuration

SLOW_KERNELS = (1, 1, 1, 3, 3)  # in time, of stem and stages: the Slow pathway looks along time only late


class Slow(AdaptiveNetwork):
    """Every dimension adapts: width, spatial size and frames."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        self.pathway = Pathway(architecture, 0, architecture.base_channels, SLOW_KERNELS)
        self._finish(self.pathway.channels[-1])

    def run(self, clip: Tensor, configuration: Configuration, how: Pass) -> tuple[Tensor, ...]:
        x = resample(clip, configuration.frames, *self.picture_sides(*clip.shape[3:], configuration)[0])
        x = self.pathway.stem(x, how)
        for stage in self.pathway.stages:
            x = stage(x, how)
        return (x,)

    def clip_shape(self, configuration: Configuration) -> tuple[int, int]:
        return max(self.architecture.frames, configuration.frames), configuration.spatial


def slow_r18(classes: int = 400, **options) -> Slow:
    """Options of every builder: the fields of `Architecture` (base_channels, spatial, frames, dropout)."""
    return Slow(Architecture("slow", 18, classes, **options))


def slow_r26(classes: int = 400, **options) -> Slow:
    """Bottlenecks (2, 2, 2, 2): half the cost of R-50."""
    return Slow(Architecture("slow", 26, classes, **options))


def slow_r50(classes: int = 400, **options) -> Slow:
    """The paper's backbone: 54.5 GFLOPs at 256²×8, 32.5 M parameters."""
    return Slow(Architecture("slow", 50, classes, **options))


def slow_r101(classes: int = 400, **options) -> Slow:
    """Bottlenecks (3, 4, 23, 3)."""
    return Slow(Architecture("slow", 101, classes, **options))
