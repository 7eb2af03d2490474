"""The mutual training step: spatial-temporal distillation (Sec. 3.1, Eq. 3, Fig. 2)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from a3d.configuration import ComputationalRange, Configuration
from a3d.networks.adaptive import AdaptiveNetwork


class TrainingError(RuntimeError):
    """Training cannot go on; the message names the step, the configuration and the remedy."""


@dataclass(frozen=True)
class Part:
    """What one network of a step did: its loss, and its top-1 over the batch in percent."""

    configuration: Configuration
    loss: float
    top1: float


def sample_configurations(span: ComputationalRange, generator: torch.Generator) -> list[Configuration]:
    """The three networks of a step: the full one, one of random width, one of the smallest width.

    Each sub-network draws its spatial size and its frames on its own.
    """
    smallest, largest = span.widths[0], span.widths[-1]
    random_width = smallest + (largest - smallest) * torch.rand((), generator=generator).item()
    return [span.full, *(_draw(span, width, generator) for width in (random_width, smallest))]


def _draw(span: ComputationalRange, width: float, generator: torch.Generator) -> Configuration:
    def pick(values: tuple[int, ...]) -> int:
        return values[torch.randint(len(values), (), generator=generator)]

    return Configuration(pick(span.spatials), pick(span.frame_counts), width)


def mutual_step(
    network: AdaptiveNetwork,
    clips: Tensor,
    targets: Tensor,
    configurations: list[Configuration],
    lesson: Callable[[tuple[Tensor, ...]], Tensor] | None = None,
) -> list[Part]:
    """Adds the gradients of Eq. 3 to the parameters, network by network, so that memory stays that of one.

    clips: (B, 3, T, S, S), normalised. targets: (B, classes), label probabilities (rows sum to 1).
    configurations: the full network's, learning from the targets, then those that learn from its output.
    lesson: a further loss on the full network's maps, from a teacher of another kind.
    Raises TrainingError at the first loss or gradient that is not finite.
    """
    full, *others = configurations
    maps = network.features(clips, full)
    logits = network.classify(maps)
    loss = F.cross_entropy(logits, targets)
    _backward(network, loss if lesson is None else loss + lesson(maps), full)
    parts = [_part(full, loss, logits, targets)]
    soft = logits.detach().float().log_softmax(1)
    for configuration in others:
        logits = network(clips, configuration)
        loss = distillation(logits, soft)
        _backward(network, loss, configuration)
        parts.append(_part(configuration, loss, logits, targets))
    return parts


def distillation(logits: Tensor, soft: Tensor) -> Tensor:
    """KL(teacher ‖ student), temperature 1, mean over the batch. soft: the teacher's log-probabilities (B, classes)."""
    return F.kl_div(logits.log_softmax(1), soft, reduction="batchmean", log_target=True)


def _part(configuration: Configuration, loss: Tensor, logits: Tensor, targets: Tensor) -> Part:
    right = (logits.argmax(1) == targets.argmax(1)).float().mean()
    return Part(configuration, loss.item(), 100 * right.item())


def _backward(network: nn.Module, loss: Tensor, configuration: Configuration) -> None:
    if not math.isfinite(loss.item()):
        raise TrainingError(f"{configuration}: the loss is {loss.item()}")
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    if not math.isfinite(norm.item()):
        raise TrainingError(f"{configuration}: the gradient is {norm.item()}")
