"""A clip whose frames tell their number by their brightness, networks for it, and maps made by hand."""

import numpy as np
import pytest
import torch

from a3d.configuration import Configuration, range_0016
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from a3d.video.encode import write_video
from tests.evidence import NAMES, comparison

FULL = {"slow": Configuration(64, 8, 1.0), "slowfast": Configuration(64, 4, 1.0)}
SUBS = {
    "slow": [Configuration(48, 4, 0.5), Configuration(64, 3, 0.8), Configuration(32, 8, 0.63)],
    "slowfast": [Configuration(48, 2, 0.5), Configuration(64, 3, 0.8), Configuration(32, 4, 0.63)],
}
SAMPLING = {"slow": Sampling(8, 4, 64), "slowfast": Sampling(32, 1, 64)}


@pytest.fixture(scope="session")
def clip_path(tmp_path_factory):
    """40 frames at 10 a second, 96×72; frame i has brightness 5 i + 20 and a pattern."""
    pattern = np.random.default_rng(0).integers(0, 30, (72, 96, 3))
    frames = np.stack([np.full((72, 96, 3), 5 * i + 20) + pattern for i in range(40)]).astype(np.uint8)
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, 10)


@pytest.fixture(params=["slow", "slowfast"])
def family(request):
    return request.param


def as_trained(network, family):
    """The network with classes and the sampling of its family."""
    return TrainedNetwork(network, NAMES, SAMPLING[family], range_0016(64, FULL[family].frames))


@pytest.fixture
def network(family, request):
    """Random weights, calibrated on noise at four configurations."""
    network = as_trained(request.getfixturevalue(family), family)
    for configuration in (FULL[family], *SUBS[family]):
        calibrate(network, configuration, [torch.randn(2, 3, SAMPLING[family].frames, 64, 64)])
    return network
