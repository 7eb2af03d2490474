"""What a mutual training step costs over a plain one: the expectation of Eq. 2 over the sampling (Table 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean

from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.cost import cost
from a3d.configuration import ComputationalRange, Configuration

PAPER = ("random", "smallest")  # Sec. 3.1: one width is random, the other always the smallest
TWO_RANDOM = ("random", "random")  # the reading that gives the 1.61 that Table 2 prints
MIDDLES = [(i + 0.5) / 50 for i in range(50)]  # of the parts that the range of widths is integrated in


def expected_ratio(range: ComputationalRange, sampled: Sequence[str] = PAPER) -> float:
    """Return 1 plus the expected γw²γs²γt of the sub-networks: exact, by Eq. 2, without rounding of channels.

    sampled: the width of each sub-network, "random" (uniform over the range) or "smallest".

    As Sec. 3.1 samples, [0.06, 1] gives 1.48 and [0.016, 1] gives 1.33. Table 2 prints 87.5 / 54.5 = 1.61 for
    [0.06, 1]: that is two random widths, at 142, 178 or 224 pixels and 3, 5 or 8 frames. (The rounded factors of
    Sec. 4 give 1.49 and 1.62.)
    """
    low = range.widths[0]
    width = {"random": (1 + low + low * low) / 3, "smallest": low * low}  # of γw²: ∫ γ² dγ / (1 - low), and low²
    spatial = fmean((s / range.full.spatial) ** 2 for s in range.spatials)
    frames = fmean(t / range.full.frames for t in range.frame_counts)
    return 1 + sum(width[kind] for kind in sampled) * spatial * frames


def expected_network_ratio(
    network: AdaptiveNetwork, range: ComputationalRange, sampled: Sequence[str] = PAPER
) -> float:
    """The same in the multiply-adds of a real network, its channels rounded and, for SlowFast, its Fast pathway whole.

    Resolution and width are drawn independently, so a layer's expected cost is that of its positions times that of
    its weights. The width is integrated by the midpoint rule.
    """
    low, full = range.widths[0], range.full
    widths = {"random": [low + (1 - low) * share for share in MIDDLES], "smallest": [low]}
    positions = _mean(
        {use.layer: use.positions for use in network.uses.at(Configuration(spatial, frames, low))}
        for spatial in range.spatials
        for frames in range.frame_counts
    )
    weights = {
        kind: _mean(
            {use.layer: use.inputs * use.outputs * use.kernel for use in network.uses.at(replace(full, width=width))}
            for width in widths[kind]
        )
        for kind in set(sampled)
    }
    spent = sum(weights[kind][layer] * positions[layer] for kind in sampled for layer in positions)
    return 1 + spent / 1e9 / cost(network, full).gflops


def _mean(parts: Iterable[dict[str, int]]) -> dict[str, float]:
    """Of each layer's numbers."""
    numbers = defaultdict(list)
    for part in parts:
        for layer, number in part.items():
            numbers[layer].append(number)
    return {layer: fmean(found) for layer, found in numbers.items()}
