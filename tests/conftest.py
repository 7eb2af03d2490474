"""Small networks that behave as trained ones: random weights everywhere, zero-initialised batch norms too."""

import os

if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):  # each has its share of the cores
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

import pytest
import torch
from hypothesis import settings

from a3d.networks import slow_r18, slow_r26, slowfast_r26

settings.register_profile("same", derandomize=True, deadline=None)  # a test fails for everyone or for nobody
settings.load_profile("same")


def shaken(network):
    """Every batch norm gets random scale and shift, so that no branch is silent."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in network.named_parameters():
        if "norm.weight" in name:
            parameter.data.uniform_(0.5, 1.5, generator=generator)
        elif "bias" in name:
            parameter.data.uniform_(-0.5, 0.5, generator=generator)
    return network.eval()


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def slow():
    """Slow, 26 layers, 16 base channels, 64² × 8, 5 classes."""
    return shaken(slow_r26(classes=5, base_channels=16, spatial=64, dropout=0.0))


@pytest.fixture
def slowfast():
    """SlowFast, 26 layers, 16 base channels, Slow 64² × 4 and Fast 64² × 32, 5 classes."""
    return shaken(slowfast_r26(classes=5, base_channels=16, spatial=64, dropout=0.0))


@pytest.fixture
def tiny():
    """Slow, 18 layers, 8 base channels, 32² × 4, 3 classes: the fastest to train."""
    return slow_r18(classes=3, base_channels=8, spatial=32, frames=4, dropout=0.0)


def pytest_collection_modifyitems(items):
    """Tests that fork workers come first: a fork of a process in which OpenVINO has started its threads may hang."""
    first = ("datasets", "training", "parallel")
    items.sort(key=lambda item: not set(first) & set(item.path.parts))
