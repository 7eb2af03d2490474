"""The app, driven without a browser."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from a3d.explain import explain
from a3d.inference.published import published

MAIN = Path(__file__).parents[2] / "app" / "main.py"
LIMIT = 300  # seconds a run may take: against hanging, not a claim


@pytest.fixture
def app(checkpoints, monkeypatch):
    monkeypatch.setenv("A3D_CHECKPOINTS", str(checkpoints))
    return AppTest.from_file(str(MAIN), default_timeout=LIMIT)


def numbers(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def traces(app, key: str) -> list[dict]:
    """The data of a chart, arrays as lists."""
    charts = {chart.proto.id.rpartition("-")[2]: chart for chart in app.get("plotly_chart")}
    return json.loads(charts[key].proto.spec)["data"]


def values(trace_values) -> np.ndarray:
    """A list as it is, or Plotly's packed array."""
    if isinstance(trace_values, dict):
        from base64 import b64decode

        return np.frombuffer(b64decode(trace_values["bdata"]), trace_values["dtype"])
    return np.array(trace_values, dtype=float)


def upload(app, path: Path):
    app.file_uploader[0].set_value((path.name, path.read_bytes(), "video/mp4"))
    return app.run()


def healthy(app) -> bool:
    return not app.exception and not app.error


def test_opens_on_a_sample(app):
    app.run()
    assert healthy(app)
    assert len(app.get("plotly_chart")) == 5
    assert len(app.get("video")) == 1


def budget(option: str) -> float:
    return float(option.partition(" ")[0])


def test_the_dial_reaches_the_whole_trade_off_list(app, network):
    options = app.run().select_slider(key="budget").options
    reached = [network.table.choose(gflops=budget(option)) for option in options]
    assert list(dict.fromkeys(reached)) == network.table.trade_off()
    assert budget(options[-1]) >= network.table.full.gflops


@pytest.mark.parametrize("place", [0, 11, 22, -1])
def test_a_stop_of_the_dial_is_what_the_table_chooses(app, network, place):
    app.run()
    option = app.select_slider(key="budget").options[place]
    app.select_slider(key="budget").set_value(option).run()
    chosen = network.table.choose(gflops=budget(option))
    assert healthy(app)
    assert numbers(app)["Configuration"] == str(chosen.configuration)
    assert numbers(app)["Top-1 accuracy"] == f"{chosen.top1:.1f}%"
    assert numbers(app)["GFLOPs"] == f"{chosen.gflops:#.3g}"


def test_the_answers_to_an_upload_are_those_of_the_library(app, network, video):
    app.run()
    dial = app.select_slider(key="budget")
    dial.set_value(dial.options[8])
    upload(app, video)
    assert healthy(app)
    full = explain(video, network, configuration=network.table.full.configuration)
    sub = explain(video, network, gflops=budget(dial.options[8]), label=full.label)
    shown = {trace["name"]: dict(zip(trace["y"], values(trace["x"]), strict=True)) for trace in traces(app, "answers")}
    for name, one in (("full network", full), ("sub-network", sub)):
        for label, probability in shown[name].items():
            assert probability == pytest.approx(dict(one.predictions)[label], abs=1e-5)
    assert any(f"**{full.predictions[0][0]}**" in text.value for text in app.markdown)


@pytest.mark.parametrize("method", ["Exact", "Grad-CAM"])
def test_the_class_to_explain_can_be_chosen(app, network, video, method):
    app.run()
    upload(app, video)
    answered = explain(video, network, configuration=network.table.full.configuration).name
    label = next(name for name in network.labels if name != answered)
    app.selectbox(key="class").set_value(label)
    app.segmented_control(key="method").set_value(method).run()
    assert healthy(app)
    kind = {"Exact": "cam", "Grad-CAM": "gradcam"}[method]
    full = explain(video, network, configuration=network.table.full.configuration, label=label, method=kind)
    np.testing.assert_allclose(values(traces(app, "shares")[0]["y"]), full.evidence[0].shares_by_frame(4), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"this is no video", b"\0\0\0\x18ftypmp42" + b"\0" * 64])
def test_a_bad_file_costs_one_line(app, tmp_path, content):
    app.run()
    bad = tmp_path / "holiday.mp4"
    bad.write_bytes(content)
    upload(app, bad)
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("holiday.mp4: ") and "\n" not in error.value and str(tmp_path) not in error.value
    assert numbers(app) and len(app.get("plotly_chart")) == 2
    app.file_uploader[0].set_value(None).run()
    assert healthy(app) and len(app.get("plotly_chart")) == 5


def test_a_published_table_is_chosen_from_in_the_same_way(app):
    app.run()
    picker = app.selectbox(key="network")
    picker.set_value(next(title for title in picker.options if title.startswith("Published Table 9"))).run()
    table = published("table_9")
    option = app.select_slider(key="budget").options[5]
    app.select_slider(key="budget").set_value(option).run()
    assert healthy(app)
    assert numbers(app)["Configuration"] == str(table.choose(gflops=budget(option)).configuration)
    assert not app.file_uploader and "published" in app.info[0].value


def test_the_papers_curve_on_demand(app):
    app.run()
    before = len(traces(app, "curve"))
    app.toggle(key="paper").set_value(True).run()
    assert healthy(app)
    assert len(traces(app, "curve")) == before + 1


def test_the_address_holds_the_view(app, network):
    app.run()
    options = app.select_slider(key="budget").options
    again = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    again.query_params.update({"budget": options[0], "sample": "Lunges"})
    again.run()
    assert healthy(again)
    assert numbers(again)["Configuration"] == str(network.table.trade_off()[0].configuration)
    assert again.selectbox(key="sample").value == "Lunges"


def test_table_page(app, network):
    app.run()
    app.switch_page("views/table.py").run()
    assert healthy(app)
    assert len(app.dataframe[0].value) == len(network.table)
    app.toggle(key="trade_off").set_value(True).run()
    assert list(app.dataframe[0].value["gflops"]) == [r.gflops for r in network.table.rows if r.trade_off]


def test_about_page(app):
    app.run()
    app.switch_page("views/about.py").run()
    assert healthy(app)
    assert any("Trained on nothing." in text.value for text in app.markdown)


def test_a_damaged_checkpoint_costs_one_line(app, tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    monkeypatch.setenv("A3D_CHECKPOINTS", str(tmp_path))
    for page in ("explore", "table", "about"):
        app.run()
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception
        (error,) = app.error
        assert "config.json is not JSON" in error.value


def test_without_checkpoints_the_published_tables_remain(app, tmp_path, monkeypatch):
    monkeypatch.setenv("A3D_CHECKPOINTS", str(tmp_path))
    app.run()
    assert healthy(app)
    assert all(title.startswith("Published") for title in app.selectbox(key="network").options)
