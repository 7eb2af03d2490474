"""From the full clip to the clip of a configuration, in space and time."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from a3d.configuration import ConfigurationError


def temporal_indices(frames: int, wanted: int) -> list[int]:
    """Frames `floor(i · T / T')` of a clip of T `frames` that a sub-network with T' = `wanted` sees (Fig. 1)."""
    if wanted > frames:
        raise ConfigurationError(f"{wanted} frames asked of a clip of {frames}: give a longer clip")
    return [i * frames // wanted for i in range(wanted)]


def short_sides(height: int, width: int, short: int) -> tuple[int, int]:
    """Height and width of a picture whose shorter side is brought to `short`, the aspect ratio kept."""
    scale = short / min(height, width)
    return max(short, round(height * scale)), max(short, round(width * scale))


def resample(x: Tensor, frames: int, height: int, width: int) -> Tensor:
    """(B, C, T, H, W) to (B, C, frames, height, width): frames picked, space interpolated (bilinear, antialias)."""
    numbers = temporal_indices(x.shape[2], frames)
    if x.is_meta:  # shapes alone
        return x.new_empty(*x.shape[:2], frames, height, width)
    if x.shape[2] != frames:
        x = x[:, :, numbers]
    if x.shape[3:] != (height, width):
        batch, channels = x.shape[:2]
        images = x.transpose(1, 2).reshape(batch * frames, channels, *x.shape[3:])
        images = F.interpolate(images, (height, width), mode="bilinear", antialias=True)
        x = images.unflatten(0, (batch, frames)).transpose(1, 2)
    return x
