"""What a finer table tests: between the tested configurations, coarsest gap first."""

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from a3d.budgets.refinement import between, propose
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration, range_0016, range_006

SPAN = range_0016()
CANDIDATES = between(SPAN)


def gflops(configuration):
    """As a convolution costs, near enough."""
    return (configuration.spatial / 224) ** 2 * configuration.frames * configuration.width**2


def table_of(accuracies):
    """The grid of the range, with these accuracies."""
    grid = SPAN.configurations()[1:]
    return Table(Row(c, gflops(c), 1000, top1) for c, top1 in zip(grid, accuracies, strict=True))


tables = st.lists(
    st.floats(0, 100).map(lambda x: round(x, 1)), min_size=len(SPAN.configurations()) - 1, max_size=96
).map(table_of)


@settings(deadline=None, max_examples=50)
@given(tables, st.integers(0, 12))
def test_proposals_are_new_and_lie_between_neighbours_of_the_list(table, count):
    found = propose(table, CANDIDATES, gflops, count)
    curve = [row.gflops for row in table.trade_off()]
    tested = {row.configuration for row in table.rows}
    assert len(found) <= count and len(set(found)) == len(found) and not tested & set(found)
    assert set(found) <= set(CANDIDATES)
    assert all(curve[0] < gflops(c) < curve[-1] and gflops(c) not in curve for c in found)
    if len(found) < count:  # then nothing is left between any two neighbours
        costs = {*curve, *map(gflops, found)}
        assert all(gflops(c) in costs for c in CANDIDATES if c not in tested and curve[0] < gflops(c) < curve[-1])
    assert propose(table, CANDIDATES, gflops, max(0, count - 3)) == found[: max(0, count - 3)]


@settings(deadline=None, max_examples=50)
@given(tables)
def test_the_first_divides_the_coarsest_gap(table):
    rows = table.trade_off()
    first = propose(table, CANDIDATES, gflops, 1)
    if len(rows) < 2:
        assert not first
        return
    width = math.log(rows[-1].gflops / rows[0].gflops)
    rise = rows[-1].accuracy - rows[0].accuracy
    tested = {row.configuration for row in table.rows}
    pairs = list(pairwise(rows))
    coarse = [max(math.log(b.gflops / a.gflops) / width, (b.accuracy - a.accuracy) / rise) for a, b in pairs]
    low, high = next((a, b) for a, b in pairs if a.gflops < gflops(first[0]) < b.gflops)
    within = [any(a.gflops < gflops(c) < b.gflops for c in CANDIDATES if c not in tested) for a, b in pairs]
    assert coarse[pairs.index((low, high))] == max(c for c, has in zip(coarse, within, strict=True) if has)


def test_between_neighbours_in_every_dimension_where_that_is_possible():
    low, high = Configuration(128, 2, 0.5), Configuration(224, 8, 1.0)
    table = Table([Row(low, gflops(low), 1, 60.0), Row(high, gflops(high), 1, 70.0)])
    (chosen,) = propose(table, CANDIDATES, gflops, 1)
    assert gflops(low) < gflops(chosen) < gflops(high)
    wide, narrow = Configuration(160, 4, 0.9), Configuration(160, 4, 0.7)
    table = Table([Row(narrow, gflops(narrow), 1, 60.0), Row(wide, gflops(wide), 1, 70.0)])
    assert propose(table, CANDIDATES, gflops, 1) == [Configuration(160, 4, 0.8)]


def test_candidates_stay_in_the_range_at_even_sizes():
    for span in (range_0016(), range_006(), range_0016(96, 6), range_006(224, 4)):
        found = between(span)
        assert len(set(found)) == len(found) and set(span.configurations()[1:]) <= set(found)
        for c in found:
            assert span.spatials[0] <= c.spatial <= span.spatials[-1] and c.spatial % 2 == 0
            assert span.frame_counts[0] <= c.frames <= span.frame_counts[-1]
            assert span.widths[0] <= c.width <= 1 and (c.width in span.widths or round(c.width * 20, 9) % 1 == 0)


def test_nothing_is_proposed_where_nothing_lies_between():
    only = Configuration(160, 4, 0.9)
    assert propose(Table([Row(only, 1.0, 1, 60.0)]), CANDIDATES, gflops, 3) == []
    table = Table([Row(only, 1.0, 1, 60.0), Row(Configuration(160, 4, 1.0), 1.1, 1, 61.0)])
    assert propose(table, [only], gflops, 3) == []
