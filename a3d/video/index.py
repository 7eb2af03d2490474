"""Which frames a file has, and when: by its packets, and by its pictures where packets cannot be trusted.

Reading packets takes a millisecond for a short clip. It suffices where a file begins with a picture that needs no other
and its times ascend. Where it begins between two of those, or an edit list hides a part, the beginning is decoded.
Recordings joined end to end, packets without times and files that break off are decoded as a whole.
"""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from av.format import ContainerFormat, Flags
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from a3d.video.container import File, VideoError, decode, opened, packets
from a3d.video.conversion import Coded, coded
from a3d.video.counting import JUMP, Counted, count
from a3d.video.limits import Limits

DEFAULT_RATE = Fraction(25)  # frames a second of a single picture that declares none
FASTEST = 1000  # frames a second, above which what a raw stream declares is no rate
NUDGE = 1e-7  # seconds between frames that are said to be shown at once


class Seek(NamedTuple):
    """moment: what the container is told. place: of the packet that it should come to, in the order of the file."""

    moment: int
    place: int


class Index(NamedTuple):
    """The frames in display order.

    times: float64 (N,), seconds from the first, strictly ascending. stamps: int64 (N,), as decoded frames bear them, in
    units of the stream's time base; None where a frame is known by its place alone. seeks: number of a keyframe to the
    way there. stored: how the pictures are. rate: frames a second, as declared. is_whole: no packet is known to give no
    frame. packets: stamp and bytes of each, in the order of the file.
    """

    times: np.ndarray
    stamps: np.ndarray | None
    seeks: dict[int, Seek]
    stored: Coded
    rate: Fraction
    is_whole: bool
    packets: tuple[array, array]


class Packets(NamedTuple):
    """The packets in the order of the file. is_shown: gives a frame, as far as it says. is_whole: none lacks a part."""

    stamps: list[int | None]
    moments: list[int | None]  # of decoding
    sizes: list[int]
    are_keys: list[bool]
    are_shown: list[bool]
    is_whole: bool

    @property
    def shown(self) -> list[int | None]:
        return list(compress(self.stamps, self.are_shown))


class Scan(NamedTuple):
    """What the packets of a file tell.

    first: the picture of the first packet, None if it gives none by itself. is_ordered: each packet that is shown has a
    time of its own, and the times of decoding ascend. unordered: times are no times of display. by_display: a seek is
    to one. rate: frames a second, as declared. tick: seconds. aspect: of a pixel. is_sized: it says how large.
    """

    packets: Packets
    first: VideoFrame | None
    is_ordered: bool
    unordered: bool
    by_display: bool
    rate: Fraction
    tick: Fraction
    aspect: Fraction | None
    is_sized: bool

    @property
    def is_sound(self) -> bool:
        """Whether the file begins with a whole picture that needs no other, and none is shown before it."""
        found, picture = self.packets, self.first
        is_key = picture is not None and picture.key_frame and found.are_keys[0] and found.are_shown[0]
        return (
            is_key and not picture.is_corrupt and not picture.interlaced_frame and found.stamps[0] == min(found.shown)
        )


def read_index(path: Path, limits: Limits) -> Index:
    """Reads a file. Raises VideoError if there is not one frame to be had, or more than the limits allow."""
    scan = _scan(path, limits)
    stored, stamps, times, is_whole = None, None, np.empty(0), True
    if scan.is_ordered and scan.is_sound:
        stored, stamps = coded(scan.first, scan.aspect), np.unique(scan.packets.shown)
    elif scan.is_ordered:
        start = count(path, _state(path), limits, scan.rate, keys=1)
        stored, stamps = start.stored, _from_start(scan.packets.shown, start)
    if stamps is not None:
        times = _seconds(stamps, scan.tick)
    elif scan.packets.stamps:
        whole = count(path, _state(path), limits, scan.rate)
        stored, stamps, times, is_whole = whole.stored, _unique_stamps(whole), _times(whole, scan), whole.is_whole
        is_whole = is_whole and scan.packets.is_whole
    if stored is None:
        raise VideoError(f"{path}: no picture can be decoded; {_suspicion(scan, limits)}")
    index = Index(times, stamps, _seeks(scan, stamps), stored, scan.rate, is_whole, _fed(scan, stamps))
    _check(index, path, limits)
    return index


def _scan(path: Path, limits: Limits) -> Scan:
    with opened(path, limits=limits) as file:
        seen, first = _read_packets(file)
        form, stream = file.container.format, file.stream
        # AVI has no display times: with B-frames what it calls so is the order of decoding.
        unordered = form.name == "avi" and bool(stream.codec_context.has_b_frames)
        is_broadcast = bool(form.flags & Flags.ts_discont.value)
        return Scan(
            seen,
            first,
            is_ordered=not unordered and _is_ordered(seen, stream.time_base if is_broadcast else None),
            unordered=unordered,
            by_display=_seeks_by_display(form),
            rate=declared_rate(stream, all(stamp is None for stamp in seen.stamps)),
            tick=stream.time_base,
            aspect=stream.sample_aspect_ratio,
            is_sized=bool(stream.width and stream.height),
        )


def _read_packets(file: File) -> tuple[Packets, VideoFrame | None]:
    """All packets, and the picture of the first."""
    stamps, moments, sizes, are_keys, are_shown = [], [], [], [], []
    first, is_whole, is_vp8 = None, True, file.stream.codec_context.name == "vp8"
    for packet in packets(file):
        if not stamps:
            first = alone(file.stream, packet)
        stamps.append(packet.pts)
        moments.append(packet.dts)
        sizes.append(packet.size)
        are_keys.append(packet.is_keyframe)
        are_shown.append(not packet.is_discard and not (is_vp8 and _is_hidden(packet)))
        is_whole = is_whole and not packet.is_corrupt
        if len(stamps) > file.limits.frames:
            raise VideoError(f"{file.path}: more than {file.limits.frames} frames; cut it into parts")
    return Packets(stamps, moments, sizes, are_keys, are_shown, is_whole), first


