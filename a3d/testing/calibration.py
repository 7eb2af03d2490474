"""Batch-norm calibration: the statistics of a configuration (Sec. 3.3)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from a3d import parallel
from a3d.adaptive.moments import Moments
from a3d.adaptive.network import AdaptiveNetwork
from a3d.configuration import Configuration, ConfigurationError
from a3d.memory import keep_freed_memory


@torch.no_grad()
def calibrate(network: AdaptiveNetwork, configuration: Configuration, batches: Iterable[Tensor]) -> None:
    """Sets `network.statistics[configuration]` to the population average over `batches`.

    batches: clips (B, 3, T, S, S), normalised float32, a fixed set of training clips; under `torchrun` this process's
    part of it. The average is of moments weighted by count, not a moving one; the network's mode and weights are
    untouched. A network without batch norm needs no clips.
    """
    keep_freed_memory(everything=True)
    moments = Moments()
    for clips in batches:
        network.measure(clips, configuration, moments)
    moments = _of_all_processes(moments, network, configuration)
    if not moments.sums and network.uses.channels(configuration.width):
        raise ConfigurationError(f"no clips to calibrate {configuration} with: give at least one")
    network.statistics[configuration] = moments.statistics()


def reuse_statistics(network: AdaptiveNetwork, configuration: Configuration, source: Configuration) -> None:
    """Sets `network.statistics[configuration]` to those of `source`, as many channels as it has: no calibration.

    Only to show what calibration is for: accuracy falls, the more the two differ.
    """
    used = network.uses.channels(configuration.width)
    network.statistics[configuration] = {
        layer: (mean[: used[layer]], variance[: used[layer]])
        for layer, (mean, variance) in network.statistics[source].items()
    }


def _of_all_processes(moments: Moments, network: AdaptiveNetwork, configuration: Configuration) -> Moments:
    if not parallel.is_distributed():
        return moments
    layers = network.uses.channels(configuration.width)
    sizes = [part for channels in layers.values() for part in (1, channels, channels)]
    own = torch.zeros(0, sum(sizes), dtype=torch.float64, device=network.device)
    if moments.sums:
        counted = [(own.new_tensor([n]), mean, square) for n, mean, square in (moments.sums[name] for name in layers)]
        own = torch.cat([part for parts in counted for part in parts])[None]
    merged = Moments()
    for row in parallel.gather(own):
        parts = iter(row.split(sizes))
        for name in layers:
            merged.merge(name, int(next(parts)), next(parts), next(parts))
    return merged
