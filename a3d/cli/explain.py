"""`a3d explain`: where and when the full network and a sub-network look."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, load_network
from a3d.cli.output import costed, emit, ranked
from a3d.figures.animation import write_animation
from a3d.maps.maps import METHODS, Explanation, compare, read_clip
from a3d.maps.occlusion import Occlusion, occlude
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
    sub.add_argument("--against", metavar="CLASS", help="explain why the class and not this one: the maps' difference")
    sub.add_argument("--method", default="cam", choices=METHODS)
    sub.add_argument(
        "--occlusion",
        action="store_true",
        help="also how far the class falls without the hottest tenth of the map's places, and without random ones",
    )
    sub.add_argument(
        "--out",
        type=Path,
        help="video to write, the sampled frames with the maps laid over (H.264, .mp4); if it ends in .gif, a "
        "looping picture to show to others: the clip as it plays, both maps, both answers",
    )


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    clip = read_clip(options.video, network)
    comparison = compare(
        clip,
        network,
        options.configuration,
        label=options.label,
        method=options.method,
        against=options.against,
        **budget(options),
    )
    if options.out and options.out.suffix.lower() == ".gif":
        write_animation(comparison, options.video, options.out)
    elif options.out:
        write_overlay(comparison, options.out)
    if comparison.sub.configuration == comparison.full.configuration:
        print("the full network is compared with itself; give a budget, as in --gflops 0.2", file=sys.stderr)
    both = (comparison.full, comparison.sub)
    checks = [occlude(clip, network, e) if options.occlusion else None for e in both]
    if options.json:
        about = {"video": options.video}
        emit(
            [
                about | costed(network, e.configuration) | _explanation(e) | _occlusion(check)
                for e, check in zip(both, checks, strict=True)
            ]
        )
        return
    for who, explanation, check in zip(("full network", "sub-network"), both, checks, strict=True):
        label, probability = explanation.predictions[0]
        print(f"{who}, {explanation.configuration}: {label} ({100 * probability:.1f}%)")
        question = explanation.name + (f" and not {explanation.other}" if explanation.other else "")
        print(f"  evidence for {question}, logit {explanation.logit:.2f}, by frame:")
        for moment, share in zip(explanation.times, explanation.shares, strict=True):
            print(f"  {moment:7.2f} s  {100 * share:5.1f}%  {'█' * round(40 * share)}")
        if check:
            print(
                f"  {explanation.name} {check.before:.1%}; without the hottest {check.hidden} of {check.places} places "
                f"{check.hottest:.1%}, without as many at random {check.chance:.1%}"
            )


def _explanation(explanation: Explanation) -> dict:
    return {
        "label": explanation.name,
        "against": explanation.other,
        "logit": explanation.logit,
        "times": explanation.times.tolist(),
        "shares": explanation.shares.tolist(),
        "top": ranked(explanation.predictions[:5]),
    }


def _occlusion(check: Occlusion | None) -> dict:
    names = ("before", "hottest", "chance", "hidden", "places")
    return {} if check is None else {"occlusion": {name: getattr(check, name) for name in names}}
