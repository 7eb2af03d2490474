"""Measuring the latency of every configuration on this device, by turns."""

from __future__ import annotations

import platform
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.profile import STAGES, Latency, Profile, ProfileError, Timing, device_name
from a3d.configuration import Configuration
from a3d.synthetic import render, write
from a3d.version import __version__
from a3d.video import crop_views, decode_views

RENDERED = "a rendered clip of 3 s, 320x240, H.264"


def profile(
    network: AdaptiveNetwork,
    video: str | Path | None = None,
    batches: Sequence[int] = (1,),
    rounds: int = 15,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    dtype: torch.dtype = torch.float32,
) -> Profile:
    """Measures every row of `network.table`, each as the sub-network that `network.extract` gives.

    Every round runs all of them, in an order of its own, so that whatever else the machine does falls on all alike.
    video: what is decoded, a rendered clip if left out. batches: clips at once. threads: of the processor; those of
    PyTorch if left out. progress is told the runs done and their total. dtype: what the convolutions compute in.
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
    runs = [(row.configuration, batch) for row in network.table.rows for batch in batches]
    times: dict[tuple[Configuration, int], list[list[float]]] = defaultdict(list)
    with _threads(threads) as count, _file(video) as path, torch.inference_mode():
        for done, run in enumerate(_turns(runs, rounds), 1):
            times[run].append(_milliseconds(network, path, *run, dtype))
            progress(done, rounds * len(runs))
    return Profile(
        device_name(network.device),
        count,
        tuple(Latency(*run, **_timings(times[run])) for run in runs),
        _notes(network, RENDERED if video is None else Path(video).name, rounds),
        str(dtype).removeprefix("torch."),
    )


def _turns(runs: Sequence[tuple[Configuration, int]], rounds: int) -> Iterator[tuple[Configuration, int]]:
    """All runs once a round, shuffled: none always follows the same other."""
    draw = random.Random(0)
    for _ in range(rounds):
        yield from draw.sample(runs, len(runs))


def _milliseconds(
    network: AdaptiveNetwork, path: Path, configuration: Configuration, batch: int, dtype: torch.dtype
) -> list[float]:
    """One run: milliseconds of each of `STAGES`. The network has answered once before it is timed, as in service."""
    sub, device = network.extract(configuration, dtype), network.device
    size = network.clip_shape(configuration)[1]
    start = time.perf_counter()
    frames = torch.cat([decode_views(path, network.sampling, 1)[0] for _ in range(batch)])
    decoded = time.perf_counter()
    clips = crop_views(frames, network.sampling, 1, size).to(device)
    prepared = _now(device)
    sub(clips)
    warm = _now(device)
    sub(clips)
    answered = _now(device)
    decode, prepare, answer = decoded - start, prepared - decoded, answered - warm
    return [1000 * took for took in (decode, prepare, answer, decode + prepare + answer)]


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
