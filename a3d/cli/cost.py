"""`a3d cost`: GFLOPs and parameters of configurations, without running them on data."""

from __future__ import annotations

import argparse

import torch

from a3d.cli.options import add_json, command, configuration, count
from a3d.cli.output import costed, emit
from a3d.networks import NETWORKS, by_name


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d cost --network slow_r50 --configuration 224x4@0.9 --json",
    )
    sub.add_argument("--network", default="slow_r50", choices=NETWORKS, metavar="NETWORK", help=", ".join(NETWORKS))
    sub.add_argument("--base-channels", type=count, help="channels of the stem, for Slow and SlowFast (64)")
    sub.add_argument("--classes", type=count, default=400)
    sub.add_argument("--configuration", action="append", required=True, type=configuration)
    add_json(sub)


def run(options: argparse.Namespace) -> None:
    shape = {} if options.base_channels is None else {"base_channels": options.base_channels}
    with torch.device("meta"):
        network = by_name(options.network, options.classes, **shape)
    rows = [costed(network, chosen) for chosen in options.configuration]
    if options.json:
        emit(rows)
        return
    for chosen, row in zip(options.configuration, rows, strict=True):
        print(f"{chosen!s:>16}  {row['gflops']:8.3f} GFLOPs  {row['params'] / 1e6:7.2f} M parameters")
