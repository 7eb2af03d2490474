"""A training run as seen from outside, while it goes on: what its folder tells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from a3d.errors import A3DError

if TYPE_CHECKING:
    from pandas import DataFrame

RECENT = 50  # steps whose pace tells the time left
PAUSE = 300.0  # seconds in which a run that still goes on would have logged a step


class RunError(A3DError, ValueError):
    """A run that cannot be read; the message names the file and the remedy."""


@dataclass(frozen=True)
class Followed:
    """metrics: `metrics.csv`, without a line that is being written. steps: of the whole run, None where it is not told.

    seconds_per_step: lately, NaN before the second step. idle: seconds since the last step.
    """

    metrics: DataFrame
    steps: int | None
    seconds_per_step: float
    idle: float

    @property
    def step(self) -> int:
        """Return the steps done."""
        return 0 if self.metrics.empty else int(self.metrics["step"].iloc[-1]) + 1

    @property
    def state(self) -> str:
        """ "finished", "running", or "paused": no step for so long that the run was probably stopped."""
        if self.steps is not None and self.step >= self.steps:
            return "finished"
        patience = max(PAUSE, 5 * self.seconds_per_step) if self.seconds_per_step > 0 else PAUSE
        return "paused" if self.idle > patience else "running"

    @property
    def left(self) -> float | None:
        """Seconds to go at the pace of the last steps; None where that is not known."""
        if self.steps is None or not self.seconds_per_step > 0:
            return None
        return (self.steps - self.step) * self.seconds_per_step


def follow(folder: str | Path, now: float) -> Followed:
    """Reads the folder of a run. now: seconds since the epoch. Raises RunError if it holds no metrics."""
    folder = Path(folder)
    metrics = read_metrics(folder / "metrics.csv")
    times = metrics.groupby("step")["seconds"].first().iloc[-RECENT - 1 :]
    pace = times.diff().median() if len(times) > 1 else float("nan")  # the median: a run that slept goes on as before
    idle = now - float(times.iloc[-1]) if len(times) else float("inf")
    return Followed(metrics, read_steps(folder / "run.json"), float(pace), idle)


def read_metrics(path: Path) -> DataFrame:
    """The lines of `metrics.csv`, without one that is being written. Raises RunError."""
    import pandas  # takes longer to import than a log to read

    columns = {"step": int, "epoch": int, "rate": float, "seconds": float, "loss": float, "top1": float}
    try:
        text = path.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1]  # what follows is being written
        return pandas.read_csv(StringIO(lines)).astype(columns)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist: give the folder of a run that has begun (a3d train --out)") from None
    except (ValueError, KeyError) as error:  # pandas' errors are ValueErrors
        raise RunError(f"{path} is no log of a run ({' '.join(str(error).split())}): restore the file") from None


def read_steps(path: Path) -> int | None:
    """How many steps `run.json` announces, None where there is none. Raises RunError."""
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["steps"])
    except FileNotFoundError:  # of a run that was started before runs told
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} does not tell the steps of the run ({error}): delete it") from None
