"""The benchmark of deadlines: the rows follow from the traces, and the load is real and ends."""

import os
import time

import pytest

from a3d.benchmark import live
from a3d.benchmark.measure import Setting
from a3d.configuration import Configuration
from a3d.deploy.live.load import Load
from a3d.deploy.live.trace import Step

FULL, SMALL = Configuration(96, 8, 1.0), Configuration(48, 2, 0.5)


def run(labels, met, measured=(10.0, 10.0, 20.0, 20.0)):
    """Four windows, of which the last two were answered under load; the truth is always `a`."""
    steps = [
        Step(i, float(i), FULL, label, 0.5, 10.0, took, took, 30.0, held, 1.0, "")
        for i, (label, held, took) in enumerate(zip(labels, met, measured, strict=True))
    ]
    return live.Run(steps, ["a"] * 4, (2.0, 4.0))


def test_rows_follow_from_the_traces(monkeypatch):
    runs = {
        "a3d watch": run("aaab", (True, True, True, False)),
        "full network": run("aaaa", (True, True, False, False)),
        "smallest": run("aabb", (True,) * 4),
    }
    monkeypatch.setattr(live, "play", lambda setting: runs)
    within, between, useful = live.deadlines(Setting())
    assert (within.ours, within.rival, within.ratio, within.met) == (75, 50, 0.75, False)
    assert (between.ours, between.rival, between.ratio, between.met) == (75, 100, 0.5, True)
    assert (useful.ours, useful.rival, useful.ratio) == (75, 50, 1.5)
    assert "slows the full network 2.0 times" in within.note


def test_int8_is_told_beside_float32(monkeypatch):
    runs = {
        "a3d watch": run("aabb", (True, True, True, False)),
        "full network": run("aaaa", (True, True, False, False)),
        "smallest": run("bbbb", (True,) * 4),
        live.QUANTISED: run("aaab", (True,) * 4),
    }
    monkeypatch.setattr(live, "play", lambda setting: runs)
    *_, within, useful = live.deadlines(Setting())
    assert (within.ours, within.rival, within.ratio, within.met) == (100, 75, 1.0, True)
    assert (useful.ours, useful.rival, useful.ratio) == (75, 50, 1.5)


def test_a_dropped_window_is_no_answer_and_not_in_time():
    steps = run("aaaa", (True,) * 4).steps
    steps[3] = Step(3, 3.0, None, None, None, None, None, None, 30.0, False, None, "dropped")
    assert live.Run(steps, ["a"] * 4, (2.0, 4.0)).accuracy == 100
    assert live.Run(steps, ["a"] * 4, (2.0, 4.0)).useful == 75


def test_the_load_is_processes_that_end(monkeypatch):
    loads = []
    monkeypatch.setattr(live, "Load", lambda: loads.append(Load()) or loads[-1])
    with live._load(0.0, 60.0):
        while loads[0].count < os.cpu_count():
            time.sleep(0.01)
    assert loads[0].count == 0


def test_data_is_asked_for(tmp_path):
    with pytest.raises(ValueError, match="no checkpoint folder: give --checkpoint"):
        next(live.deadlines(Setting()))
