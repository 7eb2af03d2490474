"""Many clips of a visitor: what every stop of the dial answers about each of them, decoded once, in the background.

A file is deleted as soon as it is answered, or with its visitor's hour.
"""

from __future__ import annotations

import csv
import io
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import decoding
import words
from films import PICTURE, jpeg
from sources import Source, network_of

from a3d.configuration import Configuration
from a3d.errors import A3DError
from a3d.inference.prediction import Prediction, predict_frames
from a3d.trained import TrainedNetwork
from a3d.video import VideoError, short_side

MOST = 50  # files of a visitor
MEGABYTES = 100  # of each
COLUMNS = ("file", *(f"{who}_{what}" for who in ("full", "sub") for what in ("says", "label", "probability", "none")))
COLUMNS += ("same", "error")

_turn = threading.Lock()  # one clip at a time, so that visitors take turns


@dataclass
class Line:
    """A file. name: as the visitor knows it. picture: its middle as JPEG in base64. error: why there are no answers."""

    name: str
    picture: str = ""
    error: str = ""
    answers: dict[Configuration, Prediction] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return bool(self.answers or self.error)


class Many:
    """Clips of a visitor, in the order given, and the network that answers. left: how many files were too many."""

    def __init__(self, source: Source, configurations: Sequence[Configuration]) -> None:
        folder = tempfile.TemporaryDirectory(prefix="a3d-many-", ignore_cleanup_errors=True)
        self.source, self.configurations, self.folder = source, tuple(configurations), Path(folder.name)
        self.lines: list[Line] = []
        self.left = 0
        self._gone = threading.Event()
        weakref.finalize(self, _forget, folder, self._gone)

    @property
    def done(self) -> int:
        return sum(line.over for line in self.lines)

    @property
    def over(self) -> bool:
        return self.done == len(self.lines)

    def add(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Take more clips, names and contents, and begin to look at them."""
        room = MOST - len(self.lines)
        self.left += max(0, len(files) - room)
        paths: list[tuple[Line, Path]] = []
        for name, data in files[:room]:
            line = Line(name)
            self.lines.append(line)
            if len(data) > MEGABYTES << 20:
                line.error = f"{name}: larger than {MEGABYTES} MB; give a shorter or smaller one"
                continue
            path = self.folder / str(len(self.lines))
            path.write_bytes(data)
            paths.append((line, path))
        arguments = paths, network_of(self.source), self.configurations, self._gone
        threading.Thread(target=_look, args=arguments, daemon=True).start()


def _forget(folder: tempfile.TemporaryDirectory, gone: threading.Event) -> None:
    gone.set()
    folder.cleanup()


def _look(
    paths: list[tuple[Line, Path]],
    network: TrainedNetwork,
    configurations: tuple[Configuration, ...],
    gone: threading.Event,
) -> None:
    for line, path in paths:
        try:
            with _turn:
                if gone.is_set():
                    return
                _answer(line, path, network, configurations)
        finally:
            path.unlink(missing_ok=True)
            if not line.over:
                line.error = f"{line.name}: it was not looked at, for a fault of this page"


def _answer(line: Line, path: Path, network: TrainedNetwork, configurations: tuple[Configuration, ...]) -> None:
    try:
        clip = decoding.decode(path, network.sampling, film=False).clip
        line.picture = jpeg(short_side(clip.frames[len(clip.frames) // 2][None], PICTURE)[0])
        seen = clip.frames[None], clip.times[None]
        line.answers = {one: predict_frames(*seen, network, one) for one in configurations}
    except VideoError as error:
        line.error = str(error).replace(str(path), line.name)
    except (A3DError, RuntimeError, MemoryError) as error:
        line.error = f"{line.name}: {error}"


def as_csv(lines: Sequence[Line], full: Configuration, sub: Configuration) -> str:
    """A line a file: what both networks say, their most probable class and its probability, and why there is none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        if not line.answers:
            writer.writerow([line.name, *[""] * 9, line.error])
            continue
        pair = [line.answers[one] for one in (full, sub)]
        said = [value for one in pair for value in _told(one)]
        writer.writerow([line.name, *said, "yes" if words.same(*pair) else "no", ""])
    return file.getvalue()


def _told(found: Prediction) -> list[str]:
    kind, _, _ = words.believed(words.ranked(found), found.none)
    none = "" if found.none is None else f"{found.none:.4f}"
    return [found.label if kind == words.ANSWER else kind, found.label, f"{found.probabilities[0]:.4f}", none]
