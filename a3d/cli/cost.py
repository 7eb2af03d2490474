"""`a3d cost`: GFLOPs and parameters of configurations, without running them on data."""

from __future__ import annotations

import argparse

import torch

from a3d.budgets.cost import cost
from a3d.cli.options import BUILDERS, command, configuration, count
from a3d.cli.output import emit


def add(commands: argparse._SubParsersAction) -> None:
    sub = command(
        commands,
        run,
        "cost",
        "GFLOPs and parameters of configurations, without running them on data.",
        "a3d cost --network slow_r50 --configuration 224x4@0.9 --json",
    )
    sub.add_argument("--network", default="slow_r50", choices=BUILDERS)
    sub.add_argument("--base-channels", type=int, default=64)
    sub.add_argument("--classes", type=count, default=400)
    sub.add_argument("--configuration", action="append", required=True, type=configuration)
    sub.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> None:
    with torch.device("meta"):
        network = BUILDERS[options.network](options.classes, base_channels=options.base_channels)
    costs = {chosen: cost(network, chosen) for chosen in options.configuration}
    if options.json:
        emit([{"configuration": c.key, "gflops": found.gflops, "params": found.params} for c, found in costs.items()])
        return
    for chosen, found in costs.items():
        print(f"{chosen!s:>16}  {found.gflops:8.3f} GFLOPs  {found.params / 1e6:7.2f} M parameters")
