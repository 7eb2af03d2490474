"""Figures of experiments hold the numbers of the outcomes."""

from a3d.figures.experiments import budgets_figure, claims_figure
from a3d.paper.claims import judge
from tests.paper.test_claims import outcome

FOUND = [
    outcome("mutual_0016", "56x8@1.0", "1110", 0),
    outcome("mutual_0016", "56x8@1.0", "1100", 1),
    outcome("plain_full", "56x8@1.0", "1000", 0),
    outcome("plain_full", "56x8@1.0", "1000", 1),
]


def test_a_claim_is_a_point_with_its_interval():
    (finding,) = judge(FOUND)
    here, paper = claims_figure([finding]).data
    assert list(here.x) == [37.5] and list(here.error_x.array) == [finding.high - 37.5]
    assert list(paper.x) == [1.3] and "full" in here.y[0]
    assert list(here.customdata[0]) == ["75.0 and 50.0", "25.0 and 25.0", "56x8@1.0", "56x8@1.0"]


def test_a_curve_is_the_mean_over_seeds():
    mutual, plain = budgets_figure(FOUND, {"mutual_0016": "mutual", "plain_full": "independent"}).data
    assert list(mutual.y) == [62.5] and list(mutual.error_y.array) == list(mutual.error_y.arrayminus) == [12.5]
    assert list(plain.y) == [25.0] and plain.name == "independent"
