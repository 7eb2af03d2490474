"""LayerCAM: cells of half the side, and what its numbers are."""

import numpy as np
import pytest
import torch

from a3d.adaptive import adapt
from a3d.configuration import Configuration, ConfigurationError
from a3d.maps.earlier import layer_cam
from a3d.networks import lite0, slow_r18, slowfast_r18
from a3d.testing.calibration import calibrate
from tests.conftest import shaken


def sub_of(network, clip, *size):
    configuration = Configuration(*size)
    calibrate(shaken(network), configuration, [torch.randn(4, *clip.shape[1:])])
    return network.extract(configuration)


def test_cells_are_half_as_large_and_maps_are_those_of_both_networks_alike():
    torch.manual_seed(0)
    for network in (lite0(4, spatial=64, frames=4), slow_r18(4, base_channels=8, spatial=64, frames=4)):
        clip = torch.randn(1, 3, 4, 64, 64)
        sub = sub_of(network, clip, 64, 2, 0.5)
        with torch.no_grad():
            (last,) = sub.features(clip)
        found = layer_cam(sub, clip, 1)
        assert found.shape == (2, *(2 * side for side in last.shape[3:])) and found.dtype == np.float32
        np.testing.assert_array_equal(found, layer_cam(sub, clip, 1))  # nothing stays behind
        assert not np.allclose(found, layer_cam(sub, clip, 1, against=2))
        assert not any(p.requires_grad for p in sub.parameters())


def test_it_is_the_positive_gradient_times_the_maps():
    """Of a network with one convolution behind the maps, the gradient can be written down."""

    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = torch.nn.Conv3d(3, 8, 1)
            self.down = torch.nn.Conv3d(8, 8, (1, 2, 2), (1, 2, 2), bias=False)
            self.pool, self.fc = torch.nn.AdaptiveAvgPool3d(1), torch.nn.Linear(8, 3)

        def forward(self, x):
            return self.fc(self.pool(self.down(torch.relu(self.stem(x)))).flatten(1))

    torch.manual_seed(0)
    module, clip = Small().eval(), torch.randn(1, 3, 2, 8, 8)
    network = adapt(module, clip=clip, order=False)
    found = layer_cam(sub_of(network, clip, 8, 2, 1.0), clip, 2)
    with torch.no_grad():
        maps = torch.relu(module.stem(clip))
        kernel = torch.einsum("k,kcij->cij", module.fc.weight[2], module.down.weight[:, :, 0]) / (2 * 4 * 4)
        gradient = kernel.repeat(1, 4, 4)[None, :, None]
        wanted = (gradient.clamp(min=0) * maps)[0].sum(0) * maps[0, 0].numel()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_networks_that_have_no_finer_maps_are_refused():
    clip = torch.randn(1, 3, 16, 64, 64)
    slowfast = sub_of(slowfast_r18(3, base_channels=8, spatial=64, frames=2), clip, 64, 2, 1.0)
    with pytest.raises(ConfigurationError, match="one pathway"):
        layer_cam(slowfast, clip, 0)
    flat = torch.nn.Sequential(
        torch.nn.Conv3d(3, 8, 1), torch.nn.AdaptiveAvgPool3d(1), torch.nn.Flatten(), torch.nn.Linear(8, 3)
    )
    clip = torch.randn(1, 3, 2, 8, 8)
    with pytest.raises(ConfigurationError, match="twice the cells"):
        layer_cam(sub_of(adapt(flat, clip=clip), clip, 8, 2, 1.0), clip, 0)
