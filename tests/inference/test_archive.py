"""An archive: the file of an unbroken run whatever was killed, resumed or cut into shards; broken files are listed."""

import csv
import json

import pytest

from a3d.cli import main
from a3d.configuration import Configuration
from a3d.datasets.videos import videos_of
from a3d.errors import InputError
from a3d.inference import archive as archives
from a3d.inference.archive import Archive, predict_archive
from a3d.inference.checkpoint import save
from a3d.inference.prediction import predict
from a3d.testing.calibration import calibrate
from tests.trained import CLASSES

SMALL = Configuration(24, 2, 0.5)


@pytest.fixture
def ready(network, monkeypatch):
    """Calibrated; four videos are a batch."""
    import torch

    calibrate(network, SMALL, [torch.randn(4, 3, 4, 32, 32)])
    monkeypatch.setattr(archives, "BATCH", 4)
    return network


@pytest.fixture
def videos(clips, tmp_path):
    """Eleven, of which one is broken."""
    (tmp_path / "broken.mp4").write_text("no video")
    found = [str(path) for path in sorted(clips.rglob("*.mp4"))][:10]
    return (*found[:6], str(tmp_path / "broken.mp4"), *found[6:])


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_answers_are_those_of_predict(ready, videos, tmp_path):
    told = []
    out = predict_archive(Archive(videos, SMALL), ready, tmp_path / "a.csv", progress=lambda *of: told.append(of))
    found = lines(out)
    assert tuple(line["video"] for line in found) == videos
    assert [line["error"] != "" for line in found] == [video.endswith("broken.mp4") for video in videos]
    for line in found:
        if not line["error"]:
            alone = predict(line["video"], ready, SMALL)
            assert line["label_1"] == alone.label and line["label_4"] == ""
            assert float(line["probability_1"]) == pytest.approx(alone.probabilities[0], abs=1e-4)
    assert [done for done, _, _ in told] == [0, 4, 8, len(videos)] and "broken.mp4" in told[2][2][0]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("written", [1, 2, 3])
@pytest.mark.parametrize("torn", [False, True], ids=["between lines", "within a line"])
def test_killed_and_resumed_is_the_same_file(ready, videos, tmp_path, written, torn):
    whole = predict_archive(Archive(videos, SMALL), ready, tmp_path / "whole.csv").read_bytes()
    seen = []

    def killed(done, total, broken):
        seen.append(done)
        if len(seen) > written:
            raise KeyboardInterrupt

    out = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_archive(Archive(videos, SMALL), ready, out, progress=killed)
    assert not out.exists()
    part = out.with_name("out.csv.part")
    with part.open("ab") as file:
        file.write(b"half,a li" if torn else b"")
    begun = []
    predict_archive(Archive(videos, SMALL), ready, out, progress=lambda done, *_: begun.append(done))
    assert out.read_bytes() == whole and begun[0] == min(4 * written, len(videos) // 4 * 4)


def test_shards_join_to_the_same_file(ready, videos, tmp_path):
    whole = predict_archive(Archive(videos, SMALL), ready, tmp_path / "whole.csv").read_bytes()
    out = tmp_path / "out.csv"
    first = predict_archive(Archive(videos, SMALL, shard=(2, 2)), ready, out)
    assert first.name == "out.2-of-2.csv" and not out.exists()
    assert predict_archive(Archive(videos, SMALL, shard=(1, 2)), ready, out) == out
    assert out.read_bytes() == whole and sorted(p.name for p in tmp_path.glob("*.csv")) == ["out.csv", "whole.csv"]


def test_workers_change_nothing(ready, videos, tmp_path):
    alone, aided = (predict_archive(Archive(videos, SMALL), ready, tmp_path / f"{n}.csv", n) for n in (0, 1))
    assert alone.read_bytes() == aided.read_bytes()


def test_a_part_of_another_archive_is_refused(ready, videos, tmp_path):
    part = tmp_path / "out.csv.part"
    part.write_text("# something else\n")
    with pytest.raises(InputError, match=r"out\.csv\.part was begun with other videos .*: delete it"):
        predict_archive(Archive(videos, SMALL), ready, tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"name the file \.csv or \.parquet"):
        predict_archive(Archive(videos, SMALL), ready, tmp_path / "out.json")


def test_parquet_needs_its_package(ready, videos, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install pyarrow"):
        predict_archive(Archive(videos, SMALL), ready, tmp_path / "out.parquet")


def test_what_a_list_and_a_folder_name(clips, tmp_path):
    below = videos_of([clips / "val"])
    assert list(below) == sorted(below) and len(below) == 6
    (tmp_path / "list.txt").write_text("# mine\n" + "\n".join(below) + "\nbeside.mp4\n")
    assert videos_of([tmp_path / "list.txt"]) == (*below, str(tmp_path / "beside.mp4"))
    assert videos_of(["a.mp4"]) == ("a.mp4",)


def test_the_command(ready, clips, tmp_path, capsys):
    save(ready, tmp_path / "checkpoint")
    arguments = ["predict", str(clips), "--checkpoint", str(tmp_path / "checkpoint"), "--configuration", SMALL.key]
    assert main([*arguments, "--out", str(tmp_path / "all.csv"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["videos"] == len(lines(tmp_path / "all.csv")) == 11 and row["broken"] == 0
    assert main([*arguments, "--out", str(tmp_path / "again.csv")]) == 0
    assert "11 videos at 24²×2, 0.5: about " in capsys.readouterr().err
    assert {line["label_1"] for line in lines(tmp_path / "again.csv")} <= set(CLASSES)
    with pytest.raises(SystemExit):
        main([*arguments, "--out", "x.csv", "--shard", "9/8"])
    assert "write NUMBER/COUNT" in capsys.readouterr().err
