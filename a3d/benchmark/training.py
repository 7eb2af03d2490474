"""What a mutual step costs over a plain one, and a whole table over the network time that it cannot do without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.network import AdaptiveNetwork
from a3d.benchmark.measure import Figure, Setting, interleaved
from a3d.budgets.cost import cost
from a3d.configuration import Configuration, range_0016
from a3d.datasets import ClipFolder, TrainingClips
from a3d.inference.checkpoint import load
from a3d.networks import slow_r50
from a3d.testing.evaluation import build_table, spread
from a3d.training.mutual import mutual_step, sample_configurations
from a3d.video import Sampling

BATCH, DRAWS, SPATIAL = 4, 3, 112
CALIBRATION_CLIPS = 64


def mutual(setting: Setting) -> Iterator[Figure]:
    """Time a step of slow_r50 with its three networks, as sampled, over one of the full network alone."""
    span, draw = range_0016(SPATIAL), torch.Generator().manual_seed(0)
    network, step = _stepping(setting)
    drawn = [sample_configurations(span, draw) for _ in range(DRAWS)]
    calls = {number: (lambda c=configurations: step(c)) for number, configurations in enumerate(drawn)}
    found = interleaved({"plain": lambda: step([span.full])} | calls, rounds=3, warmup=1, device=setting.device)
    plain, expected = found["plain"].median, [_gflops(network, c) / _gflops(network, [span.full]) for c in drawn]
    seconds = sum(found[number].median for number in calls) / DRAWS
    mean = sum(expected) / DRAWS
    ratio = seconds / plain
    yield Figure("mutual step over a plain one", ratio, mean, "times", ratio / mean, "≤ 1.1", "rival: by FLOPs")
    what = f"slow_r50, {SPATIAL}²×8, without decoding; rival: plain steps"
    yield Figure("training, mutual steps", BATCH / seconds, BATCH / plain, "clips/s", note=what)


def decoding(setting: Setting) -> Iterator[Figure]:
    """How much of a training step is decoding, where one process does both: each clip once for its three networks."""
    span, data = range_0016(SPATIAL), ClipFolder(setting.folder("data"), "train")
    clips = TrainingClips(data, Sampling(8, 8, SPATIAL))
    numbers = spread(range(len(data)), BATCH)
    _, step = _stepping(setting)
    drawn = sample_configurations(span, torch.Generator().manual_seed(0))
    calls = {"decode": lambda: [clips[number] for number in numbers], "step": lambda: step(drawn)}
    found = interleaved(calls, rounds=3, warmup=1, device=setting.device)
    decode, train = found["decode"].median, found["step"].median
    note = f"{1000 * decode / BATCH:.1f} ms a clip; rival: the step"
    yield Figure("decoding beside a mutual step", 1000 * decode, 1000 * train, "ms", decode / train, note=note)


def _stepping(setting: Setting) -> tuple[AdaptiveNetwork, Callable[[list[Configuration]], None]]:
    """slow_r50, and what trains it for a step at the configurations given."""
    network = slow_r50(classes=12, spatial=SPATIAL).to(setting.device, memory_format=torch.channels_last_3d).train()
    optimiser = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)
    clips = torch.randn(BATCH, 3, 8, SPATIAL, SPATIAL, device=setting.device)
    clips = clips.contiguous(memory_format=torch.channels_last_3d)
    targets = torch.eye(12, device=setting.device)[:BATCH]

    def step(configurations: list[Configuration]) -> None:
        optimiser.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=setting.device.startswith("cuda")):
            mutual_step(network, clips, targets, configurations)
        optimiser.step()

    return network, step


def table(setting: Setting) -> Iterator[Figure]:
    """`a3d table` over the whole range, against the time that the passes alone take (weights laid out included)."""
    network, data = load(setting.folder("checkpoint"), setting.device), setting.folder("data")
    training, validation = (ClipFolder(data, split) for split in ("train", "val"))
    with clocked(AdaptiveNetwork, "measure") as calibrating, clocked(SubNetwork, "forward") as testing:
        started = time.perf_counter()
        built = build_table(network, training, validation, calibration_clips=CALIBRATION_CLIPS)
        total = time.perf_counter() - started
    passes = calibrating.seconds + testing.seconds
    note = f"{CALIBRATION_CLIPS} clips to calibrate on, {len(validation)} to test; rival: the passes alone"
    yield Figure(f"table of {len(built.table)} configurations", total, passes, "s", total / passes, "≤ 1.25", note)


@dataclass
class Clock:
    seconds: float = 0.0


@contextmanager
def clocked(owner: type, name: str) -> Iterator[Clock]:
    """Adds up the time that a method takes, for a while."""
    method, clock = getattr(owner, name), Clock()

    def timed(*arguments, **options):
        started = time.perf_counter()
        try:
            return method(*arguments, **options)
        finally:
            clock.seconds += time.perf_counter() - started

    setattr(owner, name, timed)
    try:
        yield clock
    finally:
        setattr(owner, name, method)


def _gflops(network: AdaptiveNetwork, configurations: list[Configuration]) -> float:
    return sum(cost(network, configuration).gflops for configuration in configurations)
