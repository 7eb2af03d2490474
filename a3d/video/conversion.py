"""From a decoded frame to a picture as it is to be seen: RGB, upright, its pixels square."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

PLAIN = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "rgb24")  # converted alike by every way through FFmpeg
ASPECTS = Fraction(1, 10), Fraction(10)  # a pixel's width over its height, beyond which it is a mistake

QUARTERS = ((False, False, False), (True, False, True), (False, True, True), (True, True, False))  # to the left


class Coded(NamedTuple):
    """How the pictures of a stream are stored: their size in pixels, and what makes them upright and square.

    upright: transpose, then mirror left to right, then mirror top to bottom. aspect: of a pixel, width over height.
    """

    width: int
    height: int
    upright: tuple[bool, bool, bool] = QUARTERS[0]
    aspect: Fraction = Fraction(1)

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as the picture is seen; its lines are kept, and made wider or narrower."""
        width = max(1, round(self.width * self.aspect))
        return (self.height, width) if self.upright[0] else (width, self.height)


def coded(frame: VideoFrame, aspect: Fraction | None) -> Coded:
    """How a frame is stored; `aspect` is its pixels' as the file says."""
    is_sane = aspect and ASPECTS[0] <= aspect <= ASPECTS[1]
    return Coded(frame.width, frame.height, orientation(frame), aspect if is_sane else Fraction(1))


class Converter:
    """Makes frames of a stream uint8 (H, W, 3), all of one size.

    The colours are those of the `ffmpeg` program. It takes chroma to lie in the middle of its pixels, where a call of
    swscale alone follows the stream, which makes a difference where chroma is scaled: with more than 8 bits.
    """

    def __init__(self, stored: Coded) -> None:
        self._stored = stored
        self._wide = stored.shown[::-1] if stored.upright[0] else stored.shown
        # One for all, on one thread: setting one up costs ten times the conversion of a small frame.
        self._colours, self._widths = VideoReformatter(), VideoReformatter()
        self._graphs: dict[tuple, av.filter.Graph] = {}

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        upright = orientation(frame)
        width, height = self._stored.width, self._stored.height  # some streams change size midway
        is_plain = frame.format.name in PLAIN and not frame.height % 2
        if is_plain or (frame.width, frame.height) != (width, height):
            rgb = self._colours.reformat(frame, width, height, "rgb24", threads=1)
        else:
            rgb = self._filtered(frame)
        if self._wide != (width, height):
            rgb = self._widths.reformat(rgb, *self._wide, "rgb24", interpolation=Interpolation.BICUBIC, threads=1)
        return turned(rgb.to_ndarray(), upright)

    def _filtered(self, frame: VideoFrame) -> VideoFrame:
        key = frame.format.name, frame.colorspace, frame.color_range
        graph = self._graphs.get(key) or self._graphs.setdefault(key, _graph(frame))
        graph.push(frame)
        return graph.pull()


def _graph(frame: VideoFrame) -> av.filter.Graph:
    """What the program puts between a decoder and rgb24."""
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000))
    scale, form, sink = graph.add("scale", "flags=bicubic"), graph.add("format", "rgb24"), graph.add("buffersink")
    source.link_to(scale)
    scale.link_to(form)
    form.link_to(sink)
    graph.configure()
    return graph


def orientation(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """What makes a picture upright: transpose, then mirror left to right, then mirror top to bottom."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 cannot list side data when one is of a kind it does not know, EXIF for one
        return QUARTERS[round(frame.rotation / 90) % 4]
    if matrix is None:
        return QUARTERS[0]
    a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5].tolist()  # x' = a x + c y, y' = b x + d y
    return (True, c < 0, b < 0) if abs(b) > abs(a) else (False, a < 0, d < 0)


def turned(picture: np.ndarray, upright: tuple[bool, bool, bool]) -> np.ndarray:
    """(H, W, 3) as it is to be seen."""
    transpose, across, down = upright
    if transpose:
        picture = picture.swapaxes(0, 1)
    return np.ascontiguousarray(picture[:: -1 if down else 1, :: -1 if across else 1])
