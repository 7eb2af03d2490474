"""What several commands take: a network, a data set, a configuration, a budget, views; how a command is declared."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import a3d
from a3d import parallel
from a3d.configuration import Configuration, ConfigurationError, range_0016, range_006
from a3d.datasets import ClipSet, read_dataset
from a3d.datasets.ava import THRESHOLD
from a3d.datasets.groups import warning
from a3d.datasets.official import kind
from a3d.engines.runtime import AUTO
from a3d.engines.runtime import PRECISIONS as ENGINES
from a3d.errors import InputError
from a3d.inference.checkpoint import is_checked, load
from a3d.trained import TrainedNetwork

PRECISIONS = ("float32", "bfloat16", "int8", AUTO)
RANGES = {"0.016": range_0016, "0.06": range_006}

BUDGETS = {
    "gflops": "budget for one clip: the best tested configuration within it is run",
    "milliseconds": "budget in the median time of one clip on this device, as a3d profile measured it",
    "params": "budget in parameters",
    "megabytes": "budget in megabytes of float32 weights",
}


def command(sub: argparse.ArgumentParser, run: Callable, example: str) -> None:
    """Set what a command runs, and the example that its help shows."""
    sub.epilog = f"example:\n  {example}"
    sub.set_defaults(run=run)


def add_network(sub: argparse.ArgumentParser, default: bool = True) -> None:
    """Options of every command that runs a network: which, where, how exactly, and for whom it answers.

    default: without --checkpoint, exercise12; else it has to be given, as where a checkpoint is written.
    """
    which = "in the working folder's checkpoints/ or else the project's"
    help_ = f"folder of a trained network (exercise12, {which})" if default else "folder of a trained network"
    path = ours() if default else None
    sub.add_argument("--checkpoint", type=Path, default=path, required=not default, help=help_)
    add_device(sub)
    sub.add_argument(
        "--engine",
        choices=(*ENGINES, AUTO),
        help="what runs the network (pytorch); auto: what a3d profile measured to be fastest here",
    )
    sub.add_argument(
        "--precision",
        default="float32",
        choices=PRECISIONS,
        help="what convolutions compute in (float32); bfloat16: logits within 1 to 5%%; int8: by OpenVINO, a3d table "
        "tells its top-1; auto: the fastest that was measured, int8 where it costs at most a point",
    )
    sub.add_argument(
        "--clips", type=Path, metavar="DIR", help="to quantise on, once (those that the checkpoint was trained on)"
    )
    add_json(sub)


def add_json(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="print a list of objects, for programs")


def load_network(options: argparse.Namespace) -> TrainedNetwork:
    """The network that the options of `add_network` name, run where and as they want it, with its times so."""
    how = {"engine": options.engine, "precision": options.precision, "clips": options.clips}
    network = load(options.checkpoint, options.device, **how)
    if not is_checked(options.checkpoint) and parallel.is_main():
        unknown = "it was written by an older version, without checksums, so that damage may go unseen"
        print(f"{options.checkpoint}: {unknown}; a3d.save adds them", file=sys.stderr)
    return network


def ours() -> Path:
    """exercise12 in the working folder, else beside the package: the commands run in any folder."""
    here = Path("checkpoints") / "exercise12"
    beside = Path(a3d.__file__).parents[1] / here
    return beside if beside.is_dir() and not here.is_dir() else here


def add_data(sub: argparse.ArgumentParser, validation: bool = False) -> None:
    """What names a data set, read by `read_data`; with `validation`, a second one to test on."""
    group = sub.add_argument_group("data set")
    group.add_argument(
        "--data",
        required=True,
        type=Path,
        help="folder with CLASS/*.mp4 (in train/ and val/), list file of `path label` lines, "
        "or official CSV file of Kinetics, Charades or AVA",
    )
    if validation:
        group.add_argument("--validation", type=Path, help="the same, to test on; by default the val/ of --data")
    group.add_argument("--videos", type=Path, help="folder of the videos, or of extracted frames, of a CSV file")
    group.add_argument("--labels", type=Path, help="class names, one a line in the order of their numbers; AVA: .pbtxt")
    group.add_argument("--exclude", type=Path, help="AVA: CSV file of the timestamps to leave out")
    group.add_argument("--proposals", type=Path, help="AVA: CSV file of person boxes to test on")
    group.add_argument("--threshold", type=float, default=THRESHOLD, help="AVA: lowest score of a proposal (0.8)")


def read_data(
    options: argparse.Namespace,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    source: Path | None = None,
    labelled: bool = True,
) -> ClipSet:
    """The data set that the options of `add_data` name, or `source` with the rest of them.

    split: "train" to learn from, "val" to test on, None for the whole of it. classes: names as the network has them.
    labelled: False where a list without labels will do.
    """
    source = source or options.data
    if split == "val":
        source = options.validation or options.data
        if source == options.data and kind(source) not in ("folder", "kinetics"):
            raise InputError(f"{source} is to learn from: name what to test on (--validation)")
    if kind(source) == "folder" and source != options.data and not (source / (split or "")).is_dir():
        split = None  # a folder given to test on may hold its classes itself
    return read_dataset(
        source,
        split=split,
        videos=options.videos,
        labels=options.labels,
        classes=classes,
        excluded=options.exclude,
        proposals=None if split == "train" else options.proposals,
        threshold=options.threshold,
        labelled=labelled,
    )


def warn_of_crossing(training: ClipSet, testing: ClipSet) -> None:
    """Prints a line if clips of one group are on both sides of the split."""
    if line := warning(training, testing):
        print(line, file=sys.stderr)


def add_budget(sub: argparse.ArgumentParser, many: bool = False) -> None:
    """One budget of four, read by `budget`, or a configuration."""
    group = sub.add_mutually_exclusive_group()
    for unit, help_ in BUDGETS.items():
        group.add_argument(f"--{unit}", type=float, help=help_)
    group.add_argument(
        "--configuration", type=configuration, action="append" if many else "store", help="as in 112x4@0.6"
    )


def add_larger_crops(sub: argparse.ArgumentParser) -> None:
    help_ = "test at 8/7 of each configuration's size, the paper's crops of 256γs for 224γs (Fig. 5)"
    sub.add_argument("--larger-crops", action="store_true", help=help_)


def budget(options: argparse.Namespace) -> dict[str, float | None]:
    """The budget given, as the keywords of `a3d.predict`."""
    return {unit: getattr(options, unit) for unit in BUDGETS}


def configuration(text: str) -> Configuration:
    try:
        return Configuration.parse(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_device(sub: argparse.ArgumentParser, default: str = "cpu") -> None:
    sub.add_argument("--device", type=_device, default=default, help=f"cpu or cuda ({default})")


def _device(text: str) -> str:
    """A device that is there; nothing is set up on it yet."""
    try:
        device = torch.device(text)
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"{text!r}: write cpu or cuda") from None
    count = {"cpu": 1, "cuda": torch.cuda.device_count()}.get(device.type, 0)
    if (device.index or 0) >= count:
        raise argparse.ArgumentTypeError(f"{text!r}: there are {count} of them; choose another, as cpu")
    return text


def views(text: str) -> tuple[int, int]:
    """`10x3`: clips in time, crops in space."""
    clips, cross, crops = text.lower().partition("x")
    if not (cross and clips.isdecimal() and len(clips) < 4 and int(clips) > 0 and crops in ("1", "3")):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r}: write CLIPSxCROPS, 1 to 999 clips and 1 or 3 crops, as in 10x3"
        )
    return int(clips), int(crops)


def count(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or len(text) > 12 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text[:40]}: give a whole number above 0")
    return int(text)


def workers(text: str) -> int:
    """How many processes prepare clips."""
    if not text.isdecimal() or len(text) > 3:
        raise argparse.ArgumentTypeError(f"{text[:40]}: give a number of processes, 0 to 999")
    return int(text)


def positive(text: str) -> float:
    """A number above 0, and finite."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text[:40]}: give a positive number")
    return value
