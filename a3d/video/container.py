"""Opening a file: what counts as a video, by its content alone, and which of its streams is shown."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from errno import EINVAL
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from a3d.errors import A3DError
from a3d.video.limits import LIMITS, Limits

# Demuxers of files that hold their own pictures. Playlists, lists of files and patterns of names are none of them.
CONTAINERS = (
    "apng,asf,av1,avi,bmp_pipe,cavsvideo,dirac,dv,film_cpk,flv,gif,gxf,h261,h263,h264,hevc,"
    "ivf,jpeg_pipe,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegtsraw,mpegvideo,mxf,nsv,nut,obu,"
    "ogg,png_pipe,rm,tiff_pipe,vc1,vc1test,vvc,webm,webp_pipe,wtv,yuv4mpegpipe"
)
PATTERN = re.compile(r"[%*?\[\]{}]")  # what FFmpeg would take for the name of many files
THREADED_PIXELS = 16 * 640 * 480  # of all pictures to decode, below which starting threads costs more than they bring
DEFAULT_STREAM = 5_000_000  # pixels that the mark "default" is worth where FFmpeg chooses a stream


class VideoError(A3DError, ValueError):
    """A file that gives no frames; one line: the path, the cause, the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(letter if letter.isprintable() else "\ufffd" for letter in message))


class Doubt(Exception):
    """A way to decode that is quicker than from the start, in order, on one thread, may show something else."""


class File(NamedTuple):
    """An open file and the stream that is shown. until: when decoding has taken too long, on the monotonic clock."""

    path: Path
    container: InputContainer
    stream: VideoStream
    limits: Limits
    until: float


@contextmanager
def opened(path: Path, pictures: int = 1, limits: Limits = LIMITS) -> Iterator[File]:
    """The file, closed at the end; nothing else is ever opened.

    Threads are started if that many `pictures` to decode are worth them, for 0 never. Raises VideoError.
    """
    with ExitStack() as stack:
        container = open_file(path, limits, stack)
        until = time.monotonic() + limits.seconds
        stream = shown_stream(container, path, limits)
        _check_size(stream, path, limits)
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}
        if pictures * stream.width * stream.height >= THREADED_PIXELS:
            stream.thread_type = "AUTO"
        else:
            stream.codec_context.thread_count = 1
        yield File(path, container, stream, limits, until)


def open_file(path: Path, limits: Limits, stack: ExitStack) -> InputContainer:
    """The container of a file, entered on the `stack`. Raises VideoError for what is no video by its content."""
    check(path)
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS, "max_pixels": str(limits.pixels)}
    try:
        source = str(path.absolute())  # absolute: `concat:a.mp4` is a name
        if PATTERN.search(source):
            source = stack.enter_context(os.fdopen(os.open(source, os.O_RDONLY), "rb"))
        container = stack.enter_context(av.open(source, options=options, metadata_errors="replace"))
    except (av.FFmpegError, OSError, IndexError) as error:
        raise VideoError(f"{path}: {_cause(error)}") from None
    if len(container.streams) > limits.streams:
        raise VideoError(f"{path}: it has more than {limits.streams} streams; keep the one with the pictures")
    return container


def _cause(error: Exception) -> str:
    if getattr(error, "errno", None) == EINVAL:
        return "not a video by its content; give a video file, no playlist, list or sound"
    return f"not a video that FFmpeg can read ({getattr(error, 'strerror', None) or error}); give a whole video file"


def check(path: Path) -> None:
    """Raises VideoError for what is no file, or an empty one."""
    try:
        is_folder, is_file, size = path.is_dir(), path.is_file(), path.stat().st_size if path.exists() else 0
    except (OSError, ValueError) as error:  # a name that is too long, or holds a null byte
        cause = getattr(error, "strerror", None) or error
        raise VideoError(f"{path}: no such file ({cause}); check the path") from None
    if is_folder:
        raise VideoError(f"{path}: it is a folder; give a video file")
    if not is_file:
        raise VideoError(f"{path}: no such file; check the path")
    if size == 0:
        raise VideoError(f"{path}: the file is empty; give a video file")


def video_streams(container: InputContainer, path: str | Path) -> list[VideoStream]:
    """The streams that can be decoded, without cover pictures. Raises VideoError if there is none."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not streams:
        raise VideoError(f"{path}: it has no video stream; give a file with pictures")
    readable = [stream for stream in streams if stream.codec_context is not None]
    if not readable:
        raise VideoError(f"{path}: FFmpeg has no decoder for its video; convert it to H.264")
    return readable


def prominence(stream: VideoStream) -> int:
    """By what FFmpeg chooses the stream to show: its pixels, the mark "default" counting for many."""
    return stream.width * stream.height + DEFAULT_STREAM * bool(stream.disposition & Disposition.default)


def shown_stream(container: InputContainer, path: Path, limits: Limits) -> VideoStream:
    """The stream that players show. Raises VideoError if there is none that can be decoded."""
    streams = video_streams(container, path)
    return streams[0] if len(streams) == 1 else container.streams[_shown_number(path, limits)]


def _shown_number(path: Path, limits: Limits) -> int:
    """The number of the stream to show of several; one of a single picture is a thumbnail beside one with more."""
    with ExitStack() as stack:
        container = open_file(path, limits, stack)
        streams = video_streams(container, path)
        counts = dict.fromkeys([stream.index for stream in streams], 0)
        for packet in until_broken(container, streams):
            counts[packet.stream_index] += 1
            if min(counts.values()) > 1:
                break
        return max(streams, key=lambda stream: (min(2, counts[stream.index]), prominence(stream))).index


def _check_size(stream: VideoStream, path: Path, limits: Limits) -> None:
    if stream.width * stream.height > limits.pixels:
        raise VideoError(
            f"{path}: pictures of {stream.width}×{stream.height}, more than {limits.pixels} pixels; give smaller ones"
        )


def packets(file: File) -> Iterator[Packet]:
    """The packets that hold data, up to the end or to where the file breaks off.

    Raises VideoError when decoding takes longer than the limit.
    """
    clock, until = time.monotonic, file.until
    for packet in until_broken(file.container, [file.stream]):
        if clock() > until:
            raise VideoError(f"{file.path}: decoding took more than {file.limits.seconds:g} s; give a shorter video")
        yield packet


def until_broken(container: InputContainer, streams: list[Stream]) -> Iterator[Packet]:
    """The packets of some streams that hold data, up to the end or to where the file breaks off."""
    try:
        for packet in container.demux(streams):
            if packet.size:
                yield packet
    except (av.FFmpegError, IndexError):  # the latter is PyAV's end of a file in which a stream appeared late
        return


def decode(stream: VideoStream, packet: Packet | None, is_strict: bool = False) -> list[VideoFrame]:
    """What comes out of the decoder for a packet, nothing if that is broken; None asks for all it still holds.

    is_strict: raise Doubt for what is broken.
    """
    try:
        frames = stream.codec_context.decode(packet)
    except av.FFmpegError:
        if is_strict:
            raise Doubt from None
        return []
    if is_strict and any(frame.is_corrupt for frame in frames):
        raise Doubt
    return frames
