"""How much a file may ask for, in one place: no honest video comes near, and a hostile one is refused in time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a video may cost before a VideoError says so. A service that takes files from strangers gives smaller ones.

    pixels: of a frame, 8K has 33 million. streams: of a file. frames: packets of the video. duration: seconds of the
    video. memory: bytes of the frames of one read. seconds: of decoding, in one opening or one read.
    """

    pixels: int = 40_000_000
    streams: int = 256
    frames: int = 10_000_000
    duration: float = 100 * 3600.0
    memory: int = 16 << 30
    seconds: float = 3600.0


LIMITS = Limits()
