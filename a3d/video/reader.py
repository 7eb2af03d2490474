"""Frames of a file by number.

On the way to the frames asked for, pictures that no other refers to are not decoded, and the file is left as soon as
the last of them is in the decoder. A seek is not trusted: some decoders must have seen the first packet, some files
call keyframes what is none, some containers lead elsewhere. So the first packet goes first, what comes out after the
seek must be a keyframe, and its packets those of a read from the start. Once anything is in doubt, the file is decoded
from the start, in order and on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from a3d.video.container import Doubt, File, VideoError, decode, opened, packets
from a3d.video.conversion import Converter
from a3d.video.index import alone, read_index
from a3d.video.limits import LIMITS, Limits

SKIPPING = ("h264", "mpeg1video", "mpeg2video", "mpeg4", "vp8")  # decoders that pass over pictures when they are told
SEEK_GAP = 8  # frames that are rather decoded than skipped by a seek, which costs the decoder what it holds


class Reader:
    """The frames of a file by number, in display order, upright and with square pixels.

    path: any container and codec that FFmpeg reads, but for playlists and the like.

    .times: float64 (N,), seconds from the first frame, strictly ascending
    .frame_rate: frames a second, the average over the clip
    .duration: seconds, with the last frame's own
    .width, .height: pixels, as the picture is seen
    Raises VideoError if there is not one frame to be had, or more than `limits`.
    """

    def __init__(self, path: str | Path, limits: Limits = LIMITS) -> None:
        self.path, self.limits = Path(path), limits
        self._index = read_index(self.path, limits)
        self.times = self._index.times
        self.frame_rate = (len(self) - 1) / float(self.times[-1]) if len(self) > 1 else float(self._index.rate)
        self.duration = float(self.times[-1]) + 1 / self.frame_rate
        self.width, self.height = self._index.stored.shown
        self._is_doubtful = not self._index.is_whole
        self._keys = np.unique(np.array([0, *self._index.seeks], dtype=np.int64))

    def __len__(self) -> int:
        return len(self._index.times)

    def pictures(self, numbers: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the frames of the ascending `numbers` as uint8 (H, W, 3), RGB.

        A frame that does not decode is replaced by the latest before it that does, much as a player does.
        Raises VideoError if nothing decodes, IndexError for numbers that are not in the video.
        """
        wanted = np.asarray(numbers, dtype=np.int64)
        if not len(wanted) or wanted[0] < 0 or wanted[-1] >= len(self):
            raise IndexError(f"{self.path} has frames 0 to {len(self) - 1}, asked for {list(numbers)}")
        convert = Converter(self._index.stored)
        return map(convert, self._frames(wanted))

    def _runs(self, wanted: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """The ascending `wanted`, split where it pays to seek, each with the keyframe to start from."""
        keys = self._keys[:1] if self._is_doubtful else self._keys
        before = keys[np.searchsorted(keys, wanted, side="right") - 1]
        splits = np.flatnonzero(before[1:] - wanted[:-1] > SEEK_GAP) + 1
        for run in np.split(np.arange(len(wanted)), splits):
            yield int(before[run[0]]), wanted[run]

    def _frames(self, wanted: np.ndarray) -> Iterator[VideoFrame]:
        """The frame shown at each of the `wanted` numbers; decoded from the start where a quicker way is in doubt."""
        while len(wanted):
            try:
                for frame in self._decoded(wanted):
                    yield frame
                    wanted = wanted[1:]
            except Doubt:
                self._is_doubtful = True

    def _decoded(self, wanted: np.ndarray) -> Iterator[VideoFrame]:
        """The same, from one opening of the file."""
        runs = list(self._runs(wanted))
        count = 0 if self._is_doubtful else sum(int(run[-1]) - key + 1 for key, run in runs)
        with opened(self.path, count, self.limits) as file:
            if runs[0][0]:
                _introduce(file)
            for key, run in runs:
                yield from self._shown(file, key, run)

    def _shown(self, file: File, key: int, run: np.ndarray) -> Iterator[VideoFrame]:
        """The frames shown at the ascending numbers `run`, decoding from keyframe `key` on."""
        is_strict = not self._is_doubtful
        if self._index.stamps is None:
            stamps, frames = run.tolist(), enumerate(_decoded(file, packets(file), is_strict))
        else:
            stamps = self._index.stamps[run].tolist()
            wanted = set(stamps) if is_strict else None
            found = _decoded(file, self._packets(file, key), is_strict, wanted)
            frames = ((frame.pts, frame) for frame in found if frame.pts is not None)
        first = next(frames, None)
        if key and not (first and first[0] <= stamps[0] and _is_start(first[1])):
            raise Doubt
        if first is None:
            raise VideoError(f"{self.path}: no picture can be decoded any more; the file changed, open it again")
        yield from _latest(chain([first], frames), stamps, is_strict)

    def _packets(self, file: File, key: int) -> Iterator[Packet]:
        """The packets from keyframe `key` on, if they are those of a read from the start."""
        if not key:
            yield from packets(file)
            return
        (moment, begin), (stamps, sizes) = self._index.seeks[key], self._index.packets
        try:
            file.container.seek(moment, stream=file.stream)
        except (av.FFmpegError, OverflowError):
            raise Doubt from None
        for place, packet in enumerate(packets(file), begin):
            if place >= len(stamps) or packet.pts != stamps[place] or packet.size != sizes[place]:
                raise Doubt
            yield packet


def _introduce(file: File) -> None:
    """Shows the decoder the first packet."""
    first = next(packets(file), None)
    if first is not None:
        alone(file.stream, first)


def _is_start(frame: VideoFrame) -> bool:
    """Whether a frame is a keyframe, as it comes out of the decoder."""
    return frame.key_frame and frame.pict_type == PictureType.I and not frame.is_corrupt


def _decoded(
    file: File, fed: Iterator[Packet], is_strict: bool, wanted: set[int] | None = None
) -> Iterator[VideoFrame]:
    """The frames in display order; with the stamps that are `wanted`, those and the ones that they refer to.

    is_strict: raise Doubt for an error, but before the first frame, where a recording may begin between keyframes.
    """
    skips, is_shown = wanted is not None and _has_skips(file.stream), False
    for packet in fed:
        if skips:
            file.stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        frames = decode(file.stream, packet, is_strict and is_shown)
        is_shown = is_shown or bool(frames)
        yield from frames
        if wanted is not None:
            wanted.discard(packet.pts)
            if not wanted:
                break
    yield from decode(file.stream, None, is_strict and is_shown)


def _has_skips(stream: VideoStream) -> bool:
    """Whether what no picture refers to can be passed over; in HEVC, another layer may refer to it all the same."""
    name, extra = stream.codec_context.name, stream.codec_context.extradata or b""
    has_one_layer = len(extra) > 21 and extra[0] == 1 and (extra[21] >> 3) & 7 == 1
    return name in SKIPPING or (name == "hevc" and has_one_layer)


def _latest(frames: Iterator[tuple[int, VideoFrame]], stamps: Sequence[int], is_strict: bool) -> Iterator[VideoFrame]:
    """For each of the ascending `stamps` the latest frame not after it, the first frame if there is none.

    is_strict: raise Doubt if it is not the very frame.
    """
    shown, place = None, 0
    for stamp, frame in frames:
        while shown is not None and place < len(stamps) and stamps[place] < stamp:
            if is_strict:
                raise Doubt
            yield shown
            place += 1
        shown = frame
        if place < len(stamps) and stamps[place] == stamp:
            yield shown
            place += 1
        if place == len(stamps):
            return
    if is_strict:
        raise Doubt
    yield from [shown] * (len(stamps) - place)
