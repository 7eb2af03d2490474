"""Which frames a clip consists of, by time and not by number."""

from __future__ import annotations

import numpy as np

from a3d.errors import InputError


def window(
    times: np.ndarray, frame_rate: float, frames: int, stride: int, start: float, rate: float | None = None
) -> np.ndarray:
    """Numbers (int64, `frames`) of the frames shown at `start`, one every `stride` / `rate` seconds.

    times: float64 (N,), ascending seconds; start: seconds; frame_rate: of the video. rate: frames a second that the
    stride belongs to, by default the video's own. The frame shown is the latest that begins at most half a frame after
    the moment, so that rounded timestamps do not matter; past the end it is the last frame.
    """
    moments = start + np.arange(frames) * (stride / (rate or frame_rate))
    shown = np.searchsorted(times, moments + 0.5 / frame_rate, side="right") - 1
    return np.clip(shown, 0, len(times) - 1).astype(np.int64)


def clip_starts(duration: float, span: float, clips: int) -> np.ndarray:
    """Starts (float64, `clips`) in seconds of test clips, evenly over all that fit; a single one is centred."""
    if clips < 1:
        raise InputError(f"{clips} clips asked for: give at least 1")
    last = max(0.0, duration - span)
    return np.array([last / 2]) if clips == 1 else np.linspace(0.0, last, clips)
