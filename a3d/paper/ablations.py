"""The paper's comparisons as a list of experiments, at any size: Tables 5 to 8, Fig. 7, and independent training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from a3d.adaptive.architecture import Architecture
from a3d.budgets.published import published
from a3d.configuration import ComputationalRange, Configuration, range_0016, range_006, range_without_time
from a3d.paper.experiments import Experiment
from a3d.paper.kinetics import kinetics_slow_8x8_0016, kinetics_slowfast_4x16
from a3d.training.recipes import from_scratch
from a3d.training.train import LITE
from a3d.video import Sampling


def ablations(size: str = "small", init: Path | None = None) -> list[Experiment]:
    """Return all experiments at a size of `SIZES`, the headline comparison first.

    init: image network that those of size "pretrained" start from, which has none for SlowFast.

    - mutual against independent training at the full, a middle and the smallest configuration: `mutual_0016` and
      `plain_full`, `plain_middle`, `plain_smallest`;
    - Table 5, "-T" and Slow 4×16, 2×32: configurations of `mutual_0016` that reduce frames alone; `plain_4x16`,
      `plain_2x32`;
    - Table 6, without the temporal dimension: `without_time` against `mutual_006`;
    - Table 7: `resolutions` against `mutual_006` and `plain_full`;
    - Table 8: `slowfast_mutual` against `slowfast_plain` and `slowfast_plain_2x32`;
    - Fig. 7: `mutual_0016` against `mutual_006`;
    - without distillation: `labels`; without calibration: the borrowed statistics of `mutual_0016`.

    Tested are the paper's trade-off lists (Tables 9 to 11) and what the tables compare, at this size: nothing is picked
    by its accuracy here.
    """
    slow, slowfast = (build and replace(build(), init=init) for build in SIZES[size])
    sides = slow.range.full.spatial, slow.range.full.frames
    wide, narrow, timeless = (replace(slow, range=make(*sides)) for make in (range_0016, range_006, range_without_time))
    labels = replace(wide, recipe=replace(slow.recipe, step="labels"))
    resolutions = replace(narrow, recipe=replace(slow.recipe, step="resolutions"))
    tested = (*_listed("table_9"), "256x4@1", "256x2@1", "224x6@0.9", *ONE_DIMENSION)
    borrowing = tuple(in_place(key, wide.range) for key in ("224x8@1", *ONE_DIMENSION, "224x4@0.8", "128x2@0.5"))
    found = [
        replace(_tested(wide, "mutual_0016", *tested), borrowing=borrowing),
        _plain(slow, "plain_full", "256x8@1", "224x8@1"),
        _plain(slow, "plain_middle", "224x4@0.8"),
        _plain(slow, "plain_smallest", "128x2@0.5"),
        _tested(narrow, "mutual_006", *_listed("table_10"), "224x5@0.73", "142x3@1"),
        _tested(labels, "labels", *tested),
        _plain(slow, "plain_4x16", "256x4@1", "224x4@1"),
        _plain(slow, "plain_2x32", "256x2@1", "224x2@1"),
        _tested(timeless, "without_time", "256x8@1", "224x8@1", "224x8@0.6", "112x8@0.5"),
        _tested(resolutions, "resolutions", "256x8@1", "224x8@1", "142x3@1"),
    ]
    if slowfast is None:
        return found
    return [
        *found,
        _tested(slowfast, "slowfast_mutual", *_listed("table_11"), "256x2@1", "224x2@1", "224x4@0.83"),
        _plain(slowfast, "slowfast_plain", "256x4@1", "224x4@1"),
        _plain(slowfast, "slowfast_plain_2x32", "256x2@1", "224x2@1"),
    ]


def small_slow() -> Experiment:
    """Slow, 18 layers, 16 base channels, a quarter of the paper's sizes (56²×8): minutes a run on one core."""
    range = range_0016(56, 8)
    return Experiment(
        "small_slow",
        Architecture("slow_r18", 400, 56, 8, options={"base_channels": 16, "dropout": 0.2}),
        range,
        Sampling(8, 8, 56),
        from_scratch(),
        tuple(range.configurations()),
    )


def small_slowfast() -> Experiment:
    """Return SlowFast of the same size: Slow 56²×4, Fast 56²×16; a clip is more work, so two thirds of the epochs."""
    range = range_006(56, 4)
    return Experiment(
        "small_slowfast",
        Architecture("slowfast_r18", 400, 56, 4, options={"base_channels": 16, "alpha": 4, "dropout": 0.2}),
        range,
        Sampling(16, 4, 56),
        replace(from_scratch(), epochs=8),
        tuple(range.configurations()),
    )


def pretrained_lite() -> Experiment:
    """Lite0 inflated from an image network at 64²×8: a mutual run takes about an hour on two cores."""
    range = range_0016(64, 8)
    return Experiment(
        "pretrained_lite",
        Architecture("lite0", 400, 64, 8),
        range,
        Sampling(8, 8, 64, **LITE),
        replace(from_scratch(), epochs=6, rate=5e-4, classifier_rate=6.0),
        tuple(range.configurations()),
    )


SIZES = {"small": (small_slow, small_slowfast), "kinetics": (kinetics_slow_8x8_0016, kinetics_slowfast_4x16)}
SIZES["pretrained"] = (pretrained_lite, None)


ONE_DIMENSION = ("128x8@1", "224x2@1", "224x8@0.5")  # what gives up one dimension alone, all of it


def in_place(key: str, range: ComputationalRange) -> Configuration:
    """A configuration of the paper with the spatial size that takes its place in `range`: 56 for 224, 64 for 256."""
    configuration = Configuration.parse(key)
    wanted = configuration.spatial * range.full.spatial / 224
    sizes = (*range.spatials, range.largest.spatial)
    return replace(configuration, spatial=min(sizes, key=lambda size: abs(size - wanted)))


def _listed(table: str) -> list[str]:
    """The configurations of a table of the paper."""
    return [row.configuration.key for row in published(table).rows]


def _tested(experiment: Experiment, name: str, *keys: str) -> Experiment:
    tested = dict.fromkeys(in_place(key, experiment.range) for key in keys)
    return replace(experiment, name=name, tested=tuple(tested))


def _plain(experiment: Experiment, name: str, *keys: str) -> Experiment:
    """Independent training at the last of the configurations tested."""
    experiment = _tested(experiment, name, *keys)
    return replace(experiment, recipe=replace(experiment.recipe, step="plain", configuration=experiment.tested[-1]))
