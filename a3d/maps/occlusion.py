"""The proof of a map: hide what it calls important, and see whether the answer falls further than by chance."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from a3d.adaptive.resampling import temporal_indices
from a3d.configuration import Configuration, ConfigurationError
from a3d.datasets import ClipSet
from a3d.maps.maps import Clip, Explanation, clip_tensor, explain, read_clip
from a3d.testing.errors import EvaluationError
from a3d.trained import TrainedNetwork
from a3d.video import VideoError

HIDDEN = 0.1  # share of a map's places that is hidden
SEEDS = 8  # draws of random places


@dataclass(frozen=True)
class Occlusion:
    """What is left of a class's probability when a tenth of the places of a clip is hidden.

    before: with nothing hidden. hottest: without the places where the map is highest. random: without as many places
    at random, one a draw. hidden, places: how many of how many were hidden, in space and time.
    """

    configuration: Configuration
    before: float
    hottest: float
    random: tuple[float, ...]
    hidden: int
    places: int

    @property
    def chance(self) -> float:
        """Return the mean over the random draws."""
        return float(np.mean(self.random))

    @property
    def gain(self) -> float:
        """Return how much further the probability falls without the hottest places than without random ones, -1..1."""
        return self.chance - self.hottest


@dataclass(frozen=True)
class OcclusionResult:
    """The mean of `Occlusion` over clips, for the true class of each.

    before, hottest, chance, gain: percent, and points. interval: of the gain, 95%, from the spread over clips.
    """

    configuration: Configuration
    before: float
    hottest: float
    chance: float
    gain: float
    interval: tuple[float, float]
    clips: int


def occlude(clip: Clip, network: TrainedNetwork, explanation: Explanation, seeds: int = SEEDS) -> Occlusion:
    """Hide the hottest tenth of a map's places, then as many at random, and return the probabilities of its class.

    explanation: of this clip by this network, by any method; of several pathways, their maps are summed. A place is a
    cell of the map: a square of the picture during a step in time. It is filled with the mean colour of its frame:
    a blur would leave coarse shapes and motion, which such networks read well, and black would be a colour of its own.
    Raises ConfigurationError for no seeds.
    """
    if seeds < 1:
        raise ConfigurationError(f"seeds {seeds}: give 1 or more draws of random places")
    tensor = clip_tensor(clip, network, explanation.configuration)
    evidence = _on_one_grid(explanation)
    count = max(1, round(HIDDEN * evidence.numel()))
    order = evidence.flatten().argsort(descending=True, stable=True)
    draws = [torch.randperm(len(order), generator=torch.Generator().manual_seed(seed)) for seed in range(seeds)]
    before = _probability(network, explanation, tensor)
    hottest, *random = (
        _probability(network, explanation, hide(tensor, evidence.shape, places[:count])) for places in (order, *draws)
    )
    return Occlusion(explanation.configuration, before, hottest, tuple(random), count, len(order))


def hide(clip: Tensor, grid: tuple[int, ...], places: Tensor) -> Tensor:
    """Return a clip (1, 3, T, S, S) whose frames have their own mean colour at some places.

    grid: (t, h, w), the cells that the clip is divided into. places: int64, numbers of cells in the order of the grid.
    """
    frames, height, width = clip.shape[2:]
    hidden = torch.zeros(grid)
    hidden.view(-1)[places] = 1.0
    starts = np.array(temporal_indices(frames, grid[0]))
    steps = np.searchsorted(starts, np.arange(frames), side="right") - 1  # of each frame
    mask = F.interpolate(hidden[steps][None], (height, width), mode="nearest")[0].bool()  # (T, S, S)
    return torch.where(mask, clip.mean((3, 4), keepdim=True), clip)


def occlusion_on(
    network: TrainedNetwork,
    dataset: ClipSet,
    configuration: Configuration,
    method: str = "cam",
    progress: Callable[[int], None] = lambda done: None,
) -> OcclusionResult:
    """Return how far the map of each clip's true class passes the check, over the clips that can be read.

    method: of the maps, as `explain` has it. progress is told the clips that are done.
    Raises EvaluationError where there are fewer than two.
    """
    found = []
    for done, item in enumerate(dataset.items, 1):
        with suppress(VideoError):
            clip = read_clip(item.path, network)
            explanation = explain(clip, network, configuration, label=dataset.classes[item.label], method=method)
            found.append(occlude(clip, network, explanation))
        progress(done)
    if len(found) < 2:
        raise EvaluationError(f"{len(found)} clips can be read: give two or more")
    gains = 100 * np.array([one.gain for one in found])
    half = 1.96 * gains.std(ddof=1) / len(gains) ** 0.5
    means = (100 * float(np.mean([getattr(one, name) for one in found])) for name in ("before", "hottest", "chance"))
    mean = float(gains.mean())
    return OcclusionResult(configuration, *means, mean, (mean - half, mean + half), len(found))


def _on_one_grid(explanation: Explanation) -> Tensor:
    """The maps of all pathways on the cells of the first, (t, h, w); their means, and so their sum, are kept."""
    first, *others = (torch.from_numpy(found)[None, None] for found in explanation.maps)
    return sum((F.adaptive_avg_pool3d(other, first.shape[2:]) for other in others), first)[0, 0]


@torch.no_grad()
def _probability(network: TrainedNetwork, explanation: Explanation, clip: Tensor) -> float:
    sub = network.resident(explanation.configuration)
    logits = sub.classify(sub.features(clip.to(sub.device)))
    return float(network.probabilities(logits, explanation.configuration)[0, explanation.label])
