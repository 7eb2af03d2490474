"""Window by window: choose, answer, observe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from a3d.configuration import Configuration
from a3d.deploy.live.controller import Choice
from a3d.deploy.live.trace import Step

Answer = Callable[["Window", Configuration], tuple[str, float]]


@dataclass(frozen=True)
class Window:
    """number: from 0; one that is missing was dropped. time: seconds of the stream at its last frame.

    arrived: on the clock, seconds. frames: uint8 (T, H, W, 3).
    """

    number: int
    time: float
    arrived: float
    frames: Any = None


class Policy(Protocol):
    def choose(self, left: float) -> Choice: ...

    def observe(self, milliseconds: float) -> None: ...


def answer_in_time(
    policy: Policy,
    windows: Iterable[Window],
    answer: Answer,
    deadline: float | Callable[[], float],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Step]:
    """Answers windows, each within `deadline` milliseconds of its arrival if the policy can; a step each.

    answer: gives label and probability of a window at a configuration. deadline: one that may change is a function,
    asked before every window.
    """
    expected = 0
    for window in windows:
        limit = deadline() if callable(deadline) else deadline
        for number in range(expected, window.number):
            yield _dropped(number, window, limit)
        expected = window.number + 1
        started = clock()
        choice = policy.choose(limit - 1000 * (started - window.arrived))
        label, probability = answer(window, choice.configuration)
        finished = clock()
        measured, latency = 1000 * (finished - started), 1000 * (finished - window.arrived)
        policy.observe(measured)
        yield Step(
            window.number,
            window.time,
            choice.configuration,
            label,
            probability,
            choice.predicted,
            measured,
            latency,
            limit,
            latency <= limit,
            choice.slowdown,
            choice.why,
        )


def _dropped(number: int, window: Window, deadline: float) -> Step:
    why = "dropped: the next one came before its turn"
    return Step(number, window.time, None, None, None, None, None, None, deadline, False, None, why)
