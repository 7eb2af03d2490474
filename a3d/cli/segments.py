"""`a3d segments`: what happens when in a long video."""

from __future__ import annotations

import argparse
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, load_network
from a3d.cli.output import costed, emit, progress_bar
from a3d.errors import InputError
from a3d.inference.prediction import chosen
from a3d.inference.segments import as_csv, as_subtitles, segments


def add(sub: argparse.ArgumentParser) -> None:
    command(sub, run, "a3d segments film.mp4 --gflops 0.2 --srt > film.srt")
    sub.add_argument("video", type=Path, help="any file that FFmpeg reads, of any length")
    add_network(sub)
    add_budget(sub)
    sub.add_argument("--every", type=float, help="seconds from one answer to the next (half a clip)")
    form = sub.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print start, end, label and probability as CSV")
    form.add_argument("--srt", action="store_true", help="print subtitles")


def run(options: argparse.Namespace) -> None:
    if options.json and (options.csv or options.srt):
        raise InputError("--json with --csv or --srt: choose one")
    network = load_network(options)
    configuration = chosen(network, options.configuration, **budget(options))
    with progress_bar() as bar:
        task = bar.add_task("segments", total=None)
        found = segments(
            options.video,
            network,
            configuration,
            options.every,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if options.json:
        about = {"video": str(options.video)} | costed(network, configuration)
        emit([about | vars(segment) for segment in found])
    elif options.csv:
        print(as_csv(found), end="")
    elif options.srt:
        print(as_subtitles(found), end="")
    else:
        for part in found:
            print(f"{part.start:9.2f} to {part.end:9.2f} s  {100 * part.probability:5.1f}%  {part.label}")
