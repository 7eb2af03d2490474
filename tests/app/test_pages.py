"""Table, Train and About, and what every page does without a usable checkpoint."""

import time

import pytest

from .driving import charts, healthy, numbers, opened, page

TABLE_9 = "Published Table 9: A3D-Slow-8×8-[0.016, 1], the paper's trade-off list"


def test_table_page(served, network):
    app = page(opened(), "table")
    assert healthy(app)
    shown = app.dataframe[0].value
    assert len(shown) == len(network.table)
    downwards = {row.configuration: row for row in network.table.trade_off()}
    assert (shown["gives_up"] != "").sum() == len(downwards) - 1
    app.toggle(key="trade_off").set_value(True).run()
    best = sorted((row for row in network.table.rows if row.trade_off), key=lambda row: -row.top1)
    assert list(app.dataframe[0].value["gflops"]) == [row.gflops for row in best]


def test_the_table_is_filtered(served, network):
    app = page(opened(), "table")
    app.number_input(key="least").set_value(60.0).run()
    assert len(app.dataframe[0].value) == sum(row.top1 >= 60 for row in network.table.rows)
    app.pills(key="width").set_value([0.5]).run()
    shown = app.dataframe[0].value
    assert healthy(app) and 0 < len(shown) == sum(
        row.top1 >= 60 and row.configuration.width == 0.5 for row in network.table.rows
    )


def test_tables_side_by_side(served, network):
    app = page(opened(), "table")
    app.multiselect(key="with").set_value([TABLE_9]).run()
    assert healthy(app)
    assert set(app.dataframe[0].value["network"]) == {"tiny", TABLE_9}
    assert TABLE_9 in {trace.get("name") for trace in charts(app)["curves"]["data"]}


def test_about_page(served):
    app = page(opened(), "about")
    assert healthy(app)
    assert any("Trained on nothing." in text.value for text in app.markdown)
    assert numbers(app)["Configurations tested"] == "9"


def test_a_run_is_followed(served, tmp_path):
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    now = time.time()
    lines = [f"{step},{step // 4},0.001,{now - 9 + step},0,{key},1.5,50" for step in range(8) for key in KEYS]
    head = "step,epoch,rate,seconds,lesson,configuration,loss,top1"
    (folder / "metrics.csv").write_text("\n".join([head, *lines, ""]))
    (folder / "run.json").write_text('{"steps": 28}')
    app = page(opened(), "train")
    assert healthy(app)
    assert numbers(app) == {"State": "running", "Time left": "20 s", "Epoch": "2", "A step takes": "1.00 s"}
    assert set(charts(app)) == {"loss", "accuracy", "sampled"}


KEYS = ("32x4@1.0", "16x2@0.7", "16x2@0.5")


def test_a_run_that_was_stopped_says_since_when_and_how_to_go_on(served, tmp_path):
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    then = time.time() - 7200
    lines = [f"{step},0,0.001,{then + step},0,{key},1.5,50" for step in range(8) for key in KEYS]
    head = "step,epoch,rate,seconds,lesson,configuration,loss,top1"
    (folder / "metrics.csv").write_text("\n".join([head, *lines, ""]))
    (folder / "run.json").write_text('{"steps": 28}')
    app = page(opened(), "train")
    assert not app.exception and numbers(app)["Time left"] == "—"
    assert "1 h 50 min" in app.warning[0].value and "--resume" in app.warning[0].value


def test_a_run_that_is_damaged_costs_one_line(served, tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "metrics.csv").write_text("no log\n")
    app = page(opened(), "train")
    assert not app.exception and "is no log of a run" in app.error[0].value


def test_without_runs_the_page_says_how_to_start_one(served):
    app = page(opened(), "train")
    assert healthy(app) and "a3d train" in app.info[0].value


@pytest.mark.parametrize("name", ["explore", "compare", "table", "about"])
def test_a_damaged_checkpoint_costs_one_line(served, tmp_path, monkeypatch, name):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    monkeypatch.setenv("A3D_CHECKPOINTS", str(tmp_path))
    app = page(opened(), name)
    assert not app.exception
    (error,) = app.error
    assert "config.json is not JSON" in error.value


def test_without_checkpoints_the_published_tables_remain(served, tmp_path, monkeypatch):
    monkeypatch.setenv("A3D_CHECKPOINTS", str(tmp_path))
    app = opened().run()
    assert healthy(app)
    assert all(title.startswith("Published") for title in app.selectbox(key="network").options)
