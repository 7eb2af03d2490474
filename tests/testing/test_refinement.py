"""A finer table, through the command: new configurations on the same clips, and what each brought."""

import json
from dataclasses import replace

import pytest
import torch

from a3d.budgets.refinement import between
from a3d.budgets.table import Table
from a3d.cli import main
from a3d.configuration import ComputationalRange
from a3d.datasets import ClipFolder
from a3d.inference.checkpoint import load, save, save_table
from a3d.networks import slow_r18
from a3d.testing.evaluation import EvaluationError, evaluate
from a3d.testing.refinement import refine
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from tests.clips import write_classes

RANGE = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("data"), classes=2, train=3, val=3)


@pytest.fixture
def checkpoint(data, tmp_path):
    """A tested network, one of whose ends is made the better one, so that its curve has a gap."""
    torch.manual_seed(0)
    network = slow_r18(2, base_channels=8, spatial=32, frames=4).eval()
    network = TrainedNetwork(network, ("class_0", "class_1"), Sampling(4, 2, 32), RANGE)
    save(network, tmp_path)
    ends = ["--configuration", "24x2@0.5", "--configuration", "32x4@1"]
    assert main(["table", "--checkpoint", str(tmp_path), "--data", str(data), "--calibration-clips", "4", *ends]) == 0
    network = load(tmp_path)
    small, full = sorted(network.table.rows, key=lambda row: row.gflops)
    network.table = Table([small, replace(full, top1=small.top1 + 10)])
    save_table(network, tmp_path)
    return tmp_path


def arguments(checkpoint, data, *more):
    given = ["--calibration-clips", "4", "--refine", "3", *more]
    return ["table", "--checkpoint", str(checkpoint), "--data", str(data), *given]


def test_what_lies_between_is_calibrated_and_tested(checkpoint, data):
    network, training, testing = load(checkpoint), ClipFolder(data, "train"), ClipFolder(data, "val")
    before, heard = network.table, []
    found = refine(network, training, testing, 3, calibration_clips=4, progress=lambda *done: heard.append(done))
    new = [row.configuration for row in found.added]
    assert len(new) == 3 and set(new) <= set(between(RANGE)) - {row.configuration for row in before.rows}
    assert network.table is found.table and found.table.rows[2:] == found.added and heard[-1][0] == heard[-1][1]
    low, high = sorted(row.gflops for row in before.rows)
    for row in found.added:
        assert low < row.gflops < high and row.clips == 6 and row.configuration in network.statistics
        assert row.top1 == pytest.approx(evaluate(network, testing, row.configuration, (1, 1)).top1, abs=1e-4)
        assert row.trade_off == (row in found.table.trade_off())


def test_the_command_says_what_each_brought(checkpoint, data, capsys):
    capsys.readouterr()
    assert main(arguments(checkpoint, data)) == 0
    lines = capsys.readouterr().out.splitlines()
    network = load(checkpoint)
    assert len(network.table) == len(network.statistics) == 5
    for row in network.table.rows[2:]:
        (line,) = (line for line in lines if str(row.configuration) in line and "trade-off list" in line)
        assert ("not on the trade-off list" in line) != row.trade_off
    assert main(arguments(checkpoint, data, "--json")) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 3 and all(row["refined"] for row in rows) and len(load(checkpoint).table) == 8


def test_a_table_that_is_made_in_the_same_command_comes_first(checkpoint, data, capsys):
    (checkpoint / "table.csv").unlink()
    capsys.readouterr()
    assert main(arguments(checkpoint, data, "--json")) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["refined"] for row in rows[:9]] == [False] * 9 and all(row["refined"] for row in rows[9:])
    assert len(load(checkpoint).table) == len(rows)


def test_other_clips_are_refused(checkpoint, data, tmp_path_factory, capsys):
    other = write_classes(tmp_path_factory.mktemp("other"), classes=2, train=2, val=1)
    before = load(checkpoint)
    assert main(arguments(checkpoint, other)) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "the table was made with other data (" in line and "give those of the table, or make it anew" in line
    after = load(checkpoint)
    assert after.table == before.table and after.statistics.keys() == before.statistics.keys()
    # Of an older version, which does not tell: the test of its cheapest row does.
    before.table = after.table = Table([replace(row, data="", views="", weights="") for row in before.table.rows])
    with pytest.raises(EvaluationError, match=r"on 6 clips in the table.*make it anew"):
        refine(after, ClipFolder(other, "train"), ClipFolder(other, "val"), 1)
    assert after.table == before.table and after.statistics.keys() == before.statistics.keys()
