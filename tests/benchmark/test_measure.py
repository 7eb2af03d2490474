"""How figures are made, without a timing: the clock is a counter, the rivals are packages that are not there."""

import itertools
import json

import pytest

from a3d import benchmark
from a3d.benchmark import Figure, Group, RivalMissing, Setting, attempted, interleaved, rival
from a3d.benchmark.measure import timing
from a3d.cli import main


def test_calls_take_turns_and_warm_up_is_not_counted():
    calls, clock = [], itertools.count()
    found = interleaved(
        {name: lambda name=name: calls.append(name) for name in "ab"}, rounds=4, warmup=1, clock=lambda: next(clock)
    )
    assert "".join(calls) == "ab" + "ba" + "ab" + "ba" + "ab"
    assert found["a"].median == found["b"].median == 1.0


def test_after_a_rest_each_call_is_woken_before_it_is_timed(monkeypatch):
    calls, clock, rests = [], itertools.count(), []
    monkeypatch.setattr("a3d.benchmark.measure.time.sleep", rests.append)
    named = {name: lambda name=name: calls.append(name) for name in "ab"}
    found = interleaved(named, rounds=2, warmup=0, clock=lambda: next(clock), rest=0.5)
    assert "".join(calls) == "aabb" + "bbaa" and rests == [0.5] * 4
    assert found["a"].median == 1.0  # of one call, not of two


def test_the_median_and_the_quartiles():
    found = timing([5.0, 1.0, 2.0, 3.0, 100.0])
    assert (found.low, found.median, found.high) == (2.0, 3.0, 5.0) and found.spread == pytest.approx(1.0)
    assert timing([2.0]).median == 2.0


@pytest.mark.parametrize(
    ("ratio", "target", "met"),
    [(1.7, "≥ 1.6", True), (1.5, "≥ 1.6", False), (1.1, "≤ 1.1", True), (1.2, "≤ 1.1", False), (2, "", None)],
)
def test_a_target_is_met_or_not(ratio, target, met):
    assert Figure("speed", ratio=ratio, target=target).met is met


def test_a_missing_rival_is_named_with_the_remedy():
    with pytest.raises(RivalMissing, match=r"nobody_wrote_this .* pip install 'a3d\[benchmark\]'"):
        rival("nobody_wrote_this")
    assert rival("json") is json


def against_nobody(setting):
    yield Figure("before")
    rival("nobody_wrote_this")


def on_data(setting):
    setting.folder("data")
    yield Figure("never")


def alone(setting):
    yield Figure("alone", ours=2.0, rival=1.0, unit="s", ratio=2.0, target="≤ 1.1")


def test_the_command_prints_and_saves_what_can_be_measured(monkeypatch, tmp_path, capsys):
    group = Group("ours against nobody", (against_nobody, on_data, alone), ("nobody-wrote-this",))
    monkeypatch.setitem(benchmark.GROUPS, "ours", group)
    assert main(["benchmark", "ours", "--device", "cpu", "--out", str(tmp_path / "figures.json")]) == 0
    printed = capsys.readouterr().out
    assert "a3d[benchmark]" in printed and "give --data" in printed and "missed" in printed
    saved = json.loads((tmp_path / "figures.json").read_text())
    names = [figure["name"] for figure in saved["groups"]["ours"]["cpu"]]
    assert names == ["before", "against nobody", "on data", "alone"]
    assert saved["groups"]["ours"]["cpu"][-1]["met"] is False
    assert saved["machine"]["packages"]["nobody-wrote-this"] is None and saved["machine"]["packages"]["torch"]
    assert main(["benchmark", "ours", "--device", "cpu", "--json"]) == 0
    about = {"group": "ours", "device": "cpu"}
    assert json.loads(capsys.readouterr().out) == [about | figure for figure in saved["groups"]["ours"]["cpu"]]


def test_an_unknown_group_is_one_line(capsys):
    assert main(["benchmark", "nothing"]) == 1
    assert "choose among machine" in capsys.readouterr().err


def test_no_row_without_a_group_of_its_own():
    assert all(group.title and group.rows for group in benchmark.GROUPS.values())
    assert list(attempted(Group("empty", ()), Setting())) == []
