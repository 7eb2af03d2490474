"""What many configurations answer about one clip, and where they look: read once, for a dial to move over."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.configuration import Configuration
from a3d.maps.maps import Clip, Evidence, class_activation_maps, clip_tensor, slow_evidence
from a3d.trained import TrainedNetwork, check_trained

PASSES = 3  # the first of a shape prepares kernels, and any may be interrupted


@dataclass(frozen=True)
class Finding:
    """One configuration on one clip.

    probabilities: float32 (classes,). none: probability that the clip shows none of the classes, None for a network
    that cannot say. evidence: by class number, exact maps of the first pathway. milliseconds: of a pass through the
    network on this machine, the fastest of three, with whatever else the machine had to do.
    """

    configuration: Configuration
    probabilities: np.ndarray
    none: float | None
    evidence: dict[int, Evidence]
    milliseconds: float

    @property
    def label(self) -> int:
        """The number of the most probable class."""
        return int(self.probabilities.argmax())


def sweep(
    clip: Clip, network: TrainedNetwork, configurations: Iterable[Configuration], labels: Sequence[int] | None = None
) -> Iterator[Finding]:
    """Yield what each configuration answers, in their order, one as soon as it is known.

    labels: numbers of the classes whose maps are wanted, all if left out. Answers and maps are those of `explain`.
    Raises Untrained for a network without classes, MissingStatistics for a configuration that was not calibrated.
    """
    check_trained(network)
    wanted = range(len(network.labels)) if labels is None else labels
    times = clip.times[network.entry_frames(len(clip.times))]
    for configuration in configurations:
        yield _find(clip, network, configuration, wanted, times)


def _find(
    clip: Clip, network: TrainedNetwork, configuration: Configuration, labels: Sequence[int], times: np.ndarray
) -> Finding:
    sub = network.resident(configuration)
    tensor = clip_tensor(clip, network, configuration).to(sub.device)
    passes = [_timed(sub, tensor) for _ in range(PASSES)]
    features, logits, seconds = min(passes, key=lambda timed: timed[2])
    maps = {label: class_activation_maps(sub, features, label)[0] for label in labels}
    evidence = {label: slow_evidence(found, configuration, times) for label, found in maps.items()}
    probabilities = network.probabilities(logits, configuration)[0].float().cpu().numpy()
    none = network.none(configuration, features, logits)
    return Finding(configuration, probabilities, None if none is None else none.item(), evidence, 1000 * seconds)


def _timed(sub: SubNetwork, tensor: torch.Tensor) -> tuple[Sequence[torch.Tensor], torch.Tensor, float]:
    start = time.perf_counter()
    with torch.no_grad():
        features = sub.features(tensor)
        logits = sub.classify(features).cpu()  # waits for a device that works on its own
    return features, logits, time.perf_counter() - start
