"""A checkpoint of a few kilobytes, as `a3d table` leaves one, and clips to upload."""

import pytest
import torch

from a3d.budgets.cost import cost
from a3d.budgets.table import Row, Table
from a3d.configuration import ComputationalRange
from a3d.inference.checkpoint import load, save
from a3d.networks import slow_r18
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from a3d.video.encode import write_video
from tests.clips import moving_square
from tests.conftest import shaken

LABELS = ("crawl", "jump", "squat", "stretch", "wave", "yawn")
TOP1 = (68.0, 66.0, 63.0, 64.5, 59.0, 60.5, 52.0, 51.0, 44.0)  # of the range's nine configurations, in its order


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """A folder with the one checkpoint `tiny`: Slow, 18 layers, 32² × 4, nine configurations tested."""
    torch.manual_seed(0)
    span = ComputationalRange("[0.1, 1]", (16, 32), (2, 4), (0.5, 1.0))
    network = shaken(slow_r18(classes=len(LABELS), base_channels=8, spatial=32, frames=4, dropout=0.0))
    clips = torch.randn(4, 3, 4, span.largest.spatial, span.largest.spatial)
    rows = []
    for configuration, top1 in zip(span.configurations(), TOP1, strict=True):
        calibrate(network, configuration, [clips])
        found = cost(network, configuration)
        rows.append(Row(configuration, found.gflops, found.params, top1, top1, 90.0, 100))
    network = TrainedNetwork(network, LABELS, Sampling(frames=4, stride=4, spatial=32), span, Table(rows))
    folder = tmp_path_factory.mktemp("checkpoints")
    save(network, folder / "tiny")
    (folder / "tiny" / "README.md").write_text("# tiny\n\nTrained on nothing.\n")
    return folder


@pytest.fixture
def network(checkpoints):
    return load(checkpoints / "tiny")


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("videos") / "square.mp4", moving_square(3, frames=40), 25)


@pytest.fixture
def served(checkpoints, monkeypatch, tmp_path):
    """The app's folders: the tiny checkpoint, no runs, an empty cache."""
    monkeypatch.setenv("A3D_CHECKPOINTS", str(checkpoints))
    monkeypatch.setenv("A3D_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
