"""What is done to a batch of clips on the device: colour jitter, mixup."""

from __future__ import annotations

import torch
from torch import Tensor

from a3d import parallel


def jitter_colours(pixels: Tensor, strength: float) -> Tensor:
    """Brightness, contrast and saturation by factors in [1 - strength, 1 + strength], one draw a clip.

    pixels: (B, T, S, S, 3) in 0..255, float; so is the result. Draws from torch's global generator.
    """
    factors = 1 + strength * (2 * parallel.uniform(pixels, 3, 1, 1, 1, 1) - 1)
    brightness, contrast, saturation = factors.unbind(1)
    pixels = pixels * brightness
    mean = pixels.mean((1, 2, 3, 4), keepdim=True)
    pixels = mean + (pixels - mean) * contrast
    grey = pixels.mean(4, keepdim=True)
    return (grey + (pixels - grey) * saturation).clamp(0, 255)


def mix(pixels: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Mixup: every clip blended with another of the batch, its targets (B, classes) likewise; share from Beta(α, α).

    The other may be a clip of another process: they exchange their clips.
    """
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    rows, total = parallel.own_rows(pixels)
    other = torch.randperm(total, device=pixels.device)[rows]
    return tuple(share * own + (1 - share) * parallel.gather(own)[other] for own in (pixels, targets))
