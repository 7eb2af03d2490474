"""Compare, driven without a browser."""

import re
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


def in_rows(video, **address):
    app = opened()
    app.query_params.update({"view": "Two to six in rows"} | address)
    return upload(page(app, "compare"), video)


def rows(app) -> list[str]:
    """The rows of small multiples, HTML."""
    found = [part.proto.body for part in app.get("html") if "a3d-multiples" in part.proto.body]
    return re.findall("<section>.*?</section>", found[0], re.DOTALL) if found else []


def words_of(row: str) -> list[str]:
    """Name, cost and answer beside a row."""
    return re.findall("<(?:h3|p)>(.*?)</(?:h3|p)>", row)


def test_several_networks_are_rows_that_say_what_the_library_says(served, network, video):
    app = in_rows(video)
    assert healthy(app) and not app.warning and not charts(app)
    table = network.table
    stops = sorted({*table.trade_off(), table.full}, key=lambda row: -row.gflops)
    keys = app.multiselect(key="configurations").value
    shown = [row for row in stops if row.configuration.key in keys]
    assert [row.configuration.key for row in shown] == keys and len(rows(app)) == len(keys) == 5
    assert (shown[0], shown[-1]) == (table.full, stops[-1]) and "configurations" not in app.query_params
    answered = explain(video, network, table.full.configuration).name
    for found, row in zip(rows(app), shown, strict=True):
        told = explain(video, network, row.configuration, label=answered)
        name, about, said = words_of(found)
        assert name.split(", full")[0] == str(row.configuration)
        assert about.endswith(f"{row.top1:.1f}% top-1") and f"{row.gflops:#.3g}" in about
        label, probability = told.predictions[0]
        assert said == f"{'' if probability >= 0.5 else 'Unsure: '}{label.capitalize()}, {probability:.0%}"
        assert [f"{share:.0%} of the evidence" in found for share in told.shares] == [True] * len(told.seen)
        assert found.count('alt="') - found.count(': not seen" title') == len(set(told.seen.tolist()))


def test_all_rows_are_about_the_class_that_is_chosen(served, network, video):
    app = in_rows(video, **{"class": "Wave", "unit": "Share"})
    assert [header.value for header in app.header] == ["Where they look for Wave"]
    least = network.table.trade_off()[0]
    told = explain(video, network, least.configuration, label="wave")
    assert f"at most {told.map.max():.2g}" in rows(app)[-1]
    assert words_of(rows(app)[0])[1].startswith("100% of the full network")


def test_what_is_picked_is_in_the_address(served, network, video):
    one, other = (network.table.rows[place].configuration for place in (3, 5))
    app = in_rows(video, configurations=f"{one.key},31x4@1,{other.key.removesuffix('.0')}")
    expected = sorted((one, other), key=lambda c: -network.table.row(c).gflops)
    assert [words_of(row)[0] for row in rows(app)] == [str(c) for c in expected]
    assert app.query_params["configurations"] == f"{one.key},{other.key}"


def test_what_is_none_is_named(served, network):
    app = page(opened(view="Two to six in rows", configurations="31x4@1,red"), "compare")
    assert "31x4@1" in app.warning[0].value.replace("\\", "") and "red" in app.warning[0].value
    assert healthy(app) and len(rows(app)) == 5  # the spread


def test_two_are_the_least_and_six_the_most(served, network, video):
    keys = [row.configuration.key for row in network.table.rows]
    app = in_rows(video, configurations=",".join(keys[:7]))
    assert healthy(app) and len(rows(app)) == 6
    app.multiselect(key="configurations").set_value(keys[:1]).run()
    assert healthy(app) and not rows(app) and "at least two" in app.info[0].value
    app.multiselect(key="configurations").set_value([]).run()
    assert healthy(app) and not rows(app)


def test_picks_are_kept_by_the_page_and_those_of_another_network_are_none(served, network, video):
    keys = sorted((row.configuration.key for row in network.table.rows[2:5]), reverse=True)
    app = in_rows(video)
    app.multiselect(key="configurations").set_value(keys).run()
    app.switch_page("views/table.py").run()
    app.switch_page("views/compare.py").run()
    assert app.multiselect(key="configurations").value == keys and len(rows(app)) == 3
    app.session_state["picked"] = ["224x4@0.3"]
    assert healthy(app.run()) and len(rows(app)) == 5
