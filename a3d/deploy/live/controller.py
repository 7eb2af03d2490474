"""Which configuration runs next, so that the answer comes before its deadline.

A configuration takes its time by the profile times the present slowdown of the machine. The slowdown is what the
windows before took over what the profile says: a mean and a deviation, followed step by step as TCP follows its round
trips to set timeouts (Jacobson 1988), but rising faster than falling. Down it goes at once, up by one configuration at
a time, and only where that has fitted with room to spare for a few windows; for more of them after a step that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a3d.configuration import Configuration
from a3d.errors import InputError

RISE, FALL = 0.5, 0.1  # share of a new ratio that is believed, when it is above and when it is below the mean
SPREAD = 0.2  # that of a new deviation, the mean excess over the mean
CAUTION = 2.0  # deviations above the mean that are reckoned with
ROOM = 0.1  # share of the limit that a better configuration must leave over
PATIENCE, LONGEST = 4, 32  # windows for which it must have done so: at first, and after steps that failed


@dataclass(frozen=True)
class Option:
    """A configuration that may run. milliseconds: for one window by the profile. accuracy: percent, by the
    metric that the table goes by."""

    configuration: Configuration
    milliseconds: float
    accuracy: float


@dataclass(frozen=True)
class Choice:
    """predicted: milliseconds. slowdown: what the profile's time is multiplied with. why: in words."""

    configuration: Configuration
    predicted: float
    slowdown: float
    why: str


class Controller:
    """`choose` before every window, `observe` after it.

    options: what may run; those that are slower than a better one never do. They can be set at any time, as when a
    battery runs low. limit: milliseconds that a window may take, the deadline or the time to the next window.
    """

    def __init__(self, options: Sequence[Option], limit: float) -> None:
        if not limit > 0:
            raise InputError(f"a limit of {limit:g} ms: give a positive number")
        self.limit = limit
        self._mean, self._deviation = 1.0, 0.0
        self._current: Option | None = None  # what runs as long as nothing changes
        self._ran: Option | None = None
        self._patience, self._fitted, self._held = PATIENCE, 0, PATIENCE
        self.options = options

    @property
    def options(self) -> tuple[Option, ...]:
        """Fastest first, each more accurate than the one before."""
        return self._options

    @options.setter
    def options(self, options: Sequence[Option]) -> None:
        if not options:
            raise InputError("no configurations to choose from: give at least one")
        best: list[Option] = []
        for option in sorted(options, key=lambda option: (option.milliseconds, -option.accuracy)):
            if not best or option.accuracy > best[-1].accuracy:
                best.append(option)
        self._options = tuple(best)
        if self._current not in best:
            self._current = None

    @property
    def slowdown(self) -> float:
        """What a window is expected to take at most, over the profile's time; 1 on an idle machine."""
        return self._mean + CAUTION * self._deviation

    def choose(self, left: float) -> Choice:
        """The configuration for a window that must be answered within `left` milliseconds from now."""
        why = self._settle()
        self._ran = self._current
        if self.predicted(self._ran) > left < self.limit:
            self._ran = self._best(left)
            why = f"waited, {max(left, 0):.0f} ms left"
        return Choice(self._ran.configuration, self.predicted(self._ran), self.slowdown, why)

    def observe(self, milliseconds: float) -> None:
        """What the window of the last choice took."""
        ratio = milliseconds / self._ran.milliseconds
        error = ratio - self._mean
        self._mean += (RISE if error > 0 else FALL) * error
        self._deviation += SPREAD * (max(error, 0) - self._deviation)  # a window that was fast is no reason for care

    def predicted(self, option: Option) -> float:
        """Milliseconds that it will take at most."""
        return self.slowdown * option.milliseconds

    def _settle(self) -> str:
        """Sets what runs as long as nothing changes; says why."""
        before = self._current
        if before is None:
            self._current, self._fitted = self._best(self.limit * (1 - ROOM)), 0
            return f"the best that fits in {self.limit:.0f} ms"
        if self.predicted(before) > self.limit:
            return self._down(before)
        self._held += 1
        if self._held == PATIENCE:  # the last step up was right
            self._patience = PATIENCE
        return self._up(before)

    def _down(self, before: Option) -> str:
        self._current, took = self._best(self.limit), self.predicted(before)
        if self._current == before:
            return f"nothing fits in {self.limit:.0f} ms: the fastest"
        if self._held < PATIENCE:
            self._patience = min(2 * self._patience, LONGEST)
        self._fitted, self._held = 0, PATIENCE
        return f"down: {before.configuration} would take {took:.0f} of {self.limit:.0f} ms"

    def _up(self, before: Option) -> str:
        place = self._options.index(before) + 1
        if place == len(self._options):
            return "the best fits"
        better = self._options[place]
        if self.predicted(better) > self.limit * (1 - ROOM):
            self._fitted = 0
            took, share = self.predicted(better), f"{1 - ROOM:.0%} of {self.limit:.0f} ms"
            return f"{better.configuration} would take {took:.0f} ms, more than {share}"
        self._fitted += 1
        if self._fitted < self._patience:
            return f"{better.configuration} has fitted for {self._fitted} of {self._patience} windows"
        self._current, self._fitted, self._held = better, 0, 0
        return f"up: {better.configuration} has fitted for {self._patience} windows"

    def _best(self, milliseconds: float) -> Option:
        """The best that fits, or else the fastest."""
        return next((o for o in reversed(self._options) if self.predicted(o) <= milliseconds), self._options[0])


class Fixed:
    """A policy that never changes its mind."""

    def __init__(self, option: Option) -> None:
        self.option = option

    def choose(self, left: float) -> Choice:
        return Choice(self.option.configuration, self.option.milliseconds, 1.0, "fixed")

    def observe(self, milliseconds: float) -> None:
        """Nothing to learn."""
