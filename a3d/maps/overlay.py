"""Evidence laid over frames in colour, on a fixed scale, and the side-by-side video of two networks.

What speaks for the class is warm, what speaks against it is blue, and both are the brighter the stronger they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from plotly.colors import sample_colorscale, unlabel_rgb

from a3d.maps.maps import Comparison, Explanation, upsample
from a3d.video.encode import write_video
from a3d.video.transforms import resize

FOR, AGAINST = "Inferno", "Ice"  # perceptually uniform: equal steps of evidence look equal, in grey and to any eye
WEAKEST = 0.3  # where in these scales colours begin: below, they are too dark to lie on a picture
STRENGTH = 0.75  # opacity of the strongest evidence: the frame stays visible below it
LEVELS = 256  # of either colour scale


def _table(name: str) -> np.ndarray:
    colours = sample_colorscale(name, np.linspace(WEAKEST, 1, LEVELS).tolist())
    return np.array([unlabel_rgb(colour) for colour in colours], np.float32)


TABLE = np.concatenate([_table(AGAINST)[:0:-1], _table(FOR)])  # (511, 3), 0..255, from against to for


def opacity(level: np.ndarray) -> np.ndarray:
    """Return how much of the picture evidence covers, 0..1. level: -1..1, shares of the scale."""
    return STRENGTH * np.abs(level) ** 0.7  # a power below 1 lets weak evidence show


def colour(level: np.ndarray) -> np.ndarray:
    """Return the colour (..., 3), 0..255, of evidence at a level -1..1, a share of the scale."""
    return TABLE[(level * (LEVELS - 1)).round().astype(int) + LEVELS - 1]


def blend(frames: np.ndarray, evidence: np.ndarray, scale: float) -> np.ndarray:
    """Lay `evidence` (n, H, W) over frames uint8 (n, H, W, 3): uint8 (n, H, W, 3).

    Colours run from -`scale` to `scale`, the same for every picture; where evidence is 0 the frame is bare.
    """
    level = np.clip(evidence / scale if scale > 0 else np.zeros_like(evidence), -1, 1)
    cover = opacity(level)[..., None]
    return (frames * (1 - cover) + colour(level) * cover).round().astype(np.uint8)


def overlays(explanation: Explanation, scale: float, size: int, pathway: int = 0) -> np.ndarray:
    """uint8 (T, size, size, 3): every frame of the full clip under its evidence; dim and grey where it was not seen.

    Frames are shown at the resolution at which the pathway saw them: at 64², what is lost is lost for the viewer too.
    """
    evidence = explanation.evidence[pathway]
    count, side = explanation.frames.shape[:2]
    seen_at = explanation.configuration.spatial if evidence.pathway == "slow" else side
    pictures = coarse(torch.from_numpy(explanation.frames), min(seen_at, side), size)
    maps = upsample(evidence.by_frame(count), size)
    seen = np.isin(np.arange(count), evidence.seen)
    pictures[seen] = blend(pictures[seen], maps[seen], scale)
    pictures[~seen] = _dimmed(pictures[~seen])
    return pictures


def coarse(frames: torch.Tensor, seen_at: int, size: int) -> np.ndarray:
    """Return squares uint8 (n, S, S, 3) as (n, size, size, 3) that show what is left of them at seen_at²."""
    return resize(resize(frames, seen_at, seen_at), size, size).numpy()


def write_overlay(comparison: Comparison, path: str | Path, size: int = 320) -> Path:
    """Writes full network | sub-network as H.264 yuv420p at the pace of the clip, which every browser plays.

    size: pixels of each half, rounded up to an even number. The file appears whole or not at all. Returns its path.
    """
    size += size % 2
    halves = [overlays(x, comparison.scale, size) for x in (comparison.full, comparison.sub)]
    gap = np.zeros((*halves[0].shape[:2], 8, 3), np.uint8)
    return write_video(path, np.concatenate([halves[0], gap, halves[1]], 2), _pace(comparison.full.all_times))


def _dimmed(frames: np.ndarray) -> np.ndarray:
    grey = frames.mean(-1, keepdims=True) * 0.35
    return np.broadcast_to(grey, frames.shape).round().astype(np.uint8)


def _pace(times: np.ndarray) -> float:
    """Frames a second of the sampled clip; 4 for a clip that stands still."""
    span = float(times[-1] - times[0])
    return (len(times) - 1) / span if span > 0 else 4.0
