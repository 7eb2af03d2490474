"""A stream on a machine whose speed is halved for a third of the time: `a3d watch` against two fixed networks.

Real clips, real competing processes, real time. The windows are decoded beforehand, as a camera gives them, and come
one a deadline: the full network just keeps up as long as nothing else runs.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from threading import Timer

from a3d.adaptive.network import AdaptiveNetwork
from a3d.benchmark.measure import Figure, Setting
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.deploy.live.controller import Controller, Fixed, Option
from a3d.deploy.live.load import PROCESSORS, Load
from a3d.deploy.live.loop import Policy, Window, answer_in_time
from a3d.deploy.live.trace import Step, Summary
from a3d.deploy.live.watch import Resident, milliseconds, options
from a3d.deploy.live.windows import Newest
from a3d.engines import Choice
from a3d.engines.clips import CalibrationClips
from a3d.inference.checkpoint import load
from a3d.trained import TrainedNetwork
from a3d.video import VideoError, decode_views

PASSES = 4  # how often the clips are played, each time in another order
SLACK = 1.5  # the deadline over the full network's time: fits at full speed, not at half of it
QUANTISED = "a3d watch, int8"  # where OpenVINO and NNCF are installed
WARM = 20  # answers before the deadline is set, and as many to set it from


@dataclass(frozen=True)
class Run:
    """Steps of a policy, the labels of its windows, and the seconds of the stream during which the load ran."""

    steps: list[Step]
    labels: list[str]
    load: tuple[float, float]

    @property
    def accuracy(self) -> float:
        """Percent of the answers, late or not, that are right."""
        answers = [step.label == label for step, label in zip(self.steps, self.labels, strict=True) if step.label]
        return 100 * sum(answers) / max(1, len(answers))

    @property
    def useful(self) -> float:
        """Percent of all windows that are answered rightly within the deadline."""
        right = [step.met and step.label == label for step, label in zip(self.steps, self.labels, strict=True)]
        return 100 * sum(right) / len(right)

    @property
    def slowdown(self) -> float:
        """Median time of an answer under load, over that without."""
        parts: tuple[list[float], list[float]] = ([], [])
        for step in self.steps:
            if step.measured is not None:
                parts[self.load[0] <= step.time < self.load[1]].append(step.measured)
        return statistics.median(parts[1]) / statistics.median(parts[0])


def deadlines(setting: Setting) -> Iterator[Figure]:
    """The rows; `play` gives the traces behind them."""
    runs = play(setting)
    watch, full, small = (runs[name] for name in ("a3d watch", "full network", "smallest"))
    share = {name: Summary.of(run.steps).within for name, run in runs.items()}
    note = (
        f"full network {share['full network']:.1%}, smallest {share['smallest']:.1%}; deadline "
        f"{watch.steps[0].deadline:.0f} ms, {len(watch.steps)} windows; the load slows the full network "
        f"{full.slowdown:.1f} times"
    )
    within, others = share["a3d watch"], share["full network"]
    yield Figure("windows within the deadline", 100 * within, 100 * others, "%", within, "≥ 0.95", note)
    between = (watch.accuracy - small.accuracy) / (full.accuracy - small.accuracy)
    note = f"0 is the smallest network ({small.accuracy:.1f}%), 1 the full one; of all answers, late ones too"
    yield Figure("accuracy between the two", watch.accuracy, full.accuracy, "%", between, "≥ 0.5", note)
    note = f"against the full network; the smallest {small.useful:.1f}%"
    yield Figure("right and in time", watch.useful, full.useful, "%", watch.useful / full.useful, "≥ 1", note)
    if QUANTISED in runs:
        quick = runs[QUANTISED]
        within, accuracy = share[QUANTISED], quick.accuracy
        note = f"accuracy of all answers {accuracy:.1f}%, float32 {watch.accuracy:.1f}%; rival: float32"
        yield Figure("int8: within the deadline", 100 * within, 100 * share["a3d watch"], "%", within, "≥ 0.95", note)
        gain = quick.useful / watch.useful
        yield Figure("int8: right and in time", quick.useful, watch.useful, "%", gain, "≥ 1", "rival: float32")


def play(setting: Setting) -> dict[str, Run]:
    """Plays the same stream to the three of them, one after the other, each with the load in its middle third."""
    network = load(setting.folder("checkpoint"), setting.device)
    clips = _clips(network, setting)
    choices = options(network)
    full, smallest = (_option(network, c) for c in (network.table.full.configuration, network.range.smallest))
    resident = Resident(network)
    resident.warm([*choices, full, smallest])
    deadline = SLACK * _time(resident, clips[0][0], full.configuration)
    policies = {"a3d watch": Controller(choices, deadline), "full network": Fixed(full), "smallest": Fixed(smallest)}
    runs = {name: _run(policy, resident, clips, deadline) for name, policy in policies.items()}
    if all(map(find_spec, ("openvino", "nncf"))):
        quick = Resident(_quantised(network, setting))
        runs[QUANTISED] = _run(Controller(_timed(quick, clips[0][0]), deadline), quick, clips, deadline)
    return runs


def _quantised(network: TrainedNetwork, setting: Setting) -> TrainedNetwork:
    """The same network in int8 by OpenVINO, its files kept in the user's cache folder."""
    clips = CalibrationClips(ClipFolder(setting.folder("data"), "train"), network.sampling)
    return network.run_by(Choice("openvino", "int8", None, clips))


