"""Frames as they come: a file at its own pace, a camera, an address. Nothing is known of what follows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import av
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from torch import Tensor

from a3d.video.decode import DEFAULT_RATE, VideoError, _check, _orientation, _upright, _video_stream

CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
SILENCE = 10.0  # seconds without data after which an address or a camera is given up


class Frame(NamedTuple):
    """time: seconds from the first frame. arrived: on the clock, seconds. picture: uint8 (H, W, 3), RGB, upright."""

    time: float
    arrived: float
    picture: Tensor


class Stream:
    """The frames of a source, once. Use it `with`.

    source: a file, played at its own pace; an address, as `rtsp://…`; a camera, its number or `/dev/video0`.
    short_side: larger pictures are brought to it. late: seconds behind a file's pace from which frames are skipped.

    .frame_rate: frames a second, as declared. Raises VideoError for a source that does not open.
    """

    def __init__(self, source: str | Path, short_side: int, late: float = 0.2) -> None:
        self.source, self._short_side, self._late = str(source), short_side, late
        self._paced = not (_is_camera(self.source) or "://" in self.source)
        self._container = _open(self.source)
        try:
            self._stream = _video_stream(self._container, self.source)
        except VideoError:
            self._container.close()
            raise
        self.frame_rate = float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_RATE)
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()

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
        scale = min(1.0, self._short_side / min(frame.width, frame.height))
        width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        rgb = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1)
        return torch.from_numpy(_upright(rgb.to_ndarray(), _orientation(frame)))


def _open(source: str) -> InputContainer:
    name, options = source, {}
    if _is_camera(source):
        options["format"], pattern = CAMERAS.get(sys.platform, CAMERAS["linux"])
        name = pattern.format(source) if source.isdecimal() else source
    elif "://" not in source:
        _check(Path(source))
        name = str(Path(source).absolute())
    try:
        return av.open(name, timeout=SILENCE, metadata_errors="replace", **options)
    except (av.FFmpegError, OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise VideoError(f"{source}: it does not open ({cause}); give a file, an address or a camera") from None


def _is_camera(source: str) -> bool:
    return source.isdecimal() or source.startswith("/dev/video")
