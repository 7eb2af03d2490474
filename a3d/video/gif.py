"""From frames to a GIF that loops: it shows wherever pictures do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from a3d.errors import InputError
from a3d.video.encode import write_whole

TICK = Fraction(1, 100)  # seconds: what a GIF counts time in
FASTEST = 50.0  # frames a second: browsers take faster ones for a mistake, and show them slowly


def write_gif(path: str | Path, frames: Sequence[np.ndarray], frame_rate: float) -> Path:
    """Write frames uint8 (H, W, 3) RGB, all of one size, as a GIF that loops for ever; return the path.

    All frames share 256 colours, the best for the whole of them. A frame stands for whole hundredths of a second, two
    at least. Folders are made as needed; the file appears under its name only when it is whole. Raises InputError for
    no frames.
    """
    if not len(frames):
        raise InputError("no frames to write: a GIF needs at least one")
    return write_whole(path, lambda unfinished: _encode(unfinished, frames, min(frame_rate, FASTEST)))


def _encode(path: Path, frames: Sequence[np.ndarray], frame_rate: float) -> None:
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=Fraction(frame_rate).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.time_base = width, height, "pal8", TICK
        for picture in _in_256_colours(frames, frame_rate):
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _in_256_colours(frames: Sequence[np.ndarray], frame_rate: float) -> Iterator[av.VideoFrame]:
    """The frames with a palette, by FFmpeg's palettegen and paletteuse."""
    height, width = frames[0].shape[:2]
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format="rgb24", time_base=TICK)
    split, choose = graph.add("split"), graph.add("palettegen")
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=4:diff_mode=rectangle")
    end = graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(choose, 1, 0)
    choose.link_to(use, 0, 1)
    use.link_to(end)
    graph.configure()
    for number, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture.pts, picture.time_base = round(number / frame_rate / TICK), TICK
        source.push(picture)
    source.push(None)  # only now the palette is known
    for _ in frames:
        yield end.pull()
