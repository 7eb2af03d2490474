"""Testing a network that detects: people in boxes, once a second, scored by AVA's rules (Sec. 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from a3d import parallel
from a3d.adaptive.residents import Residents
from a3d.configuration import Configuration
from a3d.datasets import Ava
from a3d.datasets.ava import ActionBox, Key, read_boxes
from a3d.datasets.training_clips import multi_hot
from a3d.testing.clips import AT_ONCE
from a3d.testing.errors import EvaluationError
from a3d.testing.frame_ap import OVERLAP, frame_ap, frame_ap_interval, mean_ap
from a3d.trained import TrainedNetwork
from a3d.video import VideoError, decode_views, normalise, short_side


@dataclass(frozen=True)
class BoxResult:
    """What one configuration reached on the boxes of a data set: the annotated ones, or its proposals.

    mean_ap: frame mAP at IoU 0.5 over the evaluated classes that are annotated, percent. aps: percent by class, None
    for one that is nowhere annotated. top1, top5: percent of the boxes on an annotated person (IoU 0.5) one of whose
    actions is the most probable, or among the five. clips, decoded, broken: as in `Result`; a clip has one view.
    numbers: items of the data set that were read; probabilities: float32 (K, classes), of all their boxes in order.
    """

    configuration: Configuration
    mean_ap: float
    aps: dict[str, float | None]
    top1: float
    top5: float
    clips: int
    broken: tuple[str, ...]
    decoded: int
    dataset: Ava = field(repr=False)
    numbers: tuple[int, ...] = field(repr=False)
    probabilities: Tensor = field(repr=False)
    views: tuple[int, int] = (1, 1)
    mean_class: float | None = None  # a box has several classes: there is none

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95% of mean_ap over draws of the clips, percent."""
        return tuple(100 * end for end in frame_ap_interval(*_scored(self.dataset, self.detections())))

    def detections(self) -> Iterator[ActionBox]:
        """Every box with every evaluated action, clip by clip, the highest score first, as they are to be scored."""
        return _detections(self.dataset, self.numbers, self.probabilities)


def evaluate_boxes(
    network: TrainedNetwork,
    dataset: Ava,
    configurations: Sequence[Configuration],
    progress: Callable[[int, int], None] = lambda done, total: None,
    dtype: torch.dtype | None = None,
) -> dict[Configuration, BoxResult]:
    """Tests configurations on the clip around every annotated second, each decoded once; `progress` as in `evaluate`.

    The whole picture is seen, its shorter side brought to the configuration's size, as in the official test.
    Raises MissingStatistics, and EvaluationError for a network of other classes or a set without a readable clip.
    """
    check_classes(network, dataset)
    numbers, subs = parallel.shard(range(len(dataset))), Residents()
    found, broken, read = {configuration: [] for configuration in configurations}, [], []
    for start in range(0, len(numbers), AT_ONCE):
        clips: list[tuple[int, Tensor]] = []
        for number in numbers[start : start + AT_ONCE]:
            try:
                clips.append((number, _frames(network, dataset, number)))
            except VideoError as error:
                broken.append(str(error))
        read += [number for number, _ in clips]
        for done, (configuration, probabilities) in enumerate(
            _answers(network, dataset, configurations, subs, clips, dtype)
        ):
            found[configuration].append(probabilities)
            share = start + (done + 1) / len(configurations)
            progress(int(share * len(dataset) / len(numbers)), len(dataset))
    progress(len(dataset), len(dataset))  # broken files may come last
    read, broken = parallel.gather_objects(read), parallel.gather_objects(broken)
    if not read:
        raise EvaluationError(f"none of the {len(dataset)} clips can be read; the first: {broken[0]}")
    nothing = torch.zeros(0, len(dataset.classes))
    answers = {c: parallel.gather(torch.cat([nothing, *parts])) for c, parts in found.items()}
    return {c: _result(c, dataset, read, probabilities, broken) for c, probabilities in answers.items()}


def check_classes(network: TrainedNetwork, dataset: Ava) -> None:
    """Raises EvaluationError for a network of other classes."""
    unnamed = network.labels == tuple(f"class {i}" for i in range(len(network.labels)))  # converted without names
    if len(network.labels) != len(dataset.classes) or not (unnamed or network.labels == dataset.classes):
        raise EvaluationError(
            f"the network's {len(network.labels)} classes, {network.labels[0]!r} first, are not the data set's "
            f"{len(dataset.classes)}: give a network that was trained on them"
        )


