"""`a3d explain`: where and when the full network and a sub-network look."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, load_network
from a3d.cli.output import costed, emit, ranked
from a3d.figures.animation import write_animation
from a3d.maps.maps import Explanation, compare
from a3d.maps.overlay import write_overlay


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d explain clip.mp4 --gflops 0.2 --out maps.mp4",
    )
    sub.add_argument("video", help="any file that FFmpeg reads")
    add_network(sub)
    add_budget(sub)
    sub.add_argument("--label", help="class to explain (the full network's answer)")
    sub.add_argument("--method", default="cam", choices=("cam", "gradcam"))
    sub.add_argument(
        "--out",
        type=Path,
        help="video to write, the sampled frames with the maps laid over (H.264, .mp4); if it ends in .gif, a "
        "looping picture to show to others: the clip as it plays, both maps, both answers",
    )


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    comparison = compare(
        options.video,
        network,
        options.configuration,
        label=options.label,
        method=options.method,
        **budget(options),
    )
    if options.out and options.out.suffix.lower() == ".gif":
        write_animation(comparison, options.video, options.out)
    elif options.out:
        write_overlay(comparison, options.out)
    if comparison.sub.configuration == comparison.full.configuration:
        print("the full network is compared with itself; give a budget, as in --gflops 0.2", file=sys.stderr)
    if options.json:
        about = {"video": options.video}
        emit([about | costed(network, e.configuration) | _explanation(e) for e in (comparison.full, comparison.sub)])
        return
    for who, explanation in (("full network", comparison.full), ("sub-network", comparison.sub)):
        label, probability = explanation.predictions[0]
        print(f"{who}, {explanation.configuration}: {label} ({100 * probability:.1f}%)")
        print(f"  evidence for {explanation.name}, logit {explanation.logit:.2f}, by frame:")
        for moment, share in zip(explanation.times, explanation.shares, strict=True):
            print(f"  {moment:7.2f} s  {100 * share:5.1f}%  {'█' * round(40 * share)}")


def _explanation(explanation: Explanation) -> dict:
    return {
        "label": explanation.name,
        "logit": explanation.logit,
        "times": explanation.times.tolist(),
        "shares": explanation.shares.tolist(),
        "top": ranked(explanation.predictions[:5]),
    }
