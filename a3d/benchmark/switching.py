"""What it costs to change the budget, and to be ready for fourteen of them."""

from __future__ import annotations

import multiprocessing
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.residents import Residents
from a3d.benchmark.measure import Figure, Setting
from a3d.budgets.published import published
from a3d.configuration import Configuration, range_0016
from a3d.inference.checkpoint import load, save
from a3d.networks import slow_r50
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling

FULL, HALF = Configuration(128, 2, 1.0), Configuration(128, 2, 0.5)
TURNS = 7


def change(setting: Setting) -> Iterator[Figure]:
    """To half the channels of slow_r50, until its first answer, against reading a network of that shape from disk."""
    network, clip = _calibrated(slow_r50(), [HALF]), torch.randn(1, 3, 2, 128, 128)
    with TemporaryDirectory() as folder, torch.inference_mode():
        save(_calibrated(slow_r50(base_channels=32), [FULL]), folder)
        kept, pass_ = network.resident(HALF), _median(lambda: network.resident(HALF)(clip))
        read = _median(lambda: load(folder).extract(FULL)(clip)) - pass_
        cold = _median(lambda: _emptied(network).resident(HALF)(clip)) - pass_
        warm = _median(lambda: network.resident(HALF))
    size = sum(parameter.nbytes for parameter in kept.parameters()) / 1e6
    rival = "rival: a3d.load of that network, from a warm disk cache"
    yield Figure("first change to a budget", 1000 * cold, 1000 * read, "ms", cold / read, "≤ 1", rival)
    yield Figure(
        "change to a budget that was used before", 1000 * warm, 1000 * read, "ms", warm / read, "≤ 0.01", rival
    )
    note = "weights and their copy in the layout of the kernels; then 0. Rival: its weights twice, and the copy"
    yield Figure("memory of the first change", 2 * size, 3 * size, "MB", 2 / 3, "≤ 1", note)


def memory(setting: Setting) -> Iterator[Figure]:
    """Peak of a process that answers at the fourteen configurations of Table 9, one after the other, twice."""
    ours, theirs = (_peak(serve) - _peak(_nothing) for serve in (_one_network, _fourteen_networks))
    bound = f"one slow_r50, at most {Residents().limit / 1e6:.0f} MB of sub-networks resident"
    yield Figure(
        f"peak memory: {bound}", ours, theirs, "MB", ours / theirs, "≤ 0.6", "rival: fourteen networks of their own"
    )


def _calibrated(network: AdaptiveNetwork, configurations: list[Configuration]) -> TrainedNetwork:
    network = TrainedNetwork(network, [f"class {i}" for i in range(400)], Sampling(8, 8, 224), range_0016())
    for configuration in configurations:
        calibrate(network, configuration, [_clip(configuration)])
    return network.eval()


def _clip(configuration: Configuration) -> torch.Tensor:
    return torch.randn(1, 3, configuration.frames, configuration.spatial, configuration.spatial)


def _emptied(network: AdaptiveNetwork) -> AdaptiveNetwork:
    network.residents = Residents()
    return network


def _median(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(TURNS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[TURNS // 2]


def _peak(serve: Callable[[], object]) -> float:
    """Megabytes, of a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(False)
    process = context.Process(target=_report, args=(serve, sender))
    process.start()
    found = receiver.recv()
    process.join()
    return found


def _report(serve: Callable[[], object], sender) -> None:
    serve()
    sender.send(_most_resident() / 1e6)


def _most_resident() -> int:
    """Bytes that this process has had in memory at once. Linux counts what started it in `ru_maxrss` too."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _nothing() -> None:
    """A process that has the package imported."""


def _table_9() -> list[Configuration]:
    return [row.configuration for row in published("table_9").rows]


@torch.inference_mode()
def _one_network() -> None:
    network = _calibrated(slow_r50(), _table_9())
    for configuration in _table_9() * 2:
        network.resident(configuration)(_clip(configuration))


@torch.inference_mode()
def _fourteen_networks() -> None:
    subs = [_calibrated(slow_r50(), [configuration]).extract(configuration) for configuration in _table_9()]
    for sub in subs * 2:
        _answer(sub)


def _answer(sub: SubNetwork) -> None:
    sub(_clip(sub.configuration))
