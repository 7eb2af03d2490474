"""The table: what is chosen, what is on the trade-off list, what is written and read, what is refused."""

import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from a3d.budgets.budget import UNITS, BudgetError
from a3d.budgets.table import COLUMNS, Row, Table, TableError
from a3d.configuration import Configuration


def row(spatial, frames, width, gflops, top1, **others):
    return Row(Configuration(spatial, frames, width), gflops, round(1e6 * width**2), top1, **others)


@pytest.fixture
def table():
    """The third costs more than the fourth and is worse; the fifth equals the first at a higher cost."""
    return Table(
        [
            row(64, 4, 0.5, 1.0, 60.0, mean_class=58.25, top5=90.0, clips=135),
            row(32, 2, 0.5, 0.0196, 40.0),
            row(32, 4, 1.0, 0.5, 41.0),
            row(64, 2, 0.5, 0.4, 55.5),
            row(64, 4, 1.0, 4.0, 60.0),
            row(73, 4, 1.0, 5.0, 62.0),
        ]
    )


def random_table(seed):
    """Costs and accuracies on coarse grids, so that both tie often."""
    draw = random.Random(seed)
    grid = [(s, t, w) for s in (32, 48, 64) for t in (1, 2, 4) for w in (0.5, 0.8, 1.0)]
    return Table(row(*sizes, draw.randint(1, 12) / 4, float(draw.randint(50, 60))) for sizes in grid)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(0.0196, "32x2@0.5"), (0.4, "64x2@0.5"), (0.6, "64x2@0.5"), (4.5, "64x4@0.5"), (math.inf, "73x4@1")],
)
def test_choice(table, budget, expected):
    assert table.choose(gflops=budget).configuration == Configuration.parse(expected)


@pytest.mark.parametrize("seed", range(20))
def test_choice_is_the_highest_accuracy_and_then_the_lowest_cost(seed):
    table = random_table(seed)
    for budget in (0.25 * step for step in range(1, 14)):
        within = [r for r in table.rows if r.gflops <= budget]
        if not within:
            continue
        chosen = table.choose(gflops=budget)
        assert chosen.top1 == max(r.top1 for r in within)
        assert chosen.gflops == min(r.gflops for r in within if r.top1 == chosen.top1)


@pytest.mark.parametrize("seed", range(20))
def test_trade_off_rises_in_cost_and_accuracy_and_holds_every_choice(seed):
    table = random_table(seed)
    listed = table.trade_off()
    assert all(a.gflops < b.gflops and a.top1 < b.top1 for a, b in pairwise(listed))
    assert listed == [r for r in sorted(table.rows, key=lambda r: r.gflops) if r.trade_off]
    assert {table.choose(gflops=r.gflops) for r in table.rows} == set(listed)


class Times(dict):
    """Latencies as a profile tells them."""

    def milliseconds(self, configuration):
        return self[configuration]

    def precision(self, configuration):
        return "float32"


def random_times(table, seed):
    draw = random.Random(seed)
    return Times((r.configuration, draw.randint(1, 12) / 2) for r in table.rows)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("seed", range(5))
def test_choice_in_every_unit_against_all_rows(seed, unit):
    table = random_table(seed)
    times = random_times(table, seed)

    def cost(row):
        return times[row.configuration] if unit == "milliseconds" else getattr(row, unit)

    for budget in sorted({cost(r) for r in table.rows}):
        for limit in (budget, 1.01 * budget):
            within = [r for r in table.rows if cost(r) <= limit]
            best = max(r.top1 for r in within)
            chosen = table.choose(**{unit: limit}, profile=times)
            assert chosen.top1 == best and cost(chosen) == min(cost(r) for r in within if r.top1 == best)
    listed = table.trade_off(unit, times)
    assert all(cost(a) < cost(b) and a.top1 < b.top1 for a, b in pairwise(listed))
    assert {table.choose(**{unit: cost(r)}, profile=times) for r in table.rows} == set(listed)


def test_what_is_slower_and_worse_is_never_chosen_within_a_time(table):
    """The full network here takes less time than one of half its cost, as happens to narrow ones."""
    slow, fast = Configuration(64, 4, 0.5), Configuration(64, 4, 1.0)
    times = Times({r.configuration: 10 * r.gflops for r in table.rows} | {slow: 9.0, fast: 8.0})
    assert slow not in {r.configuration for r in table.trade_off("milliseconds", times)}
    assert table.choose(milliseconds=9.5, profile=times).configuration == fast
    del times[fast]  # not measured, not chosen
    assert table.choose(milliseconds=9.5, profile=times).configuration == slow


