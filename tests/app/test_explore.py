"""Explore, driven without a browser."""

import shlex
import time

import av
import numpy as np
import pytest
import streamlit as st
import torch

from a3d.budgets.profile import Latency, Profile, Timing, device_name
from a3d.budgets.published import published
from a3d.cli import main
from a3d.inference.checkpoint import save_profile
from a3d.maps import explain
from a3d.video import Video

from .driving import charts, healthy, numbers, opened, pick, stage, unpacked, upload


@pytest.fixture
def app(served):
    return opened().run()


def chosen(app) -> str:
    """The configuration that numbers, field and stage agree on."""
    (name,) = {numbers(app)["Configuration"], app.selectbox(key="pick").value}
    point = next(point for point in stage(app)["points"] if point["key"] == stage(app)["choice"])
    assert name in point["spoken"]
    return name


def bought(app) -> list[str]:
    data = stage(app)
    return [data["points"][place]["key"] for place in data["list"]]


def test_opens_on_a_sample_with_what_a_quarter_buys(app, network):
    table = network.table
    assert healthy(app) and set(charts(app)) == {"kept"}
    assert chosen(app) == str(table.choose(gflops=table.full.gflops / 4).configuration)
    assert stage(app)["clip"]["name"] == "Pull-ups"


def test_the_dial_stops_at_what_can_be_bought_and_ends_with_the_full_network(app, network):
    table = network.table
    rows = table.trade_off() + [table.full] * (table.full not in table.trade_off())
    assert bought(app) == [row.configuration.key for row in rows]
    assert bought(app)[-1] == stage(app)["full"] == table.full.configuration.key
    assert len(stage(app)["points"]) == len(table)


@pytest.mark.parametrize("place", [0, 3, -1])
def test_numbers_are_those_of_the_table(app, network, place):
    row = network.table.rows[place]
    pick(app, row.configuration)
    assert healthy(app) and chosen(app) == str(row.configuration)
    assert numbers(app)["Top-1 accuracy"] == f"{row.top1:.1f}%"
    assert numbers(app)["GFLOPs"] == f"{row.gflops:#.3g}"


def test_other_units_count_the_same_choice_and_have_stops_of_their_own(app, network):
    before, table = chosen(app), network.table
    app.segmented_control(key="unit").set_value("Parameters").run()
    assert healthy(app) and chosen(app) == before
    costs = [point["cost"] for point in stage(app)["points"]]
    assert costs == pytest.approx([row.params for row in table.rows], rel=1e-3)
    rows = table.trade_off("params")
    assert bought(app) == [row.configuration.key for row in rows + [table.full] * (table.full not in rows)]
    app.segmented_control(key="unit").set_value("Share").run()
    assert stage(app)["points"][table.rows.index(table.full)]["cost"] == 100


def test_any_configuration_can_be_picked(app, network):
    row = next(row for row in network.table.rows if not row.trade_off)
    pick(app, row.configuration)
    assert healthy(app) and chosen(app) == str(row.configuration)
    assert any("Picked by hand" in text.value for text in app.markdown)
    assert app.query_params["configuration"] == row.configuration.key


def test_answers_and_maps_of_an_upload_are_those_of_the_library(app, network, video):
    upload(app, video)
    assert healthy(app)
    data, full = stage(app), network.table.full.configuration
    clip = data["clip"]
    answered = explain(video, network, configuration=full)
    assert clip["mapped"][clip["explained"]] == answered.label
    for key in (data["full"], data["choice"]):
        row = next(row for row in network.table.rows if row.configuration.key == key)
        found = clip["findings"][key]
        for place, label in enumerate(clip["mapped"]):
            told = explain(video, network, configuration=row.configuration, label=label)
            maps = unpacked(found["maps"], (len(clip["mapped"]), *told.map.shape))
            np.testing.assert_allclose(found["probabilities"], told.probabilities, atol=1e-5)
            np.testing.assert_allclose(maps[place], told.map, atol=1e-5)
            np.testing.assert_allclose(found["times"], told.times, atol=1e-3)
            assert clip["scales"][place] >= np.abs(told.map).max() - 1e-3


def test_the_film_is_the_part_that_is_looked_at(app, network, video):
    upload(app, video)
    clip = stage(app)["clip"]
    times = explain(video, network).all_times
    assert clip["start"] == pytest.approx(times[0])
    assert clip["start"] + clip["seconds"] == pytest.approx(times[-1] + 1 / 25, abs=0.02)
    assert (clip["width"], clip["height"]) == (Video(video).width, Video(video).height)
    assert clip["film"].endswith(".mp4")


