"""`a3d export`: one sub-network as a file that runs without this package."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, load_network
from a3d.cli.output import console, costed, emit
from a3d.deploy.export import FILES, TOLERANCE, export
from a3d.inference.prediction import chosen


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d export --gflops 0.2 --format onnx --out deployed",
    )
    add_network(sub)
    add_budget(sub)
    sub.add_argument("--format", default="onnx", choices=FILES, help="onnx and openvino run without PyTorch (onnx)")
    sub.add_argument("--flat", action="store_true", help="with two-dimensional convolutions alone, for phones (Slow)")
    sub.add_argument("--out", required=True, type=Path, help="folder to write")


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    configuration = chosen(network, options.configuration, **budget(options))
    with console.status(f"export {configuration}"):
        written = export(network, configuration, options.out, options.format, options.precision, options.flat)
    if options.json:
        emit([costed(network, configuration) | asdict(written) | {"path": str(written.path)}])
        return
    print(f"{written.path}: {configuration}, {written.megabytes:.2f} MB")
    allowed = f"(allowed {TOLERANCE:g})" if options.precision == "float32" else "on the clips quantised on"
    print(f"  largest difference of a logit from PyTorch {written.difference:.1e} {allowed}")
    print(f"  python {options.out / 'run.py'} clip.mp4")
