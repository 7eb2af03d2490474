"""What the figures hold; how they look is for eyes."""

import numpy as np
import pytest
from pandas import DataFrame

from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.figures import (
    NOT_SEEN,
    STEPS,
    SUB,
    accuracy_figure,
    cuboid_figure,
    film_strip,
    probabilities_figure,
    sampled_figure,
    shares_figure,
    tradeoff_figure,
    training_figure,
)
from a3d.maps import Comparison
from tests.evidence import made

ROWS = (
    ("32x4@0.5", 0.1, 40.0),
    ("48x4@0.5", 0.2, 45.0),
    ("48x4@0.6", 0.3, 43.0),
    ("48x8@0.5", 0.4, 50.0),
    ("48x8@1.0", 0.9, 52.0),
    ("64x6@1.0", 1.0, 51.0),
    ("64x8@0.8", 1.1, 55.0),
)


@pytest.fixture
def table():
    return Table([Row(Configuration.parse(key), gflops, 1000, top1) for key, gflops, top1 in ROWS])


def named(figure):
    return {trace.name: trace for trace in figure.data}


def test_every_tested_point_carries_its_key(table):
    traces = named(tradeoff_figure(table))
    assert list(traces["tested"].customdata) == [key for key, _, _ in ROWS]
    assert list(traces["trade-off list"].customdata) == [row.configuration.key for row in table.trade_off()]
    assert list(traces["tested"].x) == [gflops for _, gflops, _ in ROWS]
    assert "48²×4, 0.6" in traces["tested"].hovertext[2]


def test_steps_are_told_apart_by_what_they_give_up(table):
    """32→48 pixels, 4→8 frames, width 0.5→1, then two at once: in colours and in dashes."""
    traces = named(tradeoff_figure(table))
    steps = {kind: traces[name] for kind, (name, _, _) in STEPS.items()}
    assert list(steps["spatial"].x) == [0.1, 0.2, None]
    assert list(steps["frames"].x) == [0.2, 0.4, None]
    assert list(steps["width"].x) == [0.4, 0.9, None]
    assert list(steps["several"].x) == [0.9, 1.1, None]
    assert len({trace.line.color for trace in steps.values()}) == 4
    assert len({(trace.line.dash, trace.line.width) for trace in steps.values()}) == 4


def test_marks_budget_and_published_curve(table):
    other = Table([Row(Configuration(224, 8, 1.0), 41.7, 32, 74.9, source="Table 9")])
    bare = tradeoff_figure(table)
    figure = tradeoff_figure(table, table.rows[1], 0.25, {"Kinetics": other}, table.rows[-1].configuration)
    assert len(figure.data) == len(bare.data) + 3
    traces = named(figure)
    assert list(traces["chosen"].customdata) == ["48x4@0.5"] and list(traces["full network"].customdata) == ["64x8@0.8"]
    assert "text" in traces["chosen"].mode and "text" not in traces["full network"].mode
    assert traces["Kinetics"].customdata is None  # not a configuration of this network: not to be chosen by a click
    assert [shape.x0 for shape in figure.layout.shapes] == [0.25, 0.25] and not bare.layout.shapes
    low, high = figure.layout.xaxis.range
    assert figure.layout.xaxis.type == "log" and low < -1 and high > np.log10(41.7)


def test_shares_are_bars_on_one_axis_with_gaps(comparison):
    full, sub, crosses = shares_figure(comparison).data
    assert list(full.x) == list(sub.x) == [0.0, 0.5, 1.0, 1.5]
    np.testing.assert_allclose(full.y, comparison.full.shares)
    assert list(sub.y) == [0.5, None, 0.5, None]
    assert list(crosses.customdata) == [0.5, 1.5]
    assert "16²×4, 1.0" in full.name and "8²×2, 0.5" in sub.name


def test_frames_of_the_same_moment_are_one_bar():
    """A clip that ends early repeats its last frame."""
    size, times = Configuration(16, 4, 1.0), [0.0, 0.5, 0.5, 0.5]
    told = made(size, range(4), np.array([1, 1, 2, 4]).reshape(4, 1, 1), times)
    half = made(Configuration(16, 2, 1.0), (0, 2), np.ones((2, 1, 1)), times)
    full, sub = shares_figure(Comparison(told, half)).data
    assert list(full.x) == [0.0, 0.5]
    np.testing.assert_allclose(full.y, [1 / 8, 7 / 8])
    assert list(sub.y) == [0.5, 0.5]
    still = made(size, range(4), np.ones((4, 1, 1)), [0.0] * 4)
    assert list(shares_figure(Comparison(still, still)).data[0].y) == [1.0]


def test_no_scale_is_invented_where_there_is_no_evidence():
    flat = made(Configuration(16, 4, 1.0), range(4), np.zeros((4, 2, 2)), [0.0, 0.5, 1.0, 1.5])
    assert not any(trace.marker.showscale for trace in film_strip(Comparison(flat, flat)).data)


def test_film_strip_has_a_cell_a_frame_and_says_what_was_not_seen(comparison):
    figure = film_strip(comparison)
    columns, sources = [image.x for image in figure.layout.images], [image.source for image in figure.layout.images]
    assert columns == [0.5, 1.5, 2.5, 3.5] * 2
    assert [source == NOT_SEEN for source in sources] == [False] * 5 + [True, False, True]
    assert list(figure.layout.xaxis.ticktext) == ["0.00 s", "0.50 s", "1.00 s", "1.50 s"]
    bar = figure.data[-1].marker
    assert (bar.cmin, bar.cmax, bar.showscale) == (-comparison.scale, comparison.scale, True)
    assert figure.data[1].text[1] == "0.50 s: not seen"


