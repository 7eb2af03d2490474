"""Frames as they come: in order, at their pace, skipped when late; and what gives none."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import av
import numpy as np
import pytest
import torch

from a3d.video import Video, VideoError
from a3d.video.encode import write_video
from a3d.video.stream import Stream


class Clock:
    """Time passes only where it is waited for, or `spend`s."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        assert seconds > 0
        self.now += seconds


def grey(path, count=30, size=(48, 64), rate=25):
    """Frame i is grey of 8 i."""
    return write_video(path, [np.full((*size, 3), 8 * i, np.uint8) for i in range(count)], rate)


@pytest.fixture
def clip(tmp_path):
    return grey(tmp_path / "clip.mp4")


def test_a_file_at_its_own_pace(clip):
    clock = Clock()
    with Stream(clip, 512) as stream:
        assert stream.frame_rate == 25
        found = []
        for frame in stream.frames(clock, clock.wait):
            assert clock.now == pytest.approx(frame.arrived)
            found.append(frame)
    assert [frame.time for frame in found] == pytest.approx(np.arange(30) / 25)
    assert [frame.arrived for frame in found] == pytest.approx(100 + np.arange(30) / 25)
    whole = Video(clip).read(range(30))
    assert (torch.stack([frame.picture for frame in found]).int() - whole.int()).abs().max() <= 2


def test_large_pictures_are_brought_down_and_small_ones_left(clip, tmp_path):
    tall = grey(tmp_path / "tall.mp4", 2, (120, 90))
    for path, side, shape in ((clip, 24, (24, 32, 3)), (clip, 48, (48, 64, 3)), (tall, 60, (80, 60, 3))):
        with Stream(path, side) as stream:
            assert next(stream.frames(wait=lambda seconds: None)).picture.shape == shape


def test_who_is_late_skips_frames_and_catches_up(clip):
    """The reader stops for half a second after frame 5: what was due is passed over, but for a sign of life."""
    clock, times = Clock(), []
    with Stream(clip, 512, late=0.1) as stream:
        for frame in stream.frames(clock, clock.wait):
            times.append(round(25 * frame.time))
            if times[-1] == 5:
                clock.now += 0.5
            assert frame.arrived == pytest.approx(100 + frame.time)
    assert times == [*range(6), 6, *range(16, 30)]


def test_a_file_that_breaks_off_ends(clip, tmp_path):
    from tests.test_cli import truncated

    truncated(tmp_path / "cut.mkv")
    clock = Clock()
    with Stream(tmp_path / "cut.mkv", 512) as stream:
        assert 1 <= len(list(stream.frames(clock, clock.wait))) < 60


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("none.mp4", "no such file"),
        ("rtsp://127.0.0.1:1/none", "it does not open"),
        ("http://127.0.0.1:1/none.mp4", "it does not open"),
        ("63", "it does not open"),
        ("nothing://at.all", "it does not open"),
    ],
)
def test_what_does_not_open(source, cause):
    with pytest.raises(VideoError, match=f"{source}: {cause}") as caught:
        Stream(source, 512)
    assert "\n" not in str(caught.value)


@pytest.fixture
def served(clip):
    """The address of the clip as a transport stream: at `/whole` it says how long it is, at `/broken` it breaks off."""
    path = clip.with_suffix(".ts")
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            if self.path == "/whole":
                self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            self.wfile.write(path.read_bytes())

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_is_not_waited_for(served):
    clock = Clock()
    with Stream(f"{served}/whole", 512) as stream:
        found = list(stream.frames(clock, clock.wait))
    assert len(found) == 30 and clock.now == 100
    assert [frame.picture.float().mean().item() for frame in found] == pytest.approx(range(0, 240, 8), abs=2)
    assert all(frame.arrived == pytest.approx(100) for frame in found)


def test_an_address_that_breaks_off_is_an_error_after_what_came(served):
    found = []
    with Stream(f"{served}/broken", 512) as stream, pytest.raises(VideoError, match="broken: it broke off"):
        for frame in stream.frames():
            found.append(frame)
    assert 20 <= len(found) <= 30
