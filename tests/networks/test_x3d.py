"""X3D: the published cost, and PyTorchVideo's network layer by layer."""

import pytest
import torch
from torch import fx
from torch.utils.flop_counter import FlopCounterMode

from a3d.networks.x3d import X3D, X3DShape, x3d_l, x3d_m, x3d_s, x3d_xs


@pytest.mark.parametrize(
    ("build", "frames", "size", "gflops", "params"),
    [
        (x3d_xs, 4, 160, 0.605, 3.794),
        (x3d_s, 13, 160, 1.963, 3.794),
        (x3d_m, 16, 224, 4.732, 3.794),
        (x3d_l, 16, 312, 18.368, 6.153),
    ],
)
def test_published_cost(build, frames, size, gflops, params):
    with torch.device("meta"):
        network, clip = build().eval(), torch.empty(1, 3, frames, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert network(clip).shape == (1, 400)
    assert counter.get_total_flops() / 2e9 == pytest.approx(gflops, rel=1e-3)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(params, rel=1e-3)


def test_it_can_be_traced_and_any_size_and_length_run():
    network = X3D(X3DShape((1, 2, 1, 1), (8, 8, 16, 16), (16, 16, 32, 32), (8, 8, 8, 8), hidden=24), 5).eval()
    traced = fx.symbolic_trace(network)
    for frames, size in ((1, 32), (5, 48)):
        clip = torch.randn(2, 3, frames, size, size)
        with torch.no_grad():
            torch.testing.assert_close(traced(clip), network(clip))


def test_every_second_block_squeezes():
    stage = x3d_m(5).stages[1]
    assert [hasattr(block.excite, "squeeze") for block in stage] == [True, False, True, False, True]
