"""Explore, driven without a browser."""

import pytest

from a3d.budgets.published import published
from a3d.maps import explain

from .driving import charts, dial, healthy, limit, numbers, opened, traces, upload, values


@pytest.fixture
def app(served):
    return opened().run()


def test_opens_on_a_sample(app):
    assert healthy(app)
    assert set(charts(app)) == {"curve", "kept", "strip", "answers"}


def test_the_dial_reaches_the_whole_trade_off_list(app, network):
    options = dial(app).options
    reached = [network.table.choose(gflops=limit(option)) for option in options]
    assert list(dict.fromkeys(reached)) == network.table.trade_off()
    assert limit(options[-1]) >= network.table.full.gflops


@pytest.mark.parametrize("place", [0, 11, -1])
def test_a_stop_of_the_dial_is_what_the_table_chooses(app, network, place):
    option = dial(app).options[place]
    dial(app).set_value(option).run()
    chosen = network.table.choose(gflops=limit(option))
    assert healthy(app)
    assert numbers(app)["Configuration"] == str(chosen.configuration)
    assert numbers(app)["Top-1 accuracy"] == f"{chosen.top1:.1f}%"
    assert numbers(app)["GFLOPs"] == f"{chosen.gflops:#.3g}"


@pytest.mark.parametrize(
    ("unit", "key", "budget"),
    [
        ("Share", "budget_share", lambda number, full: {"gflops": full.gflops * number / 100}),
        ("Parameters", "budget_params", lambda number, full: {"params": 1e3 * number}),
    ],
)
def test_other_units(app, network, unit, key, budget):
    app.segmented_control(key="unit").set_value(unit).run()
    option = dial(app, key).options[9]
    dial(app, key).set_value(option).run()
    chosen = network.table.choose(**budget(limit(option), network.table.full))
    assert healthy(app)
    assert numbers(app)["Configuration"] == str(chosen.configuration)


def test_another_unit_keeps_the_choice(app, network):
    dial(app).set_value(dial(app).options[0]).run()
    app.segmented_control(key="unit").set_value("Share").run()
    assert numbers(app)["Configuration"] == str(network.table.trade_off()[0].configuration)


def test_any_configuration_can_be_picked_and_the_dial_unpicks_it(app, network):
    row = next(row for row in network.table.rows if not row.trade_off)
    app.selectbox(key="pick").set_value(str(row.configuration)).run()
    assert healthy(app) and numbers(app)["Configuration"] == str(row.configuration)
    assert traces(app, "curve")["chosen"]["customdata"] == [row.configuration.key]
    assert any("Picked by hand" in text.value for text in app.markdown)
    dial(app).set_value(dial(app).options[0]).run()
    assert numbers(app)["Configuration"] == str(network.table.trade_off()[0].configuration)


def test_the_answers_to_an_upload_are_those_of_the_library(app, network, video):
    option = dial(app).options[8]
    dial(app).set_value(option)
    upload(app, video)
    assert healthy(app)
    full = explain(video, network, configuration=network.table.full.configuration)
    sub = explain(video, network, gflops=limit(option), label=full.label)
    for name, one in (("full network", full), ("sub-network", sub)):
        trace = traces(app, "answers")[name]
        for label, probability in zip(trace["y"], values(trace["x"]), strict=True):
            assert probability == pytest.approx(dict(one.predictions)[label], abs=1e-5)
    assert any(f"**{full.predictions[0][0]}**" in text.value for text in app.markdown)


def test_an_upload_is_a_clip_like_the_others_and_its_file_is_forgotten(app, video):
    upload(app, video)
    assert app.selectbox(key="clip").value == f"Your video: {video.name}"
    assert app.file_uploader[0].value is None
    app.selectbox(key="clip").set_value("Lunges").run()
    assert healthy(app)
    app.selectbox(key="clip").set_value(f"Your video: {video.name}").run()
    assert healthy(app)


@pytest.mark.parametrize("content", [b"", b"this is no video", b"\0\0\0\x18ftypmp42" + b"\0" * 64])
def test_a_bad_file_costs_one_line(app, tmp_path, content):
    bad = tmp_path / "holiday.mp4"
    bad.write_bytes(content)
    upload(app, bad)
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("holiday.mp4: ") and "\n" not in error.value and str(tmp_path) not in error.value
    assert set(charts(app)) == {"curve", "kept", "strip", "answers"}  # of the sample, as before
    app.run()
    assert healthy(app)


def test_a_published_table_is_chosen_from_in_the_same_way(app):
    picker = app.selectbox(key="network")
    picker.set_value(next(title for title in picker.options if title.startswith("Published Table 9"))).run()
    table = published("table_9")
    option = dial(app).options[5]
    dial(app).set_value(option).run()
    assert healthy(app)
    assert numbers(app)["Configuration"] == str(table.choose(gflops=limit(option)).configuration)
    assert not app.file_uploader and "published" in app.info[0].value


def test_the_papers_curve_on_demand(app):
    before = len(charts(app)["curve"]["data"])
    app.toggle(key="paper").set_value(True).run()
    assert healthy(app)
    assert len(charts(app)["curve"]["data"]) == before + 1


def test_the_address_holds_the_view(app, network):
    row = network.table.rows[2]
    again = opened(unit="Share", clip="Lunges", pick=str(row.configuration)).run()
    assert healthy(again)
    assert numbers(again)["Configuration"] == str(row.configuration)
    assert again.selectbox(key="clip").value == "Lunges"
    assert dial(again, "budget_share").value.endswith("of the full network")


def test_times_are_offered_measured_and_then_a_budget(app, network, monkeypatch, tmp_path):
    monkeypatch.setattr("a3d.profile", measured)
    app.segmented_control(key="unit").set_value("Milliseconds").run()
    assert healthy(app) and "not measured yet" in app.info[0].value
    button = next(button for button in app.button if "Measure" in button.label)
    button.click().run()
    for _ in range(50):
        if any(slider.key == "budget_ms" for slider in app.select_slider):
            break
        app.run()
    option = dial(app, "budget_ms").options[4]
    dial(app, "budget_ms").set_value(option).run()
    chosen = network.table.choose(milliseconds=limit(option), profile=measured(network))
    assert healthy(app) and numbers(app)["Configuration"] == str(chosen.configuration)
    assert list((tmp_path / "cache" / "a3d").glob("tiny-*/profile-*.json"))


def measured(network, rounds=1, progress=lambda done, total: None):
    """Times that somebody might have measured: by the width alone."""
    from a3d.budgets.profile import Latency, Profile, Timing, device_name

    progress(1, 1)
    times = [
        Latency(row.configuration, 1, *[Timing(10 * row.configuration.width, 11.0)] * 4) for row in network.table.rows
    ]
    return Profile(device_name(), 1, tuple(times), {})
