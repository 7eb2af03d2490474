"""What several commands take: a configuration, a budget, views; and how a command is declared."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from a3d import networks
from a3d.configuration import Configuration, ConfigurationError, range_0016, range_006

RANGES = {"0.016": range_0016, "0.06": range_006}
BUILDERS = {
    f"{family}_r{depth}": getattr(networks, f"{family}_r{depth}")
    for family in ("slow", "slowfast")
    for depth in (18, 26, 50, 101)
}

BUDGETS = {
    "gflops": "budget for one clip: the best tested configuration within it is run",
    "milliseconds": "budget in the median time of one clip on this device, as a3d profile measured it",
    "params": "budget in parameters",
    "megabytes": "budget in megabytes of float32 weights",
}


def command(
    commands: argparse._SubParsersAction, run: Callable, name: str, help_: str, example: str
) -> argparse.ArgumentParser:
    sub = commands.add_parser(
        name,
        help=help_,
        description=help_,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.set_defaults(run=run)
    return sub


def add_budget(sub: argparse.ArgumentParser, many: bool = False) -> None:
    """One budget of four, read by `budget`, or a configuration."""
    group = sub.add_mutually_exclusive_group()
    for unit, help_ in BUDGETS.items():
        group.add_argument(f"--{unit}", type=float, help=help_)
    group.add_argument(
        "--configuration", type=configuration, action="append" if many else "store", help="as in 112x4@0.6"
    )


def budget(options: argparse.Namespace) -> dict[str, float | None]:
    """The budget given, as the keywords of `a3d.predict`."""
    return {unit: getattr(options, unit) for unit in BUDGETS}


def configuration(text: str) -> Configuration:
    try:
        return Configuration.parse(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def views(text: str) -> tuple[int, int]:
    """`10x3`: clips in time, crops in space."""
    clips, cross, crops = text.lower().partition("x")
    if not (cross and clips.isdigit() and int(clips) > 0 and crops in ("1", "3")):
        raise argparse.ArgumentTypeError(f"{text!r}: write CLIPSxCROPS with 1 or 3 crops, as in 10x3")
    return int(clips), int(crops)
