"""`a3d watch`: a stream, window by window, each answered within a deadline."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing, nullcontext, suppress
from itertools import takewhile
from pathlib import Path

from a3d.cli.options import BUDGETS, add_network, command, load_network
from a3d.cli.output import costed
from a3d.deploy.live.limit import LimitFile
from a3d.deploy.live.trace import Step, Summary, TraceFile
from a3d.deploy.live.watch import watch
from a3d.figures.live import live_figure
from a3d.files import replace
from a3d.trained import TrainedNetwork

UNITS = ("gflops", "params", "megabytes")


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d profile && a3d watch clip.mp4 --deadline-ms 100 --trace trace.csv\n  a3d watch 0 --deadline-ms 50",
    )
    sub.add_argument("source", help="a video file, played at its own pace; an address, as rtsp://…; a camera's number")
    add_network(sub)
    sub.add_argument("--deadline-ms", type=float, required=True, help="from a window's last frame to its answer")
    sub.add_argument("--every-ms", type=float, help="from window to window (the deadline)")
    sub.add_argument("--seconds", type=float, default=float("inf"), help="of the stream to watch (all)")
    group = sub.add_mutually_exclusive_group()
    for unit in UNITS:
        group.add_argument(f"--{unit}", type=float, help=f"a limit besides the deadline: {BUDGETS[unit]}")
    group.add_argument(
        "--limit", type=Path, metavar="FILE", help="a limit that may change: one line as `gflops 0.3`, or nothing"
    )
    sub.add_argument("--trace", type=Path, metavar="FILE", help="what was chosen and why, .csv or .jsonl")
    sub.add_argument("--figure", type=Path, metavar="FILE", help="the trace as a picture to look into, .html")


def run(options: argparse.Namespace) -> None:
    network, steps = load_network(options), []
    fixed = {unit: value for unit in UNITS if (value := getattr(options, unit)) is not None}
    if fixed and network.table:
        network.table.choose(**fixed)  # an error below the cheapest
    limit = LimitFile(options.limit, lambda line: print(line, file=sys.stderr)) if options.limit else lambda: fixed
    trace = TraceFile(options.trace) if options.trace else nullcontext()
    found = watch(options.source, network, options.deadline_ms, options.every_ms, limit)
    with trace, closing(found), suppress(KeyboardInterrupt):  # that is how one stops watching
        for step in takewhile(lambda step: step.time <= options.seconds, found):
            steps.append(step)
            if options.trace:
                trace.write(step)
            print(_json(network, step) if options.json else _line(step), flush=True)
    if options.figure and steps:
        figure = live_figure({Path(options.source).name: steps})
        replace(options.figure, lambda path: figure.write_html(path, include_plotlyjs=True))
    if not options.json:
        print(Summary.of(steps))


def _json(network: TrainedNetwork, step: Step) -> str:
    """A window's row, on a line of its own: the list of a stream has no end."""
    unknown = dict.fromkeys(("configuration", "gflops", "params"))
    about = costed(network, step.configuration) if step.configuration else unknown
    return json.dumps(step.to_dict() | about, ensure_ascii=False)


def _line(step: Step) -> str:
    if step.configuration is None:
        return f"{step.time:8.2f} s  {step.why}"
    late = " " if step.met else "!"
    answer = f"{step.label:<20} {100 * step.probability:3.0f}%"
    return f"{step.time:8.2f} s  {answer}  {step.latency:6.1f} ms{late} {step.configuration!s:>12}  {step.why}"
