"""The commands, in one process: what they print, what they exit with, what they say of bad input."""

import csv
import json
import shutil
import struct
import warnings
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from a3d.cli import main
from a3d.configuration import range_0016
from a3d.inference.checkpoint import load, save
from a3d.networks import slow_r18
from a3d.paper.experiments import read_outcomes, write_outcomes
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from a3d.video.encode import write_video
from tests.clips import moving_square, write_classes

CLASSES = ("class_0", "class_1")


class _Told(BaseException):
    """Ends a command where it would begin to train, with what it would train."""


def _tell(network, data, out, recipe, *, range, **others):
    raise _Told(network, range, recipe)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("data"), classes=2, train=4, val=2)


@pytest.fixture(scope="module")
def checkpoint(data, tmp_path_factory):
    torch.manual_seed(0)
    network = slow_r18(2, base_channels=8, spatial=32, frames=4).eval()
    network = TrainedNetwork(network, CLASSES, Sampling(4, 2, 32), range_0016(32, 4))
    folder = tmp_path_factory.mktemp("checkpoint")
    save(network, folder)
    assert main(["table", "--checkpoint", str(folder), "--data", str(data), "--calibration-clips", "4"]) == 0
    return folder


def test_cost_of_every_configuration_given(capsys):
    assert main(["cost", "--configuration", "224x4@0.9", "--configuration", "128x2@0.5", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["configuration"] == "224x4@0.9"
    assert first["gflops"] == pytest.approx(16.8, abs=0.05) and first["params"] == pytest.approx(26.5e6, abs=5e4)
    assert second["params"] == pytest.approx(8.3e6, abs=5e4)
    main(["cost", "--configuration", "224x4@0.9", "--classes", "12", "--json"])
    fewer = json.loads(capsys.readouterr().out)[0]["params"]
    assert first["params"] - fewer == 388 * (1840 + 1)  # weights and a bias for each class left out


def test_table_tests_every_configuration_or_those_given(checkpoint, data, capsys):
    before = load(checkpoint)
    assert len(before.table) == len(before.statistics) == 97
    arguments = ["table", "--checkpoint", str(checkpoint), "--data", str(data), "--calibration-clips", "4"]
    assert main([*arguments, "--configuration", "32x4@0.55", "--configuration", "20x1@0.5"]) == 0
    assert "2 configurations on 4 clips; 8 files decoded, each once" in capsys.readouterr().out
    after = load(checkpoint)
    assert len(after.table) == len(after.statistics) == 98  # one is new, the others are kept


def test_evaluate_prints_what_a_program_reads(checkpoint, data, capsys):
    arguments = ["--checkpoint", str(checkpoint), "--data", str(data / "val"), "--views", "2x3", "--json"]
    assert main(["evaluate", *arguments, "--configuration", "32x4@1", "--configuration", "20x2@0.5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [answer["configuration"] for answer in found] == ["32x4@1.0", "20x2@0.5"]
    for answer in found:
        low, high = answer["interval"]
        assert 0 <= low <= answer["top1"] <= high <= 100 and answer["clips"] == 4 and answer["views"] == "2x3"


def test_budget_below_the_cheapest_is_refused(checkpoint, data, capsys):
    clip = str(next((data / "val").rglob("*.mp4")))
    assert main(["predict", clip, "--checkpoint", str(checkpoint), "--gflops", "0.0000001"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: no tested configuration costs at most") and len(said.splitlines()) == 1
    for budget, cause in (
        ("--params=-3", "-3 parameters"),
        ("--gflops=nan", "nan"),
        ("--milliseconds=5", "a3d profile"),
    ):
        assert main(["predict", clip, "--checkpoint", str(checkpoint), budget]) == 1
        said = capsys.readouterr().err
        assert said.startswith("error: ") and cause in said and len(said.splitlines()) == 1


def test_explain_writes_a_video_and_shares(checkpoint, data, tmp_path, capsys):
    clip = str(next((data / "val").rglob("*.mp4")))
    arguments = ["explain", clip, "--checkpoint", str(checkpoint), "--configuration", "20x2@0.5"]
    assert main([*arguments, "--out", str(tmp_path / "maps.mp4"), "--label", "class_1", "--json"]) == 0
    full, sub = json.loads(capsys.readouterr().out)
    assert (tmp_path / "maps.mp4").stat().st_size > 1000
    assert full["label"] == sub["label"] == "class_1" and len(full["shares"]) == 4 and len(sub["shares"]) == 2
    assert set(sub["times"]) < set(full["times"])


def test_explain_one_class_and_not_another_and_hides_the_hottest_places(checkpoint, data, capsys):
    clip = str(next((data / "val").rglob("*.mp4")))
    arguments = ["explain", clip, "--checkpoint", str(checkpoint), "--configuration", "20x2@0.5", "--label", "class_1"]
    logits = []
    for more in (["--against", "class_0", "--occlusion"], [], ["--label", "class_0"]):
        assert main([*arguments, *more, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        logits.append([row["logit"] for row in rows])
        if more[:1] == ["--against"]:
            assert all(row["against"] == "class_0" for row in rows)
            names = {"before", "hottest", "chance", "hidden", "places"}
            assert all(set(row["occlusion"]) == names and row["occlusion"]["hidden"] >= 1 for row in rows)
    assert logits[0] == pytest.approx([one - other for one, other in zip(*logits[1:], strict=True)], abs=1e-4)
    assert main([*arguments, "--against", "class_0", "--occlusion"]) == 0
    said = capsys.readouterr().out
    assert "evidence for class_1 and not class_0" in said and said.count("without as many at random") == 2
    assert main([*arguments, "--against", "class_1"]) == 1 and "against itself" in capsys.readouterr().err


def test_explain_writes_a_gif_by_its_name(checkpoint, data, tmp_path):
    clip = str(next((data / "val").rglob("*.mp4")))
    arguments = ["explain", clip, "--checkpoint", str(checkpoint), "--configuration", "20x2@0.5"]
    assert main([*arguments, "--out", str(tmp_path / "maps.GIF")]) == 0
    with Image.open(tmp_path / "maps.GIF") as image:
        assert (image.format, image.info["loop"]) == ("GIF", 0) and image.n_frames > 1


def test_train_then_resume_then_table(data, tmp_path, capsys):
    run = str(tmp_path / "run")
    shape = ["--network", "slow_r18", "--base-channels", "8", "--spatial", "32", "--frames", "2", "--stride", "2"]
    settings = ["--recipe", "small", "--no-teacher", "--epochs", "1", "--batch", "4", "--workers", "0"]
    train = ["train", "--data", str(data), "--out", run, *shape, *settings]
    assert main(train) == 0
    assert main(train) == 1 and "--resume" in capsys.readouterr().err
    assert main([*train, "--resume"]) == 0
    network = load(tmp_path / "run" / "checkpoint")
    assert network.labels == CLASSES and network.sampling == Sampling(2, 2, 32, rate=25.0)
    assert network.provenance["clips"] == 8
    made = tmp_path / "run" / "checkpoint"
    table = ["table", "--checkpoint", str(made), "--data", str(data), "--configuration", "32x2@1"]
    assert main([*table, "--calibration-clips", "4"]) == 0
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    assert main([*train, "--resume"]) == 0  # of a run that is finished, calibrated and tested: nothing is lost
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before and "table.csv" in before
    capsys.readouterr()
    assert main([*table[:-1], "20x1@1", "--views", "2x1"]) == 1
    assert "tested with other views (1x1) than now (2x1)" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "run" / "checkpoint")
    assert main([*train, "--resume"]) == 0 and load(made).statistics == {}
    (tmp_path / "run" / "state.pt").unlink()
    assert main(train) == 1 and "already holds a run" in capsys.readouterr().err
    warm = ["train", "--data", str(data), "--out", str(tmp_path / "warm"), *shape[4:], *settings]
    assert main([*warm, "--init", str(tmp_path / "run" / "checkpoint")]) == 0


def test_transfer_to_other_classes(checkpoint, tmp_path, capsys):
    folder = write_classes(tmp_path / "data", classes=3, train=2, val=1)
    train = ["train", "--data", str(folder), "--out", str(tmp_path / "run"), "--init", str(checkpoint)]
    assert main([*train, "--network", "slow_r18"]) == 1 and "leave out one of them" in capsys.readouterr().err
    settings = ["--recipe", "finetune", "--step", "plain", "--no-teacher", "--epochs", "1", "--batch", "4"]
    assert main([*train, *settings, "--workers", "0"]) == 0
    assert "body is kept; a new classifier learns the 3 classes" in capsys.readouterr().out
    start, network = load(checkpoint), load(tmp_path / "run" / "checkpoint")
    assert network.labels == ("class_0", "class_1", "class_2") and network.architecture.classes == 3
    assert (network.sampling, network.range) == (start.sampling, start.range)  # what is not given is as it was
    assert network.provenance["init"] == str(checkpoint) and network.provenance["recipe"]["step"] == "plain"
    with (tmp_path / "run" / "metrics.csv").open() as file:
        assert {line["configuration"] for line in csv.DictReader(file)} == {start.range.full.key}


def test_broken_clips_are_named_and_skipped(data, tmp_path, capsys):
    folder = write_classes(tmp_path / "data", classes=2, train=3, val=1)
    (folder / "train" / "class_0" / "bad.mp4").write_text("not a video")
    train = ["train", "--data", str(folder), "--out", str(tmp_path / "run"), "--network", "slow_r18", "--frames", "2"]
    train += ["--base-channels", "8", "--spatial", "32", "--no-teacher", "--epochs", "1", "--workers", "0"]
    assert main(train) == 0
    assert "skipping" in capsys.readouterr().err
    assert main([*train[:4], str(tmp_path / "strict"), *train[5:], "--strict"]) == 1
    assert "bad.mp4" in capsys.readouterr().err


def test_training_on_broken_clips_alone_is_an_error(tmp_path, capsys):
    for name in CLASSES:
        (tmp_path / "train" / name).mkdir(parents=True)
        (tmp_path / "train" / name / "bad.mp4").write_text("not a video")
    train = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--network", "slow_r18", "--frames", "2"]
    train += ["--base-channels", "8", "--spatial", "32", "--no-teacher", "--batch", "1", "--workers", "0"]
    assert main(train) == 1
    assert "none of the 2 clips can be read" in capsys.readouterr().err
    assert not list((tmp_path / "run").glob("state.pt")) and not (tmp_path / "run" / "checkpoint").exists()


def pictures(count=20, height=48, width=64):
    return moving_square(0, count, height, width)


def empty(path):
    path.touch()


def text(path):
    path.write_text("this is no video\n" * 100)


def audio(path):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))


def missing(path):
    pass


def one_frame(path):
    write_video(path, pictures(1), 25)


def sixteen_pixels(path):
    write_video(path, np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8), 25)


def truncated(path):
    """A Matroska file, whose index is not at its end, cut in the middle."""
    whole = path.with_name("whole.mkv")
    write_matroska(whole, pictures(60))
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])


def rotated(path):
    write_video(path, pictures(), 25)
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    data[place : place + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def write_matroska(path, frames, times=None, codec="libx264", **options):
    import av

    with av.open(str(path), "w", container_options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for tick, image in zip(times or range(len(frames)), frames, strict=True):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def variable_rate(path):
    write_matroska(path, pictures(), times=[i * i // 4 + i for i in range(20)])


def webm_without_length(path):
    write_matroska(path, pictures(), codec="libvpx", live="1")


BAD = [("clip.mp4", empty), ("clip.mp4", text), ("clip.wav", audio), ("clip.mp4", missing)]
GOOD = [
    ("clip.mp4", one_frame),
    ("clip.mkv", truncated),
    ("clip.mp4", rotated),
    ("clip.mkv", variable_rate),
    ("clip.webm", webm_without_length),
    ("clip.mp4", sixteen_pixels),
]


@pytest.mark.parametrize(("name", "make"), BAD, ids=[make.__name__ for _, make in BAD])
def test_predict_names_what_is_no_clip(checkpoint, tmp_path, capfd, name, make):
    make(tmp_path / name)
    with pytest.raises(SystemExit, match="1"):
        main(["predict", str(tmp_path / name), "--checkpoint", str(checkpoint)])
    out, err = capfd.readouterr()
    assert out == "" and err.startswith(f"error: {tmp_path / name}: ") and len(err.splitlines()) == 1


@pytest.mark.parametrize(("name", "make"), GOOD, ids=[make.__name__ for _, make in GOOD])
def test_predict_answers_for_odd_clips(checkpoint, tmp_path, capfd, name, make):
    make(tmp_path / name)
    assert main(["predict", str(tmp_path / name), "--checkpoint", str(checkpoint), "--json"]) == 0
    out, err = capfd.readouterr()
    (answer,) = json.loads(out)
    assert sum(top["probability"] for top in answer["top"]) == pytest.approx(1, abs=1e-5) and err == ""


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["cost", "--configuration", "224x4"], "write SPATIALxFRAMES@WIDTH"),
        (["evaluate", "--checkpoint", "x", "--data", "y", "--views", "10x2"], "CLIPSxCROPS"),
        (["predict", "a.mp4", "--gflops", "1", "--configuration", "32x4@1"], "not allowed with"),
        (["predict", "a.mp4", "--gflops", "1", "--megabytes", "3"], "not allowed with"),
        (["train", "--data", "x", "--out", "y", "--epochs", "0"], "0: give a whole number above 0"),
        (["cost", "--configuration", "224x4@1", "--classes", "-3"], "-3: give a whole number above 0"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_unusable_arguments(capsys, arguments, cause):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert cause in capsys.readouterr().err


def test_predicts_in_any_folder(data, tmp_path, monkeypatch, capsys):
    """With the project's network, unless the folder has one of that name."""
    clip = str(next(data.rglob("*.mp4")).resolve())
    monkeypatch.chdir(tmp_path)
    assert main(["predict", clip, "--gflops", "0.2"]) == 0
    bought = load(Path(__file__).parents[1] / "checkpoints" / "exercise12").table.choose(gflops=0.2)
    assert str(bought.configuration) in capsys.readouterr().out
    (tmp_path / "checkpoints" / "exercise12").mkdir(parents=True)
    assert main(["predict", clip, "--gflops", "0.2"]) == 1
    assert capsys.readouterr().err.startswith("error: checkpoints/exercise12/config.json does not exist")


def test_a_file_that_cannot_be_written_is_named(checkpoint, data, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    clip, out = str(next(data.rglob("*.mp4"))), str(tmp_path / "file" / "out.mp4")
    for arguments in (
        ["explain", clip, "--checkpoint", str(checkpoint), "--out", out],
        ["report", str(checkpoint), "--out", out],
    ):
        assert main(arguments) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert str(tmp_path / "file") in line and "check the path" in line
    assert main(["report", str(checkpoint), "--out", str(tmp_path / "new" / "report.html")]) == 0


def test_missing_checkpoint_is_one_line(capsys):
    assert main(["predict", "a.mp4", "--checkpoint", "nowhere"]) == 1
    said = capsys.readouterr().err
    assert "nowhere" in said and len(said.splitlines()) == 1


def test_experiments_run_and_are_judged(data, tmp_path, capsys):
    arguments = ["experiment", "--data", str(data), "--out", str(tmp_path), "--epochs", "1", "--views", "1x1"]
    assert main([*arguments, "--only", "plain_smallest", "--seed", "0", "--seed", "1"]) == 0
    assert "results.csv" in capsys.readouterr().out
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert len(lines) == 3 and lines[1].startswith("plain_smallest,0,32x2@0.5,own,")
    (mine,) = read_outcomes(tmp_path / "plain_smallest-0" / "results.csv")
    (tmp_path / "mutual_0016-0").mkdir()
    better = replace(mine, experiment="mutual_0016", top1=100.0, right="1111")
    write_outcomes(tmp_path / "mutual_0016-0" / "results.csv", [better])
    assert main([*arguments, "--only", "plain_smallest"]) == 0  # what is done is read
    assert f"| {100 - mine.top1:+.1f} [" in capsys.readouterr().out


def test_folds_are_trained_one_by_one_from_a_file_of_weights(tmp_path, capsys):
    data = write_classes(tmp_path / "clips", classes=2, train=6, val=2)
    arguments = ["experiment", "--data", str(data), "--out", str(tmp_path / "out"), "--epochs", "1", "--views", "1x1"]
    arguments += ["--only", "plain_smallest", "--folds"]
    weights = tmp_path / "lite0.pth"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the image package
        from efficientnet_lite_pytorch import EfficientNet
    torch.save(EfficientNet.from_name("efficientnet-lite0", image_size=None).state_dict(), weights)
    assert main([*arguments, "--size", "pretrained"]) == 1
    assert "--size pretrained and --init FILE go together" in capsys.readouterr().err
    assert main([*arguments, "--size", "pretrained", "--init", str(weights)]) == 0
    found = read_outcomes(tmp_path / "out" / "results.csv")
    clips = len(list(data.rglob("*.mp4")))
    assert [o.fold for o in found] == [1, 2, 3, 4, 5] and sum(o.clips for o in found) == clips
    assert {o.configuration for o in found} == {"38x2@0.5"} and found[0].params < 2e6


def test_a_published_recipe_brings_its_network(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("a3d.cli.train.train", _tell)
    arguments = ["train", "--data", str(data), "--out", str(tmp_path), "--recipe", "kinetics_slowfast_4x16"]
    with pytest.raises(_Told) as told:
        main([*arguments, "--epochs", "2"])
    network, span, recipe = told.value.args
    assert network.architecture.network == "slowfast_r50" and network.architecture.classes == 2
    assert span.name == "[0.06, 1]" and (recipe.batch, recipe.rate, recipe.epochs) == (64, 0.1, 2)
    assert main([*arguments, "--spatial", "112"]) == 1
    assert "--spatial 112: kinetics_slowfast_4x16 has its own; leave out" in capsys.readouterr().err


@pytest.mark.parametrize("device", ["cuda:99", "meta", "gpu"])
@pytest.mark.parametrize("command", ["train --data . --out x", "watch a.mp4 --deadline-ms 9", "profile"])
def test_a_device_that_is_not_there_is_named(command, device, capsys):
    with pytest.raises(SystemExit):
        main([*command.split(), "--device", device])
    assert f"argument --device: '{device}': " in capsys.readouterr().err
