"""The random clips that training draws from any data set, and their batches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.utils.data import Dataset

from a3d.datasets.items import ClipSet, Item, Span, seen_labels
from a3d.video.cache import FrameCache
from a3d.video.decode import Video, VideoError
from a3d.video.masks import Masks, mask_name, nearest_masks
from a3d.video.sampling import Sampling, training_start
from a3d.video.transforms import Box, area_box, crop_boxes, crop_resized, jittered_box, scaled_box
from a3d.video.views import room

ASPECTS = (3 / 4, 4 / 3)
MASK_SIDE = 56  # pixels of the squares that say where people are


class Example(NamedTuple):
    """A random clip. frames: uint8 (T, S, S, 3). label: an int; float32 (classes,) for several classes; float32
    (n, classes) for those of `boxes` (n, 4), x1, y1, x2, y2 as shares 0..1 of the clip's picture. people: uint8
    (T, 56, 56), 255 where people are, of a set with masks."""

    frames: Tensor
    label: int | Tensor
    index: int
    boxes: Tensor | None = None
    people: Tensor | None = None


class Batch(NamedTuple):
    """frames: uint8 (B, T, S, S, 3). labels: int64 (B,); float32 (B, classes) for several classes; float32 (K, classes)
    for those of `boxes` (K, 5): the clip's number in the batch, then x1, y1, x2, y2. indices: int64 (B,).
    people: uint8 (B, T, 56, 56), 255 where people are, nowhere in clips without a mask; None for a set without."""

    frames: Tensor
    labels: Tensor
    indices: Tensor
    boxes: Tensor | None = None
    people: Tensor | None = None


class TrainingClips(Dataset):
    """Random clips for training, each an `Example`, or None for a clip that cannot be read.

    sampling: T × τ and S. jitter: range of the short side in pixels before the crop of S², by default 8/7 to 10/7 of S
    (256 to 320 at 224). areas: instead of jitter, crops of this range of shares of the picture, for small sets.
    flipped: mirror every second clip. masks: where people are, as `a3d.video.masks` reads them. opened: what opens a
    path instead of the data set, as the `open` of a `FrameCache`.

    Of several classes those are asked for that are seen in the clip (as SlowFast is trained on Charades). Boxes are cut
    and mirrored with the picture; a clip that shows none of its boxes is None too.

    What is drawn for a clip depends on seed, epoch and index alone, so that a resumed run sees what an unbroken one
    would. A broken clip is reported on stderr once and counted in `.broken`; `strict` raises its VideoError instead.
    """

    def __init__(
        self,
        dataset: ClipSet,
        sampling: Sampling,
        *,
        jitter: tuple[int, int] | None = None,
        areas: tuple[float, float] | None = None,
        flipped: bool = True,
        seed: int = 0,
        strict: bool = False,
        opened: Callable[[Path], Video] | None = None,
        masks: Masks | None = None,
    ) -> None:
        self.dataset, self.sampling, self.masks = dataset, sampling, masks
        self.jitter = jitter or _short_sides(sampling)
        self.areas, self.flipped, self.seed, self.strict = areas, flipped, seed, strict
        self.opened = opened or dataset.open
        # In shared memory: the workers of a loader see the epoch, and the count sees what they found broken.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._side = torch.tensor(sampling.spatial).share_memory_()
        self._broken = torch.zeros(len(dataset), dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def broken(self) -> int:
        """Return clips found unreadable so far."""
        return int(self._broken.sum())

    @property
    def side(self) -> int:
        """Of the squares that are drawn in this epoch, pixels."""
        return int(self._side)

    def set_epoch(self, epoch: int, side: int | None = None) -> None:
        """From now on draw the clips of an epoch, as squares of that side, or of the sampling's."""
        self._epoch.fill_(epoch)
        self._side.fill_(side or self.sampling.spatial)

    def __getitem__(self, index: int) -> Example | None:
        try:
            return self._draw(index, self._generator(index))
        except VideoError as error:
            if self.strict:
                raise
            self._report(index, error)
            return None

    def _generator(self, index: int) -> Generator:
        state = np.random.SeedSequence([self.seed, int(self._epoch), index]).generate_state(1, np.uint64)
        return Generator().manual_seed(int(state[0]))

    def _draw(self, index: int, generator: Generator) -> Example | None:
        item, sampling = self.dataset.items[index], self.sampling
        video = self.opened(item.path)
        wanted = sampling.span(video.frame_rate)
        begin, length = room(video, wanted, item.span)
        start = begin + training_start(length, wanted, generator)
        shown = sampling.window(video.times, video.frame_rate, start)
        frames = video.read(shown)
        height, width = frames.shape[1:3]
        box = self._box(height, width, generator)
        clip = crop_resized(frames, box, self.side)
        mirrored = self.flipped and bool(torch.rand((), generator=generator) < 0.5)
        clip = clip.flip(2) if mirrored else clip
        if item.boxes:
            return self._with_boxes(clip, index, *crop_boxes(item.boxes, box, height, width, mirrored))
        people = None
        if self.masks is not None:
            people = self._people(
                item.path, (video.times[shown] - video.times[0]) * video.frame_rate, box, height, width
            )
            people = people.flip(2) if mirrored else people
        return Example(clip, self._label(item, tuple(video.times[shown[[0, -1]]])), index, people=people)

    def _label(self, item: Item, span: Span) -> int | Tensor:
        if self.dataset.task == "classification":
            return item.label
        return multi_hot(seen_labels(item, span), len(self.dataset.classes))

    def _with_boxes(self, clip: Tensor, index: int, boxes: Tensor, seen: list[bool]) -> Example | None:
        labels = zip(self.dataset.items[index].label, seen, strict=True)
        targets = [multi_hot(classes, len(self.dataset.classes)) for classes, is_seen in labels if is_seen]
        return Example(clip, torch.stack(targets), index, boxes) if targets else None

    def _box(self, height: int, width: int, generator: Generator) -> Box:
        if self.areas:
            return area_box(height, width, self.areas, ASPECTS, generator)
        return jittered_box(height, width, self.sampling.spatial, self.jitter, generator)

    def _people(self, path: Path, numbers: np.ndarray, box: Box, height: int, width: int) -> Tensor:
        """Masks of frames of a picture of `height` × `width`, cut as they are; nowhere if the clip has none."""
        if mask_name(path) not in self.masks:
            return torch.zeros(len(numbers), MASK_SIDE, MASK_SIDE, dtype=torch.uint8)
        masks = torch.from_numpy(nearest_masks(self.masks[mask_name(path)], numbers))[..., None]
        box = scaled_box(box, masks.shape[1] / height, masks.shape[2] / width)
        return crop_resized(masks, box, MASK_SIDE)[..., 0]

    def _report(self, index: int, error: VideoError) -> None:
        if not self._broken[index]:
            self._broken[index] = True
            print(f"skipping {error}", file=sys.stderr, flush=True)