def _timed(resident: Resident, window: Window) -> list[Option]:
    """The trade-off list with what a whole answer takes now."""
    rows = resident.network.table.trade_off()
    untimed = [Option(row.configuration, 0.0, row.accuracy) for row in rows]
    resident.warm(untimed)
    return [replace(option, milliseconds=_time(resident, window, option.configuration)) for option in untimed]


def _run(policy: Policy, resident: Resident, clips: Sequence[tuple[Window, str]], deadline: float) -> Run:
    order = [i for number in range(PASSES) for i in random.Random(number).sample(range(len(clips)), len(clips))]
    every = deadline / 1000
    third = len(order) * every / 3
    windows = Newest(lambda stopped: _paced([clips[i][0] for i in order], every, stopped.wait))
    with closing(windows), _load(third, 2 * third):
        steps = list(answer_in_time(policy, windows, resident.answer, deadline))
    return Run(steps, [clips[i][1] for i in order[: len(steps)]], (third, 2 * third))


def _paced(windows: Sequence[Window], every: float, wait) -> Iterator[Window]:
    """One every `every` seconds."""
    start = time.monotonic()
    for number, window in enumerate(windows):
        due = start + number * every
        wait(max(0.0, due - time.monotonic()))
        yield replace(window, number=number, time=number * every, arrived=due)


@contextmanager
def _load(start: float, end: float) -> Iterator[None]:
    """A busy process for each processor, from one second to another from now on."""
    with Load() as load:
        begin, stop = Timer(start, load.set, (PROCESSORS,)), Timer(end, load.set, (0,))
        begin.start(), stop.start()
        try:
            yield
        finally:
            for timer in (begin, stop):
                timer.cancel()
                timer.join()


def _clips(network: AdaptiveNetwork, setting: Setting) -> list[tuple[Window, str]]:
    """The centred clip of every readable file of `val`, and its class."""
    data, found = ClipFolder(setting.folder("data"), "val"), []
    for item in data.items:
        try:
            frames = decode_views(item.path, network.sampling, 1)[0][0]
        except VideoError:
            continue
        found.append((Window(0, 0.0, 0.0, frames), data.classes[item.label]))
    return found


def _option(network: AdaptiveNetwork, configuration: Configuration) -> Option:
    accuracy = network.table.row(configuration).accuracy
    return Option(configuration, milliseconds(network, configuration), accuracy)


def _time(resident: Resident, window: Window, configuration: Configuration) -> float:
    """Median milliseconds of an answer, warmed up."""
    times = []
    for _ in range(2 * WARM):
        started = time.perf_counter()
        resident.answer(window, configuration)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[WARM:])
