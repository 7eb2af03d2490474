"""Converted weights through the commands: smaller configurations, and adaptive training from them."""

import json

import pytest
import torch

from a3d.cli import main
from a3d.inference.checkpoint import load
from a3d.training.train import centre_classes
from tests import official
from tests.clips import write_classes
from tests.imitations import write_ava

SIZES = {"slow": {"stem_dim_out": 8}, "slowfast": {"stem_dim_outs": (8, 1)}}
TRAIN = ["--spatial", "32", "--frames", "2", "--epochs", "1", "--batch", "4", "--workers", "0"]


@pytest.fixture(params=["slow", "slowfast"])
def checkpoint(request, tmp_path):
    """A converted R-50 of two classes, narrow, and said to be trained at 64²."""
    network = getattr(official, request.param)(model_num_class=2, **SIZES[request.param])
    torch.save({"model_state": network.state_dict()}, tmp_path / "hub.pyth")
    (tmp_path / "names.txt").write_text("class_0\nclass_1\n")
    out = tmp_path / "converted"
    named = ["--labels", str(tmp_path / "names.txt"), "--spatial", "64"]
    assert main(["convert", str(tmp_path / "hub.pyth"), "--out", str(out), *named]) == 0
    return out


def test_smaller_configurations_are_calibrated_and_full_ones_kept(checkpoint, tmp_path, capsys):
    data = write_classes(tmp_path / "data", classes=2, train=2, val=1)
    capsys.readouterr()
    arguments = ["--configuration", "32x4@0.5", "--configuration", "48x2@1", "--calibration-clips", "4", "--json"]
    assert main(["table", "--checkpoint", str(checkpoint), "--data", str(data), *arguments]) == 0
    assert [row["configuration"] for row in json.loads(capsys.readouterr().out)] == ["32x4@0.5", "48x2@1.0"]
    keys = {configuration.key for configuration in load(checkpoint).statistics}
    assert keys == {"32x4@0.5", "48x2@1.0", "64x8@1.0", "74x8@1.0"}
    clip = next((data / "val").rglob("*.mp4"))
    assert main(["predict", str(clip), "--checkpoint", str(checkpoint), "--configuration", "32x4@0.5"]) == 0


def test_adaptive_training_starts_from_them(checkpoint, tmp_path):
    data, out = write_classes(tmp_path / "data", classes=2, train=2, val=1), tmp_path / "run"
    start = ["--init", str(checkpoint), "--recipe", "from_scratch", "--step", "mutual", "--rate", "1e-9"]
    assert main(["train", "--data", str(data), "--out", str(out), *start, *TRAIN]) == 0
    before, after = load(checkpoint), load(out / "checkpoint")
    assert before.architecture.network == after.architecture.network and before.classes == after.classes
    kept = ("alpha", "fusion_kernel", "spread")
    before_, after_ = (network.architecture.options for network in (before, after))
    assert all(before_.get(name) == after_.get(name) for name in kept)
    assert {"alpha", "fusion_kernel", "spread"} <= before_.keys() or "slowfast" not in before.architecture.network
    centre_classes(before)
    for name, tensor in after.state_dict().items():
        torch.testing.assert_close(tensor, before.state_dict()[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize("checkpoint", ["slow"], indirect=True)
def test_detection_starts_from_them(checkpoint, tmp_path):
    folder, out = write_ava(tmp_path / "ava"), tmp_path / "run"
    data = ["--data", str(folder / "train.csv"), "--videos", str(folder / "videos")]
    data += ["--labels", str(folder / "actions.pbtxt")]
    start = ["--init", str(checkpoint), "--recipe", "ava", "--rate", "1e-9"]
    assert main(["train", *data, "--out", str(out), *start, *TRAIN]) == 0
    before, after = load(checkpoint), load(out / "checkpoint")
    assert after.architecture.task == "detection" and len(after.labels) == 80
    for name, tensor in after.state_dict().items():
        if not name.startswith("classifier"):
            torch.testing.assert_close(tensor, before.state_dict()[name], atol=1e-6, rtol=0)
