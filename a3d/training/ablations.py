"""The paper's comparisons as a list of experiments, at any size: Tables 5 to 8, Fig. 7, and independent training."""

from __future__ import annotations

from dataclasses import replace

from a3d.configuration import ComputationalRange, Configuration, range_0016, range_006, range_without_time
from a3d.networks.adaptive import Architecture
from a3d.training.experiments import Experiment
from a3d.training.kinetics import kinetics_slow_8x8_0016, kinetics_slowfast_4x16
from a3d.training.recipes import from_scratch
from a3d.video import Sampling


def ablations(size: str = "small") -> list[Experiment]:
    """All experiments at a size of `SIZES`, the headline comparison first.

    The networks of the paper's tables, by the name of their experiment:

    - mutual against independent training at the full, a middle and the smallest configuration: `mutual_0016` and
      `plain_full`, `plain_middle`, `plain_smallest`;
    - Table 5, "-T" and Slow 4×16, 2×32: rows of `mutual_0016` that reduce frames alone; `plain_4x16`, `plain_2x32`;
    - Table 6, without the temporal dimension: `without_time` against `mutual_006`;
    - Table 7: `resolutions` against `mutual_006` and `plain_full`;
    - Table 8: `slowfast_mutual` against `slowfast_plain` and `slowfast_plain_2x32`;
    - Fig. 7: `mutual_0016` against `mutual_006`;
    - without distillation: `labels`; without calibration: the borrowed statistics of `mutual_0016`.
    """
    slow, slowfast = (build() for build in SIZES[size])
    spatial, frames = slow.span.full.spatial, slow.span.full.frames
    middle, half, quarter = _middle(slow.span), *(replace(slow.span.full, frames=frames // n) for n in (2, 4))
    experiments = [
        replace(slow, name="mutual_0016", borrowing=_apart(slow.span)),
        *(
            _plain(slow, name, configuration)
            for name, configuration in (
                ("plain_full", slow.span.full),
                ("plain_middle", middle),
                ("plain_smallest", slow.span.smallest),
            )
        ),
        _over(slow, "mutual_006", range_006(spatial, frames)),
        replace(slow, name="labels", recipe=replace(slow.recipe, step="labels")),
        _plain(slow, "plain_4x16", half),
        _plain(slow, "plain_2x32", quarter),
        _over(slow, "without_time", range_without_time(spatial, frames)),
        _resolutions(slow, range_006(spatial, frames)),
        replace(slowfast, name="slowfast_mutual"),
        _plain(slowfast, "slowfast_plain", slowfast.span.full),
        _plain(slowfast, "slowfast_plain_2x32", replace(slowfast.span.full, frames=slowfast.span.full.frames // 2)),
    ]
    return experiments


def small_slow() -> Experiment:
    """Slow, 18 layers, 16 base channels, a quarter of the paper's sizes (56²×8): minutes a run on one core."""
    span = range_0016(56, 8)
    return Experiment(
        "small_slow",
        Architecture("slow", 18, 400, base_channels=16, spatial=56, dropout=0.2),
        span,
        Sampling(8, 8, 56),
        from_scratch(),
        tuple(span.configurations()),
    )


def small_slowfast() -> Experiment:
    """SlowFast of the same size: the Slow pathway 56²×4, the Fast one 56²×32."""
    span = range_006(56, 4)
    return Experiment(
        "small_slowfast",
        Architecture("slowfast", 18, 400, base_channels=16, spatial=56, frames=4, dropout=0.2),
        span,
        Sampling(32, 2, 56),
        from_scratch(),
        tuple(span.configurations()),
    )


SIZES = {"small": (small_slow, small_slowfast), "kinetics": (kinetics_slow_8x8_0016, kinetics_slowfast_4x16)}


def _middle(span: ComputationalRange) -> Configuration:
    """A quarter of the cost: half the frames and 0.8 of the channels, the paper's 224²×4, 0.8 (Table 5)."""
    return Configuration(span.full.spatial, span.full.frames // 2, 0.8)


def _apart(span: ComputationalRange) -> tuple[Configuration, ...]:
    """The full network, what gives up one dimension, the middle, the smallest."""
    full, smallest = span.full, span.smallest
    one = (replace(full, **{name: getattr(smallest, name)}) for name in ("spatial", "frames", "width"))
    return (full, *one, _middle(span), smallest)


def _over(experiment: Experiment, name: str, span: ComputationalRange) -> Experiment:
    return replace(experiment, name=name, span=span, tested=tuple(span.configurations()))


def _plain(experiment: Experiment, name: str, configuration: Configuration) -> Experiment:
    recipe = replace(experiment.recipe, step="plain", configuration=configuration)
    sizes = (experiment.span.largest, configuration) if configuration == experiment.span.full else (configuration,)
    return replace(experiment, name=name, recipe=recipe, tested=sizes)


def _resolutions(experiment: Experiment, span: ComputationalRange) -> Experiment:
    """One full width at all resolutions of a range, tested at each of them."""
    tested = tuple(c for c in span.configurations() if c.width == 1.0)
    recipe = replace(experiment.recipe, step="resolutions")
    return replace(experiment, name="resolutions", span=span, recipe=recipe, tested=tested)
