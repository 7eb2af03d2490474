"""Who does what in a video: boxes of people at regular moments, and the actions of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from a3d.budgets.budget import Limits
from a3d.configuration import Configuration, ConfigurationError
from a3d.datasets import DatasetError
from a3d.datasets.ava import THRESHOLD, read_boxes
from a3d.datasets.items import BoxShares
from a3d.inference.prediction import chosen
from a3d.trained import TrainedNetwork, check_trained
from a3d.video import Video, normalise, short_side
from a3d.video.views import DECODED_SIDE

Proposer = Callable[[float, Tensor], list[tuple[BoxShares, float]]]  # of a moment and its picture uint8 (H, W, 3)


@dataclass(frozen=True)
class Person:
    """box: x1, y1, x2, y2 as shares 0..1 of the picture. score: that it is a person, 0..1.

    actions: names and probabilities, each on its own, the most probable first.
    """

    box: BoxShares
    score: float
    actions: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Scene:
    """The people of a moment, in seconds from the start of the video."""

    time: float
    people: tuple[Person, ...]


def detect(
    path: str | Path,
    network: TrainedNetwork,
    proposer: Proposer,
    configuration: Configuration | None = None,
    every: float = 1.0,
    progress: Callable[[int, int], None] = lambda done, total: None,
    dtype: torch.dtype | None = None,
    **budget: Unpack[Limits],
) -> tuple[Scene, ...]:
    """Find people and their actions every `every` seconds, each moment judged from the clip around it.

    proposer: gives the boxes, as `proposals` or `detected` make one. The configuration is given, or chosen as in
    `predict`. progress is told the moments done and their total. dtype: what the convolutions compute in, by
    PyTorch; by default as the network was loaded to run.
    Raises VideoError, MissingStatistics, and ConfigurationError for a network that classifies clips and for an `every`
    that is not above 0.
    """
    if network.task != "detection":
        raise ConfigurationError(f"the network is for {network.task}, not detection: train one on AVA, or convert one")
    check_trained(network)
    if not every > 0:
        raise ConfigurationError(f"a moment every {every:g} s: give seconds above 0 (--every)")
    configuration = chosen(network, configuration, **budget)
    sub, video, scenes = network.resident(configuration, dtype), Video(path), []
    moments = np.arange(0.0, video.duration, every) if video.duration > every else np.array([video.duration / 2])
    for done, moment in enumerate(moments.tolist(), 1):
        frames = _clip(video, network, moment)
        people = proposer(moment, frames[len(frames) // 2])
        scenes.append(Scene(moment, tuple(_judged(frames, people, network, sub, configuration))))
        progress(done, len(moments))
    return tuple(scenes)


def proposals(file: str | Path, video: str, threshold: float = THRESHOLD) -> Proposer:
    """Boxes from a file in AVA's format, of the second that is at most half a second from the moment.

    video: its name in the file. Raises DatasetError for a file that has no box of it with at least that score.
    """
    seconds: dict[int, dict[BoxShares, float]] = {}
    for box in read_boxes(file):
        if box.video == video and box.score >= threshold:
            seconds.setdefault(box.second, {})[box.box] = box.score
    if not seconds:
        raise DatasetError(f"{file}: no box of {video!r} has a score of {threshold:g} or more; name the video as there")

    def propose(moment: float, picture: Tensor) -> list[tuple[BoxShares, float]]:
        nearest = min(seconds, key=lambda second: abs(second - moment))
        return list(seconds[nearest].items()) if abs(nearest - moment) <= 0.5 else []

    return propose


def detected(detector: Callable[[Tensor], tuple[Tensor, Tensor]], threshold: float = THRESHOLD) -> Proposer:
    """Boxes that a `PersonDetector` finds in the picture of the moment, with at least that score."""

    def propose(moment: float, picture: Tensor) -> list[tuple[BoxShares, float]]:
        boxes, scores = detector(picture)
        kept = scores >= threshold
        return [(tuple(box), score) for box, score in zip(boxes[kept].tolist(), scores[kept].tolist(), strict=True)]

    return propose


def _clip(video: Video, network: TrainedNetwork, moment: float) -> Tensor:
    """uint8 (T, H, W, 3): the frames around a moment."""
    sampling = network.sampling
    start = moment - sampling.span(video.frame_rate) / 2
    indices = sampling.window(video.times, video.frame_rate, start)
    return video.read(indices, max(DECODED_SIDE, 2 * sampling.spatial))


@torch.inference_mode()
def _judged(
    frames: Tensor,
    people: Sequence[tuple[BoxShares, float]],
    network: TrainedNetwork,
    sub,
    configuration: Configuration,
) -> Iterator[Person]:
    if not people:
        return
    device = sub.device
    clip = normalise(short_side(frames, network.clip_shape(configuration)[1]).to(device), network.sampling)[None]
    boxes = torch.tensor([(0.0, *box) for box, _ in people], device=device)
    probabilities = network.probabilities(sub(clip, boxes)).cpu()
    for (box, score), row in zip(people, probabilities, strict=True):
        order = row.argsort(descending=True, stable=True).tolist()
        yield Person(box, score, tuple((network.labels[i], row[i].item()) for i in order))
