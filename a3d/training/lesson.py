"""What the full network learns from an image teacher: to say, place by place, what the teacher sees there."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, fx, nn

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.resampling import temporal_indices
from a3d.parallel.batch_norm import batch_norm
from a3d.training.teacher import ImageTeacher

EVERY = 2  # frames that the network sees from one that the teacher looks at to the next
MIDDLE_WEIGHT = 0.25  # of the maps at twice the resolution beside the last


class Lesson(nn.Module):
    """Linear maps from the network's features at strides 16 and 32 to the teacher's, and the loss between them."""

    def __init__(self, network: AdaptiveNetwork, weight: float, side: int = 0) -> None:
        """weight: of the loss beside the labels'. side: of the squares that the teacher looks at, 0: the clip's."""
        super().__init__()
        self.teacher, self.weight, self.last = ImageTeacher(side), weight, 0.0
        self.entry_frames, self.middle, self.frames = network.entry_frames, network.middle, network.full.frames
        layouts = (network.graph.layouts[node] for node in (self.middle, network.graph.features[0]))
        self.projections = nn.ModuleList(
            nn.Conv3d(layout.size, channels, 1) for layout, channels in zip(layouts, self.teacher.channels, strict=True)
        )

    def on(self, pixels: Tensor) -> LessonOnClips:
        """Return the lesson for these pixels: (B, T, S, S, 3), float, 0..255."""
        entry = self.entry_frames(pixels.shape[1])
        taken = [entry[i] for i in temporal_indices(len(entry), self.frames)[::EVERY]]  # of SlowFast, Slow's
        return LessonOnClips(self, self.teacher(pixels[:, taken]))


class LessonOnClips:
    """The loss of a full network's maps on some clips. wanted: what the teacher sees there, at two strides."""

    def __init__(self, lesson: Lesson, wanted: Sequence[Tensor]) -> None:
        self.lesson, self.wanted, self.middle = lesson, wanted, None

    def observe(self, node: fx.Node, value: Tensor) -> None:
        """Take note of the maps at twice the resolution as the network computes them."""
        if node is self.lesson.middle:
            self.middle = value

    def __call__(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the weighted loss of the maps before pooling, of which the first counts."""
        found = zip(self.lesson.projections, (self.middle, maps[0]), self.wanted, strict=True)
        middle, last = (_error(project, features, wanted) for project, features, wanted in found)
        self.lesson.last = parallel.all_reduce(last).item()
        return self.lesson.weight * (last + MIDDLE_WEIGHT * middle)


def _error(project: nn.Module, features: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error, each channel of `wanted` brought to mean 0 and variance 1 over the batch.

    features: (B, C, t, h, w); wanted: (B, C', t', h', w'), averaged to the places that the network has.
    """
    frames = features.shape[2]
    said = project(features[:, :, ::EVERY] if -(-frames // EVERY) == wanted.shape[2] else features)
    wanted = F.adaptive_avg_pool3d(wanted, said.shape[2:])
    errors = (said.float() - batch_norm(wanted, None, None, 1e-5)).square()
    return parallel.mean(errors.mean((1, 2, 3, 4)))
