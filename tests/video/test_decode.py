import os
import struct
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import a3d.video.reader
from a3d.datasets import ClipSet
from a3d.video import Video, VideoError
from a3d.video.decode import header_duration

FORMATS = {
    "H.264": ("clip.mp4", {"bf": 0, "g": 12}),
    "H.264 with B-frames": ("clip.mp4", {"bf": 3, "g": 12}),
    "one keyframe": ("clip.mp4", {"bf": 3, "g": 250, "sc_threshold": 0}),
    "open groups": ("clip.mkv", {"g": 10, "bf": 3, "x264-params": "open-gop=1"}),
    "transport stream": ("clip.ts", {"g": 12, "bf": 3}),
    "AVI without display times": ("clip.avi", {"g": 12, "bf": 3}),
    "no container": ("clip.h264", {"bf": 3}),
    "ten bits": ("clip.mp4", {"pixels": "yuv420p10le", "g": 12}),
    "full range": ("clip.mp4", {"pixels": "yuvj420p", "g": 12}),
    "HEVC": ("clip.mp4", {"codec": "libx265", "x265-params": "log-level=none:keyint=12:open-gop=1:pools=none"}),
    "MPEG-4": ("clip.avi", {"codec": "mpeg4", "bf": 2}),
    "VP8": ("clip.webm", {"codec": "libvpx", "g": 12, "deadline": "realtime"}),
    "VP9, no length": ("clip.webm", {"codec": "libvpx-vp9", "g": 12, "mux": {"live": "1"}, "deadline": "realtime"}),
    "VP9 with alpha": ("clip.webm", {"codec": "libvpx-vp9", "pixels": "yuva420p", "deadline": "realtime"}),
    "GIF": ("clip.gif", {"codec": "gif", "pixels": "rgb8"}),
    "PNG with alpha": ("clip.mov", {"codec": "png", "pixels": "rgba"}),
    "sixteen pixels": ("clip.mp4", {"size": (16, 16), "g": 12}),
    "odd size": ("clip.mp4", {"size": (49, 63), "pixels": "yuv444p", "g": 12}),
    "threads": ("clip.mp4", {"size": (480, 640), "g": 12, "preset": "ultrafast"}),
    "negative times": ("clip.mkv", {"ticks": range(-10, 30), "g": 12}),
    "late start": ("clip.ts", {"ticks": range(10**6, 10**6 + 40), "g": 12}),
}


