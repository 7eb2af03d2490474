"""The shape of clip that a compiled body takes, and how a clip gets it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from a3d.adaptive.extraction import SubNetwork, at_configuration
from a3d.engines.runtime import EngineError


@dataclass(frozen=True)
class Entry:
    """frames, spatial: of what a body takes. adapts: whether every clip is brought to that, as a part of the pass; a
    network with a fixed part sees the clip as it is, and brings it to its configuration inside."""

    frames: int
    spatial: int
    adapts: bool

    @classmethod
    def of(cls, sub: SubNetwork, clip_shape: tuple[int, int]) -> Entry:
        """clip_shape: frames and side of the full clip that the configuration is tested on."""
        if sub.graph.sees_whole_clip:
            return cls(*clip_shape, False)
        return cls(sub.configuration.frames, sub.configuration.spatial, True)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, H, W)."""
        return self.frames, self.spatial, self.spatial

    def __call__(self, clip: Tensor) -> Tensor:
        """Return a clip (B, 3, T, S, S) in that shape. Raises EngineError for one that cannot be brought to it."""
        clip = at_configuration(clip, self.frames, self.spatial) if self.adapts else clip
        if tuple(clip.shape[2:]) != self.shape:
            raise EngineError(
                f"a clip of {clip.shape[2]} frames, {clip.shape[3]}×{clip.shape[4]}: the compiled network takes "
                f"{self.frames} of {self.spatial}²; give those, or run it by PyTorch (--engine pytorch)"
            )
        return clip
