"""`a3d segments`: what happens when in a long video."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, load_network
from a3d.cli.output import costed, emit, progress_bar
from a3d.errors import InputError
from a3d.inference.prediction import chosen
from a3d.inference.segments import Segment, segments


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
        _print_csv(found)
    elif options.srt:
        _print_subtitles(found)
    else:
        for part in found:
            print(f"{part.start:9.2f} to {part.end:9.2f} s  {100 * part.probability:5.1f}%  {part.label}")


def _print_csv(found: Sequence[Segment]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("start", "end", "label", "probability"))
    writer.writerows((f"{s.start:.3f}", f"{s.end:.3f}", s.label, f"{s.probability:.4f}") for s in found)


def _print_subtitles(found: Sequence[Segment]) -> None:
    """SubRip: a number, the time, the text, an empty line."""
    for number, part in enumerate(found, 1):
        print(f"{number}\n{_clock(part.start)} --> {_clock(part.end)}\n{part.label} {100 * part.probability:.0f}%\n")


def _clock(seconds: float) -> str:
    minutes, thousandths = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{thousandths // 1000:02},{thousandths % 1000:03}"
