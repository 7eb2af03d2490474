"""What differs between tasks: one class a clip, several classes a clip (Charades), several a person box (AVA).

A row is what is classified: a clip or, in detection, a box. Losses are means over the rows of all processes, each
process giving its part.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.datasets.items import FOREIGN


class SingleLabel:
    """One class is right, or none: cross-entropy. Targets are probabilities that sum to 1."""

    def targets(self, labels: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
        """Turn labels, int64 (rows,), to targets (rows, classes), float32, smoothed; all alike for FOREIGN clips."""
        wanted = F.one_hot(labels.clamp(min=0), classes).float() * (1 - smoothing) + smoothing / classes
        return torch.where(labels[:, None] == FOREIGN, 1 / classes, wanted)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, mean over rows; logits, targets: (rows, classes)."""
        return parallel.mean(F.cross_entropy(logits, targets, reduction="none"))

    def distillation(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Return KL(teacher ‖ student), temperature 1, mean over rows; teacher: its logits, (rows, classes)."""
        soft = teacher.float().log_softmax(1)
        return parallel.mean(F.kl_div(logits.log_softmax(1), soft, reduction="none", log_target=True).sum(1))


class MultiLabel:
    """Each class is right or not, independently of the others: binary cross-entropy. Targets are 0 or 1 a class."""

    def targets(self, labels: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
        """labels: 0 or 1, (rows, classes); they are the targets. Smoothing is for labels that exclude each other."""
        return labels.float()

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the binary cross-entropy, mean over rows and classes."""
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return parallel.mean(each.mean(1))

    def distillation(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Return KL(teacher ‖ student) of every class's yes or no, mean over rows and classes."""
        teacher = teacher.float()
        yes = teacher.sigmoid()
        log_ratio_yes = F.logsigmoid(teacher) - F.logsigmoid(logits)
        log_ratio_no = F.logsigmoid(-teacher) - F.logsigmoid(-logits)
        return parallel.mean((yes * log_ratio_yes + (1 - yes) * log_ratio_no).mean(1))


Task = SingleLabel | MultiLabel
TASKS: dict[str, Task] = {
    "classification": SingleLabel(),
    "multilabel": MultiLabel(),
    "detection": MultiLabel(),  # the same, but a row is a box
}


def task_of(network: AdaptiveNetwork) -> Task:
    """Return what a network's task asks of losses and targets."""
    return TASKS[network.task]


def hits(logits: Tensor, targets: Tensor) -> float:
    """Percent of rows, over all processes, whose highest logit is on a class that is right: top-1 for one class.

    Rows for which all classes are as right do not count; 0 if there are no others.
    """
    answer = targets.gather(1, logits.argmax(1, keepdim=True))[:, 0]
    lowest, highest = targets.amin(1), targets.amax(1)
    counts = (lowest == 0) | (lowest < highest) | (highest == 1)
    right = counts & (answer > 0) & (answer == highest)
    right, counts = (parallel.all_reduce(parallel.mean(rows.float())).item() for rows in (right, counts))
    return 100 * right / counts if counts else 0.0
