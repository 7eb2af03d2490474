"""Experiments: networks trained, calibrated and tested, one folder each, results as CSV.

Every experiment can be killed and goes on where it was; one that has its `results.csv` is not run again.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from dataclasses import replace as changed
from itertools import pairwise
from pathlib import Path

import torch

from a3d import parallel
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.cost import cost
from a3d.configuration import ComputationalRange, Configuration
from a3d.datasets import ClipSet
from a3d.datasets.items import fingerprint
from a3d.errors import A3DError
from a3d.files import replace, replace_bytes
from a3d.networks.builders import build
from a3d.testing.calibration import reuse_statistics
from a3d.testing.evaluation import Result, calibrate_all, evaluate_all, spread
from a3d.trained import TrainedNetwork
from a3d.training.loop import Progress, Run
from a3d.training.recipes import Recipe
from a3d.training.start import from_file
from a3d.training.train import training_clips
from a3d.video import Sampling

OWN, BORROWED = "own", "of the full network"


class ExperimentError(A3DError, ValueError):
    """An experiment that cannot be run or read; the message names the value and the remedy."""


@dataclass(frozen=True)
class Experiment:
    """An experiment is one network that is trained.

    tested: configurations that are calibrated and tested. borrowing: those of them that are also tested without
    calibration, with the full network's statistics. init: file of weights that it starts from, None for random ones.
    """

    name: str
    architecture: Architecture
    range: ComputationalRange
    sampling: Sampling
    recipe: Recipe
    tested: tuple[Configuration, ...]
    borrowing: tuple[Configuration, ...] = ()
    init: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """This is what one configuration of one experiment reached: a line of `results.csv`.

    statistics: its own, or those of the full network. top1, mean_class: percent. low, high: the 95% interval of top1.
    clips, views: how many were tested, and views of each. seconds: that training took, on whatever machine it was.
    right: a digit for each test clip, 1 if its top-1 was right, so that experiments can be compared clip by clip.
    fold: number, from 1, of the part of all clips that was tested; 0 for the data set's own split.
    """

    experiment: str
    seed: int
    configuration: str
    statistics: str
    gflops: float
    params: int
    top1: float
    mean_class: float
    low: float
    high: float
    clips: int
    views: int
    epochs: int
    seconds: int
    right: str
    fold: int = 0


def run_experiment(
    experiment: Experiment,
    training: ClipSet,
    testing: ClipSet,
    folder: str | Path,
    seed: int = 0,
    views: tuple[int, int] = (3, 1),
    calibration_clips: int = 256,
    cache: str | Path | None = None,
    workers: int = 0,
    device: str | torch.device = "cpu",
    progress: Callable[[Progress], None] | None = None,
    fold: int = 0,
) -> list[Outcome]:
    """Trains, calibrates and tests in `folder`, or goes on there; what is already done is read, not repeated.

    views: clips in time and crops that a test averages over. cache: folder that keeps decoded training frames. progress
    is told every step. fold: of `Outcome`, which `training` and `testing` are. Raises ExperimentError where `folder`
    holds results of other settings or data.
    """
    folder = Path(folder)
    if training.task != "classification":
        raise ExperimentError(f"experiments compare top-1, not {training.task}: give a data set with one class a clip")
    settings = _settings(experiment, training, testing, seed, views, calibration_clips)
    _check(settings, folder)
    if (folder / "results.csv").exists():
        return read_outcomes(folder / "results.csv")
    if parallel.is_main():
        replace_bytes(folder / "experiment.json", json.dumps(settings, indent=1).encode())
    torch.manual_seed(seed)
    architecture = changed(experiment.architecture, classes=len(training.classes))
    clips = training_clips(training, experiment.sampling, experiment.recipe, seed, cache=cache)
    start = _built(architecture, experiment.init)
    run = Run(start, clips, experiment.range, experiment.recipe, folder, seed, workers, device)
    run.resume()
    network = TrainedNetwork(run.train(progress), training.classes, experiment.sampling, experiment.range)
    calibrate_all(network, spread(training.items, calibration_clips), experiment.tested, opened=training.open)
    outcomes = _test(network, experiment, testing, views, seed, _seconds(folder / "metrics.csv"), fold)
    if parallel.is_main():
        write_outcomes(folder / "results.csv", outcomes)
    return outcomes


def _built(architecture: Architecture, init: Path | None) -> AdaptiveNetwork:
    if init is None:
        return build(architecture)
    shape = {name: getattr(architecture, name) for name in ("spatial", "frames", "task")}
    return from_file(init, architecture.network, architecture.classes, **shape, **architecture.options)


def gather(folder: str | Path) -> list[Outcome]:
    """Write all outcomes under `folder` together into its `results.csv`, and return them."""
    folder = Path(folder)
    outcomes = [outcome for path in sorted(folder.glob("*/results.csv")) for outcome in read_outcomes(path)]
    write_outcomes(folder / "results.csv", outcomes)
    return outcomes


def read_outcomes(path: str | Path) -> list[Outcome]:
    """Reads what `write_outcomes` wrote; ExperimentError for anything else."""
    kinds = {"seed": int, "fold": int, "params": int, "clips": int, "views": int, "epochs": int, "seconds": int}
    kinds |= dict.fromkeys(("gflops", "top1", "mean_class", "low", "high"), float)
    with Path(path).open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        try:
            if lines.fieldnames != list(Outcome.__dataclass_fields__):
                raise ExperimentError("not the header of a results file")
            return [Outcome(**{name: kinds.get(name, str)(value) for name, value in line.items()}) for line in lines]
        except (TypeError, ValueError) as error:
            raise ExperimentError(f"{path}, line {lines.line_num}: {error}; make it anew with a3d experiment") from None


def write_outcomes(path: str | Path, outcomes: Sequence[Outcome]) -> None:
    """Writes a results file: a header, then a line an outcome."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, Outcome.__dataclass_fields__, lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(outcome) for outcome in outcomes)

    replace(Path(path), write)


