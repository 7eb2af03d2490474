"""A clip that is watched live: what the page sets reaches the loop, and nothing of it stays behind."""

import threading
import time
from base64 import b64decode
from itertools import islice

import pytest
import torch

from a3d.deploy.live.load import PROCESSORS
from a3d.deploy.live.trace import Step

from .driving import LIMIT, MAIN, charts, healthy, numbers, opened, page


@pytest.fixture
def live(monkeypatch, served):
    monkeypatch.syspath_prepend(str(MAIN.parent))
    import live

    yield live
    assert waited(lambda: not any(thread.name == "live" for thread in threading.enumerate()))
    assert not live._turn.locked() and live.waiting() == 0


def waited(found) -> bool:
    """Whether it comes true; the limit is against hanging, not a claim."""
    until = time.monotonic() + LIMIT
    while not found() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(found())


@pytest.fixture
def session(live, checkpoints, video):
    """Begins sessions, and ends them."""
    begun = []

    def begin(deadline=200.0):
        begun.append(live.Session("square", deadline).start(checkpoints / "tiny", video.read_bytes()))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()
        one.thread.join(LIMIT)


def test_windows_are_answered_under_the_deadline_of_the_moment_until_it_is_stopped(session, network):
    watched = session(400.0)
    assert waited(lambda: len(watched.steps) > 1)
    process = watched.process
    watched.set_deadline(150.0)
    assert waited(lambda: watched.steps[-1].deadline == 150.0)
    steps = watched.look()
    assert watched.process is process and steps[0].deadline == 400.0
    assert {step.label for step in steps if step.configuration} <= set(network.labels)
    assert waited(lambda: b64decode(watched.picture).startswith(b"\xff\xd8"))
    listed = [row.configuration for row in network.table.trade_off()]
    assert {option.configuration for option in watched.options} <= set(listed)
    assert watched.options[-1].configuration == listed[-1]  # nothing is more accurate, however fast
    watched.close()
    watched.thread.join(LIMIT)
    assert not watched.thread.is_alive() and not watched.error and process.poll() is not None


def test_the_controller_is_given_the_deadline_of_the_moment(live):
    class Policy:
        limit = 100.0

    deadline, said, window = live._Deadline(70.0), [], live.Window(0, 1.0, 0.0, torch.zeros(1, 32, 32, 3).byte())
    windows = live.limited([window, window], Policy, deadline, said.append)
    next(windows)
    assert Policy.limit == 70.0 and not said  # a picture does not hold up an answer
    deadline.milliseconds = 20.0
    next(windows)
    assert Policy.limit == 20.0 and set(said[0]) == {"picture"}


def test_other_work_is_noted_and_ends_with_the_session(live):
    watched = live.Session("square", 100.0)
    for number, busy in enumerate((0, 1, 1, 0, 1)):
        watched.load.set(busy)
        live._take(watched, {"step": dropped(number).to_dict()})
    assert list(watched.busy) == [(0.1, 0.2), (0.4, 0.4)]
    (process,) = watched.load._busy
    watched.close()
    assert process.poll() is not None
    watched.load.set(1)
    assert watched.load.count == 0


def dropped(number: int) -> Step:
    return Step(number, number / 10, None, None, None, None, None, None, 100.0, False, None, "")


def test_who_does_not_look_any_more_is_gone(live, session, monkeypatch):
    watched = session()
    watched.load.set(1)
    assert waited(lambda: watched.steps)
    monkeypatch.setattr(live, "SILENCE", -1.0)
    assert waited(lambda: not watched.thread.is_alive())
    assert "Nobody looked" in watched.why and watched.load.count == 0


def test_nobody_watches_for_ever(live, session, monkeypatch):
    monkeypatch.setattr(live, "LONGEST", 0.0)
    watched = session()
    assert waited(lambda: watched.over) and "as others may wait" in watched.why


def test_one_at_a_time_and_who_waits_can_stop(session):
    first, second, third = session(), session(), session()
    assert waited(lambda: first.steps) and second.waits and third.waits and not second.options
    third.close()
    third.thread.join(LIMIT)
    assert not third.thread.is_alive() and third.process is None and not first.over
    first.close()
    assert waited(lambda: second.steps) and not second.waits


def test_what_cannot_be_watched_is_one_line(live, checkpoints):
    watched = live.Session("broken", 100.0).start(checkpoints / "tiny", b"no video at all" * 20)
    watched.thread.join(LIMIT)
    assert watched.over and watched.error.startswith("the clip: ") and "\n" not in watched.error


def test_a_process_that_is_killed_is_said(session):
    watched = session()
    assert waited(lambda: watched.steps)
    watched.process.kill()
    watched.thread.join(LIMIT)
    assert "has ended" in watched.error and watched.over


def test_a_clip_is_looped_at_its_own_pace(live, video):
    """Without waiting for it: the clock is wound by whoever waits."""
    stopped = threading.Event()
    stopped.wait = lambda seconds: None
    frames = list(islice(live.looped(video, 32, stopped), 90))  # of a film of 40
    assert [frame.time for frame in frames] == pytest.approx([number / 25 for number in range(90)])
    assert (frames[41].picture == frames[1].picture).all()


def test_memory_is_bounded(live, monkeypatch):
    watched = live.Session("square", 100.0)
    for number in range(2 * live.MOST):
        watched.steps.append(dropped(number))
    assert len(watched.steps) == live.MOST
    assert len(watched.look()) == 10 * live.SECONDS


def test_the_page(live, network):
    app = page(opened(), "live")
    assert healthy(app) and "looped" in app.info[0].value and not sliders(app)
    app.select_slider(key="deadline").set_value(300)
    press(app, "Start")
    watched = app.session_state["live"]
    try:
        assert healthy(app) and watched.deadline == 300.0
        assert waited(lambda: any(step.configuration for step in watched.steps))
        app.run()
        assert healthy(app) and set(numbers(app)) == {"Answer", "By", "It took", "In time"} and "trace" in charts(app)
        app.select_slider(key="deadline").set_value(50)
        app.slider(key="work").set_value(1).run()
        assert app.session_state["live"] is watched and not watched.over
        assert (watched.deadline, watched.load.count) == (50.0, 1)
        assert app.slider(key="work").max == PROCESSORS
        press(app, "Stop")
        assert watched.over and watched.load.count == 0 and not sliders(app)
        assert healthy(app) and "trace" in charts(app)  # what was, is still to be seen
    finally:
        watched.close()
        watched.thread.join(LIMIT)


def test_who_leaves_the_page_watches_no_more(live):
    app = page(opened(), "live")
    press(app, "Start")
    watched = app.session_state["live"]
    app.slider(key="work").set_value(1).run()
    assert watched.load.count == 1
    app.switch_page("views/about.py").run()
    assert watched.over and watched.load.count == 0
    watched.thread.join(LIMIT)


def test_another_clip_is_another_session(live):
    app = page(opened(), "live")
    press(app, "Start")
    first = app.session_state["live"]
    app.selectbox(key="clip").set_value("Lunges").run()
    second = app.session_state["live"]
    assert first.over and not second.over and healthy(app)
    second.close()
    second.thread.join(LIMIT)


def sliders(app) -> list[str]:
    return [slider.key for slider in app.slider]


def press(app, name: str) -> None:
    next(button for button in app.button if button.label == name).click()
    app.run()
