"""A clip in a loop, watched under a deadline that can be changed while it runs: `a3d watch` for the Live page.

A process of its own watches, which the drawing of pages does not hold up, and which can be killed. One visitor watches
at a time: two would only take the processor from each other. It ends with a page that does not look any more.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from films import PICTURE, jpeg

from a3d.configuration import Configuration
from a3d.deploy.live.controller import Controller, Option
from a3d.deploy.live.load import Load
from a3d.deploy.live.loop import Window, answer_in_time
from a3d.deploy.live.trace import Step
from a3d.deploy.live.watch import Resident
from a3d.deploy.live.windows import Newest, sliding_windows
from a3d.errors import A3DError
from a3d.inference.checkpoint import load
from a3d.trained import TrainedNetwork
from a3d.video import short_side
from a3d.video.stream import Frame, Stream
from a3d.video.views import DECODED_SIDE

SILENCE = 15.0  # seconds without a look of the page, after which its visitor is gone
LONGEST = 900.0  # seconds that one may watch, as others wait
SECONDS = 60.0  # of the stream that are shown
MOST = 4000  # steps that are kept: more than `SECONDS` of 60 frames each
ROUNDS = 10  # answers by which a configuration is timed
OFTEN = 0.5  # seconds from picture to picture

now: Callable[[], float] = time.monotonic
_turn = threading.Lock()
_waiting = 0


@dataclass(eq=False)
class Session:
    """A visitor watches. about: what tells clip and network from others.

    deadline: milliseconds, from a window's last frame to its answer, and from window to window; `set_deadline` changes
    it. options: what may run, fastest first, with its milliseconds on this machine, once they are measured; ready: the
    share of that work. steps: of the windows so far, the oldest forgotten. picture: the newest frame, JPEG in base64.
    busy: from and to, seconds of the stream, of other work. waits: for its turn. error, why: why it ended, if nobody
    stopped it.
    """

    about: object
    deadline: float
    options: tuple[Option, ...] = ()
    ready: float = 0.0
    steps: deque[Step] = field(default_factory=lambda: deque(maxlen=MOST))
    busy: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOST))
    picture: str = ""
    error: str = ""
    why: str = ""
    waits: bool = True
    over: bool = False
    load: Load = field(default_factory=Load)
    looked: float = field(default_factory=lambda: now())
    thread: threading.Thread | None = None
    process: subprocess.Popen | None = None

    def start(self, checkpoint: Path, film: bytes) -> Session:
        """Begin, or wait for one's turn. film: what is looped, as a file."""
        self.thread = threading.Thread(target=_run, args=(self, checkpoint, film), name="live", daemon=True)
        self.thread.start()
        return self

    def look(self) -> list[Step]:
        """Return the steps of the last minute; whoever does not look for a while is gone."""
        self.looked = now()
        steps = list(self.steps.copy())  # the thread goes on adding
        return [step for step in steps if step.time > steps[-1].time - SECONDS]

    def set_deadline(self, milliseconds: float) -> None:
        """Make it the deadline of the windows to come."""
        if milliseconds != self.deadline:
            self.deadline = milliseconds
            self.tell()

    def tell(self) -> None:
        """Let the process know the deadline."""
        if self.process is not None and not self.over:
            try:
                _say(self.process.stdin, {"deadline": self.deadline})
            except (BrokenPipeError, ValueError):  # it has just ended
                self.close()

    def close(self, why: str = "") -> None:
        """End it, and all other work with it."""
        self.why = self.why or why
        self.over = True
        self.load.close()
        if self.process is not None:
            self.process.kill()


def waiting() -> int:
    """Return how many visitors wait for their turn."""
    return _waiting


def _run(session: Session, checkpoint: Path, film: bytes) -> None:
    if not _takes_turn(session):
        return
    try:
        with tempfile.TemporaryDirectory(prefix="a3d-live-") as folder:
            path = Path(folder) / "film"
            path.write_bytes(film)
            _follow(session, {"checkpoint": str(checkpoint), "film": str(path), "deadline": session.deadline})
    finally:
        session.close()
        _turn.release()


def _takes_turn(session: Session) -> bool:
    """Whether its turn came before the visitor was gone."""
    global _waiting
    _waiting += 1
    try:
        while not _is_gone(session):
            if _turn.acquire(timeout=0.2):
                session.waits = False
                return True
        return False
    finally:
        _waiting -= 1


def _is_gone(session: Session) -> bool:
    if now() - session.looked > SILENCE:
        session.close("Nobody looked any more, so it was stopped.")
    return session.over


