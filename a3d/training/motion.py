"""Who acts in a clip, and a loss that draws a network's evidence there.

On some hundred clips a network learns the rooms in place of the people: both tell the class. Masks say where people
are; without them, who acts moves, and most of a room does not. The loss is -log of the share of the positive evidence
for the true class that lies there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.resampling import temporal_indices
from a3d.configuration import Configuration
from a3d.datasets.items import FOREIGN
from a3d.datasets.training_clips import MASK_SIDE

ABOVE = 1.5  # times the mean change of a frame, which a moving camera gives to all of it
LEAST = 4.0  # grey levels: a clip whose largest change is smaller stands still
SHARE_FLOOR = 1e-3


def moving(pixels: Tensor) -> Tensor:
    """Return where something moves, (B, T, 56, 56) in 0..1, of clips (B, T, S, S, 3) in 0..255, float.

    A place moves if it differs from the frame before *and* from the one after, by more than the frame does as a whole;
    1 from half of the largest change on. All of a clip that stands still, or has one frame, is 0.
    """
    if pixels.shape[1] < 2:
        return pixels.new_zeros(*pixels.shape[:2], MASK_SIDE, MASK_SIDE)
    # At so few pixels, a camera that shakes by one or two moves nothing.
    grey = F.interpolate(pixels.mean(4), (MASK_SIDE, MASK_SIDE), mode="bilinear", antialias=True)
    steps = F.avg_pool2d((grey[:, 1:] - grey[:, :-1]).abs(), 3, 1, 1)
    change = torch.minimum(torch.cat([steps[:, :1], steps], 1), torch.cat([steps, steps[:, -1:]], 1))
    change = (change - ABOVE * change.mean((2, 3), keepdim=True)).relu()
    largest = change.amax((2, 3), keepdim=True)
    return (2 * change / largest.clamp(min=LEAST)).clamp(max=1) * (largest > LEAST)


def acting(pixels: Tensor, people: Tensor | None) -> Tensor:
    """Return who acts, (B, T, 56, 56) in 0..1: where people are, and what moves in frames whose people are not known.

    pixels: (B, T, S, S, 3) in 0..255, float. people: the masks of a batch, uint8 (B, T, 56, 56); None for no masks.
    """
    moves = moving(pixels)
    if people is None:
        return moves
    known = people.amax((2, 3), keepdim=True) > 0
    return torch.where(known, people / 255, moves)


class EvidenceLoss:
    """The loss of one batch. weight: of it beside the others. where: what `acting` says of the full clips.

    labels: int64 (B,), the true classes; FOREIGN clips do not count.
    """

    def __init__(self, network: AdaptiveNetwork, weight: float, where: Tensor, labels: Tensor) -> None:
        self.network, self.weight, self.where, self.labels = network, weight, where, labels

    def __call__(self, maps: Sequence[Tensor], configuration: Configuration) -> Tensor:
        """Return the weighted loss of the maps before pooling, (B, C, t, h, w), of a network of one pathway."""
        evidence = _evidence(self.network, maps[0], configuration, self.labels).relu()
        frames = self.where[:, temporal_indices(self.where.shape[1], maps[0].shape[2])]
        where = F.adaptive_avg_pool2d(frames, maps[0].shape[3:])
        share = ((evidence * where).sum((1, 2, 3)) + SHARE_FLOOR) / (evidence.sum((1, 2, 3)) + SHARE_FLOOR)
        counts = (where.amax((1, 2, 3)) > 0) & (self.labels != FOREIGN)
        return self.weight * parallel.mean(-share.log() * counts)


def _evidence(network: AdaptiveNetwork, maps: Tensor, configuration: Configuration, labels: Tensor) -> Tensor:
    """(B, t, h, w): the logit of each clip's class if all were as at one place, above that of maps of zeros.

    Logits count from the mean of all classes, as they do in a network that is trained (`centre_classes`).
    """
    batch, channels, *size = maps.shape
    places = maps.movedim(1, 4).reshape(-1, channels, 1, 1, 1)
    logits = network.classify((places,), configuration) - network.classify((places[:1] * 0,), configuration)
    logits = logits - logits.mean(1, keepdim=True)
    return logits.unflatten(0, (batch, *size)).movedim(4, 1)[torch.arange(batch, device=labels.device), labels]
