"""Cost of a configuration, without running it on data (Eq. 1 and 2, with the rounding of real networks)."""

from __future__ import annotations

from dataclasses import dataclass

from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.uses import Use
from a3d.configuration import Configuration


@dataclass(frozen=True)
class Cost:
    """gflops: multiply-adds of the convolutions and the classifier for one clip, in units of 1e9.
    params: parameters used, in ones."""

    gflops: float
    params: int


def cost(network: AdaptiveNetwork, configuration: Configuration) -> Cost:
    """Return the cost of one clip. Other tools count 2 for a multiply-add: theirs is then twice ours."""
    multiply_adds = params = 0
    for use in network.uses.at(configuration):
        weights, others = _parameters(use)
        multiply_adds += weights * use.positions
        params += weights + others
    return Cost(multiply_adds / 1e9, params)


def _parameters(use: Use) -> tuple[int, int]:
    """Parameters that multiply at every position, and the rest (biases, batch norm)."""
    return (0, 2 * use.outputs) if use.kernel == 0 else (use.inputs * use.outputs * use.kernel, use.biases)
