"""Sub-networks kept side by side: the same as fresh ones, within a bound, never stale, whoever asks."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from a3d.adaptive.errors import MissingStatistics
from a3d.adaptive.residents import Residents
from a3d.configuration import Configuration
from a3d.testing.calibration import calibrate

CONFIGURATIONS = [Configuration.parse(text) for text in ("64x4@1", "48x3@0.75", "32x2@0.5")]
LARGE, MIDDLE, SMALL = CONFIGURATIONS


@pytest.fixture
def network(slow):
    for configuration in CONFIGURATIONS:
        calibrate(slow, configuration, [torch.randn(8, 3, 8, 64, 64)])
    return slow


def test_kept_and_equal_to_a_fresh_one(network):
    kept, clip = network.resident(SMALL), torch.randn(1, 3, 8, 64, 64)
    assert network.resident(SMALL) is kept
    assert network.resident(SMALL, torch.bfloat16) is not kept
    with torch.no_grad():
        assert torch.equal(kept(clip), network.extract(SMALL)(clip))


def test_within_the_bound_the_latest_stay(network):
    sizes = {c: 2 * sum(p.nbytes for p in network.extract(c).parameters()) for c in CONFIGURATIONS}
    network.residents = Residents(sizes[MIDDLE] + sizes[SMALL])
    kept = {c: network.resident(c) for c in (SMALL, MIDDLE)}
    assert network.residents.held == network.residents.limit
    assert all(network.resident(c) is kept[c] for c in kept)
    network.resident(LARGE)
    assert network.residents.held == sizes[LARGE]  # over the bound alone, and kept nevertheless
    assert network.resident(SMALL) is not kept[SMALL]


def test_the_one_asked_for_longest_ago_goes(network):
    sizes = {c: 2 * sum(p.nbytes for p in network.extract(c).parameters()) for c in CONFIGURATIONS}
    network.residents = Residents(sum(sizes.values()) - 1)
    kept = {c: network.resident(c) for c in (SMALL, MIDDLE)}
    network.resident(SMALL)
    network.resident(LARGE)
    assert network.resident(SMALL) is kept[SMALL] and network.resident(MIDDLE) is not kept[MIDDLE]


@pytest.mark.parametrize("change", ["calibrate", "step", "load"])
def test_never_stale(change, network):
    clip = torch.randn(1, 3, 8, 64, 64)
    network.resident(MIDDLE)
    if change == "calibrate":
        calibrate(network, MIDDLE, [1 + torch.randn(8, 3, 8, 64, 64)])
    elif change == "step":
        network(clip, MIDDLE).sum().backward()
        torch.optim.SGD(network.parameters(), 0.1).step()
    else:
        network.load_state_dict({name: 0.5 * tensor for name, tensor in network.state_dict().items()})
    with torch.no_grad():
        torch.testing.assert_close(network.resident(MIDDLE)(clip), network(clip, MIDDLE), atol=1e-4, rtol=1e-4)


def test_without_statistics_there_is_none(network):
    network.resident(SMALL)
    del network.statistics[SMALL]
    with pytest.raises(MissingStatistics, match="a3d table"):
        network.resident(SMALL)


def test_a_copy_of_the_network_keeps_its_own(network):
    kept = network.resident(SMALL)
    other = copy.deepcopy(network)
    assert other.residents.held == 0 and other.resident(SMALL) is not kept


def test_ordinary_tensors_even_from_inference_mode(network):
    with torch.inference_mode():
        sub = network.resident(SMALL)
        sub(torch.randn(1, 3, 8, 32, 32))
    clip = torch.randn(1, 3, 8, 32, 32, requires_grad=True)
    sub(clip).sum().backward()
    assert clip.grad.abs().sum() > 0


def test_many_at_different_budgets_get_what_each_gets_alone(network):
    """With room for one, so that they keep pushing each other out."""
    clips = {c: torch.randn(1, 3, 8, c.spatial, c.spatial) for c in CONFIGURATIONS}
    with torch.no_grad():
        alone = {c: network.extract(c)(clips[c]) for c in CONFIGURATIONS}
    network.residents = Residents(1)

    def visit(configuration):
        with torch.inference_mode():
            return configuration, network.resident(configuration)(clips[configuration])

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(visit, CONFIGURATIONS * 8))
    assert all(torch.equal(answer, alone[configuration]) for configuration, answer in answers)
