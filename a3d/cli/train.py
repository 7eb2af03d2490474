"""`a3d train`: one network over a whole range of configurations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from rich.progress import TaskID

from a3d.adaptive.network import AdaptiveNetwork
from a3d.cli.options import RANGES, add_data, add_device, command, count, positive, read_data, workers
from a3d.cli.output import Bar, progress_bar
from a3d.configuration import ComputationalRange, ConfigurationError
from a3d.datasets.items import FOREIGN, Item
from a3d.errors import InputError
from a3d.inference.checkpoint import load
from a3d.networks import NETWORKS, build, by_name
from a3d.paper.kinetics import KINETICS
from a3d.testing.foreign import foreign_clips
from a3d.trained import TrainedNetwork
from a3d.training.loop import Progress
from a3d.training.recipes import RECIPES
from a3d.training.start import from_file, median_rate
from a3d.training.steps import STEPS
from a3d.training.train import default_sampling, train
from a3d.training.transfer import keeps_classifier, transfer
from a3d.video.masks import read_masks

# Options that a published run has its own values for.
SHAPE = ("network", "base_channels", "range", "spatial", "frames", "stride", "init")


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d train --data clips --out runs/mine --network slow_r18 --spatial 112 --base-channels 32",
    )
    add_data(sub)
    sub.add_argument("--extra", action="append", default=[], type=Path, help="a further set of the same classes")
    sub.add_argument(
        "--foreign",
        type=Path,
        help="folder of clips that show none of the classes: all classes shall be as unlikely there",
    )
    sub.add_argument(
        "--masks",
        action="append",
        default=[],
        type=Path,
        help=".npz file of where people are, by CLASS/NAME.mp4: the evidence is drawn there (recipes pretrained, "
        "whole_range)",
    )
    sub.add_argument("--out", required=True, type=Path, help="folder of the run")
    sub.add_argument("--resume", action="store_true", help="go on where the run in --out was stopped")
    sub.add_argument(
        "--init",
        type=Path,
        help="checkpoint folder to start from, of any classes or task, whose shape holds where none is given; "
        "or a file of weights: an image network, which is inflated, or a video network",
    )
    _add_shape(sub)
    _add_schedule(sub)


def _add_shape(sub: argparse.ArgumentParser) -> None:
    """Which network, over which configurations."""
    sub.add_argument(
        "--temporal",
        type=lambda text: tuple(map(count, text.split(","))),
        help="Lite: kernel size in time of the depthwise convolutions of each of the seven stages, as in 1,1,1,1,3,3,3",
    )
    sub.add_argument("--network", choices=NETWORKS, metavar="NETWORK", help=f"{', '.join(NETWORKS)} (slow_r50)")
    sub.add_argument("--base-channels", type=count, help="channels of the stem (64)")
    sub.add_argument(
        "--range",
        help="computational range: 0.016 or 0.06 as published, or sizes, frames and widths, as in "
        "128,192,224x2,4@0.5,0.75,1 (0.016)",
    )
    sub.add_argument("--spatial", type=count, help="reference size in pixels (224)")
    sub.add_argument("--frames", type=count, help="frames T of the full clip (8; SlowFast 4)")
    sub.add_argument("--stride", type=count, help="frames between two of the clip, τ (8; SlowFast 16)")


def _add_schedule(sub: argparse.ArgumentParser) -> None:
    """How it is trained, and by what."""
    sub.add_argument(
        "--recipe",
        default="small",
        choices=[*RECIPES, *KINETICS],
        help="schedule and augmentation; kinetics_…: a published run, its network, range and sampling, too",
    )
    sub.add_argument("--step", choices=STEPS, help="which networks learn, instead of the recipe's: plain is one alone")
    sub.add_argument("--epochs", type=count, help="instead of the recipe's")
    sub.add_argument("--batch", type=count, help="instead of the recipe's")
    sub.add_argument("--rate", type=positive, help="peak learning rate, instead of the recipe's")
    sub.add_argument("--no-teacher", action="store_true", help="labels alone, no image teacher")
    sub.add_argument("--cache", type=Path, help="folder that keeps decoded frames: each clip is then decoded once")
    sub.add_argument("--workers", type=workers, default=1, help="processes that prepare clips (1)")
    sub.add_argument("--strict", action="store_true", help="stop at the first broken file instead of skipping it")
    sub.add_argument("--seed", type=int, default=0)
    add_device(sub, "cuda" if torch.cuda.is_available() else "cpu")


def run(options: argparse.Namespace) -> None:
    data = read_data(options, "train")
    for folder in options.extra:
        data.items += read_data(options, "train", data.classes, folder).items
    if options.foreign:
        data.items += _foreign(options.foreign, data.task)
    network, range, sampling = _network(options, data.classes, data.task)
    if sampling.rate is None and not (options.init and options.init.is_dir()):  # a checkpoint's sampling holds
        sampling = replace(sampling, rate=median_rate(data))
    recipe = _recipe(options)
    masks = {name: mask for path in options.masks for name, mask in read_masks(path).items()}
    with progress_bar() as bar:
        train(
            network,
            data,
            options.out,
            recipe,
            range=range,
            sampling=sampling,
            resume=options.resume,
            seed=options.seed,
            workers=options.workers,
            device=options.device,
            cache=options.cache,
            strict=options.strict,
            masks=masks if options.masks else None,
            progress=_shown(bar, recipe.batch),
            provenance={"command": "a3d " + " ".join(sys.argv[1:]), **_origin(options)},
        )
    made = options.out / "checkpoint"
    more = f" --validation FILE --videos {options.videos}" if options.videos else ""
    print(f"wrote {made}; next: a3d table --checkpoint {made} --data {options.data}{more}")


def _foreign(folder: Path, task: str) -> list[Item]:
    """The clips of a folder as clips of none of the classes."""
    if task != "classification":
        raise InputError(f"--foreign {folder}: in {task} a clip may show none of the classes anyway; leave it out")
    return [Item(path, FOREIGN) for paths in foreign_clips(folder).values() for path in paths]


def _origin(options: argparse.Namespace) -> dict:
    """What the run started from, and where that came from."""
    if not options.init:
        return {}
    return {"init": str(options.init), "before": load(options.init).provenance if options.init.is_dir() else {}}


def _network(options: argparse.Namespace, classes: tuple[str, ...], task: str):
    """The network to train, its range, and how clips are sampled for it; what is not given is as in --init."""
    if options.recipe in KINETICS:
        return _published(options, classes)
    torch.manual_seed(options.seed)
    start = load(options.init) if options.init and not options.init.is_file() else None
    network = _fresh(options, classes, task) if start is None else _transferred(options, start, classes, task)
    range, sampling = _range(options.range or "0.016", network), default_sampling(network, options.stride)
    if start is not None:
        if not options.range and start.range.full == range.full:
            range = start.range
        stride = sampling.stride if options.stride else start.sampling.stride
        sampling = replace(start.sampling, frames=sampling.frames, stride=stride, spatial=sampling.spatial)
    return network, range, sampling


def _fresh(options: argparse.Namespace, classes: tuple[str, ...], task: str) -> AdaptiveNetwork:
    shape = {name: getattr(options, name) for name in ("base_channels", "temporal", "spatial", "frames")}
    given = {name: value for name, value in shape.items() if value is not None}
    if options.init:
        print(f"{options.init}: its body is kept; a new classifier learns the {len(classes)} classes of {options.data}")
        return from_file(options.init, options.network, len(classes), task=task, **given)
    return by_name(options.network or "slow_r50", len(classes), task=task, **given)


def _range(text: str, network: AdaptiveNetwork) -> ComputationalRange:
    """A published range at the network's size, or one that is spelt out and ends there."""
    spatial, frames = network.full.spatial, network.full.frames
    if text in RANGES:
        return RANGES[text](spatial, frames)
    range = ComputationalRange.parse(text)
    if range.full != network.full:
        raise ConfigurationError(f"range {text}: its largest, {range.full}, is not the network's {network.full}")
    return range


