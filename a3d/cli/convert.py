"""`a3d convert`: official weights of Slow and SlowFast as a checkpoint of this package."""

from __future__ import annotations

import argparse
from pathlib import Path

from a3d.adaptive.architecture import TASKS
from a3d.adaptive.network import AdaptiveNetwork
from a3d.cli.options import RANGES, add_json, command
from a3d.cli.output import costed, emit
from a3d.errors import InputError
from a3d.inference.checkpoint import save
from a3d.weights import convert


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d convert SLOWFAST_4x16_R50.pkl --out checkpoints/kinetics --labels kinetics_400.csv",
    )
    sub.add_argument("file", type=Path)
    sub.add_argument("--out", required=True, type=Path, help="checkpoint folder to write")
    sub.add_argument("--labels", type=Path, help="class names: one a line, JSON or CSV")
    sub.add_argument("--frames", type=int, help="frames T of the Slow pathway, where the file does not tell")
    sub.add_argument("--stride", type=int, help="frames between two of them, τ")
    sub.add_argument("--alpha", type=int, help="Fast frames per Slow frame")
    sub.add_argument("--spatial", type=int, help="size in pixels that it was trained at (224)")
    sub.add_argument("--task", choices=TASKS, help="what the file does not tell: one class, several, or a person box")
    sub.add_argument("--aligned", action=argparse.BooleanOptionalAction, help="RoIAlign by the centres of cells")
    sub.add_argument("--range", default="0.016", choices=RANGES, help="lower end of the computational range")
    add_json(sub)


def run(options: argparse.Namespace) -> None:
    if (options.out / "config.json").exists():
        raise InputError(f"{options.out} already holds a checkpoint: give another --out")
    network = convert(
        options.file,
        options.labels,
        options.frames,
        options.stride,
        options.alpha,
        options.spatial,
        options.task,
        options.aligned,
        RANGES[options.range],
    )
    save(network, options.out)
    if options.json:
        emit([{"checkpoint": str(options.out)} | _summary(network)])
        return
    for name, value in _summary(network).items():
        print(f"{name:>13}  {round(value, 2) if isinstance(value, float) else value}")
    print(f"wrote {options.out}; next, for smaller configurations: a3d table --checkpoint {options.out} --data FOLDER")


def _summary(network: AdaptiveNetwork) -> dict:
    """What was read and what was taken for granted."""
    architecture, origin, alpha = network.architecture, network.provenance["converted"], network.graph.alpha
    stride = network.sampling.stride * alpha
    return {
        "format": origin["format"],
        "network": architecture.name,
        "task": architecture.task,
        "sampling": f"{architecture.frames}x{stride}" + (f", alpha {alpha}" if alpha > 1 else ""),
        "classes": architecture.classes,
        "tensors": origin["tensors"],
        **costed(network, network.full),
        "runs at": [configuration.key for configuration in network.statistics],
    }
