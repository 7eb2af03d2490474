"""From a file to frames, through PyAV.

A video is indexed once by reading its packets (a millisecond for a short clip); from then on a frame is asked for by
its number. Numbers follow display order and every frame has its time, so nothing downstream needs a constant frame
rate, a declared length or a first timestamp of zero.

On the way to the frames asked for, pictures that no other refers to are not decoded, and the file is left as soon as
the last of them is in the decoder. Larger pictures are shrunk one by one after conversion, by the same filter as
everywhere (`a3d.video.transforms`): to convert and scale in one call of swscale takes longer, and gives other pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from torch import Tensor

from a3d.video import transforms

DEFAULT_RATE = Fraction(25)  # frames a second of a single picture that declares none
SEEK_GAP = 8  # frames that are rather decoded than skipped by a seek, which costs the decoder what it holds
THREADED_PIXELS = 16 * 640 * 480  # of all pictures to decode, below which starting threads costs more than they bring

QUARTERS = ((False, False, False), (True, False, True), (False, True, True), (True, True, False))  # to the left


class VideoError(ValueError):
    """A file that gives no frames; one line: the path, the cause, the remedy."""


class Index(NamedTuple):
    """What the packets tell about the frames, in display order."""

    stamps: np.ndarray  # int64 (N,), ascending, in units of the stream's time base
    keys: np.ndarray  # int64, the numbers of keyframes; 0 is always one of them
    seek: dict[int, int]  # keyframe number to the timestamp that a container wants to seek to it


class Video:
    """The frames of a file by number, in display order and upright.

    path: any container and codec that FFmpeg reads.

    .times: float64 (N,), seconds from the first frame, strictly ascending
    .frame_rate: frames a second, the average over the clip
    .duration: seconds, with the last frame's own
    .width, .height: pixels, after rotation
    Raises VideoError if there is not one frame to be had.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with _opened(self.path) as (container, stream):
            declared = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
            time_base = stream.time_base
            index, picture = _index(container, stream)
        if picture is None:
            raise VideoError(f"{self.path}: no picture can be decoded; the file is damaged, replace it")
        self._counted = index is None  # packets without times: frames are counted once by decoding them
        self._index = _count(self.path) if index is None else index
        if self._counted:
            time_base = 1 / declared
        ticks = self._index.stamps - self._index.stamps[0]
        self.times = ticks * time_base.numerator / time_base.denominator
        self.frame_rate = (len(self) - 1) / float(self.times[-1]) if len(self) > 1 else float(declared)
        self.duration = float(self.times[-1]) + 1 / self.frame_rate
        self._coded = picture.width, picture.height
        self.width, self.height = self._coded[::-1] if _orientation(picture)[0] else self._coded

    def __len__(self) -> int:
        return len(self._index.stamps)

    def read(self, indices: Sequence[int], short_side: int | None = None) -> Tensor:
        """Frames `indices`, in any order and with repeats, as uint8 (n, H, W, 3), RGB and upright.

        Only these are converted. A frame that does not decode is replaced by the latest before it that was decoded,
        much as a player does. With `short_side`, larger pictures are resized one by one as they are decoded, so that
        a minute of 4K fits in memory.
        Raises IndexError for a number that is not in the video, VideoError if nothing decodes.
        """
        wanted, places = np.unique(np.asarray(indices, dtype=np.int64), return_inverse=True)
        if not len(wanted) or wanted[0] < 0 or wanted[-1] >= len(self):
            raise IndexError(f"{self.path} has frames 0 to {len(self) - 1}, asked for {list(indices)}")
        # One converter for all, on one thread: setting one up costs ten times the conversion of a small frame.
        reformatter = VideoReformatter()
        pictures = [self._convert(frame, reformatter, short_side) for frame in self._frames(list(self._runs(wanted)))]
        # NumPy copies on this thread: on a busy machine PyTorch's others come late, by more than the copy takes.
        return torch.from_numpy(np.stack([pictures[place] for place in places]))

    def _convert(self, frame: VideoFrame, reformatter: VideoReformatter, short_side: int | None) -> np.ndarray:
        rgb = reformatter.reformat(frame, *self._coded, format="rgb24", threads=1)  # some streams change size midway
        picture = _upright(rgb.to_ndarray(), _orientation(frame))
        if short_side is not None and min(picture.shape[:2]) > short_side:
            picture = transforms.short_side(torch.from_numpy(picture)[None], short_side)[0].numpy()
        return picture

    def _runs(self, wanted: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """The ascending `wanted`, split where it pays to seek, each with the keyframe to start from."""
        keys = self._index.keys
        before = keys[np.searchsorted(keys, wanted, side="right") - 1]
        splits = np.flatnonzero(before[1:] - wanted[:-1] > SEEK_GAP) + 1
        for run in np.split(np.arange(len(wanted)), splits):
            yield int(before[run[0]]), wanted[run]

    def _frames(self, runs: list[tuple[int, np.ndarray]]) -> Iterator[VideoFrame]:
        """The frame shown at each of the wanted numbers, from one opening of the file."""
        with _opened(self.path, sum(int(run[-1]) - key + 1 for key, run in runs)) as (container, stream):
            for key, run in runs:
                yield from self._shown(container, stream, key, self._index.stamps[run].tolist())

    def _shown(
        self, container: InputContainer, stream: VideoStream, key: int, stamps: list[int]
    ) -> Iterator[VideoFrame]:
        """The frames shown at the ascending `stamps`, decoding from keyframe `key` on."""
        if key:
            container.seek(self._index.seek[key], stream=stream)
        frames = self._stamped(container, stream, stamps)
        first = next(frames, None)
        if first and (first[0] <= stamps[0] or not key):
            yield from _latest(chain([first], frames), stamps)
        elif key:  # the container cannot seek to where it says it can
            with _opened(self.path) as (again, whole):
                yield from self._shown(again, whole, 0, stamps)
        else:
            raise VideoError(f"{self.path}: no picture can be decoded any more; the file changed, open it again")

    def _stamped(
        self, container: InputContainer, stream: VideoStream, stamps: list[int]
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with the stamps of the index: their numbers where packets bear no times."""
        if self._counted:
            return enumerate(_decode(container, stream))
        frames = _decode(container, stream, set(stamps))
        return ((frame.pts, frame) for frame in frames if frame.pts is not None)


def header_duration(path: str | Path) -> float | None:
    """Seconds as the file itself says, without reading a frame; None if it does not say.

    Raises VideoError for what is no video.
    """
    with _opened(Path(path)) as (container, stream):
        if stream.duration:
            return float(stream.duration * stream.time_base)
        return container.duration / av.time_base if container.duration else None


@contextmanager
def _opened(path: Path, pictures: int = 1) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream, closed at the end; threads if that many `pictures` to decode are worth it."""
    _check(path)
    try:
        container = av.open(str(path.absolute()), metadata_errors="replace")  # absolute: `concat:a.mp4` is a name
    except av.FFmpegError as error:
        raise VideoError(f"{path}: FFmpeg cannot read it ({error.strerror}); give a whole video file") from None
    with container:
        stream = _video_stream(container, path)
        if pictures * stream.width * stream.height >= THREADED_PIXELS:
            stream.thread_type = "AUTO"
        else:
            stream.codec_context.thread_count = 1
        yield container, stream


def _check(path: Path) -> None:
    if path.is_dir():
        raise VideoError(f"{path}: it is a folder; give a video file")
    if not path.is_file():
        raise VideoError(f"{path}: no such file; check the path")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty; give a video file")


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not streams:
        raise VideoError(f"{path}: it has no video stream; give a file with pictures")
    if streams[0].codec_context is None:
        raise VideoError(f"{path}: FFmpeg has no decoder for its video; convert it to H.264")
    return streams[0]


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    """The packets that hold data, up to the end or to where the file breaks off."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        if packet.size:
            yield packet


def _pictures(stream: VideoStream, packet: Packet | None) -> list[VideoFrame]:
    """What comes out of the decoder for a packet, nothing if that is broken; None asks for all it still holds."""
    try:
        return stream.codec_context.decode(packet)
    except av.FFmpegError:
        return []


def _decode(container: InputContainer, stream: VideoStream, wanted: set[int] | None = None) -> Iterator[VideoFrame]:
    """The frames in display order; with the stamps that are `wanted`, those and the ones that they refer to."""
    for packet in _packets(container, stream):
        if wanted is not None:
            stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            wanted.discard(packet.pts)
        yield from _pictures(stream, packet)
        if wanted is not None and not wanted:
            break
    yield from _pictures(stream, None)


def _index(container: InputContainer, stream: VideoStream) -> tuple[Index | None, VideoFrame | None]:
    """The index, None where packets bear no times, and the first picture, None where nothing decodes."""
    shown, picture = [], None
    for packet in _packets(container, stream):
        picture = picture or _alone(stream, packet)
        if not packet.is_discard and not _hidden(packet, stream):
            shown.append((packet.pts, packet.dts, packet.is_keyframe))
    # AVI has no display times: with B-frames what it calls so is the order of decoding.
    unordered = container.format.name == "avi" and stream.codec_context.has_b_frames
    if unordered or any(pts is None for pts, _, _ in shown):
        return None, picture
    stamps = np.unique(np.array([pts for pts, _, _ in shown], dtype=np.int64))
    display = _seeks_by_display(container)
    moments = {pts: pts if display or dts is None else dts for pts, dts, is_key in shown if is_key}
    seek = {int(np.searchsorted(stamps, pts)): moment for pts, moment in moments.items()}
    keys = np.unique(np.array([0, *seek], dtype=np.int64))
    return Index(stamps, keys, seek), picture if shown else None


def _seeks_by_display(container: InputContainer) -> bool:
    """Whether a seek is to a time of display; told one of decoding, it would stop a whole keyframe early."""
    return bool(container.format.flags & Flags.seek_to_pts.value) or "matroska" in container.format.name


def _alone(stream: VideoStream, packet: Packet) -> VideoFrame | None:
    """The picture of a packet that needs no other, without waiting for those that a decoder likes to see first."""
    pictures = [*_pictures(stream, packet), *_pictures(stream, None)]
    stream.codec_context.flush_buffers()
    return pictures[0] if pictures else None


def _hidden(packet: Packet, stream: VideoStream) -> bool:
    """VP8 stores pictures that are only referred to as packets of their own: bit 4 says whether it is shown."""
    return stream.codec_context.name == "vp8" and not bytes(packet)[0] & 0x10


def _count(path: Path) -> Index:
    with _opened(path, 1 << 20) as (container, stream):
        count = sum(1 for _ in _decode(container, stream))
    return Index(np.arange(count), np.zeros(1, dtype=np.int64), {})


def _latest(frames: Iterator[tuple[int, VideoFrame]], stamps: Sequence[int]) -> Iterator[VideoFrame]:
    """For each of the ascending `stamps` the latest frame not after it, the first frame if there is none."""
    shown, place = None, 0
    for stamp, frame in frames:
        while shown is not None and place < len(stamps) and stamps[place] < stamp:
            yield shown
            place += 1
        shown = frame
        if place < len(stamps) and stamps[place] == stamp:
            yield shown
            place += 1
        if place == len(stamps):
            return
    yield from [shown] * (len(stamps) - place)


def _orientation(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """What makes a picture upright: transpose, then mirror left to right, then mirror top to bottom."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 cannot list side data when one is of a kind it does not know, EXIF for one
        return QUARTERS[round(frame.rotation / 90) % 4]
    if matrix is None:
        return QUARTERS[0]
    a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5].tolist()  # x' = a x + c y, y' = b x + d y
    return (True, c < 0, b < 0) if abs(b) > abs(a) else (False, a < 0, d < 0)


def _upright(picture: np.ndarray, orientation: tuple[bool, bool, bool]) -> np.ndarray:
    """(H, W, 3) as it is to be seen."""
    transpose, across, down = orientation
    if transpose:
        picture = picture.swapaxes(0, 1)
    return np.ascontiguousarray(picture[:: -1 if down else 1, :: -1 if across else 1])
