"""Frames by decoding them from the start, one after the other: what files are known by whose packets cannot be trusted.

Each is decoded once and remembered for as long as it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from av.format import Flags
from av.packet import Packet
from av.video.frame import VideoFrame

from a3d.video.container import Doubt, File, decode, opened, packets
from a3d.video.conversion import Coded, coded
from a3d.video.limits import Limits

JUMP = 10.0  # seconds ahead from which FFmpeg takes a broadcast for another recording, joined to the first
BACK = 0.1  # seconds back from which it does
MANY = 1 << 20  # pictures: enough for threads
REMEMBERED = 1 << 14  # files


class Counted(NamedTuple):
    """Frames in the order in which they are shown.

    stored: how the first is, None where nothing decodes. stamps: as frames bear them, in units of the stream's time
    base. ticks: the same without the jumps between joined recordings. end: the stamp of the keyframe counted up to.
    is_whole: every packet gave its frame.
    """

    stored: Coded | None
    stamps: tuple[int | None, ...]
    ticks: tuple[int | None, ...]
    end: int | None
    is_whole: bool


class Clock:
    """Times of packets, in units of the stream's time base, that go on where another recording is joined to the first.

    As in the `ffmpeg` program, by the times of decoding: it goes on where the last packet ends.
    """

    def __init__(self, file: File, rate: Fraction) -> None:
        self._tick, self._frame = file.stream.time_base, round(1 / (rate * file.stream.time_base))
        self._is_broadcast = bool(file.container.format.flags & Flags.ts_discont.value)
        self._offset, self._next = 0, None
        self.packets = 0

    def __call__(self, packet: Packet) -> int | None:
        self.packets += 1
        moment = packet.pts if packet.dts is None else packet.dts
        if moment is None:
            return None
        if self._next is not None and self._jumps((moment + self._offset - self._next) * self._tick):
            self._offset = self._next - moment
        self._next = moment + self._offset + (packet.duration or self._frame)
        return None if packet.pts is None else packet.pts + self._offset

    def _jumps(self, seconds: Fraction) -> bool:
        return seconds < -BACK or (self._is_broadcast and seconds > JUMP)


def decoded(file: File, clock: Clock, is_strict: bool) -> Iterator[tuple[VideoFrame, int | None]]:
    """All frames in display order, with their times by the clock."""
    ticks: dict[int | None, int | None] = {}
    for packet in packets(file):
        ticks[packet.pts] = clock(packet)
        for frame in decode(file.stream, packet, is_strict):
            yield frame, ticks.get(frame.pts)
    for frame in decode(file.stream, None, is_strict):
        yield frame, ticks.get(frame.pts)


@lru_cache(REMEMBERED)
def count(path: Path, state: tuple[int, int], limits: Limits, rate: Fraction, keys: int | None = None) -> Counted:
    """The frames of a file that is in this `state`, its size and time of change; those before keyframe number `keys`.

    rate: frames a second, for packets that do not say how long they last.
    """
    try:
        found = _count(path, limits, rate, keys, is_strict=True)
    except Doubt:  # threads lose pictures at an error
        return _count(path, limits, rate, keys, is_strict=False)
    return found if found.is_whole else _count(path, limits, rate, keys, is_strict=False)


def _count(path: Path, limits: Limits, rate: Fraction, keys: int | None, is_strict: bool) -> Counted:
    stored, stamps, ticks, seen = None, [], [], -1
    with opened(path, MANY if is_strict and keys is None else 0, limits) as file:
        clock = Clock(file, rate)
        for frame, tick in decoded(file, clock, is_strict):
            seen += frame.key_frame
            if seen == keys:
                return Counted(stored, tuple(stamps), tuple(ticks), frame.pts, True)
            stored = stored or coded(frame, file.stream.sample_aspect_ratio)
            stamps.append(frame.pts)
            ticks.append(tick)
    return Counted(stored, tuple(stamps), tuple(ticks), None, len(stamps) == clock.packets)
