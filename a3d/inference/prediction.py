"""What happens in a video, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from a3d.budgets.budget import Budget, Limits
from a3d.budgets.cost import cost
from a3d.configuration import Configuration, ConfigurationError
from a3d.testing.evaluation import answer
from a3d.trained import TrainedNetwork, check_trained
from a3d.video import crop_views, decode_views

BATCH = 16  # views that run at once


@dataclass(frozen=True)
class Prediction:
    """labels: class names, most probable first; probabilities: theirs, 0..1, summing to 1 if only one class can be
    right, else each on its own.

    gflops: of one view; `views` clips in time × crops were averaged. times: float64 (clips, t), seconds from the start
    of the video, of the frames seen (by the Fast pathway, for SlowFast).
    none: probability, 0..1, that the video shows none of the classes, the mean over the views; None for a network that
    has not learnt to tell (`a3d table --foreign`).
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    configuration: Configuration
    gflops: float
    views: tuple[int, int]
    times: np.ndarray = field(repr=False)
    none: float | None = None

    @property
    def label(self) -> str:
        """Return the most probable class."""
        return self.labels[0]


def predict(
    path: str | Path,
    network: TrainedNetwork,
    configuration: Configuration | None = None,
    views: tuple[int, int] = (1, 1),
    dtype: torch.dtype | None = None,
    **budget: Unpack[Limits],
) -> Prediction:
    """Names and probabilities for a video, at the configuration given or within `gflops=`, `milliseconds=` (of a clip
    on this device), `params=` or `megabytes=`, or else at the full one.

    views: clips in time × crops (1 or 3), softmax averaged (several labels: the highest sigmoid), then at the
    temperature of the table's row where it has one. dtype: what the
    convolutions compute in, by PyTorch; by default as the network was loaded to run.
    Raises VideoError for a file without pictures, BudgetError below the cheapest tested configuration,
    MissingStatistics for one that was not calibrated, ConfigurationError for a network in training mode.
    """
    _check_ready(network)
    configuration = chosen(network, configuration, **budget)
    frames, times = decode_views(path, network.sampling, views[0])
    return predict_frames(frames, times, network, configuration, views[1], dtype)


def predict_frames(
    frames: Tensor,
    times: np.ndarray,
    network: TrainedNetwork,
    configuration: Configuration,
    crops: int = 1,
    dtype: torch.dtype | None = None,
) -> Prediction:
    """Predict what happens in clips that are decoded already, so that several configurations need one decoding.

    frames, times: uint8 (clips, T, H, W, 3) and their seconds (clips, T), as `decode_views` returns them. crops: of
    each clip in space, 1 or 3. Raises as `predict` does.
    """
    _check_ready(network)
    clips = crop_views(frames, network.sampling, crops, network.clip_shape(configuration)[1])
    parts, none = clips.to(network.device).split(BATCH), Nones(network, configuration)
    mean = answer(network.resident(configuration, dtype), parts, 1, none.seen, network.temperature(configuration))[0]
    order = mean.argsort(descending=True, stable=True).tolist()
    return Prediction(
        tuple(network.labels[i] for i in order),
        tuple(mean[order].tolist()),
        configuration,
        cost(network, configuration).gflops,
        (len(frames), crops),
        times[:, network.seen_frames(configuration, times.shape[1])],
        none.mean(),
    )


def _check_ready(network: TrainedNetwork) -> None:
    check_trained(network)
    if network.training:
        raise ConfigurationError(
            "the network is in training mode, where clips influence each other: call network.eval()"
        )


class Nones:
    """Collects, batch by batch, how probable it is that clips show none of the classes. seen: for `answer`."""

    def __init__(self, network: TrainedNetwork, configuration: Configuration) -> None:
        self.network, self.configuration, self.each = network, configuration, []
        self.seen = self._add if configuration in network.rejections else None

    def _add(self, maps: Sequence[Tensor], logits: Tensor) -> None:
        self.each.append(self.network.none(self.configuration, maps, logits))

    def mean(self) -> float | None:
        """Return the mean over all clips seen, None where the network has not learnt to tell."""
        return torch.cat(self.each).mean().item() if self.each else None


def chosen(
    network: TrainedNetwork, configuration: Configuration | None = None, **budget: Unpack[Limits]
) -> Configuration:
    """The configuration given, the best that the network's table holds within the budget, or else the full one.

    budget: `gflops=`, `milliseconds=`, `params=` or `megabytes=`, as in `Table.choose`; milliseconds are those of
    `network.profile`. Raises ConfigurationError for both or for a network without a table, BudgetError below the
    cheapest, for two budgets, and for milliseconds without a profile.
    """
    limit = Budget.of(**budget)
    if configuration is not None and limit is not None:
        raise ConfigurationError(f"{limit} and {configuration}: give a budget or a configuration, not both")
    if limit is None:
        return configuration or network.full
    check_trained(network)
    if network.table is None:
        raise ConfigurationError(f"{limit}: the network has no table to choose from; make one (a3d table)")
    return network.table.choose(**budget, profile=network.profile).configuration
