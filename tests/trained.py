"""A few clips on disk, and small networks that have been told how to sample them."""

import numpy as np
import pytest

from a3d.configuration import ComputationalRange
from a3d.networks import slowfast_r18
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from a3d.video.encode import write_video

CLASSES = ("jump", "run", "sit")
COUNTS = {"train": (2, 2, 1), "val": (2, 1, 3)}  # clips of each class


def moving(seed, height, width, frames=18):
    """Coarse coloured noise that drifts, different in every clip."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    wall = np.kron(coarse, np.ones((height // 4, width // 8, 1), dtype=np.uint8))
    return [wall[i : i + height, 2 * i : 2 * i + width] for i in range(frames)]


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder with train/CLASS/*.mp4 and val/CLASS/*.mp4, 40 × 56 and 56 × 40, 18 frames at 10 a second."""
    root = tmp_path_factory.mktemp("clips")
    for part, counts in COUNTS.items():
        for label, (name, count) in enumerate(zip(CLASSES, counts, strict=True)):
            for i in range(count):
                seed = 100 * label + 10 * i + (part == "val")
                size = (40, 56) if i % 2 == 0 else (56, 40)
                write_video(root / part / name / f"{i}.mp4", moving(seed, *size), 10)
    return root


def as_trained(network, frames, stride):
    """The network with classes, sampling and range, and answers that differ from clip to clip."""
    network.network.classifier.weight.data.normal_(std=0.3)
    span = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))
    return TrainedNetwork(network, CLASSES, Sampling(frames, stride, 32), span)


@pytest.fixture
def network(tiny):
    """Slow 4 × 3, 32², 3 classes, in evaluation mode, not calibrated."""
    return as_trained(tiny.eval(), 4, 3)


@pytest.fixture
def fast_network():
    """SlowFast, Slow 4 × 4 and Fast 16 × 1."""
    options = {"base_channels": 16, "spatial": 32, "frames": 4, "alpha": 4, "dropout": 0.0}
    return as_trained(slowfast_r18(classes=3, **options).eval(), 16, 1)
