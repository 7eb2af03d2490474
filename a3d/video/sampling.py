"""Which frames of a video make a clip: the paper's T × τ by time, not by number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator


@dataclass(frozen=True)
class Sampling:
    """How the full clip of a network is cut from a video: T × τ frames of S² and their normalisation.

    frames: T; stride: τ, in frames of the source; spatial: S; mean, std: a channel, of pixels in 0..1.
    """

    frames: int = 8
    stride: int = 8
    spatial: int = 224
    mean: tuple[float, float, float] = (0.45, 0.45, 0.45)
    std: tuple[float, float, float] = (0.225, 0.225, 0.225)

    def __post_init__(self) -> None:
        for name in ("frames", "stride", "spatial"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} in a sampling: give at least 1")

    def span(self, frame_rate: float) -> float:
        """Seconds that a clip covers: T · τ frames."""
        return self.frames * self.stride / frame_rate


def window(times: np.ndarray, frame_rate: float, frames: int, stride: int, start: float) -> np.ndarray:
    """Numbers (int64, `frames`) of the frames shown at `start`, one every `stride` / `frame_rate` seconds.

    times: float64 (N,), ascending seconds; start: seconds. The frame shown is the latest that begins at most half a
    frame after the moment, so that rounded timestamps do not matter; past the end it is the last frame.
    """
    moments = start + np.arange(frames) * (stride / frame_rate)
    shown = np.searchsorted(times, moments + 0.5 / frame_rate, side="right") - 1
    return np.clip(shown, 0, len(times) - 1).astype(np.int64)


def clip_starts(duration: float, span: float, clips: int) -> np.ndarray:
    """Starts (float64, `clips`) in seconds of test clips, evenly over all that fit; a single one is centred."""
    if clips < 1:
        raise ValueError(f"{clips} clips asked for: give at least 1")
    last = max(0.0, duration - span)
    return np.array([last / 2]) if clips == 1 else np.linspace(0.0, last, clips)


def training_start(duration: float, span: float, generator: Generator) -> float:
    """A random start in seconds, uniform over all at which a clip of `span` fits in `duration`."""
    return max(0.0, duration - span) * torch.rand((), generator=generator).item()
