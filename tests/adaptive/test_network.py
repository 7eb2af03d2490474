"""Slow and SlowFast as adaptive networks: a network at a width is a small network of its own."""

import copy
import gc
import weakref

import pytest
import torch

from a3d.adaptive.errors import MissingStatistics
from a3d.budgets.cost import cost
from a3d.configuration import Configuration
from a3d.testing.calibration import calibrate

CONFIGURATIONS = [
    Configuration.parse(t) for t in ("64x4@1", "64x3@0.9", "56x4@0.75", "48x2@0.63", "32x1@0.5", "40x2@0.7")
]


def clip_for(network, configuration, batch=2):
    frames, size = network.clip_shape(configuration)
    return torch.randn(batch, 3, frames, size, size)


@pytest.mark.parametrize("family", ["slow", "slowfast"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_extracted_network_equals_the_full_one_in_place(family, configuration, request):
    network = request.getfixturevalue(family)
    calibrate(network, configuration, [clip_for(network, configuration, 16)])  # two would leave variances near 0
    small, clip = network.extract(configuration), clip_for(network, configuration)
    with torch.no_grad():
        torch.testing.assert_close(small(clip), network(clip, configuration), atol=1e-5, rtol=1e-5)
    # Folded, a batch norm's scale and shift are one bias.
    folded = sum(use.outputs for use in network.uses.at(configuration) if use.kernel == 0)
    assert sum(p.numel() for p in small.parameters()) == cost(network, configuration).params - folded


def test_extracted_network_is_ordinary_and_immutable(slow):
    configuration = Configuration(48, 2, 0.5)
    clip = clip_for(slow, configuration)
    calibrate(slow, configuration, [clip])
    small = slow.extract(configuration)
    before = small(clip)
    small.train()
    assert torch.equal(small(clip), before)  # neither dropout nor batch statistics
    assert not any(p.requires_grad for p in small.parameters())
    slow.network.classifier.weight.data.zero_()
    assert torch.equal(small(clip), before)  # nothing is shared


def test_extracted_network_does_not_keep_the_full_one(tiny):
    configuration = Configuration(24, 2, 0.5)
    calibrate(tiny, configuration, [torch.randn(4, 3, 4, 32, 32)])
    small, clip = tiny.extract(configuration), torch.randn(2, 3, 4, 32, 32)
    full, expected = weakref.ref(tiny.network.classifier), small(clip)
    tiny.network, tiny.statistics = torch.nn.Identity(), {}  # what is left of it is the fixture's
    gc.collect()
    assert full() is None and torch.equal(copy.deepcopy(small)(clip), expected)


def test_extracting_leaves_the_network_in_training(slow):
    configuration = Configuration(48, 2, 0.5)
    calibrate(slow.train(), configuration, [clip_for(slow, configuration)])
    slow.extract(configuration)
    assert all(module.training for module in slow.modules())  # dropout too
    assert all(parameter.requires_grad for parameter in slow.parameters())


def test_evaluation_without_statistics_names_the_remedy(slow):
    with pytest.raises(MissingStatistics, match=r"64²×4, 0\.5.*a3d table"):
        slow(torch.randn(1, 3, 4, 64, 64), Configuration(64, 4, 0.5))
    with pytest.raises(MissingStatistics, match="calibrate"):
        slow.extract(Configuration(64, 4, 0.5))


def test_width_is_passed_not_set(slow):
    """Two users at different configurations, interleaved, get what each gets alone."""
    one, two = Configuration(64, 4, 1.0), Configuration(48, 2, 0.5)
    clip = torch.randn(2, 3, 4, 64, 64)
    for configuration in (one, two):
        calibrate(slow, configuration, [clip])
    alone = slow(clip, one)
    slow(clip, two)
    assert torch.equal(slow(clip, one), alone)


@pytest.mark.parametrize("family", ["slow", "slowfast"])
def test_any_size_and_frame_count(family, request):
    network = request.getfixturevalue(family).train()
    frames = 8 if family == "slow" else 32
    clip = torch.randn(2, 3, frames, 64, 64)
    for text in ("33x1@0.5", "47x3@0.77", "64x4@1"):
        assert network(clip, Configuration.parse(text)).shape == (2, 5)


def test_slow_pathway_alone_adapts(slowfast):
    """The Fast map is the same whatever the configuration of Slow (Sec. 3.2)."""
    slowfast.train()
    clip = torch.randn(2, 3, 32, 64, 64)
    slow_a, fast_a = slowfast.features(clip, Configuration(64, 4, 1.0))
    slow_b, fast_b = slowfast.features(clip, Configuration(48, 2, 0.5))
    assert torch.equal(fast_a, fast_b)
    assert slow_a.shape[1:3] == (512, 4) and slow_b.shape[1:3] == (256, 2)


def test_frames_that_a_network_looks_at(slow, slowfast):
    half = Configuration(48, 2, 0.5)
    assert slow.entry_frames(8) == list(range(8)) and slow.seen_frames(half, 8) == [0, 4]
    assert slowfast.entry_frames(32) == [0, 8, 16, 24] and slowfast.seen_frames(half, 32) == list(range(32))
    assert slow.clip_shape(half) == (8, 48) and slowfast.clip_shape(half) == (32, 64)
