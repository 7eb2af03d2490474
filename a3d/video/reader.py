"""Frames of a file by number.

On the way to the frames asked for, pictures that no other refers to are not decoded, and the file is left as soon as
the last of them is in the decoder. A seek is not trusted: some decoders must have seen the first packet, and some files
call keyframes what is none. So the first packet goes first, and what comes out after the seek must be a keyframe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from a3d.video.container import Damaged, File, VideoError, decode, opened, packets
from a3d.video.conversion import Converter
from a3d.video.index import alone, read_index
from a3d.video.limits import LIMITS, Limits

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
        self._has_threads = True
        self._keys = np.unique(np.array([0, *self._index.seek], dtype=np.int64))

    def __len__(self) -> int:
        return len(self._index.times)

    def pictures(self, numbers: Sequence[int]) -> Iterator[np.ndarray]:
        """The frames of the ascending `numbers` as uint8 (H, W, 3), RGB.

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
        before = self._keys[np.searchsorted(self._keys, wanted, side="right") - 1]
        splits = np.flatnonzero(before[1:] - wanted[:-1] > SEEK_GAP) + 1
        for run in np.split(np.arange(len(wanted)), splits):
            yield int(before[run[0]]), wanted[run]

    def _frames(self, wanted: np.ndarray) -> Iterator[VideoFrame]:
        """The frame shown at each of the `wanted` numbers."""
        given = 0
        try:
            for frame in self._decoded(wanted):
                yield frame
                given += 1
        except Damaged:
            self._has_threads = False
            yield from self._decoded(wanted[given:])

    def _decoded(self, wanted: np.ndarray) -> Iterator[VideoFrame]:
        """The same, from one opening of the file."""
        runs = list(self._runs(wanted))
        count = sum(int(run[-1]) - key + 1 for key, run in runs)
        with opened(self.path, count * self._has_threads, self.limits) as file:
            if runs[0][0]:
                _introduce(file)
            for key, run in runs:
                yield from self._shown(file, key, run)

    def _shown(self, file: File, key: int, run: np.ndarray) -> Iterator[VideoFrame]:
        """The frames shown at the ascending numbers `run`, decoding from keyframe `key` on."""
        stamps = (run if self._index.stamps is None else self._index.stamps[run]).tolist()
        if key:
            file.container.seek(self._index.seek[key], stream=file.stream)
        frames = self._stamped(file, stamps)
        first = next(frames, None)
        if first and (not key or (first[0] <= stamps[0] and _starts(first[1]))):
            yield from _latest(chain([first], frames), stamps)
        elif key:  # the container cannot seek to where it says it can, or calls a keyframe what is none
            self._keys = self._keys[:1]
            with opened(self.path, (int(run[-1]) + 1) * self._has_threads, self.limits) as again:
                yield from self._shown(again, 0, run)
        else:
            raise VideoError(f"{self.path}: no picture can be decoded any more; the file changed, open it again")

    def _stamped(self, file: File, stamps: list[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with the stamps of the index: their numbers where they are known by their place."""
        if self._index.stamps is None:
            return enumerate(_decode(file))
        frames = _decode(file, set(stamps))
        return ((frame.pts, frame) for frame in frames if frame.pts is not None)


def _introduce(file: File) -> None:
    """Shows the decoder the first packet."""
    first = next(packets(file), None)
    if first is not None:
        alone(file.stream, first)


def _starts(frame: VideoFrame) -> bool:
    """Whether a frame is a keyframe, as it comes out of the decoder."""
    return frame.key_frame and frame.pict_type == PictureType.I and not frame.is_corrupt


def _decode(file: File, wanted: set[int] | None = None) -> Iterator[VideoFrame]:
    """The frames in display order; with the stamps that are `wanted`, those and the ones that they refer to."""
    skips = wanted is not None and not _has_layers(file.stream)
    for packet in packets(file):
        if skips:
            file.stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        yield from decode(file.stream, packet)
        if wanted is not None:
            wanted.discard(packet.pts)
            if not wanted:
                break
    yield from decode(file.stream, None)


def _has_layers(stream: VideoStream) -> bool:
    """Whether pictures that their own layer does not refer to may be needed by another: HEVC, unless it has but one."""
    extra = stream.codec_context.extradata or b""
    return stream.codec_context.name == "hevc" and (len(extra) < 22 or extra[0] != 1 or (extra[21] >> 3) & 7 != 1)


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
