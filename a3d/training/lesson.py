"""What the full network learns from an image teacher: to say, place by place, what the teacher sees there."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from a3d.networks.adaptive import AdaptiveNetwork
from a3d.training.teacher import ImageTeacher


class Lesson(nn.Module):
    """A linear map from the network's last features to the teacher's, and the loss between them."""

    def __init__(self, network: AdaptiveNetwork, weight: float) -> None:
        super().__init__()
        self.teacher, self.weight = ImageTeacher(), weight
        features = network.classifier.in_features - network.classifier.tail  # of the Slow pathway
        self.projection = nn.Conv3d(features, self.teacher.channels, 1)
        self.last = 0.0

    def about(self, pixels: Tensor) -> Callable[[tuple[Tensor, ...]], Tensor]:
        """The loss on the full network's maps for these pixels: (B, T, S, S, 3), float, 0..255."""
        wanted = self.teacher(pixels)

        def loss(maps: tuple[Tensor, ...]) -> Tensor:
            said = self.projection(maps[0])
            value = self.weight * (1 - F.cosine_similarity(said.float(), wanted, dim=1)).mean()
            self.last = value.item()
            return value

        return loss
