"""A policy without a network: a model of the latency, and a load that changes with time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from a3d.configuration import Configuration
from a3d.deploy.live.controller import Option
from a3d.deploy.live.loop import Policy, Window, answer_in_time
from a3d.deploy.live.trace import Step

Load = Callable[[float], float]  # seconds of the stream to the slowdown of the machine


def simulate(
    policy: Policy,
    options: Sequence[Option],
    load: Load,
    deadline: float,
    every: float,
    seconds: float,
    noise: float = 0.0,
    seed: int = 0,
) -> list[Step]:
    """The steps that `hold` takes when a configuration takes its milliseconds times the load times some noise.

    load: slowdown at a second of the stream. deadline, every: milliseconds. noise: standard deviation of the logarithm
    of a latency. Windows come every `every` milliseconds; of those that wait, the newest is answered.
    """
    machine = _Machine(options, load, noise, random.Random(seed))
    windows = _windows(machine, every / 1000, seconds)
    return list(answer_in_time(policy, windows, machine.answer, deadline, machine.clock))


def pulse(slowdown: float, start: float, end: float) -> Load:
    """An idle machine that is slowed down from second `start` to second `end`."""
    return lambda moment: slowdown if start <= moment < end else 1.0


class _Machine:
    """Time passes when it answers or waits."""

    def __init__(self, options: Sequence[Option], load: Load, noise: float, draw: random.Random) -> None:
        self.now, self._load, self._noise, self._draw = 0.0, load, noise, draw
        self._milliseconds = {option.configuration: option.milliseconds for option in options}

    def clock(self) -> float:
        return self.now

    def answer(self, window: Window, configuration: Configuration) -> tuple[str, float]:
        factor = self._load(self.now) * self._draw.lognormvariate(0, self._noise)
        self.now += self._milliseconds[configuration] * factor / 1000
        return "", 0.0


def _windows(machine: _Machine, every: float, seconds: float) -> Iterator[Window]:
    """The newest window that is there, or the next one once it comes."""
    number, count = 0, round(seconds / every)
    while number < count:
        newest = min(int(machine.now / every + 1e-9), count - 1)
        number = max(number, newest)
        machine.now = max(machine.now, number * every)
        yield Window(number, number * every, number * every)
        number += 1