def alone(stream: VideoStream, packet: Packet) -> VideoFrame | None:
    """The picture of a packet that needs no other, without waiting for those that a decoder likes to see first."""
    found = [*decode(stream, packet), *decode(stream, None)]
    stream.codec_context.flush_buffers()
    return found[0] if found else None


def _is_hidden(packet: Packet) -> bool:
    """VP8 stores pictures that are only referred to as packets of their own: bit 4 says whether it is shown."""
    return not bytes(packet)[0] & 0x10


def _is_ordered(found: Packets, broadcast_tick: Fraction | None) -> bool:
    """Whether each frame has a time of its own, and packets are whole and follow one another in time."""
    shown = found.shown
    if not shown or not found.is_whole or None in shown or len(set(shown)) < len(shown):
        return False
    steps = np.diff(np.array([moment for moment in found.moments if moment is not None], dtype=np.int64))
    is_joined = broadcast_tick is not None and (steps * float(broadcast_tick) > JUMP).any()
    return not (steps < 0).any() and not is_joined


def _seeks_by_display(form: ContainerFormat) -> bool:
    """Whether a seek is to a time of display; told one of decoding, it would stop a whole keyframe early."""
    return bool(form.flags & Flags.seek_to_pts.value) or "matroska" in form.name


def declared_rate(stream: VideoStream, is_raw: bool) -> Fraction:
    """Frames a second; of a stream without times by itself, where the container's is a default."""
    own = stream.codec_context.framerate if is_raw else None
    if own and 0 < own <= FASTEST:
        return own
    return (is_raw and stream.guessed_rate) or stream.average_rate or stream.guessed_rate or DEFAULT_RATE


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _from_start(shown: list[int], start: Counted) -> np.ndarray | None:
    """The stamps from the first frame that decodes; None if the beginning does not decode as its packets say."""
    if not start.stamps or start.stamps[0] is None:
        return None
    stamps = np.unique([pts for pts in shown if pts >= start.stamps[0]])
    before = stamps if start.end is None else stamps[stamps < start.end]
    return stamps if tuple(before.tolist()) == start.stamps else None


def _unique_stamps(whole: Counted) -> np.ndarray | None:
    """The stamps of frames, if they tell one from the other."""
    if None in whole.stamps or whole.stamps != whole.ticks:
        return None
    stamps = np.array(whole.stamps, dtype=np.int64)
    return stamps if (stamps[1:] > stamps[:-1]).all() else None


def _seconds(ticks: np.ndarray, tick: Fraction) -> np.ndarray:
    """From the first; in float64 where int64 does not hold the difference of all that a hostile file may say."""
    if int(ticks[-1]) - int(ticks[0]) >= 1 << 62:
        ticks = ticks.astype(np.float64)
    return (ticks - ticks[0]) * tick.numerator / tick.denominator


def _times(whole: Counted, scan: Scan) -> np.ndarray:
    """Seconds of frames that were counted, strictly ascending; one frame after the last where a frame has no time."""
    if scan.unordered or all(tick is None for tick in whole.ticks):
        return np.arange(len(whole.ticks)) / float(scan.rate)
    frame, ticks = round(1 / (scan.rate * scan.tick)), []
    for tick in whole.ticks:
        ticks.append(tick if tick is not None else ticks[-1] + frame if ticks else 0)
    times = np.maximum.accumulate(_seconds(np.array(ticks, dtype=np.int64), scan.tick))
    return times + NUDGE * np.cumsum(np.diff(times, prepend=-1.0) <= 0)


def _seeks(scan: Scan, stamps: np.ndarray | None) -> dict[int, Seek]:
    """Of each keyframe that is shown, how to get there."""
    found = scan.packets
    if stamps is None or None in found.stamps:
        return {}
    places = [place for place, is_key in enumerate(found.are_keys) if is_key and found.are_shown[place]]
    keys = np.array([found.stamps[place] for place in places], dtype=np.int64)
    numbers = np.searchsorted(stamps, keys).clip(max=len(stamps) - 1)
    seeks = {}
    for number, place, is_there in zip(numbers.tolist(), places, (stamps[numbers] == keys).tolist(), strict=True):
        moment = found.stamps[place] if scan.by_display or found.moments[place] is None else found.moments[place]
        if is_there:
            seeks[number] = Seek(moment, place)
    return seeks


def _fed(scan: Scan, stamps: np.ndarray | None) -> tuple[array, array]:
    """In arrays, which take less memory than lists; nothing where no seek will be tried."""
    is_sought = stamps is not None and None not in scan.packets.stamps
    return array("q", scan.packets.stamps if is_sought else ()), array("q", scan.packets.sizes if is_sought else ())


def _suspicion(scan: Scan, limits: Limits) -> str:
    """What may be wrong. A decoder that is asked for more pixels than the limit says that they are none."""
    if scan.is_sized:
        return "the file is damaged, replace it"
    return f"they claim more than {limits.pixels} pixels, or no size at all; give a smaller or a whole video"


def _check(index: Index, path: Path, limits: Limits) -> None:
    if index.times[-1] > limits.duration:
        hours = index.times[-1] / 3600
        raise VideoError(f"{path}: {hours:.3g} hours by its times, more than {limits.duration / 3600:g}; cut it")
    width, height = index.stored.shown
    if width * height > limits.pixels:
        raise VideoError(
            f"{path}: pictures of {width}×{height}, more than {limits.pixels} pixels; give a smaller video"
        )