def _settings(
    experiment: Experiment, training: ClipSet, testing: ClipSet, seed: int, views: tuple[int, int], clips: int
) -> dict[str, str]:
    """All that the results depend on, by name."""
    values = asdict(experiment) | asdict(experiment.recipe) | {"seed": seed, "views": views, "calibration clips": clips}
    values |= {"training data": fingerprint(training), "test data": fingerprint(testing)}
    if experiment.init is not None:  # what it holds, wherever it lies
        values["init"] = hashlib.sha256(experiment.init.read_bytes()).hexdigest()
    del values["recipe"]  # its fields stand for it
    return {name: str(value) for name, value in values.items()}


def _check(settings: dict[str, str], folder: Path) -> None:
    """Raises ExperimentError for a folder that holds another experiment."""
    path, remedy = folder / "experiment.json", "repeat its command, or give another --out"
    if not path.exists():
        if (folder / "results.csv").exists():
            raise ExperimentError(
                f"{folder / 'results.csv'} does not tell what it was made with, by an older version: remove it to test "
                "anew (its training is kept), or give another --out"
            )
        return
    try:
        before = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ExperimentError(f"{path} is damaged ({error}): give another --out") from None
    for name, value in settings.items():
        if before.get(name) != value:
            raise ExperimentError(f"{folder} holds an experiment with {name} {before.get(name)}, not {value}: {remedy}")


def _test(
    network: TrainedNetwork,
    experiment: Experiment,
    testing: ClipSet,
    views: tuple[int, int],
    seed: int,
    seconds: int,
    fold: int,
) -> list[Outcome]:
    """Tests with each configuration's own statistics, then some without."""

    def outcome(result: Result, statistics: str) -> Outcome:
        found = cost(network, result.configuration)
        right = (result.probabilities.argmax(1) == result.labels).int().tolist()
        return Outcome(
            experiment.name,
            seed,
            result.configuration.key,
            statistics,
            round(found.gflops, 5),
            found.params,
            *(round(value, 2) for value in (result.top1, result.mean_class, *result.interval)),
            result.clips,
            views[0] * views[1],
            experiment.recipe.epochs,
            seconds,
            "".join(map(str, right)),
            fold,
        )

    outcomes = [outcome(found, OWN) for found in evaluate_all(network, testing, experiment.tested, views).values()]
    for configuration in experiment.borrowing:
        reuse_statistics(network, configuration, experiment.range.full)
    borrowed = evaluate_all(network, testing, experiment.borrowing, views) if experiment.borrowing else {}
    return outcomes + [outcome(found, BORROWED) for found in borrowed.values()]


def _seconds(log: Path) -> int:
    """Time spent in the steps of a run, pauses of more than a minute left out."""
    with log.open(encoding="utf-8") as file:
        times = sorted({float(line["seconds"]) for line in csv.DictReader(file)})
    return round(sum(min(later - earlier, 60.0) for earlier, later in pairwise(times)))