@pytest.mark.parametrize("name, settings", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_its_frames_in_order_and_by_number(encode, numbers, name, settings):
    video = Video(encode(name, 40, **settings))
    frames = video.read(range(40))
    assert len(video) == 40
    assert numbers(frames) == list(range(40))
    assert video.times == pytest.approx(np.arange(40) / 25, abs=1e-3)
    assert (video.frame_rate, video.duration) == (pytest.approx(25), pytest.approx(1.6))
    assert frames.shape == (40, video.height, video.width, 3)
    for indices in ([39], [0, 39], [38, 3, 3, 20], [25, 24]):
        assert torch.equal(video.read(indices), frames[indices]), indices


def test_webm_without_length_declares_none(encode):
    path = encode("clip.webm", 5, codec="libvpx", mux={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None and container.streams.video[0].frames == 0
    assert Video(path).duration == pytest.approx(0.2)


def test_variable_frame_rate_follows_the_timestamps(encode, numbers):
    ticks = [0, 1, 2, 10, 11, 30]
    video = Video(encode("clip.mp4", 6, ticks=ticks, base=Fraction(1, 30), bf=2))
    assert video.times == pytest.approx(np.array(ticks) / 30)
    assert (video.frame_rate, video.duration) == (pytest.approx(5.0), pytest.approx(1.2))
    assert numbers(video.read([5, 3])) == [5, 3]


def test_frames_before_an_edit_list_are_left_out(encode, numbers):
    video = Video(encode("clip.mp4", 30, ticks=range(-10, 20), bf=3))  # the muxer hides what comes before zero
    assert video.times == pytest.approx(np.arange(20) / 25)
    assert numbers(video.read(range(20))) == list(range(10, 30))


def test_pictures_that_vp8_does_not_show_are_not_counted(encode, tmp_path, numbers):
    whole = encode("whole.webm", 12, codec="libvpx")
    with av.open(str(whole)) as source, av.open(str(tmp_path / "hidden.webm"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux() if packet.size):
            data = bytearray(bytes(packet))
            if number == 5:
                data[0] &= ~0x10
            copy = av.Packet(bytes(data))
            copy.pts, copy.dts, copy.time_base, copy.stream = packet.pts, packet.dts, packet.time_base, stream
            copy.is_keyframe = packet.is_keyframe
            target.mux(copy)
    video = Video(tmp_path / "hidden.webm")
    assert numbers(video.read(range(len(video)))) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]


ONE = 1 << 16
TURNS = {  # a, b, c, d of the display matrix, and the stored picture whose display is upright
    "none": ((ONE, 0, 0, ONE), lambda upright: upright),
    "90 degrees to the right": ((0, ONE, -ONE, 0), lambda upright: np.rot90(upright, 1)),
    "upside down": ((-ONE, 0, 0, -ONE), lambda upright: np.rot90(upright, 2)),
    "90 degrees to the left": ((0, -ONE, ONE, 0), lambda upright: np.rot90(upright, -1)),
    "mirrored": ((-ONE, 0, 0, ONE), lambda upright: upright[:, ::-1]),
    "mirrored top to bottom": ((ONE, 0, 0, -ONE), lambda upright: upright[::-1]),
    "transposed": ((0, ONE, ONE, 0), lambda upright: upright.swapaxes(0, 1)),
    "transposed and turned": ((0, -ONE, -ONE, 0), lambda upright: np.rot90(upright, 2).swapaxes(0, 1)),
}


@pytest.mark.parametrize("numbers_of_matrix, stored", TURNS.values(), ids=TURNS)
def test_turned_and_mirrored_clips_come_upright(tmp_path, write, numbers_of_matrix, stored):
    upright = np.zeros((48, 64, 3), dtype=np.uint8)
    upright[:12, :16], upright[:12, 48:], upright[36:, :16] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    path = write(tmp_path / "clip.mp4", [np.ascontiguousarray(stored(upright))] * 3, crf=10, pixels="yuv444p")
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44  # the matrix in the track header: a b u c d v x y w
    a, b, c, d = numbers_of_matrix
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    video = Video(path)
    assert (video.height, video.width) == (48, 64)
    assert (video.read([2])[0].int() - torch.from_numpy(upright).int()).abs().float().mean() < 3


@pytest.mark.parametrize(
    "orientation, turned",
    [(1, lambda x: x), (3, lambda x: x[::-1, ::-1]), (6, np.rot90), (8, lambda x: np.rot90(x, 3))],
)
def test_a_photograph_is_a_video_of_one_upright_frame(tmp_path, orientation, turned):
    upright = np.zeros((48, 64, 3), dtype=np.uint8)
    upright[:12, :16], upright[36:, :16] = (255, 0, 0), (0, 0, 255)
    image = Image.fromarray(np.ascontiguousarray(turned(upright)))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "photo.png", exif=exif)
    video = Video(tmp_path / "photo.png")
    assert (len(video), video.width, video.height) == (1, 64, 48)
    assert torch.equal(video.read([0])[0], torch.from_numpy(upright))


def test_colours_are_red_green_blue(tmp_path, write):
    image = np.full((32, 32, 3), (200, 120, 30), dtype=np.uint8)
    frame = Video(write(tmp_path / "clip.mp4", [image], crf=5)).read([0])[0]
    assert frame[16, 16].tolist() == pytest.approx([200, 120, 30], abs=6)


def test_one_frame_is_a_video(encode, numbers):
    video = Video(encode("clip.mp4", 1, rate=10))
    assert (len(video), video.duration, video.frame_rate) == (1, pytest.approx(0.1), 10)
    assert numbers(video.read([0, 0, 0])) == [0, 0, 0]


def test_a_stream_that_changes_size_keeps_that_of_its_first_picture(encode, tmp_path, numbers):
    parts = encode("a.h264", 4), encode("b.h264", 4, size=(96, 128))
    (tmp_path / "both.h264").write_bytes(parts[0].read_bytes() + parts[1].read_bytes())
    frames = Video(tmp_path / "both.h264").read(range(8))
    assert frames.shape == (8, 48, 64, 3)
    assert numbers(frames) == [0, 1, 2, 3] * 2


def test_short_side_shrinks_as_it_decodes_and_never_enlarges(encode):
    video = Video(encode("clip.mp4", 3, size=(96, 128)))
    assert video.read([0, 2], short_side=48).shape == (2, 48, 64, 3)
    assert torch.equal(video.read([0], short_side=200), video.read([0]))


def test_numbers_outside_the_video_are_refused(encode):
    video = Video(encode("clip.mp4", 3))
    for indices in ([3], [-1], []):
        with pytest.raises(IndexError, match=r"frames 0 to 2"):
            video.read(indices)


def test_only_what_leads_to_the_wanted_frames_is_decoded(encode, numbers, monkeypatch):
    video = Video(encode("clip.mp4", 64, g=8, bf=0, sc_threshold=0))
    fed, decoded = [], a3d.video.reader.decode
    monkeypatch.setattr(a3d.video.reader, "decode", lambda *given: fed.append(given) or decoded(*given))
    assert numbers(video.read([61, 3])) == [61, 3]  # frames 0 to 3, then 56 to 61
    assert len(fed) == 10


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm", "clip.ts"])
def test_a_seek_stops_at_the_last_keyframe_before_what_is_wanted(encode, numbers, monkeypatch, name):
    """Also with B-frames, where a keyframe is decoded earlier than it is shown."""
    codec = {"codec": "libvpx"} if name.endswith("webm") else {"bf": 3, "sc_threshold": 0}
    video = Video(encode(name, 64, g=16, keyint_min=16, **codec))
    fed, decoded = [], a3d.video.reader.decode
    monkeypatch.setattr(a3d.video.reader, "decode", lambda *given: fed.append(given) or decoded(*given))
    assert numbers(video.read([50])) == [50] and 48 in video._keys
    assert len(fed) <= 8  # 48 to 50, what is decoded before it is shown, and the end


def test_pictures_that_no_other_refers_to_are_not_decoded_on_the_way(encode, numbers, monkeypatch):
    video = Video(encode("clip.mp4", 40, g=40, bf=3, **{"x264-params": "b-adapt=0:b-pyramid=none", "sc_threshold": 0}))
    given, decoded = [], a3d.video.reader.decode
    monkeypatch.setattr(a3d.video.reader, "decode", lambda *fed: given.append(decoded(*fed)) or given[-1])
    assert numbers(video.read([6, 39])) == [6, 39]
    assert sum(map(len, given)) == 12  # every fourth and the last, which refer to each other, and frame 6


@pytest.mark.parametrize("moment", [None, 1 << 80], ids=["too far", "not at all"])
def test_a_container_that_does_not_seek_where_it_should_is_read_from_its_start(encode, numbers, moment):
    video = Video(encode("clip.mp4", 40, g=8, sc_threshold=0))
    seeks = video._index.seeks
    seeks[16] = seeks[32] if moment is None else seeks[16]._replace(moment=moment)
    assert numbers(video.read([20])) == [20]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi"])
def test_a_truncated_clip_gives_what_is_left(encode, numbers, name):
    path = encode(name, 40, g=8, bf=0, mux={"movflags": "faststart"} if name.endswith("mp4") else None)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.8)])
    video = Video(path)
    assert 5 < len(video) < 40
    whole = range(len(video) - 1)  # the last packet is cut, what it shows is the decoder's guess
    assert numbers(video.read(range(len(video))))[:-1] == list(whole)


