"""The paper's own training runs on Kinetics-400, whole: network, range, sampling and schedule (Sec. 4)."""

from __future__ import annotations

from a3d.adaptive.architecture import Architecture
from a3d.configuration import range_0016, range_006
from a3d.paper.experiments import Experiment
from a3d.training.recipes import paper
from a3d.video import Sampling


def kinetics_slow_8x8_0016(classes: int = 400) -> Experiment:
    """Return A3D-Slow-8×8-[0.016, 1]: 75.2 top-1 at 256²×8, 70.9 at 224²×4, 0.5, 64.1 at 128²×2, 0.5 (Table 9)."""
    range = range_0016()
    return Experiment(
        "kinetics_slow_8x8_0016",
        Architecture("slow_r50", classes),
        range,
        Sampling(8, 8, 224),
        paper(),
        tuple(range.configurations()),
    )


def kinetics_slow_8x8_006(classes: int = 400) -> Experiment:
    """Return A3D-Slow-8×8-[0.06, 1]: 75.6 top-1 at 256²×8, 74.3 at 224²×8, 0.73, 68.7 at 142²×3, 0.63 (Table 10)."""
    range = range_006()
    return Experiment(
        "kinetics_slow_8x8_006",
        Architecture("slow_r50", classes),
        range,
        Sampling(8, 8, 224),
        paper(),
        tuple(range.configurations()),
    )


def kinetics_slowfast_4x16(classes: int = 400) -> Experiment:
    """Return A3D-SlowFast-4×16-[0.06, 1]: 75.7 top-1 at 256²×4, 74.9 at 224²×3, 0.83 (Table 11)."""
    range = range_006(224, 4)
    return Experiment(
        "kinetics_slowfast_4x16",
        Architecture("slowfast_r50", classes, frames=4),
        range,
        Sampling(32, 2, 224),
        paper(),
        tuple(range.configurations()),
    )


KINETICS = {
    builder.__name__: builder for builder in (kinetics_slow_8x8_0016, kinetics_slow_8x8_006, kinetics_slowfast_4x16)
}
