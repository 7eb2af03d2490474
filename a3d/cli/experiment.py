"""`a3d experiment`: the paper's comparisons, each trained and tested; one CSV."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch

from a3d import parallel
from a3d.cli.options import add_data, add_device, command, count, read_data, views, warn_of_crossing, workers
from a3d.cli.output import progress_bar
from a3d.errors import InputError
from a3d.paper.ablations import SIZES, ablations
from a3d.paper.claims import HEAD, judge
from a3d.paper.experiments import Experiment, gather, run_experiment
from a3d.testing.folds import FOLDS, fold

NAMES = [experiment.name for experiment in ablations()]


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d experiment --data ucf12 --out runs/experiments --only mutual_0016 --only plain_full --seed 0 --seed 1",
    )
    add_data(sub, validation=True)
    sub.add_argument("--out", required=True, type=Path, help="folder of the runs; what is done there is not done again")
    sub.add_argument(
        "--size",
        default="small",
        choices=SIZES,
        help="small: minutes a run; kinetics: as published; pretrained: from --init",
    )
    sub.add_argument("--init", type=Path, help="with --size pretrained, the weights of EfficientNet-Lite0")
    sub.add_argument("--folds", action="store_true", help="test on all clips, a fifth at a time, by groups")
    sub.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="NAME",
        help=f"this experiment, may be repeated (all): {', '.join(NAMES)}",
    )
    sub.add_argument("--seed", type=int, action="append", help="may be repeated (0)")
    sub.add_argument("--epochs", type=count, help="instead of the recipe's, for every experiment")
    sub.add_argument("--views", type=views, default=(3, 1), help="clips in time x crops of a test (3x1)")
    sub.add_argument("--calibration-clips", type=count, default=256)
    sub.add_argument("--cache", type=Path, help="folder that keeps decoded training frames")
    sub.add_argument("--workers", type=workers, default=0, help="processes that prepare clips (0: this one)")
    add_device(sub, "cuda" if torch.cuda.is_available() else "cpu")


def run(options: argparse.Namespace) -> None:
    _train(options, _chosen(options))
    if not parallel.is_main():
        return  # only the first has waited for its last results to be written
    findings = judge(gather(options.out), options.size)
    if findings:
        print(HEAD, *(finding.row for finding in findings), sep="\n")
    else:
        print(f"{options.out} holds no two experiments of one claim yet: nothing to compare")
    print(f"wrote {options.out / 'results.csv'}")


def _train(options: argparse.Namespace, experiments: list[Experiment]) -> None:
    training = read_data(options, "train")
    testing = read_data(options, "val", training.classes)
    if not options.folds:
        warn_of_crossing(training, testing)
    how = {"views": options.views, "calibration_clips": options.calibration_clips, "cache": options.cache}
    folds = range(1, FOLDS + 1) if options.folds else [0]
    with progress_bar() as bar:
        for seed, number, experiment in product(options.seed or [0], folds, experiments):
            name = f"{experiment.name}, seed {seed}" + (f", fold {number}" if number else "")
            task = bar.add_task(name, total=None)
            run_experiment(
                experiment,
                *(fold(training, testing, number - 1) if number else (training, testing)),
                options.out / (f"{experiment.name}-{seed}" + (f"-fold{number}" if number else "")),
                seed,
                **how,
                workers=options.workers,
                device=options.device,
                progress=lambda step, task=task: bar.update(task, completed=step.step + 1, total=step.steps),
                fold=number,
            )
            bar.remove_task(task)
            bar.print(f"{name}: done")


def _chosen(options: argparse.Namespace) -> list[Experiment]:
    if (options.size == "pretrained") != (options.init is not None):
        raise InputError("--size pretrained and --init FILE go together: give both, or neither")
    chosen = [e for e in ablations(options.size, options.init) if options.only is None or e.name in options.only]
    if options.epochs:
        chosen = [replace(e, recipe=replace(e.recipe, epochs=options.epochs)) for e in chosen]
    return chosen
