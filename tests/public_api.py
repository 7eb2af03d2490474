"""What a type checker makes of the public API: `mypy --follow-imports=silent tests/public_api.py` finds nothing to say.

Nothing here runs. Each line is what README and tutorials write, with the type that it must have.
"""

from typing import assert_type

import torch
from torch import Tensor, nn

import a3d


def use(path: str) -> None:
    network = a3d.load(path)
    assert_type(network, a3d.TrainedNetwork)
    assert_type(network.labels, tuple[str, ...])
    assert_type(network.sampling, a3d.Sampling)
    assert_type(network.range, a3d.ComputationalRange)
    assert_type(network.table, a3d.Table | None)
    assert_type(network.profile, a3d.Profile | None)
    table = network.table
    assert table is not None
    row = table.choose(gflops=0.2)
    assert_type(row, a3d.Row)
    assert_type(row.configuration, a3d.Configuration)
    assert_type(table.trade_off(), list[a3d.Row])
    prediction = a3d.predict(path, network, gflops=0.2)
    assert_type(prediction, a3d.Prediction)
    assert_type(prediction.label, str)
    assert_type(a3d.segments(path, network, gflops=0.2), list[a3d.Segment])
    comparison = a3d.compare(path, network, configuration=row.configuration)
    assert_type(comparison, a3d.Comparison)
    assert_type(comparison.sub, a3d.Explanation)
    assert_type(network.full, a3d.Configuration)


def adapt(module: nn.Module) -> None:
    adapted = a3d.adapt(module, clip=torch.zeros(1, 3, 8, 112, 112), fixed=["stem"])
    assert_type(adapted, a3d.AdaptiveNetwork)
    assert_type(a3d.cost(adapted, adapted.full), a3d.Cost)
    assert_type(a3d.slow_r50(12), a3d.AdaptiveNetwork)
    small = adapted.extract(a3d.Configuration(56, 4, 0.5))
    maps = small.features(torch.zeros(1, 3, 8, 112, 112))
    assert_type(maps, tuple[Tensor, ...])


def video(path: str) -> None:
    assert_type(len(a3d.Video(path)), int)
    assert_type(a3d.Video(path).read([0, 1]), Tensor)
