"""How long work heeds SIGTERM and Ctrl-C: never in the middle of what has to be whole."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from a3d.errors import A3DError

HEEDED = (signal.SIGINT, signal.SIGTERM)


class Stopped(A3DError, RuntimeError):
    """The work was stopped from outside; the message says how to go on. code: the exit code, 128 + the signal."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}: {message}")
        self.code = 128 + number


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends work as Ctrl-C does: what was begun is tidied up."""


class Stopping:
    """While it is entered, SIGTERM and Ctrl-C set `.signal`, which the work looks at where it can stop.

    The second one interrupts at once. told: say on stderr that it was heard. In another thread than the first, where
    no signal arrives, nothing changes.
    """

    def __init__(self, told: bool = True) -> None:
        self.signal, self._told = 0, told
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heed) for number in HEEDED}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._heed:  # else something has decided otherwise since
                signal.signal(number, handler)

    def _heed(self, number: int, frame: object) -> None:
        if self.signal:
            raise KeyboardInterrupt
        self.signal = number
        if self._told:
            print("stopping after this step; once more: at once", file=sys.stderr, flush=True)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated, so that temporary files go."""

    def terminate(number: int, frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def deaf(worker: int = 0) -> None:
    """Make this process, which works for another one, leave Ctrl-C to that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