def _frames(network: TrainedNetwork, dataset: Ava, number: int) -> Tensor:
    """uint8 (T, H, W, 3): the clip around the second of an item."""
    item = dataset.items[number]
    return decode_views(item.path, network.sampling, 1, item.span, dataset.open)[0][0]


@torch.inference_mode()
def _answers(
    network: TrainedNetwork,
    dataset: Ava,
    configurations: Sequence[Configuration],
    subs: Residents,
    clips: Sequence[tuple[int, Tensor]],
    dtype: torch.dtype | None,
) -> Iterator[tuple[Configuration, Tensor]]:
    """Probabilities (K, classes) of the boxes of every clip at every configuration, one configuration after another."""
    device = network.device
    resized: dict[tuple[int, int], Tensor] = {}
    for configuration in configurations:
        sub, size = network.resident(configuration, dtype, subs), network.clip_shape(configuration)[1]
        for number, frames in clips:
            if (number, size) not in resized:
                resized[number, size] = short_side(frames, size)
            clip = normalise(resized[number, size].to(device), network.sampling)[None]
            boxes = torch.tensor([(0.0, *box) for box in dataset.items[number].boxes], device=device)
            logits = sub(clip, boxes)
            if not logits.isfinite().all():
                raise EvaluationError(
                    f"{configuration} answers with values that are not finite: calibrate it (a3d table)"
                )
            yield configuration, network.probabilities(logits).float().cpu()


def _result(
    configuration: Configuration, dataset: Ava, numbers: list[int], probabilities: Tensor, broken: list[str]
) -> BoxResult:
    aps = frame_ap(*_scored(dataset, _detections(dataset, numbers, probabilities)))
    if not any(ap is not None for ap in aps.values()):
        raise EvaluationError(f"{dataset.annotations} annotates none of the {len(aps)} evaluated actions: no mAP of it")
    return BoxResult(
        configuration,
        100 * mean_ap(aps),
        {dataset.evaluated[action]: None if ap is None else 100 * ap for action, ap in aps.items()},
        *_top(dataset, numbers, probabilities, (1, 5)),
        len(numbers),
        tuple(broken),
        len(numbers),
        dataset,
        tuple(numbers),
        probabilities,
    )


def _scored(dataset: Ava, detections: Iterator[ActionBox]) -> tuple:
    return read_boxes(dataset.annotations), detections, dataset.evaluated, dataset.excluded


def _rows(dataset: Ava, numbers: Sequence[int], probabilities: Tensor) -> Iterator[tuple[Key, tuple, Tensor]]:
    """Movie and second, boxes, and their probabilities (n, classes), clip by clip."""
    items = [dataset.items[number] for number in numbers]
    parts = probabilities.split([len(item.boxes) for item in items])
    for number, item, part in zip(numbers, items, parts, strict=True):
        yield dataset.keys[number], item.boxes, part


def _detections(dataset: Ava, numbers: Sequence[int], probabilities: Tensor) -> Iterator[ActionBox]:
    for key, boxes, part in _rows(dataset, numbers, probabilities):
        scores = part.tolist()
        found = [
            ActionBox(*key, box, action, scores[row][action - 1])
            for row, box in enumerate(boxes)
            for action in dataset.evaluated
        ]
        yield from sorted(found, key=lambda box: -box.score)


def _top(dataset: Ava, numbers: Sequence[int], probabilities: Tensor, ks: tuple[int, ...]) -> list[float]:
    """Percent of the boxes on an annotated person one of whose actions is among the k most probable; 0 without any."""
    from torchvision.ops import box_iou  # takes a second to import

    people: dict[Key, dict[tuple, list[int]]] = {}
    for box in read_boxes(dataset.annotations):
        people.setdefault(box.key, {}).setdefault(box.box, []).append(box.action - 1)
    hits = []
    for key, boxes, part in _rows(dataset, numbers, probabilities):
        known = people.get(key, {})
        if known:
            overlaps, nearest = box_iou(torch.tensor(boxes), torch.tensor(list(known))).max(1)
            right = torch.stack([multi_hot(list(known.values())[person], part.shape[1]) for person in nearest])
            ranked = right.gather(1, part.argsort(dim=1, descending=True, stable=True))
            hits.append(torch.stack([ranked[:, :k].amax(1) for k in ks], 1)[overlaps >= OVERLAP])
    return (100 * torch.cat(hits).mean(0)).tolist() if hits and len(torch.cat(hits)) else [0.0] * len(ks)
