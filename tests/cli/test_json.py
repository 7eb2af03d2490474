"""Every `--json` prints a list of objects, with the same keys for the same things; one for each thing asked for."""

import json

import pytest
import torch

from a3d import benchmark
from a3d.benchmark import Figure, Group
from a3d.cli import main
from a3d.configuration import Configuration
from a3d.inference.checkpoint import load
from tests import official
from tests.imitations import write_ava

NUMBERS = {"gflops", "params", "top1", "top5", "mean_class", "mean_ap", "clips", "milliseconds", "time", "probability"}
ASKED = ["--configuration", "32x4@1", "--configuration", "24x2@0.5", "--configuration", "32x4@1"]
KEYS = ["32x4@1.0", "24x2@0.5", "32x4@1.0"]


def check(found):
    """A list of objects; a configuration comes with its cost, percentages and probabilities in their bounds."""
    assert isinstance(found, list) and found and all(isinstance(row, dict) for row in found)
    for row in found:
        if row.get("configuration"):
            assert Configuration.parse(row["configuration"]).key == row["configuration"]
            assert row["gflops"] > 0 and isinstance(row["params"], int)
        assert all(row[name] is None or isinstance(row[name], int | float) for name in NUMBERS & set(row))
        assert all(0 <= row[name] <= 100 for name in ("top1", "top5", "mean_class", "mean_ap") if row.get(name))
        for answer in row.get("top", ()):
            assert set(answer) == {"label", "probability"} and 0 <= answer["probability"] <= 1
    return found


def test_cost_predict_explain(rows, checkpoint, clip):
    assert [row["configuration"] for row in check(rows("cost", *ASKED))] == KEYS
    found = check(rows("predict", clip, clip, "--checkpoint", checkpoint, "--configuration", "24x2@0.5"))
    assert found[0] == found[1] and found[0]["video"] == clip and set(found[0]) == {"none", "top", "video", *COSTED}
    full, sub = check(rows("explain", clip, "--checkpoint", checkpoint, "--configuration", "24x2@0.5"))
    assert (full["configuration"], sub["configuration"]) == ("32x4@1.0", "24x2@0.5") and full["video"] == clip
    assert sub["gflops"] == found[0]["gflops"] and sub["params"] == found[0]["params"]


COSTED = {"configuration", "gflops", "params"}


def test_evaluate_and_table(rows, checkpoint, data, tmp_path):
    folder = copied(checkpoint, tmp_path)
    tested = check(rows("table", "--checkpoint", folder, "--data", data, "--calibration-clips", 4, *ASKED))
    assert [row["configuration"] for row in tested] == KEYS and tested[0] == tested[2]
    found = check(rows("evaluate", "--checkpoint", folder, "--data", data / "val", "--views", "1x1", *ASKED))
    assert [row["configuration"] for row in found] == KEYS and found[0] == found[2]
    same = ("configuration", "gflops", "params", "mean_ap", "clips")
    for row, again in zip(tested, found, strict=True):
        assert {name: row[name] for name in same} == {name: again[name] for name in same}
        assert row["top1"] == pytest.approx(again["top1"], abs=1e-4)
        assert sum(again["classes"].values()) / 2 == pytest.approx(again["mean_class"])
    assert len(check(rows("table", "--checkpoint", folder, "--data", data, "--calibration-clips", 4))) == 9


def copied(checkpoint, folder):
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_segments(rows, checkpoint, people, capsys):
    """As JSON, as CSV and as subtitles: the same parts of a film, from its start to its end."""
    arguments = ["segments", people / "film.mp4", "--checkpoint", checkpoint, "--configuration", "24x2@0.5"]
    found = check(rows(*arguments))
    assert set(found[0]) == {"video", "start", "end", "label", "probability", *COSTED}
    assert found[0]["start"] == 0 and found[-1]["end"] == pytest.approx(3)
    arguments = [str(argument) for argument in arguments]
    assert main([*arguments, "--csv"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "start,end,label,probability" and len(lines) == len(found)
    assert lines[-1].split(",")[1:3] == ["3.000", found[-1]["label"]]
    assert main([*arguments, "--srt"]) == 0
    first = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert first[:2] == ["1", f"00:00:00,000 --> 00:00:0{found[0]['end']:.3f}".replace(".", ",")]
    assert main([*arguments, "--srt", "--json"]) == 1 and "choose one" in capsys.readouterr().err


def test_profile_watch_export(rows, checkpoint, clip, tmp_path, capsys):
    folder = copied(checkpoint, tmp_path)
    once = ["--video", clip, "--rounds", 1, "--batch", 2, "--threads", 1, "--threads", 1]
    found = check(rows("profile", "--checkpoint", folder, *once))
    assert len(found) == 2 * 2 * 9 and {row["batch"] for row in found} == {1, 2}
    assert {row["precision"] for row in found} == {"float32"} and all(row["milliseconds"] > 0 for row in found)
    arguments = ["watch", clip, "--checkpoint", str(folder), "--deadline-ms", "2000", "--every-ms", "200"]
    assert main([*arguments, "--json"]) == 0
    lines = check([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert {"time", "label", "probability", *COSTED} <= set(lines[0])
    arguments = ["--configuration", "24x2@0.5", "--format", "torch-export", "--out", tmp_path / "out"]
    (exported,) = check(rows("export", "--checkpoint", folder, *arguments))
    assert exported["path"] == str(tmp_path / "out" / "network.pt2") and exported["configuration"] == "24x2@0.5"


def test_detect_and_score(rows, people, tmp_path):
    boxes = ["--boxes", people / "boxes.csv", "--above", 0]
    found = check(rows("detect", people / "film.mp4", "--checkpoint", people / "checkpoint", *boxes))
    assert [row["time"] for row in found] == [0, 1, 2] and found[0]["video"] == str(people / "film.mp4")
    assert set(found[0]["people"][0]["actions"][0]) == {"label", "probability"}
    folder = write_ava(tmp_path)
    (folder / "found.csv").write_text("2PpxiG0WU18,0902,0.1,0.333,0.6,0.667,12,0.9\n")
    files = [folder / "val.csv", folder / "found.csv", "--labels", folder / "actions.pbtxt"]
    (scored,) = check(rows("score", "ava", *files))
    low, high = scored["interval"]
    assert low <= scored["mean_ap"] <= high and set(scored) == {"mean_ap", "interval", "classes"}


def test_verify_and_convert(rows, data, tmp_path):
    found = check(rows("verify", "--data", data))
    assert (
        len(found) == 12 and {row["state"] for row in found} == {"ok"} and set(found[0]) == {"file", "state", "detail"}
    )
    network = official.slow(model_num_class=2, stem_dim_out=8)
    torch.save({"model_state": network.state_dict()}, tmp_path / "hub.pyth")
    (written,) = check(rows("convert", tmp_path / "hub.pyth", "--out", tmp_path / "out", "--spatial", 64))
    assert (
        written["checkpoint"] == str(tmp_path / "out") and written["configuration"] == load(tmp_path / "out").full.key
    )


def test_benchmark(rows, monkeypatch):
    monkeypatch.setitem(benchmark.GROUPS, "ours", Group("ours", (lambda setting: iter([Figure("one", ours=2.0)]),)))
    found = check(rows("benchmark", "ours", "ours", "--device", "cpu"))
    assert found[0] == found[1] and found[0]["group"] == "ours" and found[0]["name"] == "one"
