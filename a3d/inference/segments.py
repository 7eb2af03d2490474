"""What happens when in a long video: a ribbon of answers, and the segments that it makes."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import groupby, islice
from pathlib import Path
from statistics import fmean
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from a3d.adaptive.extraction import SubNetwork
from a3d.budgets import budget
from a3d.configuration import Configuration, ConfigurationError
from a3d.inference.prediction import BATCH, Nones, chosen
from a3d.testing.evaluation import answer
from a3d.trained import TrainedNetwork, check_trained
from a3d.video import LIMITS, Limits, Video, normalise, short_side
from a3d.video.views import squares
from a3d.video.windows import read_windows

NONE = "none of these"  # the label of what is rather no class of the network
LONG = replace(LIMITS, seconds=math.inf)  # hours of video take hours to decode


@dataclass(frozen=True)
class Answer:
    """What a configuration says of a moment. probability: of the label, 0..1.

    none: how probable it is that no class is right, 0..1; None for a network that cannot say.
    """

    label: str
    probability: float
    none: float | None = None


@dataclass(frozen=True)
class Moment:
    """A part of a video, from start to end in seconds, and what each configuration says of the clip around it.

    picture: from the middle of that clip, uint8 (h, w, 3); None if none was asked for.
    """

    start: float
    end: float
    answers: tuple[Answer, ...]
    picture: Tensor | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Segment:
    """A part of a video, from start to end in seconds, that has one label: a class, or `NONE`.

    probability: of the label, 0..1, the mean over the moments of the segment.
    """

    start: float
    end: float
    label: str
    probability: float


def segments(
    path: str | Path,
    network: TrainedNetwork,
    configuration: Configuration | None = None,
    every: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    dtype: torch.dtype | None = None,
    **limits: Unpack[budget.Limits],
) -> list[Segment]:
    """Return what happens when in a video of any length: one segment after the other, from its start to its end.

    The configuration is given, or chosen within a budget as in `predict`. The rest is as in `ribbon`.
    """
    return merged(ribbon(path, network, [chosen(network, configuration, **limits)], every, progress, dtype))


def ribbon(
    path: str | Path,
    network: TrainedNetwork,
    configurations: Sequence[Configuration],
    every: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    dtype: torch.dtype | None = None,
    picture: int | None = None,
    limits: Limits = LONG,
) -> Iterator[Moment]:
    """Yield the moments of a video in order, with the answers of all configurations, while it is decoded.

    every: seconds from moment to moment, half a clip if left out; each is judged by the clip around its middle, as
    `predict` judges one. progress is told the moments done and their total. The file is read once; memory is that of
    some clips, however long the video. dtype: as in `predict`. picture: short side, in pixels, of a
    picture of each moment.
    Raises VideoError, MissingStatistics, and ConfigurationError for a network that detects and for an `every` that is
    not above 0.
    """
    check_trained(network)
    if network.task == "detection":
        raise ConfigurationError("a network that detects answers about people: use a3d.detect (a3d detect)")
    video = Video(path, limits)
    edges, starts = _parts(video, network, every)
    subs = [network.resident(configuration, dtype) for configuration in configurations]
    sizes = {configuration: network.clip_shape(configuration)[1] for configuration in configurations}
    done = 0
    windows = _resized(read_windows(video, network.sampling, starts), set(sizes.values()), picture)
    while clips := list(islice(windows, BATCH)):
        found = [
            _answers(network, sub, torch.cat([clip[sizes[configuration]] for clip, _ in clips]))
            for configuration, sub in zip(configurations, subs, strict=True)
        ]
        for number, (answers, (_, shown)) in enumerate(zip(zip(*found, strict=True), clips, strict=True), done):
            yield Moment(edges[number], edges[number + 1], answers, shown)
        done += len(clips)
        progress(done, len(starts))


def merged(moments: Iterable[Moment], number: int = 0) -> list[Segment]:
    """Return the segments that moments make: neighbours of one label, by the answers with this number, are one."""
    found = []
    for label, group in groupby(moments, key=lambda moment: label_of(moment.answers[number])[0]):
        parts = list(group)
        probability = fmean(label_of(moment.answers[number])[1] for moment in parts)
        found.append(Segment(parts[0].start, parts[-1].end, label, probability))
    return found


def as_csv(found: Iterable[Segment]) -> str:
    """Return segments as a CSV file: start, end, label, probability."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("start", "end", "label", "probability"))
    writer.writerows((f"{s.start:.3f}", f"{s.end:.3f}", s.label, f"{s.probability:.4f}") for s in found)
    return file.getvalue()


def as_subtitles(found: Iterable[Segment]) -> str:
    """Return segments as SubRip subtitles: for each a number, its time, its label and an empty line."""
    return "".join(
        f"{number}\n{_clock(part.start)} --> {_clock(part.end)}\n{part.label} {100 * part.probability:.0f}%\n\n"
        for number, part in enumerate(found, 1)
    )


def _clock(seconds: float) -> str:
    minutes, thousandths = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{thousandths // 1000:02},{thousandths % 1000:03}"


def label_of(answer: Answer) -> tuple[str, float]:
    """Return the label that a segment gets from an answer, a class or `NONE`, and its probability."""
    is_none = answer.none is not None and answer.none >= 0.5
    return (NONE, answer.none) if is_none else (answer.label, answer.probability)


def _parts(video: Video, network: TrainedNetwork, every: float | None) -> tuple[list[float], list[float]]:
    """Where the parts of a video begin and the last one ends, and where the clip around each begins; seconds."""
    span = network.sampling.span(video.frame_rate)
    every = span / 2 if every is None else every
    if not every > 0:
        raise ConfigurationError(f"a moment every {every:g} s: give seconds above 0 (--every)")
    every = max(every, 1 / video.frame_rate)
    begins = every * np.arange(max(1, math.ceil(video.duration / every - 1e-6)))  # no part that rounding makes
    edges = [*begins.tolist(), video.duration]
    middles = (begins + np.array(edges[1:])) / 2
    return edges, np.clip(middles - span / 2, 0.0, max(0.0, video.duration - span)).tolist()


def _resized(
    clips: Iterable[Tensor], sizes: Iterable[int], picture: int | None
) -> Iterator[tuple[dict[int, Tensor], Tensor | None]]:
    """Each clip, uint8 (T, H, W, 3), as the squares of all sizes, (1, T, S, S, 3), and a picture of it."""
    for clip in clips:
        middle = clip[len(clip) // 2][None]
        yield (
            {size: squares(clip[None], size, 1) for size in sizes},
            None if picture is None else short_side(middle, picture)[0],
        )


def _answers(network: TrainedNetwork, sub: SubNetwork, clips: Tensor) -> list[Answer]:
    """What a sub-network says of each clip of uint8 (N, T, S, S, 3)."""
    nones = Nones(network, sub.configuration)
    temperature = network.temperature(sub.configuration)
    rows = answer(sub, [normalise(clips.to(network.device), network.sampling)], len(clips), nones.seen, temperature)
    probabilities, labels = (column.tolist() for column in rows.max(1))
    each = torch.cat(nones.each).tolist() if nones.each else [None] * len(clips)
    return [Answer(network.labels[k], p, none) for k, p, none in zip(labels, probabilities, each, strict=True)]
