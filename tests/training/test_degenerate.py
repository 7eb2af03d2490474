"""The smallest and oddest runs that can be asked for: a defined result, or one line."""

from dataclasses import replace

import pytest

from a3d.cli import main
from a3d.configuration import ComputationalRange, Configuration
from a3d.datasets import ClipFolder, TrainingClips
from a3d.networks import slow_r18, slowfast_r18
from a3d.testing.evaluation import build_table
from a3d.trained import TrainedNetwork
from a3d.training.loop import Run
from a3d.training.recipes import from_scratch
from a3d.training.steps import RecipeError
from a3d.video import Sampling
from tests.clips import write_classes

RECIPE = replace(from_scratch(), epochs=1, warmup=0)


def trained(folder, out, frames=4, batch=4, build=slow_r18, recipe=RECIPE):
    data = ClipFolder(folder, "train")
    span = ComputationalRange("tiny", (16, 32), tuple(sorted({1, frames})), (0.5, 1.0))
    network = build(len(data.classes), base_channels=8, spatial=32, frames=frames)
    sampling = Sampling(network.clip_shape(span.full)[0], 1, 32)
    clips = TrainingClips(data, sampling, areas=recipe.areas)
    Run(network, clips, span, replace(recipe, batch=batch), out, workers=0).train()
    return TrainedNetwork(network, data.classes, sampling, span)


@pytest.mark.parametrize("classes", [1, 2, 6])
@pytest.mark.parametrize("batch", [1, 1000])
def test_one_clip_a_class_and_batches_of_one_or_of_all(tmp_path, classes, batch):
    folder = write_classes(tmp_path / "data", classes, train=1, val=1)
    network = trained(folder, tmp_path / "run", batch=batch)
    assert all(p.isfinite().all() for p in network.parameters())
    built = build_table(network, ClipFolder(folder, "train"), ClipFolder(folder, "val"), calibration_clips=1)
    assert len(built.table) == 9 and all(0 <= row.top1 <= row.top5 <= 100 for row in built.table.rows)
    if classes <= 5:
        assert {row.top5 for row in built.table.rows} == {100.0}
    if classes == 1:
        assert {row.top1 for row in built.table.rows} == {100.0}


@pytest.mark.parametrize("build", [slow_r18, slowfast_r18])
@pytest.mark.parametrize("frames", [1, 64])
def test_one_frame_and_many(tmp_path, frames, build):
    folder = write_classes(tmp_path / "data", classes=2, train=1, val=1)
    network = trained(folder, tmp_path / "run", frames, batch=2, build=build)
    built = build_table(network, ClipFolder(folder, "train"), ClipFolder(folder, "val"), [network.full])
    assert built.table.row(Configuration(32, frames, 1.0)).clips == 2
    assert all(p.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_rates_that_no_run_can_follow(tmp_path, rate):
    folder = write_classes(tmp_path / "data", classes=2, train=1, val=1)
    with pytest.raises(RecipeError, match=r"rate .* give a positive number"):
        trained(folder, tmp_path / "run", recipe=replace(RECIPE, rate=rate))


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--rate", "nan", 2),
        ("--rate", "-1", 2),
        ("--workers", "-1", 2),
        ("--workers", "9999", 2),
        ("--batch", "0", 2),
        ("--batch", "9" * 30, 2),
        ("--spatial", "100000", 1),
        ("--frames", "100000", 1),
        ("--network", "slow_r19", 2),
        ("--range", "1,2x3@nan", 1),
        ("--range", "16,32x1,4@0.5,2.0", 1),
    ],
)
def test_options_of_a_run_are_refused_in_one_line(tmp_path, option, value, code, capsys):
    folder = write_classes(tmp_path / "data", classes=1, train=1, val=1)
    shape = ["--network", "slow_r18", "--base-channels", "8", "--spatial", "32", "--no-teacher", option, value]
    try:
        found = main(["train", "--data", str(folder), "--out", str(tmp_path / "run"), *shape])
    except SystemExit as stop:
        found = stop.code
    said = capsys.readouterr().err.splitlines()
    assert found == code and "error: " in said[-1] and (len(said) == 1 or said[0].startswith("usage: "))
    assert len(said[-1]) < 1500


@pytest.mark.parametrize("value", ["1000000x3", "0x1", "10x2", "x", "1" * 5000 + "x1"])
def test_views_that_no_test_can_have(value, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "--data", "clips", "--views", value])
    assert "write CLIPSxCROPS" in capsys.readouterr().err


def test_widths_that_print_alike_are_alike():
    one, other = Configuration(32, 4, 0.50000001), Configuration(32, 4, 0.5)
    assert one == other and hash(one) == hash(other) and one.key == other.key == "32x4@0.5"
    assert Configuration(32, 4, 1 / 3) == Configuration.parse(Configuration(32, 4, 1 / 3).key)
    with pytest.raises(ValueError, match="width in"):
        Configuration(32, 4, 1e-7)


def test_what_was_trained_has_no_gradients(tmp_path):
    folder = write_classes(tmp_path / "data", classes=2, train=1, val=1)
    network = trained(folder, tmp_path / "run")
    assert all(p.grad is None for p in network.parameters())
