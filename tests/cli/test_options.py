"""What every command that runs a network takes: --checkpoint, --device, --precision, --json."""

import pytest
import torch

from a3d.adaptive import SubNetwork
from a3d.cli import main, parser
from a3d.inference.checkpoint import load

NETWORK = {
    "predict": ["a.mp4"],
    "explain": ["a.mp4"],
    "evaluate": ["--data", "x"],
    "table": ["--data", "x"],
    "profile": [],
    "watch": ["a.mp4", "--deadline-ms", "9"],
    "detect": ["a.mp4", "--boxes", "x"],
    "export": ["--out", "x"],
}


@pytest.mark.parametrize("command", NETWORK)
def test_alike_in_every_command_that_runs_a_network(command, capsys):
    given = ["--checkpoint", "c", "--device", "cpu", "--precision", "bfloat16", "--json"]
    options = parser().parse_args([command, *NETWORK[command], *given])
    assert (str(options.checkpoint), options.device, options.precision, options.json) == ("c", "cpu", "bfloat16", True)
    plain = parser().parse_args([command, *NETWORK[command], "--checkpoint", "c"])
    assert (plain.device, plain.precision, plain.json) == ("cpu", "float32", False)
    with pytest.raises(SystemExit, match="2"):
        main([command, *NETWORK[command], "--precision", "float16"])
    assert "argument --precision: invalid choice: 'float16'" in capsys.readouterr().err


@pytest.fixture
def asked(monkeypatch):
    """The data types of the sub-networks that are made."""
    dtypes, made = set(), SubNetwork.__init__

    def noted(self, network, configuration, dtype):
        dtypes.add(dtype)
        made(self, network, configuration, dtype)

    monkeypatch.setattr(SubNetwork, "__init__", noted)
    return dtypes


def test_precision_reaches_the_network(checkpoint, people, data, clip, tmp_path, capsys, asked):
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    network, precise = ["--checkpoint", str(tmp_path)], ["--precision", "bfloat16"]
    film = [str(people / "film.mp4"), "--boxes", str(people / "boxes.csv"), "--checkpoint", str(people / "checkpoint")]
    tested = ["--data", str(data), "--calibration-clips", "4", "--configuration", "24x2@0.5"]
    stored = load(tmp_path).statistics
    for command in (
        ["predict", clip, *network, "--gflops", "1"],
        ["explain", clip, *network],
        ["evaluate", "--data", str(data / "val"), *network],
        ["table", *tested, *network],
        ["profile", "--rounds", "1", "--video", clip, *network],
        ["watch", clip, "--deadline-ms", "2000", *network],  # by the times that were just measured in bfloat16
        ["detect", *film],
    ):
        asked.clear()
        assert main([*command, *precise]) == 0, command
        assert asked == {torch.bfloat16}, command
    for precision in ("float32", "bfloat16"):  # side by side in one file
        found = load(tmp_path, precision=precision).profile
        assert {line.runtime.precision for line in found.latencies} == {precision}
    for configuration, layers in load(tmp_path).statistics.items():  # calibration is float32 whatever is tested
        for name, (mean, variance) in layers.items():
            assert torch.equal(mean, stored[configuration][name][0])
            assert torch.equal(variance, stored[configuration][name][1])
    capsys.readouterr()
    assert main(["export", *network, *precise, "--out", str(tmp_path / "out")]) == 1
    assert "onnx in bfloat16: an exported file computes in float32" in capsys.readouterr().err


def test_bfloat16_answers_nearly_as_float32(rows, checkpoint, clip):
    arguments = ["predict", clip, "--checkpoint", checkpoint, "--configuration", "32x4@1"]
    exact, near = rows(*arguments), rows(*arguments, "--precision", "bfloat16")
    first = {answer["label"]: answer["probability"] for answer in exact[0]["top"]}
    assert first == pytest.approx({a["label"]: a["probability"] for a in near[0]["top"]}, abs=0.02) and exact != near


def test_device_reaches_the_network(checkpoint, clip, monkeypatch):
    """As far as a machine without a GPU can tell."""
    seen = []

    def noted(folder, device="cpu", **others):
        seen.append(device)
        return load(folder, **others)

    monkeypatch.setattr("a3d.cli.options.load", noted)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert main(["predict", clip, "--checkpoint", str(checkpoint), "--device", "cuda:0"]) == 0
    assert seen == ["cuda:0"]
