"""The mutual training step: spatial-temporal distillation (Sec. 3.1, Eq. 3, Fig. 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.configuration import ComputationalRange, Configuration
from a3d.errors import A3DError
from a3d.training.lesson import LessonOnClips
from a3d.training.motion import EvidenceLoss
from a3d.training.task import hits, task_of


class TrainingError(A3DError, RuntimeError):
    """Training cannot go on; the message names the step, the configuration and the remedy."""


@dataclass(frozen=True)
class Part:
    """Part of a step is what one network did: its loss, and `hits` over the batch, percent (top-1 for one class)."""

    configuration: Configuration
    loss: float
    top1: float


def sample_configurations(range: ComputationalRange, generator: torch.Generator) -> list[Configuration]:
    """Return the three networks of a step: the full one, one of random width, one of the smallest width.

    Each sub-network draws its spatial size and its frames on its own.
    """
    smallest, largest = range.widths[0], range.widths[-1]
    random_width = smallest + (largest - smallest) * torch.rand((), generator=generator).item()
    return [range.full, *(sample_resolution(range, width, generator) for width in (random_width, smallest))]


def sample_resolution(range: ComputationalRange, width: float, generator: torch.Generator) -> Configuration:
    """Return a random spatial size and a random number of frames of the range, at this width."""

    def pick(values: tuple[int, ...]) -> int:
        return values[torch.randint(len(values), (), generator=generator)]

    return Configuration(pick(range.spatials), pick(range.frame_counts), width)


def mutual_step(
    network: AdaptiveNetwork,
    clips: Tensor,
    targets: Tensor,
    configurations: list[Configuration],
    lesson: LessonOnClips | None = None,
    boxes: Tensor | None = None,
    distil: bool = True,
    evidence: EvidenceLoss | None = None,
) -> list[Part]:
    """Adds the gradients of Eq. 3 to the parameters, network by network, so that memory stays that of one.

    clips: (B, 3, T, S, S), normalised. targets: (rows, classes), as the network's task has them; a row is a clip or, in
    detection, one of `boxes`, (rows, 5): number of its clip, x1, y1, x2, y2 as shares of the picture.
    configurations: the first learns from the targets, the others from its output. One alone is a plain step.
    lesson: a further loss on the first network's maps, from a teacher of another kind.
    distil: False lets the others learn from the targets, too. evidence: a further loss on the maps of every network.
    Raises TrainingError at the first loss or gradient that is not finite.
    """
    full, *others = configurations
    task, maps = task_of(network), network.features(clips, full, lesson.observe if lesson else None)
    teacher = network.classify(maps, full, None if boxes is None else network.places(boxes, clips.shape, full))
    loss = task.loss(teacher, targets)
    parts = [_part(full, loss, teacher, targets)]
    _backward(network, loss + (lesson(maps) if lesson else 0) + (evidence(maps, full) if evidence else 0), full)
    for configuration in others:
        maps = network.features(clips, configuration)
        places = None if boxes is None else network.places(boxes, clips.shape, configuration)
        logits = network.classify(maps, configuration, places)
        loss = task.distillation(logits, teacher.detach()) if distil else task.loss(logits, targets)
        parts.append(_part(configuration, loss, logits, targets))
        _backward(network, loss + (evidence(maps, configuration) if evidence else 0), configuration)
    return parts


def _part(configuration: Configuration, loss: Tensor, logits: Tensor, targets: Tensor) -> Part:
    return Part(configuration, parallel.all_reduce(loss).item(), hits(logits, targets))


def _backward(network: nn.Module, loss: Tensor, configuration: Configuration) -> None:
    value = parallel.all_reduce(loss).item()
    if not math.isfinite(value):
        raise TrainingError(f"{configuration}: the loss is {value}")
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    norm = parallel.all_reduce(norm).item()  # of all processes, so that all stop
    if not math.isfinite(norm):
        raise TrainingError(f"{configuration}: the gradient is {norm}")