def test_probabilities_pair_the_best_of_both(comparison):
    figure = probabilities_figure(comparison.full, comparison.sub, top=2)
    traces = named(figure)
    assert list(traces["full network"].y) == list(traces["sub-network"].y) == ["crawl", "jump", "lunge", "squat"]
    np.testing.assert_allclose(traces["full network"].x, [0.7, 0.2, 0.06, 0.01], rtol=1e-6)
    np.testing.assert_allclose(traces["sub-network"].x, [0.1, 0.2, 0.3, 0.25], rtol=1e-6)
    cut = named(probabilities_figure([("a", 0.9)], [("b", 0.8)]))
    assert list(cut["full network"].x) == [0.9, None]


def test_cuboid_is_drawn_to_scale():
    squares = cuboid_figure(Configuration(64, 4, 0.6), Configuration(128, 8, 1.0)).data
    filled = [square for square in squares[:-2] if square.fillcolor == SUB]
    assert len(squares) == 8 + 4 + 2 and len(filled) == 4
    assert {round(max(square.x) - min(square.x), 6) for square in filled} == {0.5}
    whole, kept = (max(square.y) - min(square.y) for square in squares[-2:])
    assert kept / whole == pytest.approx(0.6)


def test_training_curves_are_means_of_an_epoch():
    import pandas

    metrics = pandas.DataFrame(
        {"epoch": [0, 0, 0, 1], "configuration": ["64x8@1.0", "64x8@0.7", "32x2@0.5", "64x8@1.0"], "loss": [4, 2, 1, 3]}
    )
    full, sub = training_figure(metrics).data
    assert (list(full.y), list(sub.y)) == ([4, 3], [1.5])


def test_figures_are_the_same_every_time_and_fit_any_page(comparison, table):
    for draw in (
        lambda: film_strip(comparison),
        lambda: shares_figure(comparison),
        lambda: tradeoff_figure(table, table.rows[0], 0.5),
        lambda: probabilities_figure(comparison.full, comparison.sub),
    ):
        figure = draw()
        assert figure.to_json() == draw().to_json()
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.width is None


@pytest.mark.parametrize(("unit", "expected"), [("share", [100 / 9, 400 / 9, 100]), ("params", [1000, 3000, 9000])])
def test_cost_in_other_units(unit, expected):
    cells = (("32x4@0.5", 0.1, 1000, 40.0), ("48x4@0.5", 0.4, 3000, 50.0), ("48x8@1.0", 0.9, 9000, 60.0))
    rows = [Row(Configuration.parse(key), *numbers) for key, *numbers in cells]
    figure = tradeoff_figure(Table(rows), rows[1], expected[1], full=rows[-1], unit=unit)
    traces = named(figure)
    np.testing.assert_allclose(traces["tested"].x, expected)
    np.testing.assert_allclose(traces["chosen"].x, expected[1:2])
    low, high = figure.layout.xaxis.range
    assert 10**low < min(expected) and 10**high > max(expected)


def test_what_was_tested_on_few_clips_bears_its_interval(table):
    row = Row(Configuration(48, 4, 1.0), 0.5, 1000, 50.0, clips=100)
    (mark,) = (t for t in tradeoff_figure(Table([row]), chosen=row).data if t.name == "chosen")
    low, high = 50 - mark.error_y.arrayminus[0], 50 + mark.error_y.array[0]
    assert (low, high) == pytest.approx((40.4, 59.6), abs=0.1)  # Wilson's, as in any table of it
    (mark,) = (t for t in tradeoff_figure(table, chosen=table.rows[0]).data if t.name == "chosen")
    assert mark.error_y.array is None


def test_steps_are_named_in_print(table):
    labels = named(tradeoff_figure(table))["what a step changes"]
    assert list(labels.text) == ["γs", "γt", "γw", "γs γw"]


def test_any_two_networks_are_told_apart(comparison):
    assert comparison.names == ("full network", "sub-network")
    assert Comparison(comparison.sub, comparison.full).names == ("sub-network", "full network")
    assert Comparison(comparison.sub, comparison.sub).names == ("first network", "second network")
    names = {trace.name for trace in shares_figure(Comparison(comparison.sub, comparison.sub)).data}
    assert any(name.startswith("first network") for name in names)


def sampled():
    lines = [(0, "32x4@1.0", 90), (0, "16x2@0.7", 50), (0, "16x2@0.5", 40), (1, "32x4@1.0", 95), (1, "16x2@0.5", 60)]
    return DataFrame(lines, columns=["epoch", "configuration", "top1"])


def test_accuracy_of_a_run_by_kind_of_network():
    traces = named(accuracy_figure(sampled()))
    assert list(traces["full network"].y) == [90, 95]
    assert list(traces["random width"].y) == [50]
    assert list(traces["smallest width"].y) == [40, 60]


def test_accuracy_of_a_run_by_what_was_sampled():
    (heat,) = sampled_figure(sampled()).data
    assert list(heat.x) == ["2 frames"] and list(heat.y) == ["16²"]
    assert heat.z[0][0] == 50 and heat.customdata[0][0] == 3
