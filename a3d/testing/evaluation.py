"""Testing on real clips: one configuration, or every one of a table from a single decode of each clip (Sec. 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from a3d import parallel
from a3d.adaptive.checksum import weights_checksum
from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.residents import Residents
from a3d.budgets.cost import Cost, cost
from a3d.budgets.interval import wilson
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.datasets import ClipSet, Item
from a3d.datasets.items import Span, fingerprint
from a3d.datasets.training_clips import multi_hot
from a3d.memory import keep_freed_memory
from a3d.temperature import calibration_error, fit, held_out, log_loss, tempered
from a3d.testing.average_precision import bootstrap_interval, mean_average_precision
from a3d.testing.box_evaluation import check_classes, evaluate_boxes
from a3d.testing.calibration import calibrate
from a3d.testing.clips import AT_ONCE, Clips
from a3d.testing.errors import EvaluationError
from a3d.testing.folds import folds_of
from a3d.testing.metrics import mean_class_accuracy, top_k
from a3d.testing.unfinished import Unfinished
from a3d.trained import TrainedNetwork, check_trained
from a3d.video import Video, normalise
from a3d.video.views import squares

FEWEST = 50  # clips that a temperature is fitted on: fewer may all be right, which would make it certain

Progress = Callable[[int, int], None]  # done, total
Seen = Callable[[Sequence[Tensor], Tensor], None]  # maps and logits of a batch


@dataclass(frozen=True)
class Result:
    """What one configuration reached on the readable clips of a data set.

    top1, mean_class, top5: percent. clips: how many were tested. views: clips in time and crops that each was averaged
    over. broken: a line for every file left out, with its cause. decoded: files decoded.
    probabilities: float32 (clips, classes). labels: int64 (clips,). files: the path of each clip, and the seconds of it
    that were tested, None for all of them.

    Of several labels a clip: mean_ap is the mean over the classes that occur of the average precision, percent; top1
    and top5 count the clips one of whose labels is among the best, mean_class is None, labels are 0 and 1 for each
    class, float32 (clips, classes), and of the views the maximum was taken.
    """

    configuration: Configuration
    top1: float
    mean_class: float | None
    top5: float
    mean_ap: float | None
    clips: int
    views: tuple[int, int]
    broken: tuple[str, ...]
    decoded: int
    probabilities: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    files: tuple[tuple[Path, Span | None], ...] = field(default=(), repr=False)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95% over clips: Wilson's of top-1, or the bootstrap's of the mean average precision."""
        if self.mean_ap is None:
            return wilson(self.top1, self.clips)
        return bootstrap_interval(self.probabilities, self.labels)


@dataclass(frozen=True)
class BuiltTable:
    """A new table. decoded: files decoded, each once. broken: as in `Result`, of both data sets."""

    table: Table
    decoded: int
    broken: tuple[str, ...]


def evaluate(
    network: TrainedNetwork,
    dataset: ClipSet,
    configuration: Configuration,
    views: tuple[int, int] = (10, 3),
    batch: int = 16,
    progress: Progress | None = None,
    dtype: torch.dtype | None = None,
) -> Result:
    """Tests one configuration: softmax averaged over the views, clips in time × crops (1 or 3); of several labels a
    clip, the highest sigmoid.

    10 × 3 are the paper's 30 (Sec. 4.1). Classes of the data set are matched to the network's by name. batch: views
    that run at once. progress is told the clips done and their total. dtype: what the convolutions compute in, by
    PyTorch; by default as the network was loaded to run. Raises MissingStatistics for a configuration that
    was not calibrated, EvaluationError for unknown classes, a data set without a readable clip, or a network whose
    answers are not finite.
    """
    return evaluate_all(network, dataset, [configuration], views, batch, progress, dtype)[configuration]


