"""Whether a network looks at the people: evidence against masks of where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from a3d.configuration import Configuration
from a3d.datasets import ClipSet, Item
from a3d.maps.maps import Explanation, cropped, explain, read_clip
from a3d.testing.errors import EvaluationError
from a3d.trained import TrainedNetwork
from a3d.video import Video
from a3d.video.masks import Masks, mask_name, nearest_masks

AREAS = (0.03, 0.6)  # shares of the picture that a mask may take: smaller or larger ones are often wrong


@dataclass(frozen=True)
class MaskResult:
    """How the evidence for the true class lies to masks, over the frames that a network saw.

    inside: share of the positive evidence inside the masks, percent. area: the masks' share of the picture, percent.
    hottest: percent of frames whose strongest place is inside. frames, clips: how many had a usable mask.
    cells: of a map, height and width.
    """

    configuration: Configuration
    inside: float
    area: float
    hottest: float
    frames: int
    clips: int
    cells: tuple[int, int]

    @property
    def ratio(self) -> float:
        """How many times more evidence lies inside than chance would put there."""
        return self.inside / self.area


def evidence_on_masks(
    network: TrainedNetwork,
    dataset: ClipSet,
    masks: Masks,
    configuration: Configuration,
    method: str = "cam",
    progress: Callable[[int], None] = lambda done: None,
) -> MaskResult:
    """Return how much of the evidence for each clip's true class lies inside its masks.

    masks: uint8 (n, h, w) by `CLASS/NAME.mp4`, 255 inside, of every 8th frame of the video, in its aspect ratio.
    method: of the maps, as `explain` has it. progress is told the clips that are done.
    Raises EvaluationError if no clip has one.
    """
    rows, clips, cells = [], 0, (0, 0)
    for done, item in enumerate(dataset.items, 1):
        key = mask_name(item.path)
        if key in masks:
            label = dataset.classes[item.label]
            explanation = explain(read_clip(item.path, network), network, configuration, label=label, method=method)
            found = _frames(explanation, _masks_of(item, explanation, masks[key]))
            rows, clips, cells = rows + found, clips + bool(found), explanation.map.shape[1:]
        progress(done)
    if not rows:
        raise EvaluationError(f"none of the {len(dataset)} clips has a mask: give masks by CLASS/NAME.mp4")
    inside, area, hottest = (100 * float(np.mean(column)) for column in zip(*rows, strict=True))
    return MaskResult(configuration, inside, area, hottest, len(rows), clips, cells)


def _masks_of(item: Item, explanation: Explanation, masks: np.ndarray) -> np.ndarray:
    """bool (t, S, S): the mask nearest to each step of a map, cut as the frames are."""
    numbers = np.searchsorted(Video(item.path).times, explanation.times - 1e-6)
    pictures = torch.from_numpy(nearest_masks(masks, numbers))[..., None].expand(-1, -1, -1, 3)
    return cropped(pictures, explanation.frames.shape[1])[..., 0].numpy() > 127


def _frames(explanation: Explanation, masks: np.ndarray) -> list[tuple[float, float, bool]]:
    """Of each frame with a usable mask: share of evidence inside, the mask's area, whether the hottest place is in."""
    rows = []
    for evidence, mask in zip(explanation.upsampled(masks.shape[1]), masks, strict=True):
        positive, area = np.maximum(evidence, 0), float(mask.mean())
        if AREAS[0] <= area <= AREAS[1] and positive.any():
            hottest = np.unravel_index(evidence.argmax(), evidence.shape)
            rows.append((float(positive[mask].sum() / positive.sum()), area, bool(mask[hottest])))
    return rows
