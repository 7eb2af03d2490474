"""Sample files of every kind, made on the spot: each container, codec, rotation, rate, aspect, and what people do to
files. `CORPUS` is a name and what writes it: maker(folder) -> path."""

from fractions import Fraction

import av

from tests.numbered import picture, write_video

COUNT = 40


def encoded(name, count=COUNT, size=(48, 64), first=0, **settings):
    """A maker of `count` numbered pictures."""

    def make(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return write_video(folder / name, [picture(first + number, *size) for number in range(count)], **settings)

    return make


def copied(name, source, keep=lambda number, packet: True, shift=0, is_key=None):
    """Packets of what `source` makes, without encoding them anew, `shift` seconds earlier; what a trim does."""

    def make(folder):
        whole = source(folder / "source")
        target = folder / name
        with av.open(str(whole)) as given, av.open(str(target), "w") as taken:
            video = given.streams.video[0]
            stream = taken.add_stream_from_template(video)
            ticks = round(shift / video.time_base)
            for number, packet in enumerate(packet for packet in given.demux(video) if packet.size):
                if not keep(number, packet):
                    continue
                packet.pts, packet.dts = packet.pts - ticks, packet.dts if packet.dts is None else packet.dts - ticks
                packet.stream = stream
                packet.is_keyframe = packet.is_keyframe if is_key is None else is_key(number)
                taken.mux(packet)
        return target

    return make


def from_keyframe(number):
    """Keeps packets from the first keyframe that is not before `number`."""
    is_open = [False]

    def keep(place, packet):
        is_open[0] = (is_open[0] and place > 0) or (place >= number and packet.is_keyframe)
        return is_open[0]

    return keep


def joined(name, *sources):
    """One file after the other, byte by byte."""

    def make(folder):
        parts = [source(folder / str(number)).read_bytes() for number, source in enumerate(sources)]
        (folder / name).write_bytes(b"".join(parts))
        return folder / name

    return make


def changed(source, change):
    """A file whose bytes are changed after writing."""

    def make(folder):
        path = source(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def cut(source, share=0.7):
    """What is left of a download that broke off."""
    return changed(source, lambda data: data[: int(len(data) * share)])


def several(name, *tracks):
    """Several video streams in one file, each (pictures, size, settings); the order is that of the streams."""

    def make(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with av.open(str(folder / name), "w") as container:
            streams = []
            for count, (height, width), settings in tracks:
                stream = container.add_stream(settings.get("codec", "libx264"), rate=25)
                stream.width, stream.height, stream.pix_fmt = width, height, settings.get("pixels", "yuv420p")
                stream.codec_context.thread_count = 1
                stream.disposition = av.stream.Disposition(settings.get("disposition", 0))
                streams.append((stream, count))
            for stream, count in streams:
                for number in range(count):
                    frame = av.VideoFrame.from_ndarray(picture(number, stream.height, stream.width), "rgb24")
                    frame = frame.reformat(format=stream.pix_fmt)
                    frame.pts, frame.time_base = number, Fraction(1, 25)
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
        return folder / name

    return make


SHORT = {"g": 10, "keyint_min": 10, "sc_threshold": 0}  # a keyframe every 10 frames
LONG = {"g": 250, "keyint_min": 250, "sc_threshold": 0}
HEVC = {"codec": "libx265", "preset": "ultrafast"}
OPEN = {"x264-params": "open-gop=1"}
MPEG2 = {"codec": "mpeg2video", "g": 10}
HEVC_LOG = "log-level=none:pools=none:frame-threads=1"
DEFAULT, COVER = 1, 1 << 10

CORPUS = {
    # containers
    "mp4": encoded("a.mp4", **SHORT, bf=2),
    "mp4 fragmented": encoded("a.mp4", **SHORT, mux={"movflags": "frag_keyframe+empty_moov"}),
    "mov": encoded("a.mov", **SHORT, bf=2),
    "3gp": encoded("a.3gp", **SHORT, bf=0),
    "mkv": encoded("a.mkv", **SHORT, bf=2),
    "ts": encoded("a.ts", **SHORT, bf=2),
    "m2ts": encoded("a.m2ts", **SHORT, bf=2),
    "flv": encoded("a.flv", **SHORT, bf=2),
    "avi": encoded("a.avi", **SHORT, bf=0),
    "avi with B-frames": encoded("a.avi", **SHORT, bf=2),
    "raw h264": encoded("a.h264", **SHORT, bf=2),
    "raw h264 of 30": encoded("a.h264", rate=30, **SHORT, bf=2),
    "raw hevc": encoded("a.hevc", rate=30, **HEVC, **{"x265-params": f"{HEVC_LOG}:keyint=10"}),
    "raw m4v": encoded("a.m4v", codec="mpeg4", rate=30, g=10),
    "raw mpeg2": encoded("a.m2v", codec="mpeg2video", rate=30, g=10, bf=2),
    "mpg": encoded("a.mpg", **MPEG2, bf=2),
    "vob": encoded("a.vob", **MPEG2, bf=0),
    "webm": encoded("a.webm", codec="libvpx", g=10, deadline="realtime"),
    "webm live": encoded("a.webm", codec="libvpx-vp9", g=10, deadline="realtime", mux={"live": "1"}),
    "ivf": encoded("a.ivf", codec="libvpx", g=10, deadline="realtime"),
    "nut": encoded("a.nut", **SHORT, bf=2),
    "mxf": encoded("a.mxf", **MPEG2, size=(64, 96)),
    "wmv": encoded("a.wmv", codec="wmv2", g=10),
    "gif": encoded("a.gif", codec="gif", pixels="rgb8"),
    "y4m": encoded("a.y4m", codec="rawvideo", rate=30),
    "dv": encoded("a.dv", 10, codec="dvvideo", size=(576, 720), pixels="yuv420p"),
    # codecs
    "mpeg1": encoded("a.mpg", codec="mpeg1video", g=10, bf=2),
    "mpeg4 in avi": encoded("a.avi", codec="mpeg4", g=10, bf=2),
    "mpeg4 in mp4": encoded("a.mp4", codec="mpeg4", g=10),
    "msmpeg4": encoded("a.avi", codec="msmpeg4", g=10),
    "h263": encoded("a.3gp", 20, codec="h263", g=10, size=(144, 176), rate=30, base=Fraction(1001, 30000)),
    "mjpeg": encoded("a.avi", codec="mjpeg", pixels="yuvj420p"),
    "mjpeg 422": encoded("a.mov", codec="mjpeg", pixels="yuvj422p"),
    "png": encoded("a.mov", codec="png", pixels="rgb24"),
    "apng": encoded("a.apng", codec="apng", pixels="rgb24"),
    "prores": encoded("a.mov", 20, codec="prores_ks", pixels="yuv422p10le"),
    "dnxhd": encoded("a.mov", 6, codec="dnxhd", profile="dnxhr_lb", pixels="yuv422p", size=(128, 256)),
    "ffv1": encoded("a.mkv", codec="ffv1", pixels="yuv420p"),
    "huffyuv": encoded("a.avi", codec="huffyuv", pixels="yuv422p"),
    "qtrle": encoded("a.mov", codec="qtrle", pixels="rgb24"),
    "vp9": encoded("a.webm", codec="libvpx-vp9", g=10, deadline="realtime"),
    "vp9 with hidden frames": encoded("a.mp4", codec="libvpx-vp9", g=20, **{"auto-alt-ref": 1, "lag-in-frames": 10}),
    "vp8 with hidden frames": encoded("a.webm", codec="libvpx", g=20, **{"auto-alt-ref": 1, "lag-in-frames": 10}),
    "av1": encoded("a.mp4", 20, codec="libsvtav1", g=10, preset=12, size=(64, 64), **{"svtav1-params": "lp=1"}),
    "hevc": encoded("a.mp4", **HEVC, **{"x265-params": f"{HEVC_LOG}:keyint=10:open-gop=0"}),
    "hevc in layers": encoded("a.mkv", codec="libx265", **{"x265-params": f"{HEVC_LOG}:keyint=40:temporal-layers=3"}),
    "hevc in layers in ts": encoded("a.ts", codec="libx265", **{"x265-params": f"{HEVC_LOG}:temporal-layers=3"}),
    # rotations
    **{
        f"turned by {angle}{' and mirrored' * flip}": encoded("a.mp4", 12, turn=(angle, flip, False))
        for angle in (0, 90, 180, 270)
        for flip in (False, True)
        if angle or flip
    },
    "turned in mkv": encoded("a.mkv", 12, turn=(90, False, False)),
    "turned and wide": encoded("a.mp4", 12, turn=(90, False, False), aspect=Fraction(4, 3)),
    # rates
    **{
        f"{float(rate):.5g} a second": encoded("a.mp4", rate=rate, base=1 / Fraction(rate), **SHORT)
        for rate in (1, 10, Fraction(24000, 1001), Fraction(30000, 1001), 50, 60, 120)
    },
    "variable rate": encoded("a.mp4", 6, ticks=[0, 1, 2, 10, 11, 30], base=Fraction(1, 30), bf=2),
    "variable rate in mkv": encoded("a.mkv", 6, ticks=[0, 1, 2, 10, 11, 30], base=Fraction(1, 30), bf=2),
    "one frame": encoded("a.mp4", 1),
    # aspects and pixels
    "wide pixels": encoded("a.mp4", 12, aspect=Fraction(32, 27)),
    "narrow pixels": encoded("a.mkv", 12, aspect=Fraction(8, 9)),
    "wide pixels in mpg": encoded("a.mpg", 12, codec="mpeg2video", size=(576, 720), aspect=Fraction(64, 45)),
    "odd size": encoded("a.mp4", 12, size=(49, 63), pixels="yuv444p"),
    "odd size in 420": encoded("a.mp4", 12, size=(51, 65), codec="mpeg4"),
    "full range": encoded("a.mp4", 12, pixels="yuvj420p"),
    "422": encoded("a.mp4", 12, pixels="yuv422p"),
    "444": encoded("a.mp4", 12, pixels="yuv444p"),
    "grey": encoded("a.mp4", 12, pixels="gray"),
    "rgb": encoded("a.mp4", 12, codec="libx264rgb", pixels="rgb24"),
    "ten bits": encoded("a.mp4", 12, pixels="yuv420p10le"),
    "ten bits 422": encoded("a.mp4", 12, pixels="yuv422p10le"),
    "ten bits hevc": encoded("a.mp4", 12, pixels="yuv420p10le", **HEVC, **{"x265-params": HEVC_LOG}),
    "bt709": encoded("a.mp4", 12, colorspace="bt709"),
    # groups
    "open groups h264": encoded("a.mkv", **SHORT, bf=3, **OPEN),
    "open groups in ts": encoded("a.ts", **SHORT, bf=3, **OPEN),
    "open groups hevc": encoded("a.mp4", **HEVC, **{"x265-params": f"{HEVC_LOG}:keyint=10:min-keyint=10:open-gop=1"}),
    "open groups mpeg2": encoded("a.ts", **MPEG2, bf=2),
    "intra refresh": encoded("a.mp4", g=10, bf=0, **{"x264-params": "intra-refresh=1"}),
    "interlaced": encoded("a.ts", **SHORT, size=(64, 64), **{"x264-params": "tff=1"}),
    "one keyframe": encoded("a.mp4", **LONG, bf=3),
    "one keyframe in mkv": encoded("a.mkv", **LONG, bf=3),
    # edit lists and trims
    "edit list": encoded("a.mp4", ticks=range(-15, 25), **SHORT, bf=3),
    "edit list that hides the only keyframe": encoded("a.mp4", ticks=range(-15, 25), **LONG, bf=3),
    "edit list before open groups": encoded("a.mp4", ticks=range(-15, 25), **SHORT, bf=3, **OPEN),
    "trim without encoding": copied("b.mp4", encoded("a.mp4", **LONG, bf=3), shift=0.6),
    "trim of hevc": copied("b.mp4", encoded("a.mp4", **HEVC, **{"x265-params": HEVC_LOG}), shift=0.6),
    "trim without encoding in mkv": copied("b.mkv", encoded("a.mp4", **LONG, bf=3), shift=0.6),
    "negative times": encoded("a.mkv", ticks=range(-10, 30), **SHORT),
    "late start": encoded("a.ts", ticks=range(10**6, 10**6 + COUNT), **SHORT),
    "clock that overflows": encoded("a.ts", ticks=range(2383700, 2383740), **SHORT, bf=0),
    # starts between keyframes
    "start between in ts": copied("b.ts", encoded("a.ts", **SHORT, bf=2), lambda number, packet: number >= 13),
    "start between in mkv": copied("b.mkv", encoded("a.mkv", **SHORT, bf=2), lambda number, packet: number >= 13),
    "start between in mp4": copied("b.mp4", encoded("a.mp4", **SHORT, bf=0), lambda number, packet: number >= 13),
    "start between open groups": copied(
        "b.ts", encoded("a.ts", **SHORT, bf=3, **OPEN), lambda number, packet: number >= 10
    ),
    "start between in mpeg2": copied("b.ts", encoded("a.ts", **MPEG2, bf=2), lambda number, packet: number >= 13),
    "start at an open group of hevc": copied(
        "b.mp4",
        encoded("a.mp4", **HEVC, **{"x265-params": f"{HEVC_LOG}:keyint=10:min-keyint=10:open-gop=1:bframes=3"}),
        from_keyframe(5),
    ),
    # flags that are wrong
    "all called keyframes": copied("b.mp4", encoded("a.mp4", **LONG, bf=0), is_key=lambda number: True),
    "all called keyframes in mkv": copied("b.mkv", encoded("a.mp4", **LONG, bf=0), is_key=lambda number: True),
    "some called keyframes": copied("b.mp4", encoded("a.mp4", **LONG, bf=2), is_key=lambda number: number % 7 == 0),
    "all mpeg4 called keyframes": copied("b.mp4", encoded("a.mp4", codec="mpeg4", g=250), is_key=lambda number: True),
    "all hevc called keyframes": copied(
        "b.mp4", encoded("a.mp4", **HEVC, **{"x265-params": HEVC_LOG}), is_key=lambda number: True
    ),
    "all vp8 called keyframes": copied(
        "b.webm", encoded("a.webm", codec="libvpx", g=250, deadline="realtime"), is_key=lambda number: True
    ),
    "an old encoder that the first packet names": changed(
        encoded("a.mp4", **SHORT, bf=0, pixels="yuv444p"),
        lambda data: data.replace(b"x264 - core 16", b"x264 - core 12"),
    ),
    # joined
    "joined ts": joined("ab.ts", encoded("a.ts", 20, **SHORT), encoded("a.ts", 20, first=20, **SHORT)),
    "joined ts with B-frames": joined(
        "ab.ts", encoded("a.ts", 25, **SHORT, bf=2), encoded("a.ts", 20, first=25, **SHORT, bf=2)
    ),
    "joined after a pause": joined(
        "ab.ts", encoded("a.ts", 20, **SHORT), encoded("a.ts", 20, first=20, ticks=range(1000, 1020), **SHORT)
    ),
    "joined mpg": joined(
        "ab.mpg",
        encoded("a.mpg", 20, **MPEG2),
        encoded("a.mpg", 20, first=20, **MPEG2),
    ),
    "joined h264": joined("ab.h264", encoded("a.h264", 20, **SHORT), encoded("a.h264", 20, first=20, **SHORT)),
    # cut
    "cut mp4": cut(encoded("a.mp4", **SHORT, bf=2, mux={"movflags": "faststart"})),
    "cut mkv": cut(encoded("a.mkv", **SHORT, bf=2)),
    "cut avi": cut(encoded("a.avi", **SHORT, bf=0), 0.9),
    "cut ts": cut(encoded("a.ts", **SHORT, bf=2)),
    "cut flv": cut(encoded("a.flv", **SHORT, bf=2)),
    "cut webm": cut(encoded("a.webm", codec="libvpx", g=10, deadline="realtime")),
    "cut mpg": cut(encoded("a.mpg", **MPEG2, bf=2)),
    # several streams
    "the second by default": several("a.mp4", (10, (48, 64), {}), (30, (48, 64), {"disposition": DEFAULT})),
    "the second larger": several("a.mkv", (10, (48, 64), {}), (30, (96, 128), {})),
    "a large thumbnail": several(
        "a.mp4", (1, (192, 256), {"codec": "mjpeg", "pixels": "yuvj420p"}), (30, (48, 64), {"disposition": DEFAULT})
    ),
}
SECOND = ("the second by default", "the second larger", "a large thumbnail")  # whose second stream is shown
