"""`a3d export`: one sub-network as a file that runs without this package."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from a3d.cli.options import add_budget, add_checkpoint, budget, command
from a3d.cli.output import console, emit
from a3d.deploy.export import FILES, TOLERANCE, export
from a3d.inference.checkpoint import load
from a3d.inference.prediction import chosen


def add(commands: argparse._SubParsersAction) -> None:
    sub = command(
        commands,
        run,
        "export",
        "One sub-network as a file, with a script beside it that runs it on videos; checked before it is written.",
        "a3d export --gflops 0.2 --format onnx --out deployed",
    )
    add_checkpoint(sub)
    add_budget(sub)
    sub.add_argument("--format", default="onnx", choices=FILES, help="onnx runs without PyTorch (onnx)")
    sub.add_argument("--out", required=True, type=Path, help="folder to write")
    sub.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> None:
    network = load(options.checkpoint)
    configuration = chosen(network, options.configuration, **budget(options))
    with console.status(f"export {configuration}"):
        written = export(network, configuration, options.out, options.format)
    if options.json:
        emit(asdict(written) | {"path": str(written.path), "configuration": configuration.key})
        return
    print(f"{written.path}: {configuration}, {written.megabytes:.2f} MB")
    print(f"  largest difference of a logit from PyTorch {written.difference:.1e} (allowed {TOLERANCE:g})")
    print(f"  python {options.out / 'run.py'} clip.mp4")
