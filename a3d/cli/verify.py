"""`a3d verify`: what of a data set is missing, broken, too short or never labelled."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from a3d.cli.options import add_data, add_json, command, read_data
from a3d.cli.output import emit, progress_bar
from a3d.datasets import ClipSet
from a3d.datasets.groups import near_duplicates, warning
from a3d.datasets.official import kind
from a3d.datasets.verify import (
    BROKEN,
    MISSING,
    OK,
    SHORT,
    STATES,
    UNLABELLED,
    Finding,
    unlabelled,
    verify,
    write_report,
)
from a3d.files import replace

SHOWN = 10  # findings of a state that are printed; all are in the report
SPLITS = ("train", "val", "test")


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d verify --data train.csv --validation val.csv --videos kinetics --report found.csv",
    )
    add_data(sub, validation=True)
    sub.add_argument(
        "--decode",
        action="store_true",
        help="decode frames too, and look for what breaks off: surer",
    )
    sub.add_argument("--report", type=Path, help="CSV file to write: file, state, detail; a line a file")
    add_json(sub)


def run(options: argparse.Namespace) -> None:
    datasets = _datasets(options)
    findings: list[Finding] = []
    with progress_bar() as bar:
        for dataset in datasets:
            task = bar.add_task("verify", total=len(dataset.missing) + len({item.path for item in dataset.items}))
            for finding in verify(dataset, options.decode):
                findings.append(finding)
                bar.advance(task)
    folder = options.videos or options.data
    if folder.is_dir():
        findings += unlabelled(folder, datasets)
    if options.report:
        replace(options.report, lambda path: write_report(path, findings))
    for line in _crossing(datasets, options.decode):
        print(line, file=sys.stderr)
    _print(findings, options.json)
    if any(finding.state in (MISSING, BROKEN, SHORT) for finding in findings):
        raise SystemExit(1)


def _datasets(options: argparse.Namespace) -> list[ClipSet]:
    """What --data and --validation name; every split of a folder that holds splits."""
    which = kind(options.data)
    splits = [split for split in SPLITS if which == "folder" and (options.data / split).is_dir()]
    if which == "ava" and options.validation:
        splits = ["train"]  # which is not asked of proposals
    named = [read_data(options, split, source=options.data, labelled=False) for split in splits or [None]]
    return [*named, read_data(options, "val", labelled=False)] if options.validation else named


def _crossing(datasets: list[ClipSet], with_frames: bool) -> Iterator[str]:
    """A line for what is on both sides of a split."""
    training, *others = datasets
    for testing in others:
        yield from filter(None, [warning(training, testing)])
        for path, twin in near_duplicates(training, testing) if with_frames else ():
            yield f"warning: {path} looks like {twin}, on the other side: keep clips of a scene on one side"


def _print(findings: list[Finding], as_json: bool) -> None:
    counts = Counter(finding.state for finding in findings)
    by_state = {state: [found for found in findings if found.state == state] for state in STATES[1:]}
    if as_json:
        emit([finding._asdict() for finding in findings])
        return
    for state, found in by_state.items():
        for finding in found[:SHOWN]:
            print(f"{state:>10}  {finding.file}: {finding.detail}")
        if len(found) > SHOWN:
            print(f"{'':>10}  and {len(found) - SHOWN} more")
    print(
        f"{len(findings)} files: {counts[OK]} ok, {counts[MISSING]} missing, {counts[BROKEN]} broken, "
        f"{counts[SHORT]} too short, {counts[UNLABELLED]} never labelled"
    )
