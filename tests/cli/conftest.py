"""A checkpoint that every command can run, and one that detects people."""

import json

import pytest
import torch

from a3d.cli import main
from a3d.configuration import ComputationalRange
from a3d.inference.checkpoint import save
from a3d.networks import slow_r18
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from a3d.video.encode import write_video
from tests.clips import moving_square, write_classes

RANGE = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))


def trained(labels, **options):
    torch.manual_seed(0)
    network = slow_r18(len(labels), base_channels=8, spatial=32, frames=4, **options).eval()
    return TrainedNetwork(network, labels, Sampling(4, 2, 32), RANGE)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("classes"), classes=2, train=4, val=2)


@pytest.fixture(scope="session")
def clip(data):
    return str(next((data / "val").rglob("*.mp4")))


@pytest.fixture(scope="session")
def checkpoint(data, tmp_path_factory):
    """Slow 32² × 4 of two classes, its 9 configurations tested and timed."""
    folder = tmp_path_factory.mktemp("checkpoint")
    save(trained(("class_0", "class_1")), folder)
    assert main(["table", "--checkpoint", str(folder), "--data", str(data), "--calibration-clips", "4"]) == 0
    assert main(["profile", "--checkpoint", str(folder), "--rounds", "1"]) == 0
    return folder


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A film of 3 s, `boxes.csv` of one person in it, and a checkpoint that judges three actions."""
    folder = tmp_path_factory.mktemp("people")
    write_video(folder / "film.mp4", moving_square(1, 75), 25)
    (folder / "boxes.csv").write_text("film,0,0.1,0.2,0.5,0.9,,0.9\nfilm,1,0.1,0.2,0.5,0.9,,0.9\n")
    network = trained(("bend", "stand", "sit"), task="detection")
    from a3d.testing.calibration import calibrate

    calibrate(network, RANGE.full, [torch.randn(4, 3, 4, 32, 32)])
    save(network, folder / "checkpoint")
    return folder


@pytest.fixture
def rows(capsys):
    """rows(...) -> what a command prints with --json."""

    def run(*arguments):
        capsys.readouterr()
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run