def test_a_damaged_middle_shows_the_frame_before_it(encode, numbers, capfd):
    path = encode("clip.mp4", 40, g=8, bf=0, sc_threshold=0)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    data = bytearray(path.read_bytes())
    for packet in packets[20:24]:
        data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(data)
    assert numbers(Video(path).read(range(40))) == [*range(20), 19, 19, 19, 19, *range(24, 40)]
    assert capfd.readouterr() == ("", "")


def empty(path, whole):
    path.write_bytes(b"")


def text(path, whole):
    path.write_text("not a clip\n" * 100)


def noise(path, whole):
    path.write_bytes(np.random.default_rng(0).bytes(20_000))


def playlist(path, whole):
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{whole}\n#EXT-X-ENDLIST\n")


def sound(path, whole):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))


def without_index(path, whole):
    data = whole.read_bytes()
    path.write_bytes(data[: data.index(b"moov")])


def without_pictures(path, whole):
    data = whole.read_bytes()
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    path.write_bytes(data[:start] + bytes(end - start) + data[end:])


def folder(path, whole):
    path.mkdir()


def nothing(path, whole):
    pass


UNREADABLE = "not a video that FFmpeg can read (Invalid data found when processing input); give a whole video file"
BROKEN = {
    empty: "the file is empty; give a video file",
    text: UNREADABLE,
    noise: UNREADABLE,
    playlist: UNREADABLE,
    sound: "not a video by its content; give a video file, no playlist, list or sound",
    without_index: UNREADABLE,
    without_pictures: "no picture can be decoded; the file is damaged, replace it",
    folder: "it is a folder; give a video file",
    nothing: "no such file; check the path",
}