def test_the_rest_of_the_dial_is_found_in_the_background(app, network):
    for _ in range(100):
        app.run()
        if set(bought(app)) <= set(stage(app)["clip"]["findings"]):
            return
    pytest.fail("the background does not end")


def test_an_upload_is_a_clip_like_the_others_and_its_file_is_forgotten(app, video):
    upload(app, video)
    assert app.selectbox(key="clip").value == f"Your video: {video.name}"
    assert app.file_uploader[0].value is None
    app.selectbox(key="clip").set_value("Lunges").run()
    assert healthy(app) and stage(app)["clip"]["name"] == "Lunges"
    app.selectbox(key="clip").set_value(f"Your video: {video.name}").run()
    assert healthy(app) and stage(app)["clip"]["name"] == video.name


def test_what_the_network_knows_stands_beside_the_upload(app, network):
    (known,) = [text.value for text in app.caption if "knows" in text.value]
    assert f"{len(network.labels)} classes" in known and "Crawl" in known


def test_a_gif_is_a_video(app, tmp_path):
    path = tmp_path / "wave.gif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=10, width=32, height=32, pix_fmt="rgb8")
        for level in range(0, 200, 10):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="rgb8")))
        container.mux(stream.encode())
    upload(app, path)
    assert healthy(app) and stage(app)["clip"]["name"] == "wave.gif"


@pytest.mark.parametrize("content", [b"", b"this is no video", b"\0\0\0\x18ftypmp42" + b"\0" * 64])
def test_a_bad_file_is_refused_in_words_and_the_old_answer_is_gone(app, tmp_path, content):
    bad = tmp_path / "holiday.mp4"
    bad.write_bytes(content)
    upload(app, bad)
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("holiday.mp4: ") and "\n" not in error.value and str(tmp_path) not in error.value
    assert stage(app)["clip"] is None
    app.run()
    assert app.error and stage(app)["clip"] is None  # until another clip is chosen
    app.selectbox(key="clip").set_value("Lunges").run()
    assert healthy(app) and stage(app)["clip"]["name"] == "Lunges"


def test_a_published_table_is_chosen_from_in_the_same_way(app):
    picker = app.selectbox(key="network")
    picker.set_value(next(title for title in picker.options if title.startswith("Published Table 9"))).run()
    table = published("table_9")
    pick(app, table.rows[4].configuration)
    assert healthy(app) and chosen(app) == str(table.rows[4].configuration)
    assert stage(app)["clip"] is None
    assert not app.file_uploader and "published" in app.info[0].value


@pytest.mark.parametrize("form", ["{0.key}", "{0}"])
def test_the_address_holds_the_view(served, network, form):
    row = network.table.rows[2]
    again = opened(unit="Share", clip="Lunges", configuration=form.format(row.configuration)).run()
    assert healthy(again) and not again.warning
    assert chosen(again) == str(row.configuration)
    assert again.selectbox(key="clip").value == "Lunges"
    assert stage(again)["unit"]["suffix"] == "%"


def test_a_budget_in_the_address_is_what_it_buys(served, network):
    table = network.table
    limit = 0.4 * table.full.gflops
    assert chosen(opened(budget=f"{limit}").run()) == str(table.choose(gflops=limit).configuration)
    assert chosen(opened(budget="100", unit="Share").run()) == str(table.full.configuration)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"colour": "red"}, ["colour", "does not know"]),
        ({"network": "nobodys"}, ["network = nobodys", "the field Network"]),
        ({"clip": "Your video: a.mp4"}, ["clip = Your video", "kept for an hour"]),
        ({"unit": "Watts"}, ["unit = Watts", "GFLOPs"]),
        ({"configuration": "large"}, ["configuration = large", "80x4@0.8"]),
        ({"configuration": "31x4@1"}, ["31x4@1", "not among"]),
        ({"budget": "much"}, ["budget = much"]),
        ({"budget": "1e-9"}, ["budget", "the cheapest"]),
    ],
)
def test_what_an_address_says_wrongly_is_named(served, address, words):
    app = opened(**address).run()
    assert healthy(app)
    (warning,) = app.warning
    plain = warning.value.replace("\\", "")
    assert all(word in plain for word in words), plain
    app.selectbox(key="clip").set_value("Lunges").run()
    assert healthy(app) and not app.warning


