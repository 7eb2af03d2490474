"""Calibration: batch norm's population average at a configuration."""

import pytest
import torch

from a3d.adaptive.moments import Moments
from a3d.configuration import Configuration, ConfigurationError
from a3d.testing.calibration import calibrate

CONFIGURATION = Configuration(48, 2, 0.63)


@pytest.mark.parametrize("family", ["slow", "slowfast"])
def test_one_batch_makes_evaluation_equal_training_mode(family, request):
    network = request.getfixturevalue(family)
    clip = torch.randn(3, 3, network.clip_shape(CONFIGURATION)[0], 64, 64)
    calibrate(network, CONFIGURATION, [clip])
    calibrated = network(clip, CONFIGURATION)
    torch.testing.assert_close(calibrated, network.train()(clip, CONFIGURATION), atol=1e-5, rtol=1e-4)


def test_moments_of_uneven_batches_equal_those_of_one(slow):
    """At the first layer, where batches cannot influence each other, the population average is exact."""
    clips = torch.randn(7, 3, 2, 48, 48) * torch.arange(1, 8).view(7, 1, 1, 1, 1)
    layer = "pathway.stem.conv.norm"
    calibrate(slow, CONFIGURATION, [clips])
    whole = slow.statistics[CONFIGURATION][layer]
    calibrate(slow, CONFIGURATION, [clips[:1], clips[1:3], clips[3:]])
    parts = slow.statistics[CONFIGURATION][layer]
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-4)


def test_configurations_have_statistics_of_their_own(slow):
    other = Configuration(64, 4, 1.0)
    clip = torch.randn(2, 3, 4, 64, 64)
    calibrate(slow, CONFIGURATION, [clip])
    before = {k: (m.clone(), v.clone()) for k, (m, v) in slow.statistics[CONFIGURATION].items()}
    calibrate(slow, other, [clip])
    for name, (mean, variance) in slow.statistics[CONFIGURATION].items():
        assert torch.equal(mean, before[name][0]) and torch.equal(variance, before[name][1])


def test_weights_and_mode_are_untouched(slow):
    slow.train()
    before = {n: p.clone() for n, p in slow.state_dict().items()}
    calibrate(slow, CONFIGURATION, [torch.randn(2, 3, 4, 64, 64)])
    assert slow.training
    assert all(torch.equal(p, before[n]) for n, p in slow.state_dict().items())


def test_nothing_to_calibrate_with(slow):
    with pytest.raises(ConfigurationError, match="at least one"):
        calibrate(slow, CONFIGURATION, [])


def test_moments_count_positions():
    """Batches of different sizes weigh by their positions: (B, C, T, H, W) has B·T·H·W of them."""
    moments, first, second = Moments(), torch.randn(2, 3, 2, 2, 2), torch.randn(1, 3, 1, 5, 1) + 2
    for part in (first, second):
        moments.add("layer", part)
    mean, variance = moments.statistics()["layer"]
    rows = torch.cat([part.movedim(1, -1).reshape(-1, 3) for part in (first, second)])
    assert moments.sums["layer"][0] == 16 + 5
    torch.testing.assert_close(mean, rows.mean(0))
    torch.testing.assert_close(variance, rows.var(0, correction=0))
