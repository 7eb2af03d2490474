"""Whether a file is all there: a download that broke off still opens, and plays up to where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import av

from a3d.video.container import File, opened, until_broken
from a3d.video.limits import LIMITS, Limits

SLACK = 0.5  # seconds that containers declare too much
SHORTEST = 0.1  # seconds that are missed where a packet lacks its end


class CutOff(NamedTuple):
    """This file breaks off. there, declared: seconds."""

    there: float
    declared: float


def cut_off(path: str | Path, limits: Limits = LIMITS) -> CutOff | None:
    """Whether less is in a file than it declares; None too where it declares nothing, as transport streams.

    All packets are read, and nothing is decoded. Raises VideoError for what is no video.
    """
    with opened(Path(path), limits=limits) as file:
        container, there, is_whole = file.container, 0.0, True
        frame = 1 / float(file.stream.average_rate or 25)
        declared, start = _declared(file, frame), (container.start_time or 0) / av.time_base
        for packet in until_broken(container, list(container.streams)):
            is_whole = is_whole and not packet.is_corrupt
            if packet.pts is not None:
                length = float(packet.duration * packet.time_base) if packet.duration else frame
                there = max(there, float(packet.pts * packet.time_base) - start + length)
    missing = declared - there
    return CutOff(there, declared) if missing > (SLACK if is_whole else SHORTEST) else None


def _declared(file: File, frame: float) -> float:
    """Seconds; of AVI by its number of frames, because FFmpeg shortens the rest to what it finds."""
    counted = file.stream.frames * frame if file.container.format.name == "avi" else 0.0
    return max(counted, (file.container.duration or 0) / av.time_base)
