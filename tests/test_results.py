"""The results page tells what the results file holds."""

import json
from pathlib import Path

import pytest

from a3d.budgets.interval import wilson
from a3d.paper.ablations import ablations
from a3d.paper.claims import HEAD, claims, judge
from a3d.paper.experiments import BORROWED, OWN, read_outcomes

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def outcomes():
    return read_outcomes(ROOT / "notebooks" / "results" / "ucf12.csv")


def test_the_page_holds_every_claim_as_judged(outcomes):
    page = (ROOT / "notebooks" / "results.md").read_text(encoding="utf-8")
    findings = judge(outcomes)
    assert len(findings) == len(claims())
    assert "\n".join([HEAD, *(finding.row for finding in findings)]) in page


def test_the_page_holds_the_longer_runs():
    page = (ROOT / "notebooks" / "results.md").read_text(encoding="utf-8")
    findings = judge(read_outcomes(ROOT / "notebooks" / "results" / "ucf12_36_epochs.csv"))
    assert len(findings) == 7
    assert "\n".join([HEAD, *(finding.row for finding in findings)]) in page


def test_the_file_holds_every_experiment_with_two_seeds_or_more(outcomes):
    lines = [(o.experiment, o.configuration, o.statistics, o.seed) for o in outcomes]
    assert len(set(lines)) == len(lines)
    for experiment in ablations():
        wanted = [(c.key, OWN) for c in experiment.tested] + [(c.key, BORROWED) for c in experiment.borrowing]
        for place in wanted:
            assert sum(line[:3] == (experiment.name, *place) for line in lines) >= 2, (experiment.name, *place)


def test_figures_follow_from_the_clips(outcomes):
    for found in outcomes:
        assert found.clips == len(found.right) == 135
        assert found.top1 == pytest.approx(100 * found.right.count("1") / 135, abs=0.006)
        assert (found.low, found.high) == pytest.approx(wilson(found.top1, 135), abs=0.02)


@pytest.mark.parametrize(("place", "file"), [("speed", "benchmark.json"), ("engines", "engines.json")])
def test_the_readme_holds_the_benchmark(place, file):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition(f"<!-- {place} -->")[2].partition(f"<!-- /{place} -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    figures = json.loads((ROOT / "notebooks" / "results" / file).read_text(encoding="utf-8"))["groups"]
    measured = {
        (_told(figure["ours"], figure["unit"]), _told(figure["rival"], figure["unit"]))
        for group in figures.values()
        for figure in group["cpu"]
        if None not in (figure["ours"], figure["rival"])
    }
    assert len(lines) >= 10
    for line in lines:
        assert tuple(cell.strip() for cell in line.split("|")[2:4]) in measured, line


def _told(value, unit):
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
