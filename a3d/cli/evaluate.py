"""`a3d evaluate`: the accuracy of chosen configurations on a data set."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from a3d import parallel
from a3d.cli.options import (
    add_budget,
    add_data,
    add_larger_crops,
    add_network,
    budget,
    command,
    load_network,
    read_data,
    views,
)
from a3d.cli.output import Bar, costed, emit, progress_bar, report_broken
from a3d.configuration import Configuration
from a3d.datasets import ClipSet
from a3d.datasets.ava import write_detections
from a3d.errors import InputError
from a3d.files import replace
from a3d.inference.prediction import chosen
from a3d.maps.maps import METHODS
from a3d.maps.masks import MaskResult, evidence_on_masks
from a3d.maps.occlusion import OcclusionResult, occlusion_on
from a3d.temperature import calibration_error, tempered
from a3d.testing.average_precision import class_average_precision
from a3d.testing.box_evaluation import BoxResult
from a3d.testing.confusion import class_accuracies
from a3d.testing.evaluation import Result, evaluate_all
from a3d.testing.foreign import Foreign, foreign_clips, reject
from a3d.trained import TrainedNetwork
from a3d.video.masks import read_masks


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d evaluate --checkpoint checkpoints/exercise12 --data clips/val --configuration 160x4@1 --views 10x3 --json",
    )
    add_network(sub)
    add_data(sub)
    add_budget(sub, many=True)
    add_larger_crops(sub)
    sub.add_argument("--views", type=views, default=(10, 3), help="clips in time x crops (10x3)")
    sub.add_argument("--detections", type=Path, help="AVA: file to write the detections into, in the official format")
    sub.add_argument("--foreign", type=Path, metavar="DIR", help="also how well clips of other actions are rejected")
    sub.add_argument(
        "--masks",
        type=Path,
        metavar="FILE",
        help="also how the evidence lies to masks of people: .npz by CLASS/NAME.mp4",
    )
    sub.add_argument("--method", default="cam", choices=METHODS, help="of the maps that --masks and --occlusion test")
    sub.add_argument(
        "--occlusion",
        action="store_true",
        help="also how far the true class falls without the hottest tenth of its map, and without random places",
    )


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    configurations = options.configuration or [chosen(network, **budget(options))]
    if options.larger_crops:
        configurations = [c.enlarged for c in configurations]
    dataset = read_data(options)
    if options.detections and (dataset.task != "detection" or len(configurations) > 1):
        raise InputError(f"--detections {options.detections}: it takes those of one configuration on AVA")
    with progress_bar() as bar:
        progress = _told(bar, len(dataset), "test")
        results = evaluate_all(network, dataset, configurations, options.views, progress=lambda done, _: progress(done))
    report_broken(results[configurations[0]].broken)
    if options.detections and parallel.is_main():
        found = results[configurations[0]].detections()
        replace(options.detections, lambda path: write_detections(path, found))
    more = dict(zip(configurations, _looked(options, network, dataset, configurations), strict=True))
    if options.json:
        emit([_row(network, c, results[c], more[c]) for c in configurations])
        return
    for configuration in configurations:
        print(f"{configuration!s:>16}  {_sentence(results[configuration])}")
        for line in _lines(more[configuration]):
            print(line)


class More(NamedTuple):
    """What else was tested of a configuration, None where nobody asked."""

    rejects: Foreign | None
    looks: MaskResult | None
    falls: OcclusionResult | None


def _looked(
    options: argparse.Namespace, network: TrainedNetwork, dataset: ClipSet, configurations: Sequence[Configuration]
) -> Iterator[More]:
    """What else was asked for, configuration by configuration."""
    others = foreign_clips(options.foreign) if options.foreign else {}
    paths = [path for group in others.values() for path in group]
    masks, method = read_masks(options.masks) if options.masks else None, options.method
    with progress_bar() as bar:
        for c in configurations:
            rejects, looks, falls = reject(network, dataset, paths, c) if paths else None, None, None
            if masks is not None:
                looks = evidence_on_masks(network, dataset, masks, c, method, _told(bar, len(dataset), f"maps {c}"))
            if options.occlusion:
                falls = occlusion_on(network, dataset, c, method, _told(bar, len(dataset), f"occlusion {c}"))
            yield More(rejects, looks, falls)


def _told(bar: Bar, total: int, name: str) -> Callable[[int], None]:
    """What shows how many clips are done of something."""
    task = bar.add_task(name, total=total)
    return lambda done: bar.update(task, completed=done)


def _row(network: TrainedNetwork, c: Configuration, result: Result, more: More) -> dict:
    row = costed(network, c) | _result(result, network.labels) | _error(result, network)
    return row | _rejects(more.rejects) | _looks(more.looks) | _falls(more.falls)


def _lines(more: More) -> Iterator[str]:
    """What else was tested, a line each."""
    rejects, looks, falls = more
    if rejects:
        yield (
            f"  rejects: AUROC {rejects.auroc:.1f}%; {rejects.caught:.0f}% of {rejects.foreign} foreign clips caught, "
            f"{rejects.accepted:.0f}% of {rejects.known} known ones accepted"
        )
    if looks:
        yield (
            f"  looks: evidence on people {looks.ratio:.2f} times chance, hottest place on one in {looks.hottest:.0f}% "
            f"of {looks.frames} frames, {looks.cells[0]}×{looks.cells[1]} cells"
        )
    if falls:
        low, high = falls.interval
        yield (
            f"  hidden: the true class at {falls.before:.1f}%, {falls.hottest:.1f}% without the hottest tenth of its "
            f"map, {falls.chance:.1f}% without random places: {falls.gain:.1f} points ({low:.1f} to {high:.1f})"
        )


def _sentence(result: Result | BoxResult) -> str:
    low, high = result.interval
    reach, clips = f"({low:.1f} to {high:.1f})", f"{result.clips} clips"
    if result.mean_ap is not None:
        return f"{result.mean_ap:5.1f}% mAP {reach}, {clips}"
    return f"{result.top1:5.1f}% top-1 {reach}, {result.mean_class:.1f}% mean class, {clips}"


def _result(result: Result | BoxResult, labels: Sequence[str]) -> dict:
    return {
        "top1": result.top1,
        "mean_class": result.mean_class,
        "top5": result.top5,
        "mean_ap": result.mean_ap,
        "interval": list(result.interval),
        "clips": result.clips,
        "views": "{}x{}".format(*result.views),
        "broken": list(result.broken),
        "classes": _classes(result, labels),
    }


def _error(result: Result | BoxResult, network: TrainedNetwork) -> dict:
    """The calibration error, percent, at the temperature of the table, where one class is right."""
    if not isinstance(result, Result) or result.mean_ap is not None:
        return {}
    temperature = network.temperature(result.configuration)
    found = calibration_error(tempered(result.probabilities, temperature), result.labels)
    return {"temperature": temperature, "ece": found}


def _rejects(found: Foreign | None) -> dict:
    names = ("auroc", "accepted", "caught", "foreign")
    return {} if found is None else {"rejects": {name: getattr(found, name) for name in names}}


def _looks(found: MaskResult | None) -> dict:
    names = ("ratio", "inside", "area", "hottest", "frames", "clips", "cells")
    return {} if found is None else {"looks": {name: getattr(found, name) for name in names}}


def _falls(found: OcclusionResult | None) -> dict:
    names = ("before", "hottest", "chance", "gain", "interval", "clips")
    return {} if found is None else {"occlusion": {name: getattr(found, name) for name in names}}


def _classes(result: Result | BoxResult, labels: Sequence[str]) -> dict[str, float | None]:
    """AP or accuracy of every class in percent; None for one that does not occur, which the mean leaves out."""
    if isinstance(result, BoxResult):
        return result.aps
    if result.mean_ap is None:
        return class_accuracies(result, labels)
    found = class_average_precision(result.probabilities, result.labels).tolist()
    return {name: None if math.isnan(ap) else ap for name, ap in zip(labels, found, strict=True)}
