"""What was chosen for each window of a stream, why, and whether it held: a file with a line a window."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

from a3d.configuration import Configuration, ConfigurationError
from a3d.errors import A3DError


class TraceError(A3DError, ValueError):
    """A trace that cannot be read or written; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Step:
    """A step tells of one window.

    window: its number. time: seconds of the stream at which it ended. configuration, label, probability: what answered,
    and what; None for a window that was dropped, because a later one was there before its turn came.
    predicted, measured: milliseconds of the answer alone. latency: milliseconds from the window's last frame to its
    answer. met: within the deadline. slowdown: of the machine, as it was believed to be. why: in words.
    """

    window: int
    time: float
    configuration: Configuration | None
    label: str | None
    probability: float | None
    predicted: float | None
    measured: float | None
    latency: float | None
    deadline: float
    met: bool
    slowdown: float | None
    why: str

    def to_dict(self) -> dict:
        """Return plain values, as a line of the file."""
        key = self.configuration and self.configuration.key
        plain = asdict(self) | {"configuration": key}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in plain.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Step:
        """Return the step of a line of a file; numbers may be texts, and what is None empty."""

        def number(name: str) -> float | None:
            return None if plain[name] in ("", None) else float(plain[name])

        key = plain["configuration"]
        return cls(
            int(plain["window"]),
            float(plain["time"]),
            Configuration.parse(key) if key else None,
            plain["label"] or None,
            number("probability"),
            number("predicted"),
            number("measured"),
            number("latency"),
            float(plain["deadline"]),
            plain["met"] in (True, "True"),
            number("slowdown"),
            str(plain["why"]),
        )


@dataclass(frozen=True)
class Summary:
    """Of a trace. within: share of all windows that were answered within the deadline. changes: of configuration.

    median: milliseconds of latency, NaN if no window was answered.
    """

    windows: int
    dropped: int
    within: float
    changes: int
    median: float

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Summary:
        answered = [step for step in steps if step.configuration]
        return cls(
            len(steps),
            len(steps) - len(answered),
            sum(step.met for step in steps) / max(1, len(steps)),
            sum(a.configuration != b.configuration for a, b in pairwise(answered)),
            statistics.median([step.latency for step in answered]) if answered else float("nan"),
        )

    def __str__(self) -> str:
        return (
            f"{self.windows} windows, {100 * self.within:.1f}% within the deadline, {self.dropped} dropped, "
            f"{self.changes} changes of configuration, median latency {self.median:.0f} ms"
        )


class TraceFile:
    """Writes steps as they come, each whole on the disk before the next: CSV, or JSON lines in a `.jsonl`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        _check_suffix(self.path)
        self._file = self.path.open("w", newline="", encoding="utf-8")
        self._csv = csv.DictWriter(self._file, [f.name for f in fields(Step)]) if self.path.suffix == ".csv" else None
        if self._csv:
            self._csv.writeheader()

    def write(self, step: Step) -> None:
        if self._csv:
            self._csv.writerow(step.to_dict())
        else:
            self._file.write(json.dumps(step.to_dict(), ensure_ascii=False) + "\n")
        self._file.flush()

    def __enter__(self) -> TraceFile:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def read_trace(path: str | Path) -> list[Step]:
    """Reads what `TraceFile` wrote. Raises TraceError."""
    path = Path(path)
    _check_suffix(path)
    steps = []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines: Iterable = csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)
            for line in lines:
                steps.append(Step.from_dict(line))
    except (ValueError, KeyError, TypeError, AttributeError, ConfigurationError) as error:
        raise TraceError(f"{path}, window {len(steps)}: {error}; write it anew with a3d watch --trace") from None
    return steps


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".csv", ".jsonl"):
        raise TraceError(f"{path}: name the trace .csv or .jsonl")
