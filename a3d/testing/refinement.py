"""A finer table: what lies between its configurations, calibrated and tested as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from a3d.budgets.cost import cost
from a3d.budgets.refinement import between, propose
from a3d.budgets.table import Row, Table, TableError
from a3d.configuration import Configuration
from a3d.datasets import ClipSet
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import Progress, build_table, identity
from a3d.trained import TrainedNetwork


@dataclass(frozen=True)
class Refined:
    """table: with the new rows. added: those alone, in the order in which they were proposed; each one's `trade_off`
    says whether it moved the list. decoded, broken: as in `BuiltTable`."""

    table: Table
    added: tuple[Row, ...]
    decoded: int
    broken: tuple[str, ...]


def refine(
    network: TrainedNetwork,
    training: ClipSet,
    dataset: ClipSet,
    count: int,
    views: tuple[int, int] = (1, 1),
    calibration_clips: int = 256,
    batch: int = 32,
    progress: Progress | None = None,
    dtype: torch.dtype | None = None,
    candidates: Sequence[Configuration] | None = None,
) -> Refined:
    """Test up to `count` configurations between those of `network.table` and add them to it.

    candidates: what may be proposed, `between(network.range)` by default. The rest as in `build_table`, and as the
    table was made: its cheapest configuration is tested again beside the new ones. Raises TableError for a network
    without a table, EvaluationError where that test comes out otherwise, leaving the network as it was.
    """
    if network.table is None:
        raise TableError("no table to refine: make one first (a3d table)")
    _check(network, dataset, views)  # before the hours of testing
    candidates = between(network.range) if candidates is None else candidates
    proposed = propose(network.table, candidates, lambda c: cost(network, c).gflops, count)
    if not proposed:
        return Refined(network.table, (), 0, ())
    before, known = dict(network.statistics), network.table.trade_off()[0]
    wanted = [known.configuration, *proposed]
    built = build_table(network, training, dataset, wanted, views, calibration_clips, batch, progress, dtype)
    again, *fresh = built.table.rows
    if not _same(again, known):
        network.statistics = before
        raise EvaluationError(
            f"{known.configuration} has {known.accuracy:.1f}% on {known.clips} clips in the table, and now "
            f"{again.accuracy:.1f}% on {again.clips}: give the data and views of the table, or make it anew"
        )
    network.table = Table([*network.table.rows, *fresh])
    added = tuple(network.table.row(row.configuration) for row in fresh)
    return Refined(network.table, added, built.decoded, built.broken)


def _check(network: TrainedNetwork, dataset: ClipSet, views: tuple[int, int]) -> None:
    """Raises EvaluationError where the table tells that it was made otherwise."""
    for name, now in identity(network, dataset, views).items():
        before = {getattr(row, name) for row in network.table.rows} - {""}
        if before - {now}:
            raise EvaluationError(
                f"the table was made with other {name} ({', '.join(sorted(before))}) than now ({now}): give those of "
                "the table, or make it anew"
            )


def _same(row: Row, known: Row) -> bool:
    """Whether two tests of a configuration are one: another version of PyTorch may change a clip's answer."""
    return row.clips == known.clips and abs(row.accuracy - known.accuracy) <= 100 / known.clips