@pytest.mark.parametrize("make, cause", BROKEN.items(), ids=[make.__name__ for make in BROKEN])
def test_what_is_no_clip_is_one_line_with_cause_and_remedy(encode, tmp_path, capfd, make, cause):
    path = tmp_path / "broken clip.mp4"
    make(path, encode("whole.mp4", 3))
    with pytest.raises(VideoError) as caught:
        Video(path)
    assert str(caught.value) == f"{path}: {cause}"
    assert capfd.readouterr() == ("", "")


def test_a_cover_picture_is_no_video(encode, tmp_path):
    with av.open(str(encode("cover.mov", 1, codec="png", pixels="rgb24"))) as source:
        picture = next(packet for packet in source.demux() if packet.size)
        with av.open(str(tmp_path / "song.mp4"), "w") as target:
            song = target.add_stream("aac", rate=8000)
            cover = target.add_stream_from_template(source.streams.video[0])
            cover.disposition = av.stream.Disposition.attached_pic
            for start in range(0, 8192, 1024):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 8000, start
                target.mux(song.encode(frame))
            target.mux(song.encode(None))
            picture.stream = cover
            target.mux(picture)
    with pytest.raises(VideoError, match="no video stream"):
        Video(tmp_path / "song.mp4")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files where the system tells them")
def test_every_file_is_closed(encode, tmp_path):
    path = encode("clip.mp4", 40, g=8)
    text(tmp_path / "text.mp4", path)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        Video(path).read([0, 39])
        with pytest.raises(VideoError):
            Video(tmp_path / "text.mp4")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_name_that_looks_like_a_protocol_is_a_name(encode, monkeypatch):
    path = encode("clip.mp4", 3)
    path.rename(path.with_name("concat:clip.mp4"))
    monkeypatch.chdir(path.parent)
    assert len(Video("concat:clip.mp4")) == 3


def test_a_file_that_vanishes_is_named(encode):
    path = encode("clip.mp4", 3)
    video = Video(path)
    path.unlink()
    with pytest.raises(VideoError, match=r"clip\.mp4: no such file"):
        video.read([0])


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
def test_the_header_tells_the_duration(encode, name):
    path = encode(name, 40)
    assert header_duration(path) == pytest.approx(Video(path).duration, abs=0.05)


def test_a_header_that_tells_nothing(encode, tmp_path):
    path = encode("clip.webm", 40, codec="libvpx", mux={"live": "1"})
    assert header_duration(path) is None
    assert ClipSet().duration(path) == pytest.approx(1.6, abs=0.05)
    text(tmp_path / "text.mp4", path)
    with pytest.raises(VideoError, match=r"text\.mp4: not a video that FFmpeg can read"):
        header_duration(tmp_path / "text.mp4")
