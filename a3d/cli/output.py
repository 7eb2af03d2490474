"""What commands print: JSON for programs, a progress bar, the files that were left out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from a3d import parallel

console = Console(stderr=True)


@contextmanager
def heard() -> Iterator[None]:
    """Of several processes (`torchrun`), the first one speaks; the others keep errors alone."""
    if parallel.is_main():
        yield
        return
    console.quiet = True
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def emit(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def report_broken(lines: Sequence[str]) -> None:
    for line in lines if parallel.is_main() else ():
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
