"""Windows of a stream: which frames, when, and that only the newest waits."""

import weakref
from threading import Event

import pytest
import torch

from a3d.deploy.live.loop import Window
from a3d.deploy.live.windows import Newest, sliding_windows
from a3d.video import Sampling, VideoError
from a3d.video.stream import Frame

SAMPLING = Sampling(frames=4, stride=2, spatial=32)  # 4 × 2 frames: 0.6 s from first to last at 10 a second


def frames(numbers, rate=10):
    """Frame i holds the value i."""
    for i in numbers:
        yield Frame(i / rate, 100 + i / rate, torch.full((2, 2, 3), i, dtype=torch.uint8))


def values(window):
    return window.frames[:, 0, 0, 0].tolist()


def test_every_half_second():
    windows = list(sliding_windows(frames(range(20)), SAMPLING, 10, 0.5))
    assert [window.number for window in windows] == [0, 1, 2]
    assert [values(window) for window in windows] == [[0, 2, 4, 6], [5, 7, 9, 11], [10, 12, 14, 16]]
    assert [window.time for window in windows] == pytest.approx([0.6, 1.1, 1.6])
    assert [window.arrived for window in windows] == pytest.approx([100.6, 101.1, 101.6])


def test_more_often_than_there_are_frames_is_every_frame():
    windows = list(sliding_windows(frames(range(12)), SAMPLING, 10, 0.001))
    assert [values(window)[-1] for window in windows] == list(range(6, 12))
    assert [window.number for window in windows] == list(range(6))


def test_the_pace_may_change():
    pace = iter([0.2] * 10 + [0.4] * 10)
    windows = list(sliding_windows(frames(range(20)), SAMPLING, 10, lambda: next(pace)))
    assert [window.time for window in windows] == pytest.approx([0.6, 0.8, 1.0, 1.4, 1.8])
    assert [window.number for window in windows] == list(range(5))


def test_skipped_frames_give_no_windows_but_numbers():
    """Nothing between 7 and 13: the windows that would have ended there are missing, the rest keep their places."""
    windows = list(sliding_windows(frames([*range(8), *range(13, 18)]), SAMPLING, 10, 0.2))
    assert [window.number for window in windows] == [0, 3, 4, 5]
    assert values(windows[1]) == [7, 7, 7, 13]  # what was shown at those moments


def test_a_stream_shorter_than_a_window_gives_one():
    (window,) = sliding_windows(frames(range(3)), SAMPLING, 10, 0.5)
    assert values(window) == [0, 2, 2, 2] and window.number == 0
    assert list(sliding_windows(frames([]), SAMPLING, 10, 0.5)) == []


def test_memory_does_not_grow():
    pictures = []

    def noted():
        for frame in frames(range(200)):
            pictures.append(weakref.ref(frame.picture))
            yield frame

    for _ in sliding_windows(noted(), SAMPLING, 10, 0.1):
        assert sum(picture() is not None for picture in pictures) <= 9


def make(numbers, gate=None):
    def windows(stopped):
        for number in numbers:
            yield Window(number, 0.0, 0.0)
        if gate:
            gate.set()

    return windows


def test_what_waits_is_replaced_by_what_is_newer():
    gate = Event()
    newest = Newest(make(range(100), gate))
    gate.wait(5)
    assert [window.number for window in newest] == [99]
    newest.close()


def test_errors_of_the_thread_come_out_after_what_it_made():
    def broken(stopped):
        yield Window(0, 0.0, 0.0)
        raise VideoError("camera: unplugged")

    newest, seen = Newest(broken), []
    with pytest.raises(VideoError, match="unplugged"):
        for window in newest:
            seen.append(window.number)
    assert seen == [0]
    newest.close()


def test_closing_ends_an_endless_stream():
    def endless(stopped):
        number = 0
        while True:
            yield Window(number, 0.0, 0.0)
            number += 1
            stopped.wait(0.001)

    newest = Newest(endless)
    assert next(iter(newest)).number >= 0
    newest.close()
    assert not newest._thread.is_alive()
