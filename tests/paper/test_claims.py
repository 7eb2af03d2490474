"""Claims of the paper: each names networks that are tested, and is judged clip by clip."""

from dataclasses import replace

import pytest

from a3d.budgets.published import published
from a3d.paper.ablations import ablations, in_place
from a3d.paper.claims import claims, judge, paired
from a3d.paper.experiments import BORROWED, OWN, Outcome


def outcome(experiment, configuration, right, seed=0, statistics=OWN, fold=0):
    top1 = 100 * right.count("1") / len(right)
    numbers = (0.1, 1000, top1, top1, 0.0, 100.0, len(right), 3, 12, 60)
    return Outcome(experiment, seed, configuration, statistics, *numbers, right, fold)


@pytest.mark.parametrize(("size", "count"), [("small", 23), ("kinetics", 23), ("pretrained", 20)])
def test_every_claim_is_about_networks_that_are_tested(size, count):
    experiments = {experiment.name: experiment for experiment in ablations(size)}
    told = [claim for claim in claims() if {claim.first[0], claim.second[0]} <= experiments.keys()]
    assert len(told) == count
    for claim in told:
        for (name, key), own in ((claim.first, True), (claim.second, claim.calibrated)):
            experiment = experiments[name]
            assert in_place(key, experiment.range) in (experiment.tested if own else experiment.borrowing), claim


def test_printed_differences_are_those_of_the_published_tables():
    tables = {"mutual_0016": published("slow_8x8_0016"), "mutual_006": published("slow_8x8_006")}
    narrow = [claim for claim in claims() if claim.place == "Fig. 7"]
    assert len(narrow) == 3
    for claim in narrow:
        first, second = (
            next(row.top1 for row in tables[name].rows if row.configuration.key == key)
            for name, key in (claim.first, claim.second)
        )
        assert claim.published == pytest.approx(first - second)


def test_paired_difference_by_hand():
    low, difference, high = paired(["1101", "1100"], ["1001", "0000"])  # clips differ by 0.5, 1, 0, 0
    assert difference == pytest.approx(37.5)
    assert high - difference == pytest.approx(1.959964 * 100 * 0.4787136 / 2)  # standard deviation of the four
    assert difference - low == pytest.approx(high - difference)
    assert paired(["1010"] * 2, ["1010"] * 2) == (0.0, 0.0, 0.0)


def test_judged_on_common_seeds_alone():
    full = "56x8@1.0"
    found = [outcome("mutual_0016", full, "1" * 90 + "0" * 10, seed) for seed in (0, 1)]
    found += [outcome("plain_full", full, "1" * 40 + "0" * 60, seed) for seed in (1, 2)]
    (finding,) = judge(found)
    assert finding.claim.text.endswith("full") and finding.configurations == (full, full)
    assert finding.first == (90.0,) and finding.second == (40.0,) and finding.difference == pytest.approx(50)
    assert finding.verdict == "yes"
    assert (
        judge([replace(o, experiment={"plain_full": "mutual_0016"}.get(o.experiment, "plain_full")) for o in found])[
            0
        ].verdict
        == "no"
    )


def test_without_calibration_is_judged_on_borrowed_statistics():
    small = "32x2@0.5"
    found = [outcome("mutual_0016", small, "1110"), outcome("mutual_0016", small, "0010", statistics=BORROWED)]
    (finding,) = judge(found)
    assert "calibration" in finding.claim.text and finding.difference == 50 and finding.verdict == "open"


def test_folds_are_judged_together_and_only_those_that_both_have():
    full = "64x8@1.0"
    ours = [outcome("mutual_0016", full, right, seed, fold=n) for seed in (0, 1) for n, right in enumerate(RIGHT, 1)]
    theirs = [outcome("plain_full", full, "00", seed, fold=n) for seed in (0, 1) for n in (3, 1)]
    (finding,) = judge([*ours, *theirs], "pretrained")
    assert finding.first == (75.0, 75.0) and finding.second == (0.0, 0.0)  # folds 1 and 3, of either seed
    assert (finding.low, finding.difference, finding.high) == paired(["1101"] * 2, ["0000"] * 2)
    (fewer,) = judge([*ours, *theirs[:-1]], "pretrained")  # seed 1 lacks fold 1
    assert fewer.first == (50.0, 50.0)


RIGHT = ("11", "00", "01")
