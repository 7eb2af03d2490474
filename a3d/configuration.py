"""What a network can run at: a configuration, a computational range, a channel count at a width (Sec. 3, 3.3)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import total_ordering

from a3d.errors import A3DError

DIMENSIONS = ("spatial", "frames", "width")


class ConfigurationError(A3DError, ValueError):
    """A configuration that cannot be read or run; the message names the value and the remedy."""


@total_ordering
@dataclass(frozen=True)
class Configuration:
    """A configuration is one point of the three trade-off dimensions: S²×T, γw.

    spatial: side of the square input crop, pixels. frames: frames of the (Slow) pathway.
    width: share γw of the channels, in (0, 1]; six decimals count, as in `key`.
    """

    spatial: int
    frames: int
    width: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", round(float(self.width), 6))  # else two that print alike would differ
        if self.spatial < 1 or self.frames < 1 or not 0 < self.width <= 1:
            raise ConfigurationError(
                f"configuration {self.key}: spatial and frames must be at least 1 and width in (0, 1]"
            )

    def __str__(self) -> str:
        return f"{self.spatial}²×{self.frames}, {self._width}"

    def __lt__(self, other: Configuration) -> bool:
        return (self.spatial, self.frames, self.width) < (other.spatial, other.frames, other.width)

    @property
    def key(self) -> str:
        """Return the plain form for commands, files and addresses: `224x4@0.9`."""
        return f"{self.spatial}x{self.frames}@{self._width}"

    @property
    def enlarged(self) -> Configuration:
        """At 8/7 of the size, as the paper tests crops of 256γs where it trains with 224γs (Fig. 5)."""
        return replace(self, spatial=_even(self.spatial * 8 / 7))

    @property
    def _width(self) -> str:
        text = f"{self.width:.6f}".rstrip("0")
        return text + "0" if text.endswith(".") else text

    def differences(self, other: Configuration) -> tuple[str, ...]:
        """The dimensions in which two configurations differ, of "spatial", "frames" and "width"."""
        return tuple(name for name in DIMENSIONS if getattr(self, name) != getattr(other, name))

    @classmethod
    def parse(cls, text: str) -> Configuration:
        """Reads `224x4@0.9`, and what `str()` prints: `224²×4, 0.9`."""
        match = re.fullmatch(r"\s*(\d+)²?\s*[x×]\s*(\d+)\s*[@,]\s*(\d*\.?\d+)\s*", text)
        if match is None:
            raise ConfigurationError(f"cannot read configuration {text!r}: write SPATIALxFRAMES@WIDTH, as in 224x4@0.9")
        spatial, frames, width = match.groups()
        return cls(int(spatial), int(frames), float(width))


def channels_at(channels: int, width: float, divisor: int = 8) -> int:
    """Return channels kept of a layer's `channels` at `width`: a multiple of 8, never below 90% of the exact product.

    All of them at width 1.

    With this rounding layer by layer, every GFLOPs and Params cell of Tables 9 to 11 is met.
    """
    if width == 1:
        return channels
    exact = channels * width
    rounded = max(divisor, int(exact + divisor / 2) // divisor * divisor)
    if rounded < 0.9 * exact:
        rounded += divisor
    return min(rounded, channels)


@dataclass(frozen=True)
class ComputationalRange:
    """The configurations that one training run spans (Sec. 3.3): bounds of the sampling and the grid to test.

    spatials, frame_counts, widths: ascending; their last entries are the full network's. The width of a
    sampled sub-network is uniform between the first and the last entry of `widths`.
    """

    name: str
    spatials: tuple[int, ...]
    frame_counts: tuple[int, ...]
    widths: tuple[float, ...]

    def __post_init__(self) -> None:
        for field in ("spatials", "frame_counts", "widths"):
            values = getattr(self, field)
            if not values or list(values) != sorted(set(values)):
                raise ConfigurationError(f"{field} {values}: give different values in ascending order")
        if self.widths[-1] != 1.0:
            raise ConfigurationError(f"widths {self.widths}: the last must be 1.0, the full network")

    @classmethod
    def parse(cls, text: str) -> ComputationalRange:
        """Read `128,192,224x2,4@0.5,0.75,1`: spatial sizes, frame counts and widths, each in ascending order."""
        match = re.fullmatch(r"([\d,]+)x([\d,]+)@([\d.,]+)", text.replace(" ", ""))
        try:
            spatials, counts, widths = (part.split(",") for part in match.groups())
            return cls(text, tuple(map(int, spatials)), tuple(map(int, counts)), tuple(map(float, widths)))
        except (AttributeError, ValueError) as error:
            cause = f" ({error})" if match else ""
            raise ConfigurationError(
                f"cannot read range {text!r}{cause}: write SIZES x FRAMES @ WIDTHS, as in 128,192,224x2,4@0.5,0.75,1"
            ) from None

    @property
    def full(self) -> Configuration:
        """Return the teacher of the training step: all channels at the reference size and frames."""
        return Configuration(self.spatials[-1], self.frame_counts[-1], 1.0)

    @property
    def largest(self) -> Configuration:
        """Return the full network tested at 8/7 of the reference size: the paper's 256² for 224²."""
        return self.full.enlarged

    @property
    def smallest(self) -> Configuration:
        return Configuration(self.spatials[0], self.frame_counts[0], self.widths[0])

    def within(self, spatial: float, frames: float) -> ComputationalRange:
        """The part of the range with at most these factors γs and γt; its full network is smaller."""
        spatials = tuple(s for s in self.spatials if s <= self.spatials[-1] * spatial + 1)
        counts = tuple(t for t in self.frame_counts if t <= self.frame_counts[-1] * frames)
        return replace(self, spatials=spatials or self.spatials[:1], frame_counts=counts or self.frame_counts[:1])

    def configurations(self) -> list[Configuration]:
        """The grid to test, largest first, led by `largest`."""
        grid = [
            Configuration(spatial, frames, width)
            for spatial in reversed(self.spatials)
            for frames in reversed(self.frame_counts)
            for width in reversed(self.widths)
        ]
        return [self.largest, *grid]