def evaluate_all(
    network: TrainedNetwork,
    dataset: ClipSet,
    configurations: Sequence[Configuration],
    views: tuple[int, int] = (10, 3),
    batch: int = 16,
    progress: Progress | None = None,
    dtype: torch.dtype | None = None,
    unfinished: Unfinished | None = None,
) -> dict[Configuration, Result]:
    """`evaluate` for several configurations, every clip decoded once and resized once for each size among them.

    unfinished: what a test that was stopped has found, and where this one keeps it (not of boxes, nor of several
    processes).
    """
    check_trained(network)
    configurations = list(dict.fromkeys(configurations))  # one given twice is tested once
    if dataset.task == "detection" == network.task:
        return evaluate_boxes(network, dataset, configurations, progress or _silent, dtype)
    label_of, tell = _labels(dataset, network), progress or _silent
    together = max(1, batch // (views[0] * views[1]))
    items = parallel.shard(dataset.items, together)
    clips = Clips(items, network.sampling, views, dataset.open)
    nothing, known = torch.zeros(0, len(network.labels)), unfinished.answers if unfinished else {}
    answers = {c: known.get(c, [nothing]) for c in configurations}
    tested: list[tuple[int | list[float], str, Span | None]] = []
    if unfinished:
        clips.skip(unfinished.opened, unfinished.decoded, unfinished.broken)
        tested, unfinished.answers = list(unfinished.clips), answers
    subs, gflops = Residents(), {c: cost(network, c).gflops for c in configurations}
    for numbers, frames in clips.batches(together * min(AT_ONCE, len(configurations))):
        before, spent = clips.opened - len(numbers), 0.0
        for configuration, found in _answers(network, configurations, subs, frames, views[1], batch, dtype):
            answers[configuration].append(found)
            spent += gflops[configuration] / sum(gflops.values())
            tell(round((before + spent * len(numbers)) * len(dataset) / len(items)), len(dataset))
        tested += [(label_of(items[number]), str(items[number].path), items[number].span) for number in numbers]
        if unfinished:
            unfinished.tested(clips.opened, clips.decoded, clips.broken, tested)
    tell(len(dataset), len(dataset))  # broken files may come last
    clips.gather()
    tested = parallel.gather_objects(tested)
    if not tested:
        raise EvaluationError(f"none of the {len(dataset)} clips can be read; the first: {clips.broken[0]}")
    return {c: _result(c, parallel.gather(torch.cat(answers[c])), tested, clips) for c in configurations}


def build_table(
    network: TrainedNetwork,
    training: ClipSet,
    dataset: ClipSet,
    configurations: Sequence[Configuration] | None = None,
    views: tuple[int, int] = (1, 1),
    calibration_clips: int = 256,
    batch: int = 32,
    progress: Progress | None = None,
    dtype: torch.dtype | None = None,
    unfinished: str | Path | None = None,
) -> BuiltTable:
    """Calibrates every configuration on clips of `training`, sets `network.statistics` and tests on `dataset`.

    configurations: those of the network's range by default. batch: clips that are calibrated on at once, which the
    moments depend on a little. calibration_clips: that many, spread evenly over
    `training`, seen as in a test with one view; always the same. progress is told the runs of a clip at a configuration
    that are done and their total, each weighed by its cost, so that the time left can be judged. dtype: what the
    convolutions compute in when testing, as in `evaluate`; statistics are always measured in float32. unfinished: file
    that keeps what was found while this goes on, from which it goes on once it was stopped; remove it when the table is
    saved.
    """
    check_trained(network)
    configurations = list(dict.fromkeys(configurations or network.range.configurations()))
    _check(network, dataset)  # before the hours of calibration
    costs = {configuration: cost(network, configuration) for configuration in configurations}
    calibration, how = spread(training.items, calibration_clips), identity(network, dataset, views)
    work = _Work(costs, len(calibration), len(dataset), len(dataset) * views[0] * views[1], progress or _silent)
    settings = how | {
        "training": fingerprint(training),
        "dtype": str(dtype),
        "configurations": " ".join(c.key for c in costs),
        "calibration": f"{calibration_clips} in {batch}",
        "torch": torch.__version__,
    }
    keeps = unfinished is not None and not parallel.is_distributed()
    with Unfinished(unfinished, settings) if keeps else nullcontext() as kept:
        clips = calibrate_all(network, calibration, configurations, batch, work.calibrated, training.open, kept)
        results = evaluate_all(
            network, dataset, configurations, views, progress=work.tested, dtype=dtype, unfinished=kept
        )
    first = results[configurations[0]]
    table = Table(_row(results[c], costs[c].gflops, costs[c].params, how) for c in configurations)
    return BuiltTable(table, clips.decoded + first.decoded, (*clips.broken, *first.broken))


class _Work:
    """How much of a table is done, in runs of a clip at a configuration, each weighed by its cost."""

    def __init__(self, costs: dict[Configuration, Cost], calibration: int, clips: int, views: int, tell: Progress):
        """calibration: clips that each configuration is calibrated on; clips, views: that it is tested on."""
        self.costs, self.calibration, self.views, self.tell = costs, calibration, views, tell
        self.whole = sum(found.gflops for found in costs.values())
        self.runs, self.spent = len(costs) * (calibration + clips), 0.0

    def calibrated(self, configuration: Configuration) -> None:
        self.spent += self.costs[configuration].gflops * self.calibration
        self._say(0.0)

    def tested(self, done: int, total: int) -> None:
        self._say(self.whole * self.views * done / total)

    def _say(self, more: float) -> None:
        all_ = self.whole * (self.calibration + self.views)
        self.tell(round(self.runs * (self.spent + more) / all_), self.runs)


def calibrate_all(
    network: TrainedNetwork,
    items: Sequence[Item],
    configurations: Sequence[Configuration],
    batch: int = 32,
    calibrated: Callable[[Configuration], None] = lambda configuration: None,
    opened: Callable[[Path], Video] = Video,
    unfinished: Unfinished | None = None,
) -> Clips:
    """`calibrate` for several configurations, every clip decoded once; `calibrated` is told each one that is done.

    unfinished: as in `evaluate_all`; what it has is taken from there.

    opened: what opens the path of an item, as the `open` of a data set.

    The clips stay in memory as the squares of each size: 1.2 MB a clip for the sizes 64 to 128 at 8 frames.
    """
    clips = Clips(parallel.shard(items, batch), network.sampling, opened=opened)
    known = [c for c in configurations if unfinished and c in unfinished.statistics]
    for configuration in known:
        kept, layers = unfinished.statistics[configuration], network.uses.channels(configuration.width)
        network.statistics[configuration] = {layer: kept[layer] for layer in layers}  # a file has an order of its own
        calibrated(configuration)
    groups = _by_size(network, [c for c in configurations if c not in known])
    if not groups:
        return clips
    held: dict[int, list[Tensor]] = {size: [] for size in groups}
    for _, frames in clips.batches(1):
        for size, kept in held.items():
            kept.append(squares(frames[0], size, 1))
    clips.gather()
    if not clips.decoded:
        raise EvaluationError(
            f"none of the {len(items)} clips to calibrate on can be read; {' '.join(clips.broken[:1])}"
        )
    with evaluating(network):
        for size, group in groups.items():
            kept = held.pop(size)
            parts = torch.cat(kept).split(batch) if kept else ()
            for configuration in group:
                calibrate(network, configuration, (_to_network(part, network) for part in parts))
                calibrated(configuration)
                if unfinished:
                    unfinished.calibrated(configuration, network.statistics[configuration])
    return clips


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _answers(
    network: TrainedNetwork,
    configurations: Sequence[Configuration],
    subs: Residents,
    frames: Sequence[Tensor],
    count: int,
    batch: int,
    dtype: torch.dtype | None,
) -> Iterator[tuple[Configuration, Tensor]]:
    """What each configuration says about decoded clips, which are resized once for each size; count: of crops."""
    keep_freed_memory(everything=True)
    for size, group in _by_size(network, configurations).items():
        parts = torch.cat([squares(clip, size, count) for clip in frames]).split(batch)
        for configuration in group:
            sub = network.resident(configuration, dtype, subs)
            yield configuration, answer(sub, (_to_network(part, network) for part in parts), len(frames))


@torch.inference_mode()
def answer(
    sub: SubNetwork, views: Iterable[Tensor], clips: int = 1, seen: Seen | None = None, temperature: float = 1.0
) -> Tensor:
    """Probabilities (clips, classes) from batches of views (N, 3, T, S, S), which come clip by clip.

    The mean softmax over the views, then at `temperature`, which changes no order, or, where several classes can be
    right, the highest sigmoid (as for Charades).
    seen: is told the maps before pooling, (N, C, t, h, w) a pathway, and the logits (N, classes) of every batch.
    Raises EvaluationError if the network's answers are not finite.
    """
    logits = torch.cat([sub(part) if seen is None else _observed(sub, part, seen) for part in views])
    if not logits.isfinite().all():
        raise EvaluationError(f"{sub.configuration} answers with values that are not finite: calibrate it (a3d table)")
    found = sub.probabilities(logits).unflatten(0, (clips, -1))
    return (tempered(found.mean(1), temperature) if sub.task == "classification" else found.amax(1)).cpu()


def _observed(sub: SubNetwork, views: Tensor, seen: Seen) -> Tensor:
    maps = sub.features(views)
    logits = sub.classify(maps)
    seen(maps, logits)
    return logits


def spread(items: Sequence, count: int) -> list:
    """At most `count` of the items, evenly over all of them: of every class, if they come class by class."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def _by_size(network: TrainedNetwork, configurations: Sequence[Configuration]) -> dict[int, list[Configuration]]:
    """Configurations by the side of the clip that they are tested on: their own for Slow, Fast's for SlowFast."""
    groups: dict[int, list[Configuration]] = {}
    for configuration in configurations:
        groups.setdefault(network.clip_shape(configuration)[1], []).append(configuration)
    return groups


def _to_network(frames: Tensor, network: TrainedNetwork) -> Tensor:
    """uint8 (N, T, S, S, 3) to float32 (N, 3, T, S, S), where the network is."""
    return normalise(frames.to(network.device), network.sampling)


@contextmanager
def evaluating(network: TrainedNetwork) -> Iterator[None]:
    """Evaluation mode for a while, and the layout in which 3D convolutions run 1.3 times as fast on a CPU."""
    training = network.training
    network.eval().to(memory_format=torch.channels_last_3d)
    try:
        yield
    finally:
        network.train(training)


def _check(network: TrainedNetwork, dataset: ClipSet) -> None:
    """Raises EvaluationError for a data set whose classes or kind are not the network's."""
    if dataset.task == "detection" == network.task:
        check_classes(network, dataset)
    else:
        _labels(dataset, network)


def _labels(dataset: ClipSet, network: TrainedNetwork) -> Callable[[Item], int | list[float]]:
    """What gives the label of an item in the network's classes; of several labels, 0 or 1 for each class."""
    if dataset.task != network.task:
        raise EvaluationError(
            f"a data set for {dataset.task} does not test a network for {network.task}: give one of its kind"
        )
    names = _class_numbers(dataset, network)
    if dataset.task == "classification":
        return lambda item: names[item.label]
    return lambda item: multi_hot([names[label] for label in item.label], len(network.labels)).tolist()


def _class_numbers(dataset: ClipSet, network: TrainedNetwork) -> list[int]:
    """For each class of the data set its number in the network: by name, or by number where the names are numbers, as
    in a list file, or the codes of Charades, c000 to c156."""
    known = {name: number for number, name in enumerate(network.labels)}
    names = dataset.classes
    if not known.keys() & set(names) and all(name.removeprefix("c").isdecimal() for name in names):
        known, names = {str(number): number for number in range(len(known))}, [str(int(n.lstrip("c"))) for n in names]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise EvaluationError(
            f"class {unknown[0]!r} is none of the {len(network.labels)} of the network: rename its folder or remove it"
        )
    return [known[name] for name in names]


def _result(configuration: Configuration, probabilities: Tensor, tested: Sequence[tuple], clips: Clips) -> Result:
    """tested: label, path and seconds of each clip."""
    labels = torch.tensor([label for label, _, _ in tested])
    several = labels.ndim == 2
    if several and not labels.any():
        raise EvaluationError(f"none of the {len(labels)} clips that can be read has a label: there is no mAP of them")
    return Result(
        configuration,
        top_k(probabilities, labels),
        None if several else mean_class_accuracy(probabilities, labels),
        top_k(probabilities, labels, 5),
        mean_average_precision(probabilities, labels) if several else None,
        len(labels),
        clips.views,
        tuple(clips.broken),
        clips.decoded,
        probabilities,
        labels,
        tuple((Path(path), span and tuple(span)) for _, path, span in tested),
    )


def identity(network: TrainedNetwork, dataset: ClipSet, views: tuple[int, int]) -> dict[str, str]:
    """What a test is told apart by, as the rows of a table hold it."""
    how = {"data": fingerprint(dataset), "views": f"{views[0]}x{views[1]}", "weights": weights_checksum(network)}
    return how | ({"views": "boxes"} if dataset.task == "detection" else {})


def _row(result: Result, gflops: float, params: int, how: dict[str, str]) -> Row:
    """Four digits of a percent are enough for any number of clips, and keep the file readable."""
    names = ("top1", "mean_class", "top5", "mean_ap")
    found = {name: getattr(result, name) for name in names if getattr(result, name) is not None}
    accuracies = {name: round(value, 4) for name, value in found.items()}
    return Row(result.configuration, gflops, params, **accuracies, clips=result.clips, **how, **temperature_of(result))


def temperature_of(result: Result) -> dict[str, float]:
    """Return the temperature fitted on a test and the calibration errors, percent, as a row of a table has them.

    It is 1 where another one makes the answers to clips that it was not fitted on no more probable.
    Nothing of several labels a clip, of boxes, of fewer than 50 clips, and of clips that all belong to one fold.
    """
    if not isinstance(result, Result) or result.mean_ap is not None or result.clips < FEWEST:
        return {}
    probabilities, labels = result.probabilities, result.labels
    folds = folds_of([path for path, _ in result.files])
    if len(folds.unique()) == 1:
        return {}
    held = held_out(probabilities, labels, folds)
    helps = log_loss(held, labels) < log_loss(probabilities, labels)  # on clips that it was not fitted on
    before = calibration_error(probabilities, labels)
    return {
        "temperature": round(fit(probabilities, labels), 4) if helps else 1.0,
        "ece": round(before, 4),
        "ece_after": round(calibration_error(held, labels) if helps else before, 4),
    }
