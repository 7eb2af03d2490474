"""`a3d predict`: what happens in a video, or in an archive of them, within a budget."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, count, load_network, views
from a3d.cli.output import archive_bar, costed, emit, ranked
from a3d.datasets.videos import videos_of
from a3d.errors import one_line
from a3d.inference.archive import Archive, check_out, paces, predict_archive
from a3d.inference.prediction import chosen, predict
from a3d.trained import TrainedNetwork
from a3d.video import VideoError

ALONE = 32  # videos for which no workers are started


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d predict clip.mp4 --gflops 0.2\n\n"
        "an archive; killed, the same command goes on; on several machines, a shard each:\n"
        "  a3d predict videos --gflops 0.2 --out answers.csv\n"
        "  a3d predict list.txt --gflops 0.2 --out answers.csv --shard 3/8",
    )
    sub.add_argument("video", nargs="+", help="any file that FFmpeg reads; with --out also folders and lists (.txt)")
    add_network(sub)
    add_budget(sub)
    sub.add_argument("--views", type=views, default=(1, 1), help="clips in time x crops (1x1)")
    sub.add_argument("--top", type=count, default=5, help="how many classes to print (5)")
    sub.add_argument("--out", type=Path, help="file to write, .csv or .parquet, a line a video: for many of them")
    sub.add_argument("--shard", type=_shard, default=(1, 1), help="with --out, a part of the videos, as in 3/8")
    sub.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="with --out, processes that decode (%(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    network = load_network(options)
    if options.out:
        _archive(options, network)
    else:
        _each(options, network)


def _each(options: argparse.Namespace, network: TrainedNetwork) -> None:
    """Every file is tried; the exit code is 1 if one could not be read."""
    answers, failed = [], 0
    for video in options.video:
        try:
            found = predict(video, network, options.configuration, options.views, **budget(options))
        except VideoError as error:
            print(f"error: {one_line(error)}", file=sys.stderr)
            failed += 1
            continue
        top = list(zip(found.labels, found.probabilities, strict=True))[: options.top]
        answers.append(
            {"video": video} | costed(network, found.configuration) | {"none": found.none, "top": ranked(top)}
        )
        if not options.json:
            print(f"{one_line(video)}: {found.configuration}, {found.gflops:.3f} GFLOPs")
            if found.none is not None:
                print(f"  {100 * found.none:5.1f}%  none of these")
            for label, probability in top:
                print(f"  {100 * probability:5.1f}%  {label}")
    if options.json:
        emit(answers)
    if failed:
        raise SystemExit(1)


def _archive(options: argparse.Namespace, network: TrainedNetwork) -> None:
    check_out(options.out)
    configuration = chosen(network, options.configuration, **budget(options))
    archive = Archive(videos_of(options.video), configuration, options.views, options.shard)
    workers = options.workers if len(archive.part) > ALONE else 0
    if not options.json:
        _announce(archive, network, max(1, workers))
    broken: list[str] = []

    def told(done: int, total: int, found: list[str]) -> None:
        broken.extend(found)
        bar.show(done, total)

    with archive_bar() as bar:
        written = predict_archive(archive, network, options.out, workers, told)
    for line in broken:
        print(f"skipped {line}", file=sys.stderr)
    about = {"file": str(written), "videos": len(archive.part), "broken": len(broken), "seconds": bar.seconds}
    if options.json:
        emit([costed(network, configuration) | about])
    else:
        print(f"{written}: {len(archive.part)} videos, {len(broken)} of them broken")


def _announce(archive: Archive, network: TrainedNetwork, workers: int) -> None:
    """What the archive will take, by a few of its videos; and what the next cheaper rows of the table would."""
    decode, own = paces(archive, network)
    videos, cores = len(archive.part), os.cpu_count() or 1
    rows = [] if network.table is None else network.table.trade_off()[::-1]
    used = costed(network, archive.configuration)["gflops"]
    cheaper = [row for row in rows if row.gflops < used][:2]
    tested = {row.configuration: f", {row.accuracy:.1f}% {network.table.metric}" for row in rows}
    for configuration, gflops in [(archive.configuration, used), *((row.configuration, row.gflops) for row in cheaper)]:
        seconds = videos * max(decode / min(workers, cores), (decode + own * gflops / used) / cores)
        print(
            f"{videos} videos at {configuration}{tested.get(configuration, '')}: about {_span(seconds)}",
            file=sys.stderr,
        )


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _shard(text: str) -> tuple[int, int]:
    """`3/8`."""
    number, slash, total = text.partition("/")
    if not (slash and number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise argparse.ArgumentTypeError(f"{text!r}: write NUMBER/COUNT, as in 3/8")
    return int(number), int(total)
