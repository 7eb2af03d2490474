"""Compare, driven without a browser."""

import sys

import numpy as np
import pytest

from a3d.maps import Comparison, explain, occlude, read_clip

from .driving import charts, dial, healthy, numbers, opened, page, traces, upload, values


@pytest.fixture
def app(served, video):
    return upload(page(opened(), "compare"), video)


@pytest.fixture
def fine(app, monkeypatch):
    """Maps of any size are fine enough to be compared by numbers."""
    monkeypatch.setattr(sys.modules["words"], "CELLS", 1)


def test_two_networks_on_one_clip(app):
    assert healthy(app)
    assert set(charts(app)) == {"answers", "shares", "strip"}
    assert len(app.get("video")) == 1
    assert [button.label for button in app.get("download_button")] == ["Video", "Maps (.npz)", "Figures (.html)"]


@pytest.mark.parametrize("method", ["Exact", "Grad-CAM"])
def test_the_class_to_explain_can_be_chosen(app, network, video, method):
    answered = explain(video, network, configuration=network.table.full.configuration).name
    label = next(name for name in network.labels if name != answered)
    app.selectbox(key="class").set_value(label)
    app.segmented_control(key="method").set_value(method).run()
    assert healthy(app)
    kind = {"Exact": "cam", "Grad-CAM": "gradcam"}[method]
    full = explain(video, network, configuration=network.table.full.configuration, label=label, method=kind)
    (shown,) = (trace for name, trace in traces(app, "shares").items() if name.startswith("full network,"))
    np.testing.assert_allclose(values(shown["y"]), full.evidence[0].shares_by_frame(4), atol=1e-5)


def test_any_two_configurations(app, fine, network, video):
    one, other = (row.configuration for row in (network.table.rows[3], network.table.rows[5]))
    app.selectbox(key="first").set_value(str(one))
    app.selectbox(key="second").set_value(str(other)).run()
    assert healthy(app)
    assert {"first network", "second network"} <= set(traces(app, "answers"))
    first = explain(video, network, configuration=one)
    found = Comparison(first, explain(video, network, configuration=other, label=first.label)).agreement
    assert numbers(app)["Correlation of the maps"] == f"{found.correlation:.2f}"
    assert numbers(app)["Overlap of the strongest fifth"] == f"{found.overlap:.0%}"


def test_agreement_is_that_of_the_library(app, fine, network, video):
    dial(app).set_value(dial(app).options[1]).run()
    chosen = network.table.trade_off()[1]
    full = explain(video, network, configuration=network.table.full.configuration)
    found = Comparison(full, explain(video, network, configuration=chosen.configuration, label=full.label)).agreement
    assert numbers(app)["Correlation of the maps"] == f"{found.correlation:.2f}"


def test_coarse_maps_are_not_compared_by_numbers(app):
    assert "Shift of the key frame" in numbers(app)
    assert not {"Correlation of the maps", "Overlap of the strongest fifth"} & set(numbers(app))


def test_the_dial_stops_at_what_can_be_bought(app, network):
    table = network.table
    assert len(dial(app).options) == len({*table.trade_off(), table.full})
    dial(app).set_value(dial(app).options[-1]).run()
    assert healthy(app) and app.selectbox(key="pick").value == str(table.full.configuration)


def test_an_address_names_configurations_as_commands_do(served, network):
    one, other = (network.table.rows[place].configuration for place in (3, 5))
    app = opened()
    app.query_params.update({"first": one.key, "second": other.key})
    app = page(app, "compare")
    assert healthy(app) and not app.warning
    assert (app.selectbox(key="first").value, app.selectbox(key="second").value) == (str(one), str(other))


def test_a_published_table_has_nothing_to_run(served):
    app = page(opened(), "compare")
    app.selectbox(key="network").set_value("Published Table 12: A3D-Slow-8×8-[0.016, 1], all tested").run()
    assert healthy(app) and "published" in app.info[0].value and not charts(app)


def test_one_class_and_not_another(app, network, video):
    full = network.table.full.configuration
    app.selectbox(key="class").set_value("wave")
    app.selectbox(key="against").set_value("jump").run()
    assert healthy(app)
    told = explain(video, network, full, label="wave", against="jump")
    (said,) = (text.value for text in app.markdown if "score for" in text.value)
    assert f"**Wave** is {abs(told.logit):.2f} {'above' if told.logit > 0 else 'below'} that for **Jump**" in said
    (bar,) = (t for t in charts(app)["strip"]["data"] if t.get("marker", {}).get("showscale"))
    assert bar["marker"]["colorbar"]["title"]["text"] == "evidence for jump and for wave, logits"
    app.selectbox(key="against").set_value("wave").run()
    assert not app.exception and "'wave' against itself" in app.error[0].value


def test_the_hottest_places_are_hidden_when_asked(app, network, video):
    assert "occlusion" not in charts(app)
    next(button for button in app.button if button.label == "Hide the hottest places").click().run()
    assert healthy(app)
    full = network.table.full.configuration
    clip = read_clip(video, network)
    check = occlude(clip, network, explain(clip, network, full))
    bars = values(traces(app, "occlusion")["full network"]["x"])
    assert bars.tolist() == pytest.approx([check.before, check.chance, check.hottest], abs=1e-5)
    app.selectbox(key="class").set_value("wave").run()
    assert "occlusion" not in charts(app)  # another question, not asked yet


def test_an_address_names_classes_as_the_network_or_in_words(served):
    for names in (("wave", "jump"), ("Wave", "Jump")):
        app = opened()
        app.query_params.update(dict(zip(("class", "against"), names, strict=True)))
        app = page(app, "compare")
        assert healthy(app) and not app.warning
        assert (app.selectbox(key="class").value, app.selectbox(key="against").value) == ("wave", "jump")
