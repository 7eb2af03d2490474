"""`a3d table`: calibrate and test every configuration of a checkpoint."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGTERM

import torch
from rich.progress import TaskID

from a3d import parallel
from a3d.budgets.refinement import between
from a3d.budgets.table import INT8, TEMPERATURE_COLUMNS, Row
from a3d.cli.options import (
    add_data,
    add_larger_crops,
    add_network,
    command,
    configuration,
    count,
    load_network,
    read_data,
    views,
    warn_of_crossing,
)
from a3d.cli.output import Bar, emit, progress_bar, report_broken
from a3d.configuration import Configuration
from a3d.datasets import ClipSet
from a3d.inference.checkpoint import save_table
from a3d.stopping import Stopped, Terminated
from a3d.testing.evaluation import FEWEST, build_table, identity
from a3d.testing.foreign import Foreign, foreign_clips, learn_from_known, learn_to_reject
from a3d.testing.quantised import measure_int8
from a3d.testing.refinement import refine
from a3d.trained import TrainedNetwork


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d table --checkpoint runs/mine/checkpoint --data clips",
    )
    add_network(sub, default=False)
    add_data(sub, validation=True)
    sub.add_argument("--configuration", action="append", type=configuration, help="only these, as in 224x4@0.9")
    add_larger_crops(sub)
    sub.add_argument("--calibration-clips", type=count, default=256, help="training clips to calibrate on (256)")
    sub.add_argument("--views", type=views, default=(1, 1), help="clips in time x crops (1x1)")
    sub.add_argument(
        "--refine",
        type=count,
        metavar="N",
        help="also test up to N configurations between the tested ones, where the curve has its widest gaps or "
        "steepest steps; a table that is there is kept, on the same data and views",
    )
    sub.add_argument(
        "--foreign",
        type=Path,
        metavar="DIR",
        help='learn to say "none of these" on the trade-off list, from DIR/ACTION/*.mp4 of five other actions or more',
    )


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    training, dataset = (read_data(options, split) for split in ("train", "val"))
    warn_of_crossing(training, dataset)
    tested, added = [], ()
    # A table that is there is refined, tested in int8 and taught to reject as it is.
    keeps = options.refine or options.foreign or options.precision == INT8
    if options.configuration or not (keeps and network.table):
        tested = _test(network, training, dataset, options)
    if options.refine:
        added = _refine(network, training, dataset, options)
    can_tell = network.task == "classification" and len(dataset) >= FEWEST
    if options.foreign or (tested and can_tell):
        _learn_to_reject(network, training, dataset, options)
    if options.precision == INT8:
        in_int8 = _test_int8(network, training, dataset, options)
        tested += [c for c in in_int8 if c not in tested]
    if options.json:
        rows = [(network.table.row(c), False) for c in tested]
        rows += [(network.table.row(row.configuration), True) for row in added]
        emit([_fields(row, refined) for row, refined in rows])
        return
    for row in network.table.trade_off():
        print(_line(row, network))


def _test(
    network: TrainedNetwork, training: ClipSet, dataset: ClipSet, options: argparse.Namespace
) -> list[Configuration]:
    """Builds the table, or adds what is asked for to it; returns what was asked for."""
    wanted = options.configuration
    if options.larger_crops:
        wanted = [c.enlarged for c in wanted or network.range.configurations()[1:]]  # the first is enlarged already
    before = network.table if wanted else None
    if before is not None:  # an error before the hours of testing
        how = identity(network, dataset, options.views)
        before.join(replace(before.rows[0], configuration=c, **how) for c in dict.fromkeys(wanted))
    unfinished = options.checkpoint / ".table.unfinished"
    try:
        with progress_bar() as bar:
            built = build_table(network, training, dataset, wanted, **_how(bar, options), unfinished=unfinished)
    except KeyboardInterrupt as stop:
        number = SIGTERM if isinstance(stop, Terminated) else SIGINT
        raise Stopped(number, "what was found is kept, the same command goes on there") from None
    report_broken(built.broken)
    network.table = built.table if before is None else before.join(built.table.rows)
    for row in built.table.rows:
        network.rejections.pop(row.configuration, None)  # learnt with other statistics
    _save(network, options)
    unfinished.unlink(missing_ok=True)
    if not options.json:
        clips, decoded = built.table.full.clips, built.decoded
        print(f"{len(built.table)} configurations on {clips} clips; {decoded} files decoded, each once")
    return wanted or [row.configuration for row in built.table.rows]


def _refine(
    network: TrainedNetwork, training: ClipSet, dataset: ClipSet, options: argparse.Namespace
) -> tuple[Row, ...]:
    """Adds what lies between the tested configurations; returns the new rows, and says what each brought."""
    candidates = between(network.range)
    if options.larger_crops:
        candidates = [c.enlarged for c in candidates]
    with progress_bar() as bar:
        how = _how(bar, options)
        refined = refine(network, training, dataset, options.refine, candidates=candidates, **how)
    report_broken(refined.broken)
    _save(network, options)
    if not options.json:
        for row in refined.added:
            print(f"{_line(row, network)}, {_brought(row, network)}")
        if len(refined.added) < options.refine:
            print(f"{len(refined.added)} of {options.refine}: nothing else lies between those that were tested")
    return refined.added


def _learn_to_reject(network: TrainedNetwork, training: ClipSet, dataset: ClipSet, options: argparse.Namespace) -> None:
    listed = [row.configuration for row in network.table.trade_off()]
    asked = [*listed, network.full, network.table.full.configuration, *(options.configuration or [])]
    wanted = [c for c in dict.fromkeys(asked) if c in network.statistics]
    if not options.foreign:
        wanted = [c for c in wanted if c not in network.rejections]
    found: list[Foreign] = []
    with progress_bar() as bar:
        task = bar.add_task("learn to reject", total=None)
        progress = partial(_shown, bar, task)
        if options.foreign:
            found = learn_to_reject(network, training, dataset, foreign_clips(options.foreign), wanted, progress)
        elif wanted:
            learn_from_known(network, dataset, wanted, progress)
    _save(network, options)
    if not options.json:
        for one in found:
            print(
                f"{one.configuration!s:>16}  rejects actions left out of its learning: AUROC {one.auroc:.1f}%; "
                f"caught {one.caught:.0f}%, known clips accepted {one.accepted:.0f}%"
            )


def _shown(bar: Bar, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _test_int8(
    network: TrainedNetwork, training: ClipSet, dataset: ClipSet, options: argparse.Namespace
) -> list[Configuration]:
    """Adds what rows reach in int8: those asked for, or the trade-off list; returns their configurations."""
    wanted = options.configuration
    with progress_bar() as bar:
        task = bar.add_task("quantise and test", total=None)
        results = measure_int8(
            network,
            training,
            dataset,
            [c.enlarged for c in wanted] if wanted and options.larger_crops else wanted,
            options.views,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    _save(network, options)
    return list(results)


def _line(row: Row, network: TrainedNetwork) -> str:
    int8 = "" if row.int8 is None else f", {row.int8:5.1f}% in int8"
    return f"{row.configuration!s:>16}  {row.gflops:8.3f} GFLOPs  {row.accuracy:5.1f}% {network.table.metric}{int8}"


def _brought(row: Row, network: TrainedNetwork) -> str:
    """What a new row changes."""
    if row.trade_off:
        return "on the trade-off list"
    better = network.table.choose(gflops=row.gflops)
    return f"not on the trade-off list: {better.configuration} has {better.accuracy:.1f}% for {better.gflops:.3f}"


def _how(bar: Bar, options: argparse.Namespace) -> dict:
    """How configurations are tested, and where progress is shown."""
    task = bar.add_task("calibrate and test", total=None)
    return {
        "views": options.views,
        "calibration_clips": options.calibration_clips,
        "progress": lambda done, total: bar.update(task, completed=done, total=total),
        "dtype": torch.float32 if options.precision == INT8 else None,
    }


def _save(network: TrainedNetwork, options: argparse.Namespace) -> None:
    if parallel.is_main():
        save_table(network, options.checkpoint)


def _fields(row: Row, refined: bool) -> dict:
    """A tested configuration; refined: whether it was proposed here."""
    tested = {"configuration": row.configuration.key, "gflops": row.gflops, "params": row.params}
    names = ("top1", "mean_class", "top5", "mean_ap", "clips", "trade_off", "int8", *TEMPERATURE_COLUMNS)
    return tested | {name: getattr(row, name) for name in names} | {"refined": refined}
