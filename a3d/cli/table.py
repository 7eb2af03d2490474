"""`a3d table`: calibrate and test every configuration of a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from a3d import parallel
from a3d.budgets.table import Table
from a3d.cli.options import (
    add_data,
    add_larger_crops,
    command,
    configuration,
    count,
    read_data,
    views,
    warn_of_crossing,
)
from a3d.cli.output import emit, progress_bar, report_broken
from a3d.inference.checkpoint import load, save_table
from a3d.testing.evaluation import build_table


def add(commands: argparse._SubParsersAction) -> None:
    sub = command(
        commands,
        run,
        "table",
        "Calibrate and test every configuration; write table.csv and the statistics into the checkpoint.",
        "a3d table --checkpoint runs/mine/checkpoint --data clips",
    )
    sub.add_argument("--checkpoint", required=True, type=Path)
    add_data(sub, validation=True)
    sub.add_argument("--configuration", action="append", type=configuration, help="only these, as in 224x4@0.9")
    add_larger_crops(sub)
    sub.add_argument("--calibration-clips", type=count, default=256, help="training clips to calibrate on (256)")
    sub.add_argument("--views", type=views, default=(1, 1), help="clips in time x crops (1x1)")
    sub.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> None:
    network = load(options.checkpoint)
    training, dataset = (read_data(options, split) for split in ("train", "val"))
    warn_of_crossing(training, dataset)
    wanted = options.configuration
    if options.larger_crops:
        wanted = [c.enlarged for c in wanted or network.range.configurations()[1:]]  # the first is enlarged already
    with progress_bar() as bar:
        task = bar.add_task("calibrate and test", total=None)
        built = build_table(
            network,
            training,
            dataset,
            wanted,
            options.views,
            options.calibration_clips,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    report_broken(built.broken)
    if network.table is not None and wanted:
        fresh = {row.configuration for row in built.table.rows}
        network.table = Table(
            [*built.table.rows, *(row for row in network.table.rows if row.configuration not in fresh)]
        )
    else:
        network.table = built.table
    if parallel.first():
        save_table(network, options.checkpoint)
    if options.json:
        emit(network.table.to_frame().to_dict("records"))
        return
    for row in network.table.trade_off():
        print(f"{row.configuration!s:>16}  {row.gflops:8.3f} GFLOPs  {row.accuracy:5.1f}% {network.table.metric}")
    print(
        f"{len(built.table)} configurations on {built.table.full.clips} clips; {built.decoded} files decoded, each once"
    )
