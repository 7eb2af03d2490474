"""A clip whose frames tell their number by their brightness, networks for it, and maps made by hand."""

import numpy as np
import pytest
import torch

from a3d.configuration import Configuration
from a3d.explain import Comparison, Evidence, Explanation
from a3d.inference.calibration import calibrate
from a3d.video import Sampling
from a3d.video.encode import write_video

FULL = {"slow": Configuration(64, 8, 1.0), "slowfast": Configuration(64, 4, 1.0)}
SUBS = {
    "slow": [Configuration(48, 4, 0.5), Configuration(64, 3, 0.8), Configuration(32, 8, 0.63)],
    "slowfast": [Configuration(48, 2, 0.5), Configuration(64, 3, 0.8), Configuration(32, 4, 0.63)],
}
SAMPLING = {"slow": Sampling(8, 4, 64), "slowfast": Sampling(32, 1, 64)}
NAMES = ("crawl", "jump", "lunge", "punch", "squat")


@pytest.fixture(scope="session")
def clip_path(tmp_path_factory):
    """40 frames at 10 a second, 96×72; frame i has brightness 5 i + 20 and a pattern."""
    pattern = np.random.default_rng(0).integers(0, 30, (72, 96, 3))
    frames = np.stack([np.full((72, 96, 3), 5 * i + 20) + pattern for i in range(40)]).astype(np.uint8)
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, 10)


@pytest.fixture(params=["slow", "slowfast"])
def family(request):
    return request.param


@pytest.fixture
def network(family, request):
    """Random weights, calibrated on noise at four configurations."""
    network = request.getfixturevalue(family)
    network.labels, network.sampling = NAMES, SAMPLING[family]
    for configuration in (FULL[family], *SUBS[family]):
        calibrate(network, configuration, [torch.randn(2, 3, SAMPLING[family].frames, 64, 64)])
    return network


def made(configuration, seen, maps, times, probabilities=(0.7, 0.2, 0.06, 0.03, 0.01)):
    """An explanation of class 0 with given Slow maps (t, h, w)."""
    maps, times = np.asarray(maps, np.float32), np.asarray(times, float)
    frames = np.full((len(times), 16, 16, 3), 128, np.uint8)
    evidence = Evidence("slow", maps, np.asarray(seen), times[list(seen)])
    probabilities = np.array(probabilities, np.float32)
    return Explanation(
        configuration, 0, float(maps.mean()), 0.0, probabilities, NAMES, "cam", (evidence,), frames, times
    )


@pytest.fixture
def comparison():
    """Full sees four frames, half a second apart, sub the first and the third; the strongest evidence is 4 logits."""
    times = [0.0, 0.5, 1.0, 1.5]
    full = made(Configuration(16, 4, 1.0), range(4), np.arange(16).reshape(4, 2, 2) / 3.75 - 1, times)
    sub = made(Configuration(8, 2, 0.5), (0, 2), np.full((2, 1, 1), 4.0), times, (0.1, 0.2, 0.3, 0.15, 0.25))
    return Comparison(full, sub)
