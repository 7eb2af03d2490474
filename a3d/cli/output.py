"""What commands print: JSON for programs, a progress bar, the files that were left out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.cost import cost
from a3d.configuration import Configuration

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


def emit(rows: Sequence[Mapping[str, object]]) -> None:
    """Print what `--json` prints: a list of objects, one for each thing asked for."""
    print(json.dumps(rows, ensure_ascii=False, indent=1))


def costed(network: AdaptiveNetwork, configuration: Configuration) -> dict[str, object]:
    """What every row begins with that is about a configuration of a network."""
    used = cost(network, configuration)
    return {"configuration": configuration.key, "gflops": used.gflops, "params": used.params}


def ranked(answers: Iterable[tuple[str, float]]) -> list[dict[str, object]]:
    """Classes and their probabilities, as rows give them."""
    return [{"label": label, "probability": probability} for label, probability in answers]


def report_broken(lines: Sequence[str]) -> None:
    for line in lines if parallel.is_main() else ():
        print(f"skipped {line}", file=sys.stderr)


class Bar(Progress):
    """A progress bar that shows from its first task on: an error before that is a line alone."""

    def __enter__(self) -> Bar:
        return self

    def add_task(self, *args, **kwargs) -> TaskID:
        self.start()
        return super().add_task(*args, **kwargs)

    def stop(self) -> None:
        if self.live.is_started:
            super().stop()


def progress_bar() -> Bar:
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


class ArchiveBar:
    """A progress bar of an archive: videos, a second of them, time left; .seconds: since its first call."""

    def __init__(self, bar: Bar) -> None:
        self._bar, self._task, self._begun, self._done = bar, None, 0.0, 0

    def show(self, done: int, total: int) -> None:
        """Told where a run stands; what was done before it began does not count for its speed."""
        if self._task is None:
            self._task = self._bar.add_task("predict", total=total, completed=done, pace="")
            self._begun, self._done = time.monotonic(), done
        rate = (done - self._done) / max(1e-9, self.seconds)
        self._bar.update(self._task, completed=done, pace=f"{rate:.1f} clips/s")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun


@contextmanager
def archive_bar() -> Iterator[ArchiveBar]:
    pace = TextColumn("{task.fields[pace]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), pace, TimeRemainingColumn())
    with Bar(*columns, console=console) as bar:
        yield ArchiveBar(bar)
