"""A trace comes back as it was written, and damage is named."""

import math

import pytest

from a3d.deploy.live.controller import Controller
from a3d.deploy.live.simulate import simulate
from a3d.deploy.live.trace import Step, Summary, TraceError, TraceFile, read_trace

from .test_controller import BEST, OPTIONS, SMALLEST

STEPS = [
    Step(0, 1.5, BEST, 'pull, "up"', 0.5, 20.0, 19.5, 21.25, 30.0, True, 1.0, "the best fits"),
    Step(1, 2.0, None, None, None, None, None, None, 30.0, False, None, "dropped: the next one came before its turn"),
    Step(2, 2.0, SMALLEST, "jump", 0.25, 3.0, 3.5, 33.5, 30.0, False, 1.1, "waited, 2 ms left"),
]


@pytest.mark.parametrize("name", ["trace.csv", "trace.jsonl"])
def test_comes_back(tmp_path, name):
    with TraceFile(tmp_path / name) as file:
        for count, step in enumerate(STEPS, 1):
            file.write(step)
            assert read_trace(tmp_path / name) == STEPS[:count]  # what is written can be read before the end


def test_summary():
    summary = Summary.of(STEPS)
    assert (summary.windows, summary.dropped, summary.changes) == (3, 1, 1)
    assert summary.within == pytest.approx(1 / 3) and summary.median == pytest.approx(27.375)
    assert str(summary).startswith("3 windows, 33.3% within the deadline, 1 dropped, 1 changes")
    assert Summary.of([]).within == 0 and math.isnan(Summary.of([]).median)


def test_a_simulated_run_can_be_kept(tmp_path):
    steps = simulate(Controller(OPTIONS, 30), OPTIONS, lambda moment: 1.0, 30, 30, 0.3)
    with TraceFile(tmp_path / "trace.csv") as file:
        for step in steps:
            file.write(step)
    assert [step.configuration for step in read_trace(tmp_path / "trace.csv")] == [BEST] * 10


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("a.txt", "", r"name the trace \.csv or \.jsonl"),
        ("a.jsonl", "{", "window 0: .*a3d watch --trace"),
        ("a.jsonl", '{"window": 0}', "window 0: 'configuration'"),
        ("a.csv", "window,time\n0,1\n", "window 0: 'configuration'"),
    ],
)
def test_damaged(tmp_path, name, text, cause):
    (tmp_path / name).write_text(text)
    with pytest.raises(TraceError, match=cause) as caught:
        read_trace(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
