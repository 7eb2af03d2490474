"""Cost against the published cells, and against an independent counter."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from a3d.budgets.cost import cost
from a3d.configuration import Configuration
from a3d.networks import slow_r50, slowfast_r50

# spatial, frames, width, GFLOPs, params in millions: Tables 9, 10 (Slow 8×8) and 11 (SlowFast 4×16)
SLOW = """256 8 1.0 54.5 32.5|224 8 1.0 41.7 32.5|224 6 1.0 31.3 32.5|224 4 1.0 20.9 32.5|224 4 0.9 16.8 26.5
224 4 0.8 13.4 21.0|192 4 0.8 9.8 21.0|192 4 0.7 7.6 16.0|224 4 0.5 5.3 8.3|192 4 0.5 3.9 8.3|160 4 0.5 2.7 8.3
192 2 0.5 2.0 8.3|160 2 0.5 1.4 8.3|128 2 0.5 0.9 8.3|224 8 0.83 29.3 22.5|224 8 0.73 22.5 17.5|224 8 0.63 16.6 13.0
224 5 0.63 10.4 13.0|178 5 0.63 7.3 13.0|178 3 0.63 4.4 13.0|142 3 0.63 2.7 13.0"""
SLOWFAST = """256 4 1.0 36.1 34.5|224 4 1.0 27.6 34.5|224 3 1.0 22.1 34.5|224 3 0.83 17.4 24.4|224 3 0.73 14.7 19.2
224 3 0.63 12.4 14.5|224 2 0.63 10.2 14.5|178 2 0.63 8.8 14.5|142 2 0.73 8.3 19.2|142 2 0.63 7.6 14.5"""


def cells(network, text):
    return [(network, *map(float, row.split())) for row in text.replace("\n", "|").split("|")]


@pytest.fixture(scope="module")
def networks():
    with torch.device("meta"):
        return {"slow": slow_r50(), "slowfast": slowfast_r50()}


@pytest.mark.parametrize(
    ("name", "spatial", "frames", "width", "gflops", "millions"), cells("slow", SLOW) + cells("slowfast", SLOWFAST)
)
def test_published_cells(networks, name, spatial, frames, width, gflops, millions):
    found = cost(networks[name], Configuration(int(spatial), int(frames), width))
    assert found.gflops == pytest.approx(gflops, abs=0.05)
    assert found.params / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("name", ["slow", "slowfast"])
@pytest.mark.parametrize("key", ["256x8@1", "224x4@0.9", "192x3@0.7", "128x2@0.5"])
def test_agrees_with_the_flop_counter_of_torch(networks, name, key):
    network, configuration = networks[name], Configuration.parse(key)
    frames, size = network.clip_shape(configuration)
    clip = torch.empty(1, 3, frames, size, size, device="meta")
    with FlopCounterMode(display=False) as counter:
        network.train()(clip, configuration)
    assert counter.get_total_flops() / 2e9 == pytest.approx(cost(network, configuration).gflops, rel=1e-6)
