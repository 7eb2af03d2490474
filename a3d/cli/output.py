"""What commands print: JSON for programs, a progress bar, the files that were left out."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console(stderr=True)


def emit(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def report_broken(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"skipped {line}", file=sys.stderr)


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
