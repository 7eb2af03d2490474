"""`a3d score`: scores anybody's detections in the official format of AVA."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from a3d.cli.options import add_json, command
from a3d.cli.output import emit
from a3d.datasets.ava import read_boxes, read_excluded, read_label_map
from a3d.errors import InputError
from a3d.testing.frame_ap import frame_ap, frame_ap_interval, mean_ap


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d score ava ava_val_v2.1.csv detections.csv --labels ava_action_list_v2.1.pbtxt "
        "--exclude ava_val_excluded_timestamps_v2.1.csv --json",
    )
    sub.add_argument("dataset", choices=("ava",))
    sub.add_argument("truth", type=Path, help="annotations: video,second,x1,y1,x2,y2,action,person")
    sub.add_argument(
        "detections",
        type=Path,
        help="video,second,x1,y1,x2,y2,action,score; of two detections of one person and action the first counts",
    )
    sub.add_argument("--labels", required=True, type=Path, help="list of the evaluated actions (.pbtxt)")
    sub.add_argument("--exclude", type=Path, help="CSV file of the timestamps to leave out, in both")
    add_json(sub)


def run(options: argparse.Namespace) -> None:
    names = read_label_map(options.labels)
    excluded = read_excluded(options.exclude) if options.exclude else frozenset()

    def boxes() -> tuple:
        """Truth and detections, read as they are needed: files of detections are large."""
        return read_boxes(options.truth), read_boxes(options.detections, ordered=False)  # without area: do not count

    aps = frame_ap(*boxes(), names, excluded)
    mean = mean_ap(aps)
    if math.isnan(mean):
        raise InputError(f"{options.truth}: it annotates none of the {len(names)} actions of {options.labels}")
    low, high = frame_ap_interval(*boxes(), names, excluded)
    if options.json:
        classes = {names[action]: None if ap is None else 100 * ap for action, ap in aps.items()}
        emit([{"mean_ap": 100 * mean, "interval": [100 * low, 100 * high], "classes": classes}])
        return
    for action, ap in aps.items():
        print(f"{'not annotated' if ap is None else f'{100 * ap:.2f}%':>13}  {names[action]}")
    known = sum(ap is not None for ap in aps.values())
    print(f"{100 * mean:.2f}% mAP ({100 * low:.2f} to {100 * high:.2f}) over {known} of {len(aps)} actions")
