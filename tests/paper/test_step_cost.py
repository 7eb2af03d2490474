"""Table 2: the expected cost of a mutual step, against the numbers of the paper and against counting."""

import random
from statistics import fmean

import pytest
import torch

from a3d.budgets.cost import cost
from a3d.configuration import ComputationalRange, range_0016, range_006
from a3d.networks import slowfast_r18
from a3d.paper.step_cost import PAPER, TWO_RANDOM, expected_network_ratio, expected_ratio
from a3d.training.mutual import sample_configurations

AS_PRINTED = ComputationalRange("as printed", (63, 80, 100), (40, 63, 100), (0.63, 1.0))  # γ of Sec. 4, in percent


def counted(span, sampled, draws=100_000):
    """Eq. 2 for sub-networks drawn one by one."""
    pick, low = random.Random(0), span.widths[0]

    def share(kind):
        width = pick.uniform(low, 1) if kind == "random" else low
        return (width * pick.choice(span.spatials) / span.spatials[-1]) ** 2 * pick.choice(span.frame_counts)

    return 1 + sum(fmean(share(kind) for _ in range(draws)) for kind in sampled) / span.frame_counts[-1]


@pytest.mark.parametrize(
    ("span", "sampled", "ratio"),
    [
        (range_006(), TWO_RANDOM, 1.61),  # what Table 2 prints
        (range_006(), PAPER, 1.485),
        (AS_PRINTED, PAPER, 1.493),
        (AS_PRINTED, TWO_RANDOM, 1.621),
        (range_0016(), PAPER, 1.335),
        (range_0016(), TWO_RANDOM, 1.469),
    ],
)
def test_expected_ratio(span, sampled, ratio):
    assert expected_ratio(span, sampled) == pytest.approx(ratio, abs=0.001)
    assert counted(span, sampled) == pytest.approx(ratio, abs=0.004)


def test_expected_ratio_of_a_network_is_the_mean_of_its_steps():
    with torch.device("meta"):
        network = slowfast_r18(4, base_channels=16, spatial=32, frames=4)
    span, generator = ComputationalRange("", (24, 32), (2, 4), (0.5, 1.0)), torch.Generator().manual_seed(0)
    steps = [sample_configurations(span, generator) for _ in range(30)]
    mean = fmean(sum(cost(network, c).gflops for c in step) / cost(network, step[0]).gflops for step in steps)
    assert expected_network_ratio(network, span) == pytest.approx(mean, rel=0.05)
