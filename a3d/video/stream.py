"""Frames as they come: a file at its own pace, a camera, an address. Nothing is known of what follows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import av
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from torch import Tensor

from a3d.video.container import VideoError, open_file, prominence, shown_stream, video_streams
from a3d.video.conversion import coded, turned
from a3d.video.index import declared_rate
from a3d.video.limits import LIMITS

CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
PROTOCOLS = "http,https,tcp,tls,udp,udplite,rtp,rtsp,rtmp,rtmps,rtmpt,srt,srtp,sctp,crypto,httpproxy,mmsh,mmst,ftp,data"
SILENCE = 10.0  # seconds without data after which an address or a camera is given up


class Frame(NamedTuple):
    """This is a frame as it came.

    time: seconds from the first frame. arrived: on the clock, seconds. picture: uint8 (H, W, 3), RGB, upright.
    """

    time: float
    arrived: float
    picture: Tensor


class Stream:
    """Gives the frames of a source, once. Use it `with`.

    source: a file, played at its own pace; an address, as `rtsp://…`; a camera, its number or `/dev/video0`.
    short_side: larger pictures are brought to it. late: seconds behind a file's pace from which frames are skipped.

    .frame_rate: frames a second, as declared. Raises VideoError for a source that does not open.
    """

    def __init__(self, source: str | Path, short_side: int, late: float = 0.2) -> None:
        self.source, self._short_side, self._late = str(source), short_side, late
        self._paced = not (_is_camera(self.source) or "://" in self.source)
        with ExitStack() as stack:
            self._container, self._stream = _open(self.source, stack)
            self._closing = stack.pop_all()
        self.frame_rate = float(declared_rate(self._stream, is_raw=False))
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.close()

    def frames(
        self, clock: Callable[[], float] = time.monotonic, wait: Callable[[float], object] = time.sleep
    ) -> Iterator[Frame]:
        """Up to the end. A frame of a file arrives when it is to be shown, however late it is decoded.

        Raises VideoError if there is no picture at all, or an address or a camera breaks off.
        """
        start, shown = None, -float("inf")
        for seconds, frame in self._timed():
            now = clock()
            start = now - seconds if start is None or not self._paced else start
            due = start + seconds
            if now - due > self._late and now - shown < self._late:
                continue  # catching up; one now and then is shown all the same
            if due > now:
                wait(due - now)
            shown = now
            yield Frame(seconds, due, self._picture(frame))
        if start is None:
            raise VideoError(f"{self.source}: no picture can be decoded; give a video, a camera or an address")

    def _timed(self) -> Iterator[tuple[float, VideoFrame]]:
        """Seconds from the first frame, ascending, and frames."""
        first, before, tick = None, -1.0, self._stream.time_base
        for number, frame in enumerate(self._decoded()):
            stamp = number / self.frame_rate if frame.pts is None else float(frame.pts * tick)
            first = stamp if first is None else first
            if stamp - first > before:
                before = stamp - first
                yield before, frame

    def _decoded(self) -> Iterator[VideoFrame]:
        """Damaged packets are passed over; a damaged end is the end of a file, and an error of anything live."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError as error:
                if self._paced:
                    return
                raise VideoError(f"{self.source}: it broke off ({error.strerror}); check it and start again") from None
            try:
                yield from packet.decode()
            except av.FFmpegError:
                continue

    def _picture(self, frame: VideoFrame) -> Tensor:
        stored = coded(frame, self._stream.sample_aspect_ratio)
        width, height = stored.shown[::-1] if stored.upright[0] else stored.shown
        scale = min(1.0, self._short_side / min(width, height))
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        rgb = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1)
        return torch.from_numpy(turned(rgb.to_ndarray(), stored.upright))


def _open(source: str, stack: ExitStack) -> tuple[InputContainer, VideoStream]:
    """The source, entered on the stack, and what it shows. An address is never led to a file of this machine."""
    if not _is_camera(source) and "://" not in source:
        container = open_file(Path(source), LIMITS, stack)
        return container, shown_stream(container, Path(source), LIMITS)
    name, options, form = source, {"protocol_whitelist": PROTOCOLS}, None
    if _is_camera(source):
        form, pattern = CAMERAS.get(sys.platform, CAMERAS["linux"])
        name, options = pattern.format(source) if source.isdecimal() else source, {}
    try:
        container = av.open(name, format=form, options=options, timeout=SILENCE, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise VideoError(f"{source}: it does not open ({cause}); give a file, an address or a camera") from None
    return stack.enter_context(container), max(video_streams(container, source), key=prominence)


def _is_camera(source: str) -> bool:
    return source.isdecimal() or source.startswith("/dev/video")
