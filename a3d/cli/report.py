"""`a3d report`: one HTML page of runs and checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path

from a3d.budgets.published import TITLES
from a3d.cli.options import command
from a3d.figures.report import report
from a3d.files import replace


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d report runs/mine runs/baseline --out report.html",
    )
    sub.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or a checkpoint")
    sub.add_argument("--out", type=Path, default=Path("report.html"), help="the page (report.html)")
    sub.add_argument(
        "--published", action="append", default=[], choices=TITLES, help="a table of the paper to draw beside"
    )


def run(options: argparse.Namespace) -> None:
    page = report(options.runs, options.published)
    replace(options.out, lambda path: path.write_text(page, encoding="utf-8"))
    print(f"wrote {options.out} ({len(page) / 1e6:.1f} MB)")
