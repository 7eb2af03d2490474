"""Many clips at once: each is answered as `a3d.predict` answers it, once, and none of the files stays behind."""

import csv
import gc
import io
import sys
import time

import pytest

import a3d
from a3d.video.encode import write_video
from tests.clips import moving_square

from .driving import dial, healthy, opened, page


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    return [write_video(folder / f"clip{k}.mp4", moving_square(7 * k, frames=20), 25) for k in range(3)]


@pytest.fixture
def app(served, videos):
    """Three videos and a letter, answered."""
    return given(page(opened(), "many"), [*files(videos), ("letter.txt", b"Dear all", "text/plain")])


def files(videos):
    return [(video.name, video.read_bytes(), "video/mp4") for video in videos]


def given(app, those):
    app.file_uploader[0].set_value(those)
    app.run()
    until = time.monotonic() + 120
    while app.get("progress") and time.monotonic() < until:
        time.sleep(0.1)
        app.run()
    return app


def lines(app) -> list[dict]:
    """The table that is shown."""
    return app.dataframe[0].value.to_dict("records")


def chosen(app, network):
    picked = app.selectbox(key="pick").value
    return next(row.configuration for row in network.table.rows if str(row.configuration) == picked)


def said(found) -> str:
    unsure = "" if found.probabilities[0] >= 0.5 else "Unsure: "
    return f"{unsure}{found.label.capitalize()}, {found.probabilities[0]:.0%}"


def assert_those_of_the_library(app, network, videos):
    full, sub = network.table.full.configuration, chosen(app, network)
    for line, video in zip(lines(app), videos, strict=False):
        pair = [a3d.predict(video, network, configuration) for configuration in (full, sub)]
        assert line["file"] == video.name and [line["full"], line["sub"]] == [said(found) for found in pair]
        both_unsure = all(found.probabilities[0] < 0.5 for found in pair)
        sure = all(found.probabilities[0] >= 0.5 for found in pair)
        assert line["same"] == ("yes" if both_unsure or (sure and pair[0].label == pair[1].label) else "no")


def test_answers_are_those_of_the_library(app, network, videos):
    assert healthy(app) and len(lines(app)) == 4
    assert_those_of_the_library(app, network, videos)
    assert all(line["clip"].startswith("data:image/jpeg;base64,/9j/") for line in lines(app)[:3])


def test_a_file_that_is_no_video_is_a_line_that_says_why(app):
    letter = lines(app)[3]
    assert (letter["file"], letter["full"], letter["same"]) == ("letter.txt", "", "")
    assert letter["error"] and "\n" not in letter["error"] and "/tmp" not in letter["error"]
    assert any("**1** file cannot be looked at" in text.value for text in app.markdown)


def test_the_dial_moves_without_decoding_again(app, network, videos, monkeypatch):
    def never(*_, **__):
        raise AssertionError("decoded again")

    monkeypatch.setattr(sys.modules["decoding"], "decode", never)
    before = lines(app)
    for stop in (dial(app).options[0], dial(app).options[-1]):
        dial(app).set_value(stop).run()
        assert healthy(app) and len(lines(app)) == 4
        assert_those_of_the_library(app, network, videos)
    assert before[0]["sub"] != lines(app)[0]["sub"]
    assert [line["same"] for line in lines(app)[:3]] == ["yes"] * 3  # the last stop is the full network


def test_no_file_is_left_once_it_is_answered(app):
    folder = app.session_state["many"].folder
    assert folder.is_dir() and not list(folder.iterdir())


def test_the_csv_has_a_line_a_file(app, network, videos):
    many = sys.modules["many"]
    full, sub = network.table.full.configuration, network.table.trade_off()[0].configuration
    found = list(csv.DictReader(io.StringIO(many.as_csv(app.session_state["many"].lines, full, sub))))
    assert [line["file"] for line in found] == [*(video.name for video in videos), "letter.txt"]
    assert found[3]["error"].startswith("letter.txt: ") and not found[3]["full_label"]
    for line, video in zip(found, videos, strict=False):
        for who, configuration in (("full", full), ("sub", sub)):
            told = a3d.predict(video, network, configuration)
            assert line[f"{who}_label"] == told.label
            assert float(line[f"{who}_probability"]) == pytest.approx(told.probabilities[0], abs=1e-4)
            assert line[f"{who}_says"] == (told.label if told.probabilities[0] >= 0.5 else "unsure")
        assert line["same"] in ("yes", "no") and not line["error"]


def test_more_are_added_up_to_a_bound_that_is_said(app, videos, monkeypatch):
    monkeypatch.setattr(sys.modules["many"], "MOST", 5)
    given(app, files(videos))
    assert not app.exception and [line["file"] for line in lines(app)][3:] == ["letter.txt", "clip0.mp4"]
    assert "At most 5 files" in app.warning[0].value and "2 files were left out" in app.warning[0].value


def test_a_page_loaded_anew_finds_the_answers_and_start_over_forgets_them(app):
    again = page(opened(many=app.query_params["many"]), "many")
    assert healthy(again) and lines(again) == lines(app)
    next(button for button in again.button if button.label == "Start over").click().run()
    assert healthy(again) and not again.dataframe and "many" not in again.query_params
    assert "kept for an hour" in page(opened(many=app.query_params["many"]), "many").warning[0].value


def empty():
    """A place for clips, to be answered by nobody."""
    page(opened(), "table")  # the app's folder is on the path from here on
    import many
    import sources

    return many.Many(next(one for one in sources.sources() if one.name == "tiny"), [])


def test_one_that_is_too_large_is_a_line_and_not_kept(served, videos, monkeypatch):
    found = empty()
    monkeypatch.setattr(sys.modules["many"], "MEGABYTES", 0)
    found.add([("long.mp4", videos[0].read_bytes())])
    assert found.lines[0].error == "long.mp4: larger than 0 MB; give a shorter or smaller one"
    assert found.over and not list(found.folder.iterdir())


def test_files_go_with_their_visitor(served, videos):
    found = empty()
    folder, gone = found.folder, found._gone
    with sys.modules["many"]._turn:  # somebody else's clip is looked at
        found.add([(video.name, video.read_bytes()) for video in videos])
        assert len(list(folder.iterdir())) == 3
        del found
        gc.collect()
        assert gone.is_set() and not folder.exists()


def test_a_published_table_has_nothing_to_run(served):
    app = page(opened(), "many")
    app.selectbox(key="network").set_value("Published Table 12: A3D-Slow-8×8-[0.016, 1], all tested").run()
    assert healthy(app) and "published" in app.info[0].value and not app.file_uploader


def test_without_clips_it_says_what_for(served, network):
    app = page(opened(), "many")
    assert healthy(app) and "Give many clips at once" in app.info[0].value
    (command,) = (code.value for code in app.code)
    assert command.startswith("a3d predict FOLDER") and command.endswith("--out answers.csv")
    assert f"--configuration {chosen(app, network).key}" in command
