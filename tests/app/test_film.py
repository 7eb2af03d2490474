"""A whole film: what its process finds is what the library finds, and nothing of it stays behind."""

import gc
import json
import time
from pathlib import Path

import pytest

from a3d.configuration import Configuration
from a3d.inference.segments import ribbon, segments
from a3d.synthetic import render
from a3d.video.encode import write_video

from .driving import healthy, opened, page

SECONDS = 3.04  # of the film
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def films(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "app"))
    import films

    return films


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two exercises, one after the other."""
    parts = [render(name, 1, seconds=1.5, size=(96, 64)).frames for name in ("Lunges", "JumpingJack")]
    frames = (frame for part in parts for frame in part)
    return write_video(tmp_path_factory.mktemp("films") / "two.mp4", frames, 25)


def waited(reading) -> None:
    until = time.monotonic() + 120
    while not reading.over and time.monotonic() < until:
        time.sleep(0.05)
    assert reading.over


def test_the_process_finds_what_the_library_finds(films, checkpoints, network, path):
    film = films.Film("two.mp4", path.read_bytes())
    configurations = list(network.range.configurations())[:3]
    reading = film.reading("tiny", checkpoints / "tiny", configurations)
    waited(reading)
    expected = list(ribbon(path, network, configurations))
    assert not reading.error and len(reading.moments) == len(expected) > 5
    assert (reading.duration, reading.done, reading.ratio) == (pytest.approx(SECONDS), 1.0, 1.5)
    for found, plain in zip(reading.moments, expected, strict=True):
        assert (found.start, found.end) == (plain.start, plain.end)
        for one, other in zip(found.answers, plain.answers, strict=True):
            assert one.label == other.label and one.probability == pytest.approx(other.probability, abs=1e-4)
    assert set(reading.pictures) <= set(range(len(expected))) and 0 in reading.pictures


def test_nothing_of_a_film_stays_when_it_goes(films, checkpoints, network, path):
    film = films.Film("two.mp4", path.read_bytes())
    folder, reading = film.path.parent, film.reading("tiny", checkpoints / "tiny", [network.full])
    assert film.path.is_file()
    del film
    gc.collect()
    assert not folder.exists() and reading.over
    assert reading.process is None or reading.process.wait(30) is not None


def test_what_is_no_video_is_one_line_under_the_name_that_the_visitor_knows(films, checkpoints, network):
    film = films.Film("holiday.mov", b"no video at all" * 20)
    reading = film.reading("tiny", checkpoints / "tiny", [network.full])
    waited(reading)
    assert reading.error.startswith("holiday.mov: ") and "\n" not in reading.error and not reading.moments


def test_a_process_that_is_killed_is_said_and_the_next_film_is_read(films, checkpoints, network, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(films, "SECONDS", 0.01)  # less than it takes to start
        film = films.Film("two.mp4", path.read_bytes())
        waited(reading := film.reading("tiny", checkpoints / "tiny", [network.full]))
    assert "two.mp4: it ended the process that read it" in reading.error
    film = films.Film("two.mp4", path.read_bytes())
    waited(found := film.reading("tiny", checkpoints / "tiny", [network.full]))
    assert found.moments and not found.error


def uploaded(path, name="two.mp4"):
    app = page(opened(), "film")
    app.file_uploader[0].set_value((name, path.read_bytes(), "video/mp4"))
    app.run()
    waited(next(iter(app.session_state["film"].readings.values())))
    return app.run()


def test_the_page_shows_what_the_library_says(served, network, path):
    app = uploaded(path)
    assert healthy(app)
    (component,) = app.get("bidi_component")
    data = json.loads(component.proto.json)
    key = next(code.value for code in app.code).rpartition(" ")[2]
    expected = segments(path, network, Configuration.parse(key))
    shown = app.dataframe[0].value
    assert list(shown["probability"]) == pytest.approx([100 * part.probability for part in expected], abs=0.01)
    full = list(ribbon(path, network, [network.table.full.configuration]))
    assert [network.labels[label] for label, _, _ in data["full"]] == [moment.answers[0].label for moment in full]
    assert data["edges"][-1] == pytest.approx(SECONDS, abs=1e-3) and len(data["sub"]) == len(full)


def test_a_moment_of_the_film_becomes_the_clip_of_explore(served, network, path):
    from a3d.video import decode_views

    app = uploaded(path, "../two.mp4")
    app.session_state["looked"] = 2.9  # nearer to the end than half a clip
    app.run()
    upload = app.session_state["upload"]
    assert upload.shown.name == "two.mp4 at 0:02"
    span = network.sampling.span(25)
    frames, times = decode_views(path, network.sampling, 1, (SECONDS - span / 2, SECONDS - span / 2))
    assert (upload.shown.clip.frames == frames[0]).all() and upload.shown.clip.times.tolist() == times[0].tolist()
    assert app.session_state["clip"].endswith("two.mp4 at 0:02")