def frame_cache(
    folder: str | Path,
    dataset: ClipSet,
    sampling: Sampling,
    jitter: tuple[int, int] | None = None,
    areas: tuple[float, float] | None = None,
) -> FrameCache:
    """Return a cache of as many and as large frames as training with these settings of `TrainingClips` looks at.

    No crop is enlarged that would not be without the cache. Of τ frames every (τ / 4)-th is kept, so that a frame is at
    most an eighth of τ away from the one that is asked for; of fewer than 8, each.
    """
    side = round(sampling.spatial / areas[0] ** 0.5) if areas else (jitter or _short_sides(sampling))[1]
    return FrameCache(folder, max(1, sampling.stride // 4), side, dataset.open)


def _short_sides(sampling: Sampling) -> tuple[int, int]:
    """256 to 320 at 224."""
    return round(sampling.spatial * 8 / 7), round(sampling.spatial * 10 / 7)


def multi_hot(labels: Sequence[int], classes: int) -> Tensor:
    """Return float32 (classes,): 1 for each of the labels, else 0."""
    target = torch.zeros(classes)
    target[list(labels)] = 1.0
    return target


def collate(examples: list[Example | None]) -> Batch | None:
    """A batch without broken clips; None if all were."""
    readable = [example for example in examples if example is not None]
    if not readable:
        return None
    frames = torch.stack([example.frames for example in readable])
    indices = torch.tensor([example.index for example in readable])
    labels = [torch.as_tensor(example.label) for example in readable]
    if readable[0].boxes is None:
        people = None if readable[0].people is None else torch.stack([example.people for example in readable])
        return Batch(frames, torch.stack(labels), indices, people=people)
    numbered = [F.pad(example.boxes, (1, 0), value=number) for number, example in enumerate(readable)]
    return Batch(frames, torch.cat(labels), indices, torch.cat(numbered))
