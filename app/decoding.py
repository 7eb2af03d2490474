"""Uploads are decoded in processes of their own, which can be killed: a visitor's file is no other visitor's harm.

A process takes one file at a time. One that takes too long is killed, one that takes too much memory or that the file
brings down ends, and another takes its place.
"""

from __future__ import annotations

import atexit
import errno
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import LifoQueue

import numpy as np
import torch

from a3d.maps import Clip
from a3d.video import Limits, Sampling, Video, VideoError
from a3d.video.excerpt import write_excerpt
from a3d.video.views import decode_views

PROCESSES = 2  # files that are decoded at once
LIMITS = Limits(memory=1 << 30, seconds=20.0)  # of a visitor's file
SECONDS = 30.0  # after which a process is killed
MEMORY = 2 << 30  # bytes that a file may take in all


@dataclass(frozen=True)
class Decoded:
    """clip: the frames that any configuration is cut from. film: the part of the video that they span, as browsers play
    it, empty where it was not wanted; start: where in the video it begins, seconds; size: its width and height, pixels.
    """

    clip: Clip
    film: bytes
    start: float
    seconds: float
    size: tuple[int, int]


def decode(path: Path, sampling: Sampling, middle: float | None = None, film: bool = True) -> Decoded:
    """Decode the clip around `middle`, seconds, or around the middle of the video, in another process.

    film: whether to encode what browsers play, which takes longer than all else. Raises VideoError for what cannot be
    decoded within the limits.
    """
    process = _idle.get()
    try:
        return process.decode(path, {"sampling": asdict(sampling), "middle": middle, "film": film})
    finally:
        _idle.put(process)


class _Process:
    """A process that decodes, started with the first file."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None
        self.ready = False

    def start(self) -> subprocess.Popen:
        if self.process is None or self.process.poll() is not None:
            self.end()
            command = [sys.executable, __file__, *sys.path]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.ready = False
        return self.process

    def wait(self) -> None:
        """Wait until it has started: on a machine that is busy that takes long, and is no fault of the file."""
        if not self.ready:
            _read(self.process.stdout.readline, None)
            self.ready = True

    def end(self) -> None:
        if self.process is not None:
            with self.process:  # closes its pipes, and waits
                self.process.kill()

    def decode(self, path: Path, wanted: dict) -> Decoded:
        process, late = self.start(), threading.Event()
        timer = threading.Timer(SECONDS, lambda: (late.set(), process.kill()))
        try:
            self.wait()
            timer.start()
            return self._answer(process, {"path": str(path), "memory": MEMORY} | wanted)
        except (EOFError, BrokenPipeError):
            self.end()
            slow = f"takes longer than {SECONDS:g} seconds to decode"
            why = slow if late.is_set() else "ended the process that decoded it"
            raise VideoError(f"{path}: it {why}; give a shorter or smaller one, or encode it again") from None
        finally:
            timer.cancel()

    def _answer(self, process: subprocess.Popen, job: dict) -> Decoded:
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        said = json.loads(_read(process.stdout.readline, None))
        if "error" in said:
            raise VideoError(said["error"])
        shape = said["shape"]
        pixels = bytearray(_read(process.stdout.read, int(np.prod(shape))))
        frames = torch.frombuffer(pixels, dtype=torch.uint8).reshape(shape)
        film = _read(process.stdout.read, said["film"])
        clip = Clip(frames, np.array(said["times"]))
        return Decoded(clip, film, said["start"], said["seconds"], tuple(said["size"]))


_processes = [_Process() for _ in range(PROCESSES)]
_idle: LifoQueue[_Process] = LifoQueue()  # the last one to be ready is the first to be taken: it is warm
for _process in reversed(_processes):
    _idle.put(_process)
    atexit.register(_process.end)


def warm() -> None:
    """Let the first process start, which takes seconds, before there is a file."""
    if _processes[0].process is None:
        _processes[0].start()


def _read(read: Callable[..., bytes], count: int | None) -> bytes:
    """All of so many bytes, or a line. Raises EOFError if the other process has ended, also in the middle of it."""
    found = read() if count is None else read(count)
    if not found.endswith(b"\n") if count is None else len(found) < count:
        raise EOFError
    return found


def decode_here(path: Path, sampling: Sampling, middle: float | None = None, film: bool = True) -> Decoded:
    """The same in this process."""
    video, around = Video(path, LIMITS), None
    if middle is not None:  # and within the video, as `a3d.segments` has it
        half = sampling.span(video.frame_rate) / 2
        around = (max(half, min(middle, video.duration - half)),) * 2
    frames, times = decode_views(path, sampling, 1, around, lambda path: video)
    clip, start = Clip(frames[0], np.asarray(times[0], np.float64)), float(times[0][0])
    end, written = float(times[0][-1]) + 1 / video.frame_rate, path.with_name(".film.mp4")
    if not film:
        return Decoded(clip, b"", start, end - start, (video.width, video.height))
    size = write_excerpt(path, written, start, end)
    return Decoded(clip, written.read_bytes(), start, Video(written).duration, size)


def _serve() -> None:
    """Answer job after job until there are no more."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    sink.write(b"ready\n")
    sink.flush()
    for line in source:
        job = json.loads(line)
        sampling = Sampling(**{k: tuple(v) if isinstance(v, list) else v for k, v in job["sampling"].items()})
        allow(job["memory"])
        try:
            found = decode_here(Path(job["path"]), sampling, job["middle"], job["film"])
        except VideoError as error:
            sink.write(json.dumps({"error": str(error)}).encode() + b"\n")
        except (MemoryError, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.ENOMEM:
                raise
            said = f"{job['path']}: it takes more memory than {job['memory'] >> 20} MB; give a smaller one"
            sink.write(json.dumps({"error": said}).encode() + b"\n")
        else:
            about = {name: getattr(found, name) for name in ("start", "seconds", "size")}
            about |= {"shape": list(found.clip.frames.shape), "times": found.clip.times.tolist()}
            sink.write(json.dumps(about | {"film": len(found.film)}).encode() + b"\n")
            sink.write(found.clip.frames.contiguous().numpy().tobytes())
            sink.write(found.film)
        sink.flush()


def allow(memory: int) -> None:
    """Let this process take so many bytes more than it has, where the system can hold it to that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, resource.RLIM_INFINITY))


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]
    _serve()
