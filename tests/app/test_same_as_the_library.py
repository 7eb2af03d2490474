"""What the app shows is what the library answers, for random choices of checkpoint, unit, budget and clip."""

import random
from pathlib import Path

import pytest

import a3d
from a3d.synthetic import render, write

from .driving import healthy, numbers, opened, stage, upload

EXERCISE12 = Path(__file__).parents[2] / "checkpoints" / "exercise12"
UNITS = ("GFLOPs", "Share", "Parameters")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(checkpoints, tmp_path_factory):
    """A folder with two checkpoints."""
    folder = tmp_path_factory.mktemp("both")
    for path in (checkpoints / "tiny", EXERCISE12):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    kinds = (("Lunges", 5, 3.0), ("JumpRope", 6, 2.0), ("PushUps", 7, 4.0), ("JumpingJack", 8, 1.0))
    return [
        write(render(name, seed, seconds=length, size=(160, 120)), folder / f"{name}.mp4")
        for name, seed, length in kinds
    ]


@pytest.mark.parametrize("seed", range(10))
def test_numbers_are_those_of_the_library(served, both, clips, monkeypatch, seed):
    monkeypatch.setenv("A3D_CHECKPOINTS", str(both))
    draw = random.Random(seed)
    name, unit, clip = draw.choice(("tiny", "exercise12")), draw.choice(UNITS), draw.choice(clips)
    network = a3d.load(both / name)
    row = draw.choice(network.table.rows)
    app = opened(network=name, unit=unit, configuration=row.configuration.key).run()
    upload(app, clip)
    assert healthy(app)
    assert numbers(app)["Configuration"] == str(row.configuration)
    assert numbers(app)["GFLOPs"] == f"{row.gflops:#.3g}".rstrip(".")
    assert numbers(app)["Top-1 accuracy"] == f"{row.top1:.1f}%"
    sent = stage(app)["clip"]
    for configuration in (network.table.full.configuration, row.configuration):
        found = a3d.predict(clip, network, configuration)
        expected = dict(zip(found.labels, found.probabilities, strict=True))
        shown = sent["findings"][configuration.key]
        assert shown["probabilities"] == pytest.approx([expected[label] for label in network.labels], abs=1e-5)
