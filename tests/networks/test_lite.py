"""EfficientNet-Lite shapes along time: an image network on every frame when the kernels have one frame."""

import warnings

import pytest
import torch
from torch import fx
from torch.utils.flop_counter import FlopCounterMode

from a3d.networks.lite import lite0, lite1, lite2

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package uses an interface that has been renamed
    from efficientnet_lite_pytorch import EfficientNet


@pytest.mark.parametrize(
    ("build", "params", "gflops"), [(lite0, 5.016, 3.625), (lite1, 5.895, 4.792), (lite2, 6.612, 5.444)]
)
def test_cost(build, params, gflops):
    """Millions at 1000 classes, and multiply-adds in 1e9 at 224²×8."""
    with torch.device("meta"):
        network, clip = build(1000).eval(), torch.empty(1, 3, 8, 224, 224)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert network(clip).shape == (1, 1000)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(params, abs=5e-4)
    assert counter.get_total_flops() / 2e9 == pytest.approx(gflops, abs=5e-4)


@pytest.mark.parametrize(("build", "name"), [(lite0, "lite0"), (lite1, "lite1"), (lite2, "lite2")])
def test_parameters_are_the_image_networks_and_the_frames_of_the_kernels(build, name):
    with torch.device("meta"):
        network, image = build(1000, temporal=1), EfficientNet.from_name(f"efficientnet-{name}")
    count = [sum(p.numel() for p in module.parameters()) for module in (network, image)]
    assert count[0] == count[1]


def test_it_can_be_traced_and_any_size_and_length_run():
    network = lite0(5).eval()
    traced = fx.symbolic_trace(network)
    for frames, size in ((1, 32), (3, 64)):
        clip = torch.randn(2, 3, frames, size, size)
        with torch.no_grad():
            torch.testing.assert_close(traced(clip), network(clip))


def test_depthwise_convolutions_look_along_time():
    network = lite0(5).eval()
    clip = torch.randn(1, 3, 4, 32, 32)
    with torch.no_grad():
        assert (network(clip) - network(clip[:, :, [0, 2, 1, 3]])).abs().max() > 1e-6
        frames = lite0(5, temporal=1).eval()
        torch.testing.assert_close(frames(clip), frames(clip[:, :, [0, 2, 1, 3]]))
