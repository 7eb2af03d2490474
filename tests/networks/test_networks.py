"""Slices, fusion, extraction: a network at a width is a small network of its own."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from a3d.adaptive.extraction import build, trace
from a3d.adaptive.network import Architecture, MissingStatistics
from a3d.adaptive.resampling import resample, temporal_indices
from a3d.adaptive.slimmable import Pass, SlimmableBatchNorm3d, SlimmableConv3d, SlimmableLinear
from a3d.budgets.cost import cost
from a3d.configuration import Configuration, ConfigurationError
from a3d.networks.slow import slow_r50
from a3d.testing.calibration import calibrate

CONFIGURATIONS = [
    Configuration.parse(t) for t in ("64x4@1", "64x3@0.9", "56x4@0.75", "48x2@0.63", "32x1@0.5", "40x2@0.7")
]


def clip_for(network, configuration, batch=2):
    frames, size = network.clip_shape(configuration)
    return torch.randn(batch, 3, frames, size, size)


def test_sliced_convolution_equals_a_small_one_bit_for_bit():
    layer = SlimmableConv3d(64, 64, (3, 3, 3), (1, 2, 2), (1, 1, 1))
    small = nn.Conv3d(40, 48, (3, 3, 3), (1, 2, 2), (1, 1, 1), bias=False)
    small.weight.data = layer.weight.data[:48, :40].clone()
    x = torch.randn(2, 40, 4, 9, 9)
    assert torch.equal(layer(x, Pass(0.75)), small(x))


def test_fused_channels_are_always_the_last_of_the_weight():
    layer = SlimmableConv3d(64 + 16, 32, (1, 1, 1), tail=16)
    slow, fast = torch.randn(2, 40, 2, 5, 5), torch.randn(2, 16, 2, 5, 5)
    weight = torch.cat([layer.weight[:16, :40], layer.weight[:16, 64:]], 1)
    expected = F.conv3d(torch.cat([slow, fast], 1), weight)
    assert torch.equal(layer(torch.cat([slow, fast], 1), Pass(0.5)), expected)


def test_sliced_linear_and_batch_norm_equal_small_ones():
    linear = SlimmableLinear(32, 5, tail=8)
    x = torch.randn(3, 24)
    expected = F.linear(x, torch.cat([linear.weight[:, :16], linear.weight[:, 24:]], 1), linear.bias)
    assert torch.equal(linear(x), expected)
    norm, small = SlimmableBatchNorm3d(32), nn.BatchNorm3d(24, affine=True)
    norm.weight.data.normal_()
    small.weight.data = norm.weight.data[:24].clone()
    x = torch.randn(3, 24, 2, 4, 4)
    assert torch.equal(norm(x, Pass()), small(x))


@pytest.mark.parametrize("family", ["slow", "slowfast"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_extracted_network_equals_the_full_one_in_place(family, configuration, request):
    network = request.getfixturevalue(family)
    calibrate(network, configuration, [clip_for(network, configuration, 16)])  # two would leave variances near 0
    small, clip = network.extract(configuration), clip_for(network, configuration)
    with torch.no_grad():
        torch.testing.assert_close(small(clip), network(clip, configuration), atol=1e-5, rtol=1e-5)
    # Folded, a batch norm's scale and shift are one bias.
    folded = sum(use.outputs for use in trace(network.architecture, configuration) if use.kernel == 0)
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
    slow.classifier.weight.data.zero_()
    assert torch.equal(small(clip), before)  # nothing is shared


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


def test_frames_a_sub_network_sees():
    assert temporal_indices(8, 4) == [0, 2, 4, 6]  # neither the 2nd nor the 8th: Fig. 1
    assert temporal_indices(8, 6) == [0, 1, 2, 4, 5, 6]
    assert temporal_indices(8, 8) == list(range(8))
    with pytest.raises(ConfigurationError):
        temporal_indices(4, 8)


def test_resampling_leaves_a_fitting_clip_alone():
    clip = torch.randn(1, 3, 4, 16, 16)
    assert resample(clip, 4, 16, 16) is clip
    flat = torch.full((1, 3, 4, 16, 16), 0.3)
    torch.testing.assert_close(resample(flat, 2, 7, 7), torch.full((1, 3, 2, 7, 7), 0.3))


def test_blocks_start_as_identities():
    """The last batch norm of each block starts at zero: a fresh residual branch adds nothing."""
    network = build(Architecture("slow", 26, 5, base_channels=8, spatial=32))
    zeroed = [n for n, p in network.named_parameters() if n.endswith("norm.weight") and not p.any()]
    assert len(zeroed) == 8 and all(".c.norm" in name for name in zeroed)


def test_published_depths():
    with torch.device("meta"):
        blocks = [len(stage) for stage in slow_r50().pathway.stages]
    assert blocks == [3, 4, 6, 3]
    with pytest.raises(ConfigurationError, match="18, 26, 50, 101"):
        Architecture("slow", 34, 5)
    with pytest.raises(ConfigurationError, match="multiple of 8"):
        Architecture("slow", 26, 5, base_channels=12)