@pytest.mark.parametrize("budget", [0.01, 0.0])
def test_below_the_cheapest(table, budget):
    with pytest.raises(BudgetError) as caught:
        table.choose(gflops=budget)
    assert str(caught.value) == (
        f"no tested configuration costs at most {budget:g} GFLOPs; the cheapest, 32²×2, 0.5, costs 0.02"
    )


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"gflops": -1.0}, "a budget of -1 GFLOPs: give a positive number"),
        ({"params": math.nan}, "a budget of nan parameters: give a positive number"),
        ({"gflops": 1.0, "megabytes": 2}, "1 GFLOPs and 2 MB: give one budget"),
        ({}, "no budget to choose within: give one of gflops, milliseconds, params, megabytes"),
        ({"gflops": None}, "no budget to choose within"),
        ({"milliseconds": 3}, r"no times are known of this device; measure them \(a3d profile --checkpoint DIR\)"),
        ({"milliseconds": 3, "profile": Times()}, r"none of the table's configurations: measure again \(a3d profile\)"),
        ({"params": 2e5}, r"at most 200000 parameters; the cheapest, 64²×4, 0\.5, costs 250000$"),
        ({"megabytes": 0.5}, r"at most 0\.5 MB; the cheapest, 64²×4, 0\.5, costs 1$"),
    ],
)
def test_budgets_that_buy_nothing(table, limits, message):
    with pytest.raises(BudgetError, match=message) as caught:
        table.choose(**limits)
    assert "\n" not in str(caught.value)


def test_an_unknown_unit(table):
    with pytest.raises(BudgetError, match="budgets in 'seconds': choose one of gflops, milliseconds"):
        table.trade_off(by="seconds")


def test_the_budget_that_the_error_names_is_enough():
    """1.2345 is shown as 1.3, not as 1.2, which would be refused again."""
    table = Table([row(32, 2, 0.5, 1.2345, 50.0)])
    with pytest.raises(BudgetError, match=r"costs 1\.3$"):
        table.choose(gflops=1.2)
    assert table.choose(gflops=1.3)


def test_full_and_row(table):
    assert table.full.configuration == Configuration(73, 4, 1.0)
    assert table.row(Configuration(64, 4, 0.5)).top5 == 90.0
    with pytest.raises(TableError, match=r"96²×4, 0\.5 is not among the 6 .*\(a3d table\)"):
        table.row(Configuration(96, 4, 0.5))


