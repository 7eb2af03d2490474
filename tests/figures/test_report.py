"""A page of runs: what there is is shown, what is missing is said, and nothing is loaded from elsewhere."""

import json
import re
from dataclasses import replace

import pytest

from a3d.budgets.cost import cost
from a3d.budgets.table import Row, Table
from a3d.cli import main
from a3d.configuration import ComputationalRange
from a3d.figures.report import ReportError, read_entry, report
from a3d.inference.checkpoint import save
from a3d.trained import TrainedNetwork
from a3d.video import Sampling

METRICS = """step,epoch,rate,seconds,lesson,configuration,loss,top1
0,0,0.1,1.00,0,32x4@1.0,1.2,30
0,0,0.1,1.00,0,24x2@0.5,0.3,20
1,1,0.1,2.00,0,32x4@1.0,0.9,60
1,1,0.1,2.00,0,24x2@0.5,0.2,40
"""


@pytest.fixture
def tested(tiny):
    """A network with a table of made-up accuracies."""
    span = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))
    rows = [Row(c, cost(tiny, c).gflops, 1000, 90.0 - 5 * i, clips=40) for i, c in enumerate(span.configurations())]
    origin = {"command": "a3d train <here>", "recipe": {"epochs": 7}}
    return TrainedNetwork(tiny, ("jump", "run", "sit"), Sampling(4, 3, 32), span, Table(rows), provenance=origin)


def run(folder, network=None):
    folder.mkdir()
    (folder / "metrics.csv").write_text(METRICS)
    (folder / "run.json").write_text(json.dumps({"steps": 4, "steps_per_epoch": 2, "recipe": {}}))
    if network:
        save(network, folder / "checkpoint")
    return folder


def words(page):
    return re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", page, flags=re.S)


def test_one_run(tested, tmp_path):
    page = report([run(tmp_path / "mine", tested)])
    said = words(page)
    best = tested.table.full
    assert f"{best.top1:.1f}% (" in said and "step 2 of 4" in said and "jump, run, sit" in said
    assert all(str(row.configuration) in said for row in tested.table.rows)
    assert "a3d train &lt;here>" in page.replace("&gt;", ">") and "epochs" in said
    assert page.count("<figure") == 4 and "Side by side" not in said


def test_it_needs_nothing_from_elsewhere(tested, tmp_path):
    page = report([run(tmp_path / "mine", tested)])
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=", page)


def test_what_is_missing_is_said(tested, tmp_path):
    table, tested.table = tested.table, None
    save(tested, tmp_path / "bare")
    (tmp_path / "started").mkdir()
    (tmp_path / "started" / "metrics.csv").write_text(METRICS.splitlines()[0] + "\n")
    tested.table = table
    said = words(report([run(tmp_path / "mine", tested), tmp_path / "bare", tmp_path / "started"]))
    assert "No table yet. Make one: a3d table --checkpoint" in said and "not tested yet" in said
    assert "The run has not ended" in said and "not saved yet" in said
    with pytest.raises(ReportError, match=r"holds neither metrics\.csv of a run nor config\.json"):
        read_entry(tmp_path)


def test_side_by_side(tested, tmp_path):
    first = run(tmp_path / "mine", tested)
    tested.table = Table([replace(row, top1=row.top1 / 2) for row in tested.table.rows[:3]])
    second = run(tmp_path / "other", tested)
    page = report([first, second / "checkpoint"], ["table_9"])
    assert "The 3 configurations that all of them were tested at" in words(page)
    assert "90.0 (76.9 to 96.0)" in page and "45.0 (30.7 to 60.2)" in page
    assert (
        "paper&#x27;s trade-off list" in page or "paper's trade-off list" in page or "trade-off list (Table 9)" in page
    )
    tested.labels = ("a", "b", "c")
    save(tested, tmp_path / "third")
    assert "different classes" in words(report([first, tmp_path / "third"]))


def test_the_command(tested, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["report", str(run(tmp_path / "mine", tested)), "--out", str(page)]) == 0
    assert "wrote" in capsys.readouterr().out and page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["report", str(tmp_path / "nothing"), "--out", str(page)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_several_labels_a_clip_are_told_by_map(tested, tmp_path):
    tested.table = Table([replace(row, top1=50.0, mean_ap=33.3 + i) for i, row in enumerate(tested.table.rows)])
    page = report([run(tmp_path / "mine", tested)])
    assert "mAP, % (95%)" in words(page) and "33.3" in words(page) and "mAP, %" in page
