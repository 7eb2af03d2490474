"""Files that would have other files opened, or ask for more than there is: one line each."""

import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from a3d.video import Video, VideoError
from a3d.video.completeness import cut_off
from a3d.video.limits import LIMITS
from a3d.video.stream import Stream
from tests.corpus import CORPUS, encoded
from tests.numbered import picture

LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nsecret.ts\n#EXT-X-ENDLIST\n",
    "live": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nsecret.ts\n",
    "concat": "ffconcat version 1.0\nfile secret.ts\n",
    "itself": "ffconcat version 1.0\nfile list.mp4\n",
    "dash": '<?xml version="1.0"?>\n<MPD type="static"><Period><AdaptationSet><Representation id="0">'
    "<BaseURL>secret.ts</BaseURL></Representation></AdaptationSet></Period></MPD>\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("name", [f"list.{end}" for end in ("m3u8", "mp4", "txt", "ffconcat", "mpd", "sdp", "ts")])
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_of_other_files_is_refused_before_any_is_opened(tmp_path, kind, name):
    """Whatever its name; the secret is a pipe, at which opening would stop for ever."""
    os.mkfifo(tmp_path / "secret.ts")
    (tmp_path / name).write_text(LISTS[kind])
    for read in (Video, cut_off, lambda path: Stream(path, 128)):
        with pytest.raises(VideoError, match="not a video") as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value) and str(caught.value).count(name) == 1


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match="no such file"):
        Video(tmp_path / "pipe.mp4")


@pytest.mark.parametrize("name", ["50%.png", "frame%03d.png", "a*.png", "a{b}.png", "a[0-9].png", "a?.png"])
def test_a_name_is_a_name_and_no_pattern(tmp_path, name):
    Image.new("RGB", (32, 16)).save(tmp_path / name)
    Image.new("RGB", (64, 48)).save(tmp_path / "frame001.png")
    video = Video(tmp_path / name)
    assert (len(video), video.width, video.height) == (1, 32, 16)


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "..", ".", "a\0b.mp4", "a\nb.mp4", "\x1b[2J.mp4"])
def test_names_that_are_none_are_one_printable_line(tmp_path, name):
    with pytest.raises(VideoError, match=r"no such file|it is a folder") as caught:
        Video(Path(tmp_path, name))
    assert str(caught.value).isprintable()


def png(width, height):
    """A picture of that many pixels, all alike, in a few bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = zlib.compress(bytes(1 + width // 8) * 64)  # not all lines, which is enough for a decoder to make room
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", line) + chunk(b"IEND", b"")


def test_pictures_beyond_the_limit_are_refused_before_there_is_room_for_them(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png(16_000, 16_000))
    with pytest.raises(VideoError, match="more than 40000000 pixels"):
        Video(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "limit, cause",
    [
        ({"pixels": 64 * 48 - 1}, "more than 3071 pixels"),
        ({"frames": 39}, "more than 39 frames"),
        ({"duration": 1.5}, "by its times"),
        ({"seconds": 0.0}, "decoding took more than 0 s"),
        ({"streams": 0}, "more than 0 streams"),
    ],
)
def test_a_limit_is_one_line(tmp_path, limit, cause):
    path = CORPUS["mp4"](tmp_path)
    with pytest.raises(VideoError, match=cause) as caught:
        Video(path, replace(LIMITS, **limit)).read([39])
    assert "\n" not in str(caught.value)


def test_a_video_within_the_limits_is_read(tmp_path):
    path = CORPUS["mp4"](tmp_path)
    limits = replace(LIMITS, pixels=64 * 48, frames=40, duration=1.6, streams=1, memory=2 * 64 * 48 * 3)
    assert len(Video(path, limits).read([0, 39])) == 2
    with pytest.raises(VideoError, match=r"3 frames take .* GB, more than .*; read fewer"):
        Video(path, limits).read([0, 1, 2])
    assert len(Video(path, limits).read(range(8), short_side=24)) == 8


def test_pixels_that_are_absurdly_wide_are_taken_as_square(tmp_path):
    video = Video(encoded("a.mp4", 2, aspect=1000)(tmp_path))
    assert (video.width, video.height) == (64, 48)


def test_a_stream_that_appears_late_is_left_aside(tmp_path):
    """In a transport stream the second begins when the first is half over."""
    with av.open(str(tmp_path / "late.ts"), "w") as container:
        streams = [container.add_stream("mpeg2video", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(400):
            for stream in streams[: 1 + (number > 300)]:
                frame = av.VideoFrame.from_ndarray(picture(number % 64), "rgb24").reformat(format="yuv420p")
                frame.pts = number
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    assert len(Video(tmp_path / "late.ts")) == 400


@pytest.mark.parametrize("name", ["mp4", "mkv", "ts", "avi", "webm", "flv", "mpg", "raw h264", "gif", "mxf", "av1"])
def test_damage_anywhere_is_a_video_error_or_a_video(tmp_path, name):
    """Bytes that are changed, left out, doubled or cut off; what a decoder makes of them is its guess, and no more."""
    data, random = CORPUS[name](tmp_path / "whole").read_bytes(), np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / str(number)
        path.write_bytes(damaged(data, random))
        try:
            video = Video(path)
            assert len(video.read(range(len(video)))) == len(video)
            assert video.read([int(random.integers(len(video)))]).shape[1:] == (video.height, video.width, 3)
            cut_off(path)
        except VideoError as error:
            assert str(error).isprintable() and str(error).startswith(str(path))


def damaged(data, random):
    """One to three changes of a file."""
    for _ in range(random.integers(1, 4)):
        place, length = random.integers(len(data)), random.integers(1, 200)
        match random.integers(4):
            case 0:
                data = data[:place] + random.bytes(length) + data[place + length :]
            case 1:
                data = data[:place] + data[place + length :]
            case 2:
                data = data[: place + length] + data[place:]
            case _:
                data = data[: max(64, place)]
    return data