def _follow(session: Session, job: dict) -> None:
    """Start a process and take what it says until it ends or the visitor is gone."""
    end = now() + LONGEST
    command = [sys.executable, __file__, *sys.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            _say(process.stdin, job)
            session.process = process
            if session.over:  # before there was anything to kill
                return
            session.tell()  # it may have been changed meanwhile
            for line in process.stdout:
                if now() > end:
                    session.close(f"It was stopped after {LONGEST / 60:.0f} minutes, as others may wait.")
                if _is_gone(session):
                    break
                if line.endswith("\n"):
                    _take(session, json.loads(line))
        finally:
            process.kill()
    if not session.over and not session.error:
        session.error = "The process that watched has ended; start it again."


def _take(session: Session, said: dict) -> None:
    if "error" in said:
        session.error = said["error"]
    elif "ready" in said:
        session.ready = said["ready"]
    elif "picture" in said:
        session.picture = said["picture"]
    elif "options" in said:
        session.options = tuple(Option(Configuration.parse(key), *numbers) for key, *numbers in said["options"])
    else:
        step = Step.from_dict(said["step"])
        if session.load.count:
            _note_load(session, step)
        session.steps.append(step)


def _note_load(session: Session, step: Step) -> None:
    """A window was answered beside other work."""
    before = session.steps[-1].time if session.steps else step.time
    if session.busy and session.busy[-1][1] >= before:
        session.busy[-1] = session.busy[-1][0], step.time
    else:
        session.busy.append((step.time, step.time))


class _Deadline:
    """milliseconds: as the page last said. Called, it gives them."""

    def __init__(self, milliseconds: float) -> None:
        self.milliseconds = milliseconds

    def __call__(self) -> float:
        return self.milliseconds

    def listen(self) -> None:
        """Hear what the page says, and end this process with it."""
        for line in sys.stdin:
            self.milliseconds = json.loads(line)["deadline"]
        os._exit(0)


def _serve() -> None:
    """Watch a clip and say line by line what comes of it."""
    job = json.loads(sys.stdin.readline())
    say, deadline = partial(_say, sys.stdout), _Deadline(job["deadline"])
    sys.stdout = sys.stderr  # what a library prints is no answer
    threading.Thread(target=deadline.listen, daemon=True).start()
    try:
        network = load(job["checkpoint"])
        for step in watched(Path(job["film"]), network, deadline, say):
            say({"step": step.to_dict()})
    except (A3DError, OSError, RuntimeError, MemoryError) as error:
        say({"error": str(error).replace(job["film"], "the clip")})


def watched(
    path: Path, network: TrainedNetwork, deadline: Callable[[], float], say: Callable[[dict], None]
) -> Iterator[Step]:
    """Yield a step for every window of a clip in a loop, without end. deadline: milliseconds, asked before each.

    say: is told what is measured at first, and given a picture now and then.
    """
    resident = Resident(network)
    policy = Controller(_timed(resident, say), deadline())
    say({"options": [(one.configuration.key, one.milliseconds, one.accuracy) for one in policy.options]})
    side = max(DECODED_SIDE, 2 * network.sampling.spatial)
    with Stream(path, side) as stream:
        rate = stream.frame_rate

    def cut(stopped: threading.Event) -> Iterator[Window]:
        return sliding_windows(looped(path, side, stopped), network.sampling, rate, lambda: deadline() / 1000)

    with closing(Newest(cut)) as windows:
        yield from answer_in_time(policy, limited(windows, policy, deadline, say), resident.answer, deadline)


def looped(path: Path, side: int, stopped: threading.Event) -> Iterator[Frame]:
    """Yield the frames of a file at its own pace, again and again, with times that go on, until `stopped` is set."""
    begin = 0.0
    while not stopped.is_set():
        with Stream(path, side) as stream:
            for frame in stream.frames(time.monotonic, stopped.wait):
                if stopped.is_set():
                    return
                yield frame._replace(time=begin + frame.time)
            begin += frame.time + 1 / stream.frame_rate
            stopped.wait(1 / stream.frame_rate)


def limited(
    windows: Iterable[Window], policy: Controller, deadline: Callable[[], float], say: Callable[[dict], None]
) -> Iterator[Window]:
    """Yield the windows, each under the deadline of its moment, and say now and then what is to be seen in them."""
    shown = -OFTEN
    for window in windows:
        policy.limit = deadline()
        yield window
        if window.time - shown >= OFTEN:  # after its answer, which does not wait for it
            shown = window.time
            say({"picture": jpeg(short_side(window.frames[-1:], 3 * PICTURE)[0])})


def _timed(resident: Resident, say: Callable[[dict], None]) -> list[Option]:
    """The trade-off list with what a whole answer takes when nothing else runs: the least of several rounds of all."""
    network = resident.network
    rows = network.table.trade_off()
    side = max(DECODED_SIDE, 2 * network.sampling.spatial)
    window = Window(0, 0.0, 0.0, torch.zeros(network.sampling.frames, side, side * 4 // 3, 3, dtype=torch.uint8))
    resident.warm([Option(row.configuration, 0.0, row.accuracy) for row in rows])
    least = dict.fromkeys(rows, math.inf)
    for number in range(1, ROUNDS + 1):
        for row in rows:
            least[row] = min(least[row], _time(resident, window, row.configuration))
        say({"ready": number / ROUNDS})
    return [Option(row.configuration, milliseconds, row.accuracy) for row, milliseconds in least.items()]


def _time(resident: Resident, window: Window, configuration: Configuration) -> float:
    """Milliseconds of an answer."""
    started = time.perf_counter()
    resident.answer(window, configuration)
    return 1000 * (time.perf_counter() - started)


def _say(sink, what: dict) -> None:
    print(json.dumps(what), file=sink, flush=True)


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]
    _serve()
