"""What a table's configurations reach in int8, on the clips that they were tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from a3d.budgets.table import Table, TableError
from a3d.configuration import Configuration
from a3d.datasets import ClipSet
from a3d.engines.choice import Choice
from a3d.engines.clips import CalibrationClips
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import Progress, Result, evaluate_all
from a3d.trained import TrainedNetwork


def measure_int8(
    network: TrainedNetwork,
    training: ClipSet,
    dataset: ClipSet,
    configurations: Sequence[Configuration] | None = None,
    views: tuple[int, int] = (1, 1),
    progress: Progress | None = None,
) -> dict[Configuration, Result]:
    """Quantise configurations of `network.table` on clips of `training`, test them on `dataset` and set `Row.int8`.

    configurations: the trade-off list by default. views, progress: as in `evaluate`. Raises EvaluationError where it is
    not the clips of the table that they are tested on, TableError for a network without a table or such rows,
    EngineError where OpenVINO or NNCF is not installed.
    """
    if network.table is None:
        raise TableError("no table to add int8 to: make one first (a3d table)")
    known = [network.table.row(c) for c in configurations or ()] or network.table.trade_off()
    clips = CalibrationClips(training, network.sampling)
    other = network.run_by(Choice("openvino", "int8", network.choice.folder, clips))
    results = evaluate_all(other, dataset, [row.configuration for row in known], views, progress=progress)
    for row in known:
        found = results[row.configuration]
        if row.clips != found.clips:
            raise EvaluationError(
                f"{row.configuration} was tested on {row.clips} clips, and now on {found.clips}: give the data of the "
                "table, or make it anew"
            )
    fresh = {c: round(r.top1 if r.mean_ap is None else r.mean_ap, 4) for c, r in results.items()}
    rows = network.table.rows
    network.table = Table(replace(row, int8=fresh.get(row.configuration, row.int8)) for row in rows)
    return results
