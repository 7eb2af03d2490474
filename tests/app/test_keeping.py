"""A page that is loaded anew finds the visitor's video, for an hour, and nobody who does not know its name."""

import pytest

from .driving import healthy, opened, page, upload


@pytest.fixture
def keeping(monkeypatch, served):
    monkeypatch.syspath_prepend(str(page.__globals__["MAIN"].parent))
    import keeping

    keeping._kept().clear()
    return keeping


def given(video):
    app = opened().run()
    upload(app, video)
    return app, app.query_params["upload"]


def test_a_page_that_is_loaded_anew_shows_the_upload(keeping, video):
    app, token = given(video)
    shown = app.session_state["upload"].shown
    again = opened(**app.query_params).run()
    assert healthy(again) and not again.warning and len(token) == 22
    assert (
        again.session_state["upload"].shown is shown and again.selectbox(key="clip").value == "Your video: square.mp4"
    )


def test_who_does_not_know_the_name_sees_a_sample(keeping, video):
    given(video)
    other = opened(upload="A" * 22).run()
    assert "upload" not in other.session_state and "kept for an hour" in other.warning[0].value
    assert "upload" not in other.query_params


def test_it_goes_after_an_hour(keeping, video, monkeypatch):
    _, token = given(video)
    then = keeping.now()
    monkeypatch.setattr(keeping, "now", lambda: then + keeping.SECONDS + 1)
    assert "kept for an hour" in opened(upload=token).run().warning[0].value
    assert not keeping._kept()


def test_the_oldest_goes_first(keeping, video, monkeypatch):
    monkeypatch.setattr(keeping, "MOST", 2)
    tokens = [given(video)[1] for _ in range(3)]
    assert list(keeping._kept()) == tokens[1:]


def test_a_sample_takes_it_out_of_the_address(keeping, video):
    app, _ = given(video)
    app.selectbox(key="clip").set_value("Lunges").run()
    assert "upload" not in app.query_params and "upload" in app.session_state