def _transferred(
    options: argparse.Namespace, start: TrainedNetwork, classes: tuple[str, ...], task: str
) -> AdaptiveNetwork:
    for name, given in (("--network", options.network), ("--base-channels", options.base_channels)):
        if given:
            raise InputError(f"{name} {given} beside --init {options.init}, which has its own: leave out one of them")
    if not keeps_classifier(start, classes, task):
        print(f"{options.init}: its body is kept; a new classifier learns the {len(classes)} classes of {options.data}")
    shape = {"spatial": options.spatial, "frames": options.frames}
    return transfer(start, classes, task, **{name: size for name, size in shape.items() if size})


def _published(options: argparse.Namespace, classes: tuple[str, ...]):
    """The same of a published run."""
    given = [name for name in SHAPE if getattr(options, name) is not None]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise InputError(f"{option} {getattr(options, given[0])}: {options.recipe} has its own; leave out {option}")
    experiment = KINETICS[options.recipe](len(classes))
    torch.manual_seed(options.seed)
    return build(experiment.architecture), experiment.range, experiment.sampling


def _recipe(options: argparse.Namespace):
    recipe = KINETICS[options.recipe]().recipe if options.recipe in KINETICS else RECIPES[options.recipe]()
    given = {
        name: getattr(options, name)
        for name in ("epochs", "batch", "rate", "step")
        if getattr(options, name) is not None
    }
    if options.no_teacher:
        given["lesson"] = 0.0
    return replace(recipe, **given)


def _shown(bar: Bar, batch: int) -> Callable[[Progress], None]:
    """What shows the steps as they are done, the first one after those of a run that was stopped."""
    tasks: list[TaskID] = []

    def show(step: Progress) -> None:
        if not tasks:
            tasks.append(bar.add_task("", total=step.steps * batch, completed=step.step * batch))
        (task,) = tasks
        bar.update(task, advance=batch, description=_describe(step, bar.tasks[task].speed or 0.0))

    return show


def _describe(step: Progress, speed: float) -> str:
    """Losses and accuracies of a step's networks, in the order full, random, smallest; speed in clips a second."""
    losses = " ".join(f"{part.loss:.2f}" for part in step.parts)
    top1 = " ".join(f"{part.top1:.0f}" for part in step.parts)
    return f"epoch {step.epoch} · loss {losses} · top-1 {top1} · {speed:.1f} clips/s"