@pytest.mark.parametrize("published", [False, True])
def test_a_file_holds_all_of_it(table, tmp_path, published):
    if published:
        table = Table(
            Row(r.configuration, r.gflops, r.params, r.top1, source="a paper, Table 1", printed=i < 2, note="a, b")
            for i, r in enumerate(table.rows)
        )
    path = tmp_path / "table.csv"
    table.write_csv(path)
    read = Table.read_csv(path)
    assert read == table and read.published == published
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_columns(table, tmp_path):
    table.write_csv(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text().splitlines()
    assert lines[0] == "spatial,frames,width,gflops,params,top1,mean_class,top5,clips,trade_off"
    assert lines[1:3] == ["64,4,0.5,1.0,250000,60.0,58.25,90.0,135,True", "32,2,0.5,0.0196,250000,40.0,,,,True"]
    frame = table.to_frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame["trade_off"].tolist() == [True, True, False, True, False, True]


def test_a_failed_write_leaves_the_old_file(table, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    table.write_csv(path)
    before = path.read_bytes()
    monkeypatch.setattr("a3d.budgets.table._fields", lambda row: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        table.write_csv(path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


GOOD = "64,4,0.5,1.0,250000,60.0,58.25,90.0,135,True"
HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no column 'spatial'"),
        (HEADER.replace(",top5", "") + "\n", "line 1: no column 'top5'"),
        (HEADER + "\n", "at least one configuration"),
        (f"{HEADER}\n{GOOD}\n{GOOD}\n", r"64²×4, 0\.5 is in the table twice"),
        (f"{HEADER}\n{GOOD}\n{GOOD.replace('64,', '3.5,')}\n", "line 3: spatial is '3.5'; give a whole number"),
        (f"{HEADER}\n{GOOD.replace('0.5', '1.5')}\n", "line 2: width is '1.5'; give a number from 0 to 1"),
        (f"{HEADER}\n{GOOD.replace('0.5', '0')}\n", r"line 2: .*width in \(0, 1\]"),
        (f"{HEADER}\n{GOOD.replace('60.0', '')}\n", "line 2: top1 is ''; give a number from 0 to 100"),
        (f"{HEADER}\n{GOOD.replace('60.0', 'nan')}\n", "line 2: top1 is 'nan'"),
        (f"{HEADER}\n{GOOD.replace('1.0', 'inf')}\n", "line 2: gflops is 'inf'"),
        (f"{HEADER}\n64,4,0.5\n", "line 2: gflops is ''"),
        (f"{HEADER}\n{GOOD},7\n", "line 2: more fields than columns; remove '7'"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=message) as caught:
        Table.read_csv(path)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_table(tmp_path):
    with pytest.raises(TableError, match="does not exist: make it with a3d table"):
        Table.read_csv(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0\x00")
    with pytest.raises(TableError, match="is not a CSV file"):
        Table.read_csv(tmp_path / "picture.csv")


def test_a_table_of_several_labels_goes_by_its_map(table, tmp_path):
    """Top-1 says the opposite; it is kept beside."""
    accuracies = (30.25, 20.0, 10.0, 25.0, 30.5, 29.0)
    several = Table([replace(row, mean_ap=ap) for row, ap in zip(table.rows, accuracies, strict=True)])
    assert (table.metric, several.metric) == ("top-1", "mAP")
    assert [row.accuracy for row in several.trade_off()] == [20.0, 25.0, 30.25, 30.5]
    assert several.choose(gflops=2.0).accuracy == 30.25 and several.full.accuracy == 30.5
    several.write_csv(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().splitlines()[0] == ",".join([*COLUMNS, "mean_ap"])
    assert Table.read_csv(tmp_path / "table.csv") == several


KNOWN = {"data": "0123abcd", "views": "1x1", "weights": "feed"}


def known_row(key, top1=50.0, **how):
    return Row(Configuration.parse(key), 0.1, 100, top1, clips=10, **(KNOWN | how))


def test_what_was_tested_alike_joins():
    table = Table([known_row("32x4@1.0"), known_row("32x4@0.5")])
    joined = table.join([known_row("32x4@0.5", 60.0), known_row("32x2@0.5", 20.0)])
    assert [(row.configuration.key, row.top1) for row in joined.rows] == [
        ("32x4@0.5", 60.0),
        ("32x2@0.5", 20.0),
        ("32x4@1.0", 50.0),
    ]


@pytest.mark.parametrize(("name", "value"), [("data", "f00d"), ("views", "10x3"), ("weights", "beef"), ("data", "")])
def test_tests_of_other_data_views_or_weights_do_not_mix(name, value):
    table = Table([known_row("32x4@1.0", **{name: value})])
    with pytest.raises(TableError, match=f"1 rows of the table were tested with other {name} .*all of them anew"):
        table.join([known_row("32x4@0.5")])
    assert table.join([known_row("32x4@1.0")]).rows == Table([known_row("32x4@1.0")]).rows  # nothing of before is kept


def test_a_row_comes_back_with_what_it_was_tested_on(tmp_path):
    table = Table([known_row("32x4@1.0")])
    table.write_csv(tmp_path / "table.csv")
    assert Table.read_csv(tmp_path / "table.csv") == table
    text = (tmp_path / "table.csv").read_text().replace("0123abcd", "\x1b[2J")
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(TableError, match=r"line 2: data is '\\x1b\[2J'"):
        Table.read_csv(tmp_path / "table.csv")


@pytest.mark.parametrize("column", ["spatial", "gflops", "params", "clips"])
def test_numbers_that_nothing_has_are_refused(tmp_path, column):
    table = Table([known_row("32x4@1.0")])
    place = COLUMNS.index(column)
    head, line = table.to_csv().decode().splitlines()
    fields = line.split(",")
    fields[place] = "9" * 40
    (tmp_path / "table.csv").write_text(f"{head}\n{','.join(fields)}\n")
    with pytest.raises(TableError, match=f"line 2: {column} is '9+'; give"):
        Table.read_csv(tmp_path / "table.csv")
