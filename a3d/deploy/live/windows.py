"""Sliding windows of a stream, cut by a thread of its own while the network computes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread

import numpy as np
import torch

from a3d.deploy.live.loop import Window
from a3d.video import Sampling
from a3d.video.stream import Frame, Stream

ENDED = None


def sliding_windows(
    frames: Iterator[Frame], sampling: Sampling, frame_rate: float, every: float | Callable[[], float]
) -> Iterator[Window]:
    """A window whenever `every` seconds have passed, from its last T × τ frames; at least one, however short they are.

    every: a function where it may change, asked at every frame. Windows that fell between two frames have numbers, but
    never come.
    """
    reach = sampling.span(frame_rate) * (1 - 1 / sampling.frames)  # from a window's first frame to its last
    kept: deque[Frame] = deque()
    number, due = -1, reach
    for frame in frames:
        kept.append(frame)
        while len(kept) > 1 and kept[1].time <= frame.time - reach:
            kept.popleft()
        pace = max(every() if callable(every) else every, 1 / frame_rate)
        passed = int((frame.time - due) / pace + 1 + 1e-6)
        if passed > 0:
            number, due = number + passed, due + passed * pace
            yield _window(number, kept, sampling, frame_rate, frame.time - reach)
    if number < 0 and kept:
        yield _window(0, kept, sampling, frame_rate, 0.0)


def _window(number: int, kept: Sequence[Frame], sampling: Sampling, frame_rate: float, start: float) -> Window:
    times = np.array([frame.time for frame in kept])
    indices = sampling.window(times, frame_rate, start)
    pictures = torch.stack([kept[i].picture for i in indices])
    return Window(number, kept[-1].time, kept[-1].arrived, pictures)


class Newest:
    """Iterates over what `make` yields in a thread of its own; of what waits, only the newest is kept.

    What the thread raises is raised here. `close` ends the thread, which is to look at `stopped` now and then.
    """

    def __init__(self, make: Callable[[Event], Iterator[Window]]) -> None:
        self.stopped = Event()
        self._queue: Queue[Window | Exception | None] = Queue(1)
        self._thread = Thread(target=self._run, args=(make,), name="windows", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Window]:
        while (found := self._queue.get()) is not ENDED:
            if isinstance(found, Exception):
                raise found
            yield found

    def close(self) -> None:
        self.stopped.set()
        with suppress(Empty):
            self._queue.get_nowait()
        self._thread.join()

    def _run(self, make: Callable[[Event], Iterator[Window]]) -> None:
        last: Exception | None = ENDED
        try:
            for found in make(self.stopped):
                if self.stopped.is_set():
                    break
                self._replace(found)
        except Exception as error:  # raised again where the windows are used
            last = error
        while not self.stopped.is_set():
            with suppress(Full):
                self._queue.put(last, timeout=0.1)  # after the window that waits
                return

    def _replace(self, found: Window) -> None:
        with suppress(Empty):
            self._queue.get_nowait()
        self._queue.put(found)


def windows_of(stream: Stream, sampling: Sampling, every: float) -> Newest:
    """Return the windows of a stream, one every `every` seconds."""

    def make(stopped: Event) -> Iterator[Window]:
        return sliding_windows(stream.frames(time.monotonic, stopped.wait), sampling, stream.frame_rate, every)

    return Newest(make)
