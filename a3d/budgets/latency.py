"""Measuring the latency of every configuration on this device, by turns."""

from __future__ import annotations

import math
import platform
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.fused import fused_dtypes
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.residents import Residents
from a3d.budgets.profile import STAGES, Latency, Profile, ProfileError, Timing, device_name
from a3d.configuration import Configuration
from a3d.engines.runtime import AUTO, Runtime
from a3d.synthetic import render, write
from a3d.version import __version__
from a3d.video import crop_views, decode_views

RENDERED = "a rendered clip of 3 s, 320x240, H.264"
FEWEST = 3  # rounds, however long they take


def profile(
    network: AdaptiveNetwork,
    video: str | Path | None = None,
    batches: Sequence[int] = (1,),
    rounds: int = 15,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    dtype: torch.dtype | None = None,
    seconds: float = math.inf,
    configurations: Sequence[Configuration] | None = None,
) -> Profile:
    """Measures the rows of `network.table`, or the given ones, with what the network was loaded to run them with.

    Where that was left open ("auto"), the trade-off list alone, in every engine and precision that runs here; in int8
    where its file is there, or the clips to make it. Every round runs all rows, in an order of its own, so that what
    else the machine does falls on all alike.

    video: what is decoded, a rendered clip if left out. batches: clips at once. threads: of the processor; those of
    PyTorch if left out. progress is told the runs done and their total. dtype: what the convolutions compute in, by
    PyTorch. seconds: after so many no round begins, but for the first three.
    Raises ProfileError without a table.
    """
    if network.table is None:
        raise ProfileError("the network has no table, whose rows are measured: make one (a3d table)")
    for name, count in (
        ("rounds", rounds),
        ("threads", 1 if threads is None else threads),
        *(("batch", batch) for batch in batches),
    ):
        if count < 1:
            raise ProfileError(f"{name} {count}: give at least 1")
    is_open = dtype is None and network.choice.is_open
    listed = network.table.trade_off() if is_open else network.table.rows
    wanted = [row.configuration for row in listed] if configurations is None else configurations
    runs = [(configuration, batch) for configuration in wanted for batch in batches]
    times: dict[tuple[Configuration, int, Runtime], list[list[float]]] = defaultdict(list)
    with _threads(threads) as count, _file(video) as path, torch.inference_mode():
        ready = _Ready(network, dtype)
        for done, run in enumerate(_turns(runs, rounds, seconds), 1):
            for runtime, found in _milliseconds(network, path, *run, ready.subs(run[0])).items():
                times[*run, runtime].append(found)
            progress(done, rounds * len(runs))
    lines = (Latency(c, batch, **_timings(found), runtime=r) for (c, batch, r), found in times.items())
    notes = _notes(network, RENDERED if video is None else Path(video).name, len(next(iter(times.values()))))
    return Profile(device_name(network.device), count, tuple(lines), notes)


class _Ready:
    """Sub-networks as they will be run, as many as fit into memory side by side."""

    def __init__(self, network: AdaptiveNetwork, dtype: torch.dtype | None) -> None:
        self.network, self.kept = network, Residents()
        self.runtimes = network.choice.runtimes() if dtype is None else (Runtime("pytorch", str(dtype)[6:]),)
        self._quantised: dict[Configuration, bool] = {}

    def subs(self, configuration: Configuration) -> dict[Runtime, SubNetwork]:
        """Return the sub-network of a configuration for every runtime."""
        return {
            runtime: self.kept.get(
                self.network, configuration, runtime, lambda r=runtime: self.network.compiled(configuration, r)
            )
            for runtime in self.runtimes
            if self._is_worth_it(runtime, configuration)
        }

    def _is_worth_it(self, runtime: Runtime, configuration: Configuration) -> bool:
        """Where the precision was left open, those that this processor has to emulate cost minutes, and never win."""
        if self.network.choice.precision == AUTO and runtime.precision == "bfloat16":
            return self.network.device.type != "cpu" or torch.bfloat16 in fused_dtypes()
        return runtime.precision != "int8" or self._is_quantised(configuration)

    def _is_quantised(self, configuration: Configuration) -> bool:
        """Where nobody asked for int8 in particular, it is measured if it can be had."""
        if self.network.choice.precision == "int8":
            return True
        if configuration not in self._quantised:
            self._quantised[configuration] = self.network.choice.can_quantise(self.network.extract(configuration))
        return self._quantised[configuration]


def _turns(
    runs: Sequence[tuple[Configuration, int]], rounds: int, seconds: float
) -> Iterator[tuple[Configuration, int]]:
    """All runs once a round, shuffled: none always follows the same other."""
    draw, start = random.Random(0), time.monotonic()
    for number in range(rounds):
        if number >= FEWEST and time.monotonic() - start > seconds:
            return
        yield from draw.sample(runs, len(runs))


def _milliseconds(
    network: AdaptiveNetwork,
    path: Path,
    configuration: Configuration,
    batch: int,
    subs: Mapping[Runtime, SubNetwork],
) -> dict[Runtime, list[float]]:
    """One run: milliseconds of each of `STAGES`. A network has answered once before it is timed, as in service."""
    device, size = network.device, network.clip_shape(configuration)[1]
    start = time.perf_counter()
    frames = torch.cat([decode_views(path, network.sampling, 1)[0] for _ in range(batch)])
    decoded = time.perf_counter()
    clips = crop_views(frames, network.sampling, 1, size).to(device)
    before = [decoded - start, _now(device) - decoded]
    found = {}
    for runtime, sub in subs.items():
        sub(clips)
        warm = _now(device)
        sub(clips)
        stages = [*before, _now(device) - warm]
        found[runtime] = [1000 * took for took in (*stages, sum(stages))]
    return found


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _timings(rounds: Sequence[Sequence[float]]) -> dict[str, Timing]:
    return {stage: _timing(values) for stage, values in zip(STAGES, zip(*rounds, strict=True), strict=True)}


def _timing(values: Sequence[float]) -> Timing:
    """Three digits after the point are nanoseconds of noise."""
    ninth = statistics.quantiles(values, n=10, method="inclusive")[8] if len(values) > 1 else values[0]
    return Timing(round(statistics.median(values), 4), round(max(ninth, statistics.median(values)), 4))


@contextmanager
def _threads(count: int | None) -> Iterator[int]:
    """That many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


@contextmanager
def _file(video: str | Path | None) -> Iterator[Path]:
    if video is not None:
        yield Path(video)
        return
    with TemporaryDirectory() as folder:
        yield write(render("JumpingJack", seed=3, seconds=3.0, size=(320, 240)), Path(folder) / "clip.mp4")


def _notes(network: AdaptiveNetwork, video: str, rounds: int) -> dict:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "network": network.architecture.name,
        "video": video,
        "rounds": rounds,
        "a3d": __version__,
        "torch": torch.__version__,
        "av": version("av"),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
