"""What the full network learns from an image teacher: to say, place by place, what the teacher sees there."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.resampling import temporal_indices
from a3d.parallel.batch_norm import batch_norm
from a3d.training.teacher import ImageTeacher

EVERY = 2  # frames of the full clip from one that the teacher looks at to the next
MIDDLE_WEIGHT = 0.25  # of the third stage beside the last


class Lesson(nn.Module):
    """Linear maps from the Slow features of the last two stages to the teacher's, and the loss between them."""

    def __init__(self, network: AdaptiveNetwork, weight: float) -> None:
        super().__init__()
        self.teacher, self.weight, self.last = ImageTeacher(), weight, 0.0
        pathway = network.pathway if network.architecture.family == "slow" else network.slow
        self.projections = nn.ModuleList(
            nn.Conv3d(pathway.channels[stage], channels, 1)
            for stage, channels in zip((3, 4), self.teacher.channels, strict=True)
        )
        self._middle: Tensor | None = None
        pathway.stages[2].register_forward_hook(self._keep)

    def _keep(self, stage: nn.Module, inputs: tuple, output: Tensor) -> None:
        self._middle = output

    def about(self, pixels: Tensor) -> Callable[[tuple[Tensor, ...]], Tensor]:
        """The loss on the full network's maps for these pixels: (B, T, S, S, 3), float, 0..255."""
        frames = range(0, pixels.shape[1], EVERY)
        wanted = self.teacher(pixels[:, list(frames)])

        def loss(maps: tuple[Tensor, ...]) -> Tensor:
            seen = temporal_indices(pixels.shape[1], maps[0].shape[2])
            steps = [seen.index(frame) for frame in frames if frame in seen]
            told = [i for i, frame in enumerate(frames) if frame in seen]
            middle, last = (
                _error(project(features[:, :, steps]), target[:, :, told])
                for project, features, target in zip(self.projections, (self._middle, maps[0]), wanted, strict=True)
            )
            self.last = parallel.summed(last).item()
            return self.weight * (last + MIDDLE_WEIGHT * middle)

        return loss


def _error(said: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error, each channel of `wanted` brought to mean 0 and variance 1 over the batch.

    said: (B, C, t, h, w); wanted: (B, C, t, h', w'), averaged to the places that the network has.
    """
    wanted = F.adaptive_avg_pool3d(wanted, said.shape[2:])
    errors = (said.float() - batch_norm(wanted, None, None, 1e-5)).square()
    return parallel.mean(errors.mean((1, 2, 3, 4)))
