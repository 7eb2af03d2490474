"""How clips are cut from videos: the paper's T × τ, in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator

from a3d.errors import InputError
from a3d.video.clip_window import clip_starts as clip_starts
from a3d.video.clip_window import window as window


@dataclass(frozen=True)
class Sampling:
    """How the full clip of a network is cut from a video: T × τ frames of S² and their normalisation.

    frames: T; stride: τ, in frames at `rate`; spatial: S; mean, std: a channel, of pixels in 0..1.
    rate: frames a second that τ belongs to, so that a clip spans T · τ / rate seconds of any video. None, as in
    checkpoints that were written before it was there: τ counts the frames of each video, and a clip of 60 frames a
    second spans half the seconds of one of 30.
    """

    frames: int = 8
    stride: int = 8
    spatial: int = 224
    mean: tuple[float, float, float] = (0.45, 0.45, 0.45)
    std: tuple[float, float, float] = (0.225, 0.225, 0.225)
    rate: float | None = None

    def __post_init__(self) -> None:
        for name in ("frames", "stride", "spatial"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)} in a sampling: give at least 1")
        if self.rate is not None and not (0 < self.rate < math.inf):
            raise InputError(f"rate {self.rate} in a sampling: give frames a second, as 30")

    def __str__(self) -> str:
        rate = "at the video's own rate" if self.rate is None else f"at {self.rate:g} a second"
        return f"{self.frames} frames, one of every {self.stride} {rate}, {self.spatial}²"

    def span(self, frame_rate: float) -> float:
        """Seconds that a clip covers: T · τ frames at the sampling's rate; `frame_rate` is the video's."""
        return self.frames * self.stride / (self.rate or frame_rate)

    def window(self, times: np.ndarray, frame_rate: float, start: float) -> np.ndarray:
        """Numbers (int64, T) of a clip's frames, from `start` seconds on, of a video with these `times` and rate."""
        return window(times, frame_rate, self.frames, self.stride, start, self.rate)


def training_start(duration: float, span: float, generator: Generator) -> float:
    """A random start in seconds, uniform over all at which a clip of `span` fits in `duration`."""
    return max(0.0, duration - span) * torch.rand((), generator=generator).item()
