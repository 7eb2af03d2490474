"""`a3d predict`: what happens in a video, within a budget."""

from __future__ import annotations

import argparse
import sys

from a3d.cli.options import add_budget, add_network, budget, command, count, load_network, views
from a3d.cli.output import costed, emit, ranked
from a3d.inference.prediction import predict
from a3d.video import VideoError


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d predict clip.mp4 --gflops 0.2",
    )
    sub.add_argument("video", nargs="+", help="any file that FFmpeg reads")
    add_network(sub)
    add_budget(sub)
    sub.add_argument("--views", type=views, default=(1, 1), help="clips in time x crops (1x1)")
    sub.add_argument("--top", type=count, default=5, help="how many classes to print (5)")


def run(options: argparse.Namespace) -> None:
    """Every file is tried; the exit code is 1 if one could not be read."""
    network = load_network(options)
    answers, failed = [], 0
    for video in options.video:
        try:
            found = predict(video, network, options.configuration, options.views, **budget(options))
        except VideoError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        top = list(zip(found.labels, found.probabilities, strict=True))[: options.top]
        answers.append({"video": video} | costed(network, found.configuration) | {"top": ranked(top)})
        if not options.json:
            print(f"{video}: {found.configuration}, {found.gflops:.3f} GFLOPs")
            for label, probability in top:
                print(f"  {100 * probability:5.1f}%  {label}")
    if options.json:
        emit(answers)
    if failed:
        raise SystemExit(1)
