"""What is done to a batch of clips on the device: colour jitter, mixup, other scenes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from a3d import parallel

MARGIN = 3  # pixels of a mask around people that stay as they are


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


def exchange_scenes(pixels: Tensor, people: Tensor, share: float) -> Tensor:
    """Give that share of the clips the scene of another clip of the batch, so that the scene does not tell the class.

    pixels: (B, T, S, S, 3) in 0..255, float; so is the result. people: uint8 (B, T, h, w), 255 where they are. A clip
    stays as it is wherever a person is in either of the two, at any moment; and whole if it or the other shows none.
    """
    rows, total = parallel.own_rows(pixels)
    other = torch.randperm(total, device=pixels.device)[rows]
    chosen = parallel.uniform(pixels) < share
    taken = F.max_pool2d(people.amax(1, keepdim=True).float(), 2 * MARGIN + 1, 1, MARGIN) / 255
    theirs = parallel.gather(taken)[other]
    chosen &= (taken.amax((1, 2, 3)) > 0) & (theirs.amax((1, 2, 3)) > 0)
    kept = F.interpolate(torch.maximum(taken, theirs), pixels.shape[2:4], mode="bilinear")[..., None]
    kept = torch.where(chosen[:, None, None, None, None], kept, 1.0)  # (B, 1, S, S, 1), of all frames alike
    return pixels.lerp(parallel.gather(pixels)[other], 1 - kept)
