"""`a3d profile`: how long every configuration takes on this device."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from a3d.budgets.latency import profile
from a3d.budgets.profile import Profile
from a3d.budgets.table import Table
from a3d.cli.options import add_network, command, count, load_network
from a3d.cli.output import emit, progress_bar
from a3d.inference.checkpoint import save_profile, usable

SECONDS = 20.0  # for a measurement of every engine and precision


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d profile\n  a3d predict clip.mp4 --milliseconds 10\n\n"
        "which engine and precision is fastest here for each row of the trade-off list, in a third of a minute:\n"
        "  a3d profile --engine auto --precision auto\n"
        "  a3d predict clip.mp4 --milliseconds 10 --engine auto --precision auto",
    )
    add_network(sub)
    sub.add_argument("--video", type=Path, help="what to decode, as in your application (a rendered clip of 320x240)")
    sub.add_argument("--batch", type=int, action="append", default=[], help="also with so many clips at once")
    sub.add_argument(
        "--threads", type=int, action="append", help="of the processor (those of PyTorch); each has a file of its own"
    )
    sub.add_argument("--rounds", type=count, default=15, help="how often every configuration is run (15)")


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    measured = []
    for threads in options.threads or [None]:
        found = _measured(network, options, threads)
        measured.append((found, save_profile(found, options.checkpoint)))
    if options.json:
        batches = [1, *options.batch]
        emit([row for found, path in measured for row in _rows(found, network.table, batches, path)])
        return
    for found, path in measured:
        _print(usable(found, network.table, network.choice), network.table)
        print(f"wrote {path}")


def _measured(network, options: argparse.Namespace, threads: int | None) -> Profile:
    with progress_bar() as bar:
        task = bar.add_task("measure", total=None)
        return profile(
            network,
            options.video,
            sorted({1, *options.batch}),
            options.rounds,
            threads,
            lambda done, total: bar.update(task, completed=done, total=total),
            seconds=SECONDS if network.choice.is_open else math.inf,
        )


def _rows(found: Profile, table: Table, batches: Sequence[int], path: Path) -> Iterator[dict]:
    """A row for each configuration, number of clips and runtime; milliseconds are medians of the network alone."""
    about = {"device": found.device, "threads": found.threads, "file": str(path)}
    order = {row.configuration: number for number, row in enumerate(table.rows)}
    for batch in batches:
        lines = [line for line in found.latencies if line.batch == batch]
        for latency in sorted(lines, key=lambda line: order[line.configuration]):
            row = table.row(latency.configuration)
            tested = {"configuration": row.configuration.key, "gflops": row.gflops, "params": row.params}
            tested |= {"top1": row.top1, "batch": batch, "milliseconds": latency.network.median}
            tested |= {"decode": latency.decode.median, "both": latency.both.median}
            yield tested | asdict(latency.runtime) | about


def _print(found: Profile, table: Table) -> None:
    """The trade-off list in time, fastest first, each row at the best of what was measured."""
    threads = "1 thread" if found.threads == 1 else f"{found.threads} threads"
    print(f"{found.device}, {threads}; milliseconds, of nine in ten runs in brackets")
    print(f"{'configuration':>16}  {'top-1':>6}  {'GFLOPs':>7}  {'network':>16}  {'decode':>16}  {'both':>16}")
    rows = table.trade_off("milliseconds", found)
    for row in rows:
        latency = found.latency(row.configuration)
        times = "  ".join(f"{t.median:7.2f} ({t.p90:6.2f})" for t in (latency.network, latency.decode, latency.both))
        accuracy = row.accuracy_at(latency.runtime.precision)
        print(f"{row.configuration!s:>16}  {accuracy:5.1f}%  {row.gflops:7.3f}  {times}  {latency.runtime}")
    measured = [row for row in table.rows if row.configuration in found]
    slower = sum(1 for row in measured if row.trade_off and row not in rows)
    others = len(measured) - len(rows)
    print(f"{others} of {len(measured)} are slower than a better one, {slower} of them on the GFLOPs list")
