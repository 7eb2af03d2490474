"""Small Kinetics, Charades and AVA in their official formats, through the commands: verify, train, table, evaluate."""

import csv
import json
from collections import Counter

import pytest

from a3d.cli import main
from a3d.inference.checkpoint import load
from a3d.video.encode import write_video
from tests.clips import moving_square, write_classes
from tests.imitations import write_ava, write_charades, write_kinetics

NETWORK = ["--network", "slow_r18", "--base-channels", "8", "--no-teacher"]
NETWORK += ["--spatial", "32", "--frames", "2", "--stride", "2"]
TWO_STEPS = ["--epochs", "1", "--batch", "3", "--workers", "0"]
FULL, SMALL = ["--configuration", "32x2@1"], ["--configuration", "20x1@0.5"]


def a3d(*arguments, capsys):
    """Runs a command; its exit code and what it printed."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    return code, capsys.readouterr()


@pytest.fixture
def run(capsys):
    """run(...) -> what a successful command printed."""

    def run(*arguments):
        code, said = a3d(*arguments, capsys=capsys)
        assert code == 0, said.err
        return said.out

    return run


def states(found):
    """How many files `verify --json` lists in each state."""
    return Counter(line["state"] for line in found)


def two_steps(folder):
    """The steps that a run did."""
    with (folder / "metrics.csv").open() as file:
        return {int(line["step"]) for line in csv.DictReader(file)} == {0, 1}


def test_kinetics(run, tmp_path, capsys):
    folder, out = write_kinetics(tmp_path), tmp_path / "run"
    videos, both = ["--videos", folder / "videos"], ["--validation", folder / "val.csv"]
    code, said = a3d("verify", "--data", folder / "train.csv", *both, *videos, "--json", capsys=capsys)
    found = json.loads(said.out)
    assert code == 1 and states(found) == {"ok": 8, "missing": 1}
    assert [line["file"] for line in found if line["state"] == "missing"] == ["id_5-_Kin0_000002_000003"]
    run("train", "--data", folder / "train.csv", *videos, "--out", out, *NETWORK, *TWO_STEPS)
    assert two_steps(out) and load(out / "checkpoint").labels == ("abseiling", "air drumming", "zumba")
    test = ["--checkpoint", out / "checkpoint", *videos, "--json"]
    rows = json.loads(run("table", *test, "--data", folder / "train.csv", *both, *FULL, *SMALL))
    assert [row["clips"] for row in rows] == [3, 3]
    (result,) = json.loads(run("evaluate", *test, "--data", folder / "val.csv", *FULL, "--views", "10x3"))
    assert result["clips"] == 3 and result["views"] == "10x3" and result["mean_ap"] is None
    run("table", *test, "--data", folder / "train.csv", *both, *FULL, "--larger-crops")
    assert [row.configuration.key for row in load(out / "checkpoint").table.rows] == [
        "38x2@1.0",
        "32x2@1.0",
        "20x1@0.5",
    ]
    (larger,) = json.loads(run("evaluate", *test, "--data", folder / "val.csv", *FULL, "--larger-crops"))
    assert larger["configuration"] == "38x2@1.0"


@pytest.mark.parametrize("source", ["videos", "frames"])
def test_charades(run, tmp_path, source):
    folder, out = write_charades(tmp_path, frames=source == "frames"), tmp_path / "run"
    named = ["--videos", folder / source, "--labels", folder / "classes.txt"]
    both = ["--data", folder / "train.csv", "--validation", folder / "test.csv"]
    assert states(json.loads(run("verify", *both, *named, "--json"))) == {"ok": 6, "unlabelled": 1}
    run("train", "--data", folder / "train.csv", *named, "--out", out, "--recipe", "charades", *NETWORK, *TWO_STEPS)
    network = load(out / "checkpoint")
    assert two_steps(out) and network.architecture.task == "multilabel" and network.labels[3] == "Doing thing 3"
    test = ["--checkpoint", out / "checkpoint", *named[:2], "--json"]  # the codes of the CSV are enough
    rows = json.loads(run("table", *test, *both, *FULL, *SMALL))
    table = load(out / "checkpoint").table
    assert [row["mean_ap"] for row in rows] == [row.accuracy for row in table.rows] and table.metric == "mAP"
    (result,) = json.loads(run("evaluate", *test, "--data", folder / "test.csv", *FULL, "--views", "1x1"))
    assert result["mean_ap"] == pytest.approx(rows[0]["mean_ap"], abs=1e-4)
    known = {name: ap for name, ap in result["classes"].items() if ap is not None}
    assert len(result["classes"]) == 157 and sum(known.values()) / len(known) == pytest.approx(result["mean_ap"])
    assert set(known) == {f"Doing thing {number}" for number in (0, 92, 150, 151, 152)}
    low, high = result["interval"]
    assert low <= result["mean_ap"] <= high


def test_ava(run, tmp_path):
    folder, out = write_ava(tmp_path), tmp_path / "run"
    named = ["--videos", folder / "videos", "--labels", folder / "actions.pbtxt", "--exclude", folder / "excluded.csv"]
    both = ["--data", folder / "train.csv", "--validation", folder / "val.csv", "--proposals", folder / "proposals.csv"]
    assert states(json.loads(run("verify", *both, *named, "--json"))) == {"ok": 3}
    run("train", "--data", folder / "train.csv", *named, "--out", out, "--recipe", "ava", *NETWORK, *TWO_STEPS)
    network = load(out / "checkpoint")
    assert two_steps(out) and network.architecture.task == "detection" and len(network.labels) == 80
    test = ["--checkpoint", out / "checkpoint", *named, "--json"]
    rows = json.loads(run("table", *test, *both, *FULL, *SMALL))
    evaluated = [*test, "--data", folder / "val.csv", *both[4:], *FULL, "--detections", folder / "found.csv"]
    (result,) = json.loads(run("evaluate", *evaluated, "--views", "1x1"))
    assert result["mean_ap"] == pytest.approx(rows[0]["mean_ap"], abs=1e-4) and result["clips"] == 2
    (scored,) = json.loads(run("score", "ava", folder / "val.csv", folder / "found.csv", *named[2:], "--json"))
    assert scored["mean_ap"] == pytest.approx(result["mean_ap"], abs=1e-9)
    assert scored["classes"] == pytest.approx(result["classes"])
    assert len((folder / "found.csv").read_text().splitlines()) == 12  # 2 seconds, 2 people, 3 evaluated actions


def test_verify_tells_what_is_wrong_with_each_file(tmp_path, capsys):
    folder = write_kinetics(tmp_path)
    videos = folder / "videos"
    lines = (folder / "train.csv").read_text().replace("id_0-_Kin0,0,1", "id_0-_Kin0,0,9")
    (folder / "train.csv").write_text(lines)
    (videos / "id_1-_Kin0_000001_000002.mp4").write_bytes(b"no video")
    damaged = videos / "id_4-_Kin0_000001_000002.mp4"
    whole = damaged.read_bytes()
    start = whole.index(b"mdat") + 4
    damaged.write_bytes(whole[:start] + bytes(len(whole) - start))  # its header is whole, no frame decodes
    arguments = ["verify", "--data", folder / "train.csv", "--videos", videos, "--report", folder / "report.csv"]
    code, said = a3d(*arguments, "--json", capsys=capsys)
    found = json.loads(said.out)
    wrong = {line["state"]: line for line in found}
    assert {state: wrong[state]["file"].rpartition("/")[2] for state in ("missing", "broken", "short")} == {
        "missing": "id_5-_Kin0_000002_000003",
        "broken": "id_1-_Kin0_000001_000002.mp4",
        "short": "id_0-_Kin0.mp4",
    }
    assert wrong["short"]["detail"] == "it ends at 1.0 s, annotated to 9.0 s"
    counts = {"ok": 3, "missing": 1, "broken": 1, "short": 1, "unlabelled": 3}  # the last are those of val.csv
    assert code == 1 and states(found) == counts
    with (folder / "report.csv").open() as file:
        report = list(csv.DictReader(file))
    assert report == found and {line["state"] for line in report if not line["detail"]} == {"ok"}
    code, said = a3d(*arguments, "--decode", capsys=capsys)
    assert code == 1 and f"broken  {damaged}: no picture can be decoded" in said.out
    assert "9 files: 2 ok, 1 missing, 2 broken, 1 too short, 3 never labelled" in said.out


def test_verify_of_folders_and_lists(run, tmp_path, capsys):
    folder = write_classes(tmp_path / "data", classes=2, train=2, val=1)
    (folder / "train" / "class_0" / "bad.mp4").write_bytes(b"")
    code, said = a3d("verify", "--data", folder, capsys=capsys)
    assert code == 1 and "7 files: 6 ok, 0 missing, 1 broken" in said.out and "the file is empty" in said.out
    (folder / "train" / "class_0" / "bad.mp4").unlink()
    (folder / "train" / "0.mp4").write_bytes((folder / "train" / "class_0" / "0.mp4").read_bytes())
    assert "7 files: 6 ok, 0 missing, 0 broken, 0 too short, 1 never labelled" in run("verify", "--data", folder)
    (tmp_path / "list.txt").write_text("data/train/0.mp4 0\ndata/train/none.mp4 1\n")
    code, said = a3d("verify", "--data", tmp_path / "list.txt", capsys=capsys)
    assert code == 1 and "2 files: 1 ok, 1 missing" in said.out


def test_verify_warns_of_scenes_on_both_sides_and_of_files_that_break_off(tmp_path, capsys):
    for split, names in (("train", ("v_x_g01_c01", "v_x_g02_c01")), ("val", ("v_x_g01_c02", "v_x_g03_c01"))):
        for name in names:
            write_video(tmp_path / split / "x" / f"{name}.mp4", moving_square(int(name[6]), 40), 25)
    cut = tmp_path / "val" / "x" / "v_x_g03_c01.mp4"
    cut.write_bytes(cut.read_bytes()[: int(cut.stat().st_size * 0.6)])
    code, said = a3d("verify", "--data", tmp_path, "--decode", capsys=capsys)
    assert "warning: 1 groups have clips to learn from and clips to test on, v_x_g01 for one" in said.err
    assert code == 1 and f"broken  {cut}: cut off: " in said.out and "of 1.6 s are there" in said.out


def test_a_list_without_labels_can_be_verified_and_its_name_may_begin_with_a_dash(tmp_path, capsys, monkeypatch):
    folder = write_kinetics(tmp_path)
    lines = [line.partition(",")[2] for line in (folder / "val.csv").read_text().splitlines()]
    (tmp_path / "-test.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    code, said = a3d("verify", "--data", "-test.csv", "--videos", folder / "videos", capsys=capsys)
    assert code == 0 and "id_6-_Kin0.mp4: annotated without a class" in said.out and " 0 broken" in said.out
    code, said = a3d("train", "--data", "-test.csv", "--videos", folder / "videos", "--out", "run", capsys=capsys)
    assert code == 1 and "no column 'label'" in said.err


def test_a_malformed_line_stops_every_command_before_anything_is_written(tmp_path, capsys):
    folder = write_kinetics(tmp_path)
    with (folder / "train.csv").open("a") as file:
        file.write("zumba,id_9-_Kin0,0\n")
    data = ["--data", folder / "train.csv", "--videos", folder / "videos"]
    for arguments in (
        ["verify", *data, "--report", folder / "report.csv"],
        ["train", *data, "--out", folder / "run", *NETWORK, *TWO_STEPS],
    ):
        code, said = a3d(*arguments, capsys=capsys)
        assert code == 1 and said.out == ""
        assert said.err.splitlines()[-1].startswith(f"error: {folder / 'train.csv'}:8: 3 columns, not 5 as the header")
    assert not (folder / "run").exists() and not (folder / "report.csv").exists()


def test_what_to_test_on_is_asked_for(tmp_path, capsys):
    folder = write_charades(tmp_path)
    named = ["--data", folder / "train.csv", "--videos", folder / "videos"]
    run = ["train", *named, "--out", folder / "run", "--recipe", "charades", *NETWORK, *TWO_STEPS]
    assert a3d(*run, capsys=capsys)[0] == 0
    code, said = a3d("table", "--checkpoint", folder / "run" / "checkpoint", *named, capsys=capsys)
    assert code == 1 and "train.csv is to learn from: name what to test on (--validation)" in said.err
