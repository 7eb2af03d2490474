"""Whole videos of visitors: what every configuration of the dial says of each moment, found while the file is read.

A film is read in a process of its own, which can be killed, one film at a time. It lies in a folder of its own for as
long as its visitor is there.
"""

from __future__ import annotations

import base64
import io
import json
import math
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TextIO

import decoding
from torch import Tensor

from a3d.configuration import Configuration
from a3d.inference.checkpoint import load
from a3d.inference.segments import Answer, Moment, ribbon
from a3d.video import Video, VideoError

LIMITS = replace(decoding.LIMITS, seconds=math.inf)  # an hour of video takes long; what it may take ends with SECONDS
SECONDS = 3600.0  # after which the process is killed
MEMORY = 3 << 30  # bytes that it may take beside the network
PICTURE = 72  # short side of a thumbnail, pixels
PICTURES = 240  # of a film, at most

_turn = threading.Lock()  # one film at a time: two would only take the processor from each other
_waiting = 0


@dataclass
class Reading:
    """What is known of a film. moments: from its start on. pictures: thumbnails, JPEG in base64, by moment.

    duration: of the film, seconds, 0 before it is open; ratio: its width over its height. error: why the rest does not
    come. over: whether no more will.
    """

    configurations: tuple[Configuration, ...]
    moments: list[Moment] = field(default_factory=list)
    pictures: dict[int, str] = field(default_factory=dict)
    duration: float = 0.0
    ratio: float = 1.0
    error: str = ""
    over: bool = False
    process: subprocess.Popen | None = None

    @property
    def done(self) -> float:
        """Return the share of the film that is known, 0..1."""
        return self.moments[-1].end / self.duration if self.moments else 0.0

    def end(self) -> None:
        self.over = True
        if self.process is not None:
            self.process.kill()


class Film:
    """A video of a visitor. name: as the visitor knows it. path: of our copy, which goes when the film does."""

    def __init__(self, name: str, data: bytes | memoryview) -> None:
        folder = tempfile.TemporaryDirectory(prefix="a3d-film-", ignore_cleanup_errors=True)
        self.name, self.path = name, Path(folder.name) / "film"
        self.path.write_bytes(data)
        self.readings: dict[object, Reading] = {}
        weakref.finalize(self, _forget, folder, self.readings)

    def reading(self, about: object, checkpoint: Path, configurations: Sequence[Configuration]) -> Reading:
        """What is known of it by a network; the first time that it is asked for, reading begins.

        about: what tells one checkpoint from another.
        """
        if about not in self.readings:
            for other in self.readings.values():
                other.end()
            self.readings.clear()
            self.readings[about] = found = Reading(tuple(configurations))
            job = {"path": str(self.path), "checkpoint": str(checkpoint), "memory": MEMORY}
            job["configurations"] = [configuration.key for configuration in configurations]
            threading.Thread(target=_read, args=(found, job, self.name), daemon=True).start()
        return self.readings[about]


def waiting() -> int:
    """Return how many films wait for their turn."""
    return _waiting


def _forget(folder: tempfile.TemporaryDirectory, readings: dict[object, Reading]) -> None:
    for reading in readings.values():
        reading.end()
    folder.cleanup()


def _read(found: Reading, job: dict, name: str) -> None:
    """Start a process and take what it finds until it ends."""
    global _waiting
    _waiting += 1
    with _turn:
        _waiting -= 1
        if found.over:
            return
        command = [sys.executable, __file__, *sys.path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            found.process, timer = process, threading.Timer(SECONDS, process.kill)
            timer.start()
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.close()
            for line in process.stdout:
                if line.endswith("\n"):
                    _take(found, json.loads(line))
            timer.cancel()
        if process.returncode and not found.over and not found.error:
            found.error = f"{job['path']}: it ended the process that read it; give a shorter or smaller one"
        found.error = found.error.replace(job["path"], name)
        found.over = True


def _take(found: Reading, said: dict) -> None:
    if "error" in said:
        found.error = said["error"]
    elif "duration" in said:
        found.duration, found.ratio = said["duration"], said["ratio"]
    else:
        if said["picture"]:
            found.pictures[len(found.moments)] = said["picture"]
        answers = tuple(Answer(*answer) for answer in said["answers"])
        found.moments.append(Moment(said["start"], said["end"], answers))


def _serve() -> None:
    """Read one film and say line by line what is found."""
    job = json.loads(sys.stdin.readline())
    say = partial(_say, sys.stdout)
    sys.stdout = sys.stderr  # what a library prints is no answer
    network = load(job["checkpoint"])
    configurations = [Configuration.parse(key) for key in job["configurations"]]
    decoding.allow(job["memory"])
    rarely = 1
    try:
        video = Video(job["path"], LIMITS)
        duration = video.duration
        say({"duration": duration, "ratio": video.width / video.height})
        for number, moment in enumerate(ribbon(job["path"], network, configurations, picture=PICTURE, limits=LIMITS)):
            rarely = math.ceil(duration / (moment.end - moment.start) / PICTURES) if number == 0 else rarely
            picture = jpeg(moment.picture) if number % rarely == 0 else None
            answers = [(one.label, round(one.probability, 4), one.none) for one in moment.answers]
            say({"start": moment.start, "end": moment.end, "answers": answers, "picture": picture})
    except VideoError as error:
        say({"error": str(error)})
    except MemoryError:
        say({"error": f"{job['path']}: it takes more memory than {job['memory'] >> 20} MB; give a smaller one"})


def _say(sink: TextIO, what: dict) -> None:
    print(json.dumps(what), file=sink, flush=True)


def jpeg(picture: Tensor) -> str:
    """Return a picture, uint8 (h, w, 3), as JPEG in base64."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture.numpy()).save(file, "JPEG", quality=70)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]
    _serve()