@pytest.fixture
def unmeasured(served):
    """What a server that was just started knows."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_times_are_measured_the_dials_first_and_then_a_budget(unmeasured, app, network, monkeypatch, tmp_path):
    parts = []
    monkeypatch.setattr("a3d.profile", lambda *args, **more: parts.append(more["configurations"]) or measured(**more))
    app.segmented_control(key="unit").set_value("Milliseconds").run()
    assert healthy(app)
    table = network.table
    rows = table.trade_off("milliseconds", measured([row.configuration for row in table.rows]))
    wanted, patience = [row.configuration.key for row in rows], time.monotonic() + 60
    while (len(parts) < 2 or bought(app)[: len(rows)] != wanted) and time.monotonic() < patience:
        app.run()  # the background measures meanwhile
    listed = {row.configuration for row in (*table.trade_off(), table.full)}
    assert set(parts[0]) == listed and set(parts[1]) == {row.configuration for row in table.rows} - listed
    assert healthy(app) and bought(app)[: len(rows)] == wanted and stage(app)["unit"]["suffix"] == " ms"
    assert list((tmp_path / "cache" / "a3d").glob("tiny-*/profile-*.json"))


def test_times_are_kept_and_only_what_is_missing_is_measured(unmeasured, network, checkpoints, monkeypatch, tmp_path):
    """By a server that was stopped before all of them were there."""
    configurations = [row.configuration for row in network.table.rows]
    stamp = (checkpoints / "tiny" / "config.json").stat().st_mtime
    folder = tmp_path / "cache" / "a3d" / f"tiny-{stamp:.0f}"
    folder.mkdir(parents=True)
    kept = save_profile(measured(configurations[1:]), folder)
    parts = []
    monkeypatch.setattr("a3d.profile", lambda *args, **more: parts.append(more["configurations"]) or measured(**more))
    app = opened(unit="Milliseconds").run()
    assert healthy(app) and stage(app)["unit"]["suffix"] == " ms"
    for _ in range(100):
        if len(Profile.read(kept)) == len(configurations):
            break
        app.run()
    assert parts == [configurations[:1]]


def test_a_measurement_that_fails_is_named_and_not_begun_again(unmeasured, app, monkeypatch):
    tries = []

    def fail(*args, **more):
        tries.append(more)
        raise RuntimeError("no memory")

    monkeypatch.setattr("a3d.profile", fail)
    app.segmented_control(key="unit").set_value("Milliseconds").run()
    for _ in range(100):
        if app.error:
            break
        app.run()
    app.run()
    assert "no memory" in app.error[0].value and len(tries) == 1
    next(button for button in app.button if "again" in button.label).click().run()
    for _ in range(100):
        if len(tries) == 2:
            return
        app.run()
    pytest.fail("the button does not measure")


def measured(configurations, rounds=1, progress=lambda done, total: None):
    """Times that somebody might have measured: by the width alone."""
    progress(1, 1)
    times = [Latency(one, 1, *[Timing(10 * one.width, 11.0)] * 4) for one in configurations]
    return Profile(device_name(), torch.get_num_threads(), tuple(times), {})


def test_the_race_is_between_the_times_of_these_answers(app):
    data = stage(app)
    clip, full, sub = data["clip"], *(data["clip"]["findings"][data[who]] for who in ("full", "choice"))
    assert clip["slowed"] * full["milliseconds"] <= 2500 and f"{clip['slowed']:,} times" in clip["measured"]
    assert full["pace"].endswith("on this machine.") and sub["pace"].startswith("**") and sub["milliseconds"] > 0


def test_a_gif_is_offered_of_a_clip_and_not_of_a_table(app):
    assert [button.label for button in app.get("download_button")] == ["Save as GIF"]
    picker = app.selectbox(key="network")
    picker.set_value(next(title for title in picker.options if title.startswith("Published Table 9"))).run()
    assert healthy(app) and not app.get("download_button")


def test_the_code_beside_a_view_makes_it(app, network, video, monkeypatch, tmp_path):
    """What is to be copied runs, and finds what the page shows."""
    upload(app, video)
    python, commands = (code.value for code in app.code)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").write_bytes(video.read_bytes())
    found = {}
    exec(python, found)
    data = stage(app)
    shown = data["clip"]["findings"][data["choice"]]
    np.testing.assert_allclose(found["comparison"].sub.probabilities, shown["probabilities"], atol=1e-5)
    assert found["small"].configuration.key == data["choice"] == found["prediction"].configuration.key
    for line in commands.splitlines()[:2]:
        assert main(shlex.split(line)[1:]) == 0
    assert (tmp_path / "maps.mp4").stat().st_size
