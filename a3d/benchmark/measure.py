"""How a figure is measured: ours and its rivals by turns, warmed up, medians; and the machine's peak."""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F

from a3d.errors import A3DError, InputError


class RivalMissing(A3DError, ImportError):
    """A rival package that is not installed; the message names it and the remedy."""


@dataclass(frozen=True)
class Setting:
    """What a group may measure with. device: `cpu` or `cuda`. checkpoint, data: folders, None if not given."""

    device: str = "cpu"
    checkpoint: Path | None = None
    data: Path | None = None

    def folder(self, name: str) -> Path:
        """`checkpoint` or `data`; ValueError naming the option if it was not given."""
        if getattr(self, name) is None:
            raise InputError(f"no {name} folder: give --{name}")
        return getattr(self, name)


@dataclass(frozen=True)
class Figure:
    """A figure is one row of the benchmark.

    name: what is measured. ours, rival: medians in `unit`, None if there is none. ratio: how ours compares, in the
    sense that `target` is written in: `≥ 1.6` for a speed-up, `≤ 1.1` for a share of the rival's time, empty for none.
    note: the rival's name, spread, cause.
    """

    name: str
    ours: float | None = None
    rival: float | None = None
    unit: str = ""
    ratio: float | None = None
    target: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the ratio meets the target; None where there is no ratio or no target."""
        if self.ratio is None or not self.target:
            return None
        sign, bound = self.target.split()
        return self.ratio >= float(bound) if sign == "≥" else self.ratio <= float(bound)


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median and the quartiles around it."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Distance of the quartiles as a share of the median: what a ratio of two medians is uncertain by."""
        return (self.high - self.low) / self.median


def rival(package: str) -> ModuleType:
    """Import the module of a rival package. Raises RivalMissing."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise RivalMissing(f"{package} cannot be imported ({error}): pip install 'a3d[benchmark]'") from None


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    rounds: int = 15,
    warmup: int = 3,
    device: str = "cpu",
    clock: Callable[[], float] = time.perf_counter,
    rest: float = 0.0,
) -> dict[str, Timing]:
    """Times several calls by turns, so that whatever else the machine does falls on all of them alike.

    Every round runs each call once, every second round in reverse order; the first `warmup` rounds are not counted. On
    `cuda` a call ends when the card is done. rest: seconds before each, for the threads of the one before to fall
    asleep; a call that is not timed then wakes its own.
    """
    finish = torch.cuda.synchronize if device.startswith("cuda") else _nothing
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warmup + rounds):
        for name in list(calls)[:: -1 if number % 2 else 1]:
            if rest:
                time.sleep(rest)
                calls[name]()
            finish()
            started = clock()
            calls[name]()
            finish()
            if number >= warmup:
                seconds[name].append(clock() - started)
    return {name: timing(values) for name, values in seconds.items()}


def timing(seconds: list[float]) -> Timing:
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return Timing(median, low, high)


@lru_cache
def peak(dtype: torch.dtype = torch.float32, device: str = "cpu") -> float:
    """GFLOP/s (two operations a multiply-add) that a large convolution of 3² over 256 channels reaches here."""
    batch, channels, side = (64 if device.startswith("cuda") else 4), 256, 56
    options = {"dtype": dtype, "device": device}
    x = torch.randn(batch, channels, side, side, **options).to(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, **options).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        took = interleaved({"convolution": lambda: F.conv2d(x, weight, padding=1)}, device=device)["convolution"]
    return 2 * batch * side**2 * channels**2 * 9 / 1e9 / took.median


def _nothing() -> None:
    """A CPU is done when the call returns."""
