"""Clips made on the spot, whose frames tell their number, so that a test proves which frame it got."""

from fractions import Fraction

import av
import numpy as np
import pytest

BITS = 6  # of a number, as stripes from left to right; the lowest quarter stays black so that up and down differ


def picture(number, height=48, width=64):
    stripes = [255 * (number >> bit & 1) for bit in range(BITS)]
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[: height * 3 // 4] = np.repeat(stripes, -(-width // BITS))[:width, None]
    return image


def read_numbers(frames):
    """The numbers of uint8 (n, H, W, 3)."""
    height, width = frames.shape[1:3]
    band = frames[:, height // 4 : height // 2].float().mean((1, 3))
    stripe = -(-width // BITS)
    bits = [band[:, bit * stripe : min(width, (bit + 1) * stripe)].mean(1) > 128 for bit in range(BITS)]
    return sum(bit.long() << place for place, bit in enumerate(bits)).tolist()


def write_video(
    path,
    pictures,
    *,
    codec="libx264",
    ticks=None,
    rate=25,
    base=None,
    pixels="yuv420p",
    mux=None,
    aspect=None,
    turn=None,
    **options,
):
    """Encodes (H, W, 3) uint8 `pictures`; `ticks` are their times in units of `base` seconds (default 1 / `rate`).

    aspect: of a pixel. turn: the arguments of `set_display_rotation`.
    """
    base = base or Fraction(1, rate)
    with av.open(str(path), "w", container_options=mux or {}) as container:
        stream = container.add_stream(codec, rate=rate, options={key: str(value) for key, value in options.items()})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = base
        stream.codec_context.thread_count = 1
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(*turn)
        for tick, image in zip(ticks or range(len(pictures)), pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def numbers():
    """numbers(frames) -> the numbers that the pictures show."""
    return read_numbers


@pytest.fixture
def write():
    """write(path, pictures, ...) -> path."""
    return write_video


@pytest.fixture
def encode(tmp_path):
    """encode("clip.mp4", count, size=(height, width), ...) -> path of `count` numbered pictures, at most 64."""

    def encode(name, count, size=(48, 64), **settings):
        return write_video(tmp_path / name, [picture(number, *size) for number in range(count)], **settings)

    return encode


@pytest.fixture
def root(tmp_path, encode):
    """walk: 2 clips and a note; jump run: 1 clip."""
    for name in ("walk", "jump run"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for name in ("walk/b.mp4", "walk/a.MKV", "jump run/c.mp4"):
        encode(f"data/{name}", 60)
    (tmp_path / "data" / "walk" / "note.txt").write_text("not a clip")
    (tmp_path / "data" / "walk" / "._b.mp4").write_text("what a Mac leaves beside b.mp4")
    (tmp_path / "data" / ".hidden").mkdir()
    return tmp_path / "data"