def range_0016(spatial: int = 224, frames: int = 8) -> ComputationalRange:
    """Return [0.016, 1]: γs in sevenths from 4/7 (0.57), γt in quarters, γw 0.5 to 1; 97 configurations."""
    return ComputationalRange(
        "[0.016, 1]",
        _sizes(spatial, (4 / 7, 5 / 7, 6 / 7, 1)),
        _counts(frames, (0.25, 0.5, 0.75, 1)),
        (0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    )


def range_006(spatial: int = 224, frames: int = 8) -> ComputationalRange:
    """Return [0.06, 1]: ρ = 16, so γs from 16^(-1/6) = 0.63, γt from 16^(-1/3) = 0.4, γw 0.63 to 1: 46 of them."""
    return ComputationalRange(
        "[0.06, 1]",
        _sizes(spatial, (16 ** (-1 / 6), 16 ** (-1 / 12), 1)),
        _counts(frames, (16 ** (-1 / 3), 16 ** (-1 / 6), 1)),
        (0.63, 0.73, 0.83, 0.93, 1.0),
    )


def range_without_time(spatial: int = 224, frames: int = 8) -> ComputationalRange:
    """Return [0.06, 1] without time (Table 6): all frames, so γs and γw from 16^(-1/4) = 0.5."""
    return ComputationalRange(
        "[0.06, 1] w/o T",
        _sizes(spatial, (0.5, 16 ** (-1 / 6), 16 ** (-1 / 12), 1)),
        (frames,),
        (0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    )


def _sizes(reference: int, factors: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(sorted({reference if factor == 1 else _even(reference * factor) for factor in factors}))


def _counts(reference: int, factors: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(sorted({max(1, round(reference * factor)) for factor in factors}))


def _even(size: float) -> int:
    return 2 * math.ceil(round(size, 6) / 2)
