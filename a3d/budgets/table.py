"""The configuration-budget table: what was tested, and the best of it within a budget (Sec. 3.3)."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from a3d import files
from a3d.budgets.budget import SHARE, UNITS, Budget, BudgetError, check_unit, enough
from a3d.budgets.interval import wilson
from a3d.configuration import Configuration, ConfigurationError
from a3d.errors import A3DError
from a3d.temperature import HIGHEST, LOWEST

if TYPE_CHECKING:
    from pandas import DataFrame

    from a3d.budgets.profile import Profile

COLUMNS = ("spatial", "frames", "width", "gflops", "params", "top1", "mean_class", "top5", "clips", "trade_off")
PUBLISHED_COLUMNS = (*COLUMNS, "source", "printed", "note")
SEVERAL_COLUMNS = (*COLUMNS, "mean_ap")  # of several labels a clip
TEST_COLUMNS = ("data", "views", "weights")

# No file and no number of a table comes near: what does is damaged.
LARGEST, SIDE, COUNT, GFLOPS = 2**19, 2**14, 10**12, 1e9
TEMPERATURE_COLUMNS = ("temperature", "ece", "ece_after")
INT8 = "int8"  # column of a table whose rows were tested at that precision too


class TableError(A3DError, ValueError):
    """A table that cannot be read or does not hold what is asked; the message names the value and the remedy."""


@dataclass(frozen=True)
class Row:
    """A row is one tested configuration.

    gflops: multiply-adds of one clip, 1e9. params: parameters used, in ones. top1, mean_class, top5: percent.
    clips: how many it was tested on. mean_ap: percent, of several labels a clip. int8: what `accuracy` is where the
    convolutions compute in int8. None: not known.
    temperature: what the log-probabilities are divided by (`a3d.temperature`), > 0; None counts as 1. ece: expected
    calibration error without it, percent; ece_after: with it, each fold of clips at a temperature fitted on the others.
    trade_off: on the table's trade-off list.
    source: where a published row comes from, empty for one's own tests. printed: gflops and params are those that
    the source prints, not ours. note: what to tell whoever sees the row.
    data, views, weights: what it was tested on and with: a data set's `fingerprint`, clips in time × crops as in
    `10x3`, and the network's `weights_checksum`. Empty: not known, as of older tables.
    """

    configuration: Configuration
    gflops: float
    params: int
    top1: float
    mean_class: float | None = None
    top5: float | None = None
    clips: int | None = None
    trade_off: bool = False
    source: str = ""
    printed: bool = False
    note: str = ""
    mean_ap: float | None = None
    data: str = ""
    views: str = ""
    weights: str = ""
    int8: float | None = None
    temperature: float | None = None
    ece: float | None = None
    ece_after: float | None = None

    def accuracy_at(self, precision: str) -> float:
        """Return the accuracy at a precision, as far as it was tested: that of bfloat16 counts as that of float32."""
        return self.int8 if precision == "int8" and self.int8 is not None else self.accuracy

    @property
    def accuracy(self) -> float:
        """What a choice goes by, percent: top-1, or the mean average precision of a test with several labels."""
        return self.top1 if self.mean_ap is None else self.mean_ap

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the 95% interval of top-1, percent; None where the clips are not known, and of an mAP."""
        return None if self.clips is None or self.mean_ap is not None else wilson(self.top1, self.clips)

    @property
    def published(self) -> bool:
        return self.source != ""

    @property
    def megabytes(self) -> float:
        """Return the size of the weights in float32, 1e6 bytes."""
        return 4 * self.params / 1e6


class Table:
    """Tested configurations, in the order given. `choose(gflops=2.0)` is what it is for.

    Raises TableError if there are none or one occurs twice.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        rows = tuple(rows)
        if not rows:
            raise TableError("a table without rows: test at least one configuration (a3d table)")
        chosen = {row.configuration for row in best_within(rows)}
        self.rows = tuple(replace(row, trade_off=row.configuration in chosen) for row in rows)
        self._rows: dict[Configuration, Row] = {}
        for row in self.rows:
            if row.configuration in self._rows:
                raise TableError(f"{row.configuration} is in the table twice: keep one of the rows")
            self._rows[row.configuration] = row

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, configuration: object) -> bool:
        return configuration in self._rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.rows == other.rows

    __hash__ = None

    @property
    def published(self) -> bool:
        """Numbers from a paper, not tests of a network at hand."""
        return all(row.published for row in self.rows)

    @property
    def metric(self) -> str:
        """What `Row.accuracy` is: "top-1" or "mAP"."""
        return "top-1" if self.rows[0].mean_ap is None else "mAP"

    @property
    def full(self) -> Row:
        """The full network, all channels and frames, at the size where it is most accurate."""
        width, frames = (max(getattr(row.configuration, name) for row in self.rows) for name in ("width", "frames"))
        whole = [r for r in self.rows if (r.configuration.width, r.configuration.frames) == (width, frames)]
        return max(whole or self.rows, key=lambda row: (row.accuracy, row.gflops))

    def row(self, configuration: Configuration) -> Row:
        """The row of a configuration; TableError if it was not tested."""
        if configuration not in self._rows:
            raise TableError(
                f"{configuration} is not among the {len(self)} configurations of the table: "
                f"choose one of them, or test it (a3d table)"
            )
        return self._rows[configuration]

    def join(self, rows: Iterable[Row]) -> Table:
        """The rows given, which are tests of now, and those of this table that are of other configurations.

        Raises TableError where these were tested on other data, with other views or weights.
        """
        rows = tuple(rows)
        fresh = {row.configuration for row in rows}
        kept = [row for row in self.rows if row.configuration not in fresh]
        for name in TEST_COLUMNS if kept else ():
            before, now = ({getattr(row, name) for row in part} for part in (kept, rows))
            if before != now:
                told = ", ".join(sorted(value or "not known" for value in before))
                raise TableError(
                    f"{len(kept)} rows of the table were tested with other {name} ({told}) than now "
                    f"({', '.join(sorted(now))}): test as they were, or all of them anew (a3d table without "
                    "--configuration)"
                )
        return Table([*rows, *kept])

    def choose(
        self,
        gflops: float | None = None,
        *,
        milliseconds: float | None = None,
        params: float | None = None,
        megabytes: float | None = None,
        profile: Profile | None = None,
    ) -> Row:
        """The best tested configuration within the one budget given: highest top-1, of equals the cheapest.

        gflops: of one clip. milliseconds: median time of one clip by `profile`, which is `network.profile`.
        params: in ones. megabytes: of float32 weights, 1e6 bytes.
        Raises BudgetError below the cheapest, for no budget or two, and for milliseconds without a profile.
        """
        budget = Budget.of(gflops=gflops, milliseconds=milliseconds, params=params, megabytes=megabytes)
        if budget is None:
            raise BudgetError(f"no budget to choose within: give one of {', '.join(UNITS)}")
        cost, rows = self.costs(budget.unit, profile), self.trade_off(budget.unit, profile)
        affordable = [row for row in rows if cost(row) <= budget.limit]
        if not affordable:
            raise BudgetError(
                f"no tested configuration costs at most {budget}; "
                f"the cheapest, {rows[0].configuration}, costs {enough(cost(rows[0]))}"
            )
        return affordable[-1]

    def trade_off(self, by: str = "gflops", profile: Profile | None = None) -> list[Row]:
        """The rows that `choose` can give, cheapest first: each costs more than the one before and is more accurate.

        by: what cost is counted in, as in `costs`. Milliseconds are those of `profile`, where a row counts at the
        accuracy of the precision that it runs in, and rows that it has not measured are left out.
        """
        cost = self.costs(by, profile)
        if by != "milliseconds":
            return best_within(self.rows, cost)
        rows = [row for row in self.rows if row.configuration in profile]
        if not rows:
            raise BudgetError("the profile has none of the table's configurations: measure again (a3d profile)")
        return best_within(rows, cost, lambda row: row.accuracy_at(profile.precision(row.configuration)))

    def costs(self, unit: str, profile: Profile | None = None) -> Callable[[Row], float]:
        """Return what tells the cost of a row: in a unit of budgets, or as "share", in percent of the full network's
        GFLOPs.

        Milliseconds are those of `profile`, and BudgetError is raised without one.
        """
        if unit == SHARE:
            whole = self.full.gflops
            return lambda row: 100 * row.gflops / whole
        check_unit(unit)
        if unit != "milliseconds":
            return lambda row: getattr(row, unit)
        if profile is None:
            raise BudgetError(
                "milliseconds: no times are known of this device; measure them (a3d profile --checkpoint DIR), "
                "load again"
            )
        return lambda row: profile.milliseconds(row.configuration)

    def to_frame(self) -> DataFrame:
        """Return one line a row, with the columns of the file."""
        import pandas  # takes longer to import than a table to read

        return pandas.DataFrame([_fields(row) for row in self.rows], columns=self._columns())

    def to_csv(self) -> bytes:
        """The rows as they are, unknown values empty."""
        text = StringIO()
        writer = csv.DictWriter(text, self._columns(), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_fields(row) for row in self.rows)
        return text.getvalue().encode()

    def write_csv(self, path: str | Path) -> None:
        """Writes `to_csv()`; to a temporary name first."""
        files.replace_bytes(path, self.to_csv())

    @classmethod
    def read_csv(cls, path: str | Path) -> Table:
        """Reads what `write_csv` wrote; the trade-off list is worked out anew. TableError names line, value, remedy."""
        try:
            return cls.parse(files.read_bytes(path, LARGEST), path)
        except FileNotFoundError:
            raise TableError(f"{path} does not exist: make it with a3d table") from None

    @classmethod
    def parse(cls, content: bytes, path: str | Path) -> Table:
        """Reads what `to_csv` gave; errors name `path`."""
        try:
            lines = csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""))
            _check_header(lines.fieldnames or [], path)
            return cls([_read(fields, f"{path}, line {lines.line_num}") for fields in lines])
        except (UnicodeDecodeError, csv.Error) as error:
            raise TableError(f"{path} is not a CSV file ({error}): make it anew with a3d table") from None

    def _columns(self) -> tuple[str, ...]:
        if self.published:
            return PUBLISHED_COLUMNS
        columns = COLUMNS if self.metric == "top-1" else SEVERAL_COLUMNS
        columns = (*columns, *TEST_COLUMNS) if any(row.data for row in self.rows) else columns
        columns = columns if all(row.int8 is None for row in self.rows) else (*columns, INT8)
        return columns if all(row.temperature is None for row in self.rows) else (*columns, *TEMPERATURE_COLUMNS)


def best_within(
    rows: Iterable[Row],
    cost: Callable[[Row], float] = lambda row: row.gflops,
    accuracy: Callable[[Row], float] = lambda row: row.accuracy,
) -> list[Row]:
    """Cheapest first, every row that is more accurate than all that cost no more: rising in both by construction."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda row: (cost(row), -accuracy(row), row.gflops, row.params, row.configuration)):
        if not best or accuracy(row) > accuracy(best[-1]):
            best.append(row)
    return best


def _fields(row: Row) -> dict[str, object]:
    size = row.configuration
    return {"spatial": size.spatial, "frames": size.frames, "width": size.width} | {
        name: getattr(row, name)
        for name in (*PUBLISHED_COLUMNS[3:], "mean_ap", *TEST_COLUMNS, INT8, *TEMPERATURE_COLUMNS)
    }


def _check_header(names: Iterable[str], path: str | Path) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise TableError(f"{path}, line 1: no column {missing[0]!r}; the header is {','.join(COLUMNS)}")


def _read(fields: dict[str, str | None], where: str) -> Row:
    def value(name: str, kind: type, low: float, high: float = math.inf, optional: bool = False):
        """The field as a number within its bounds."""
        text = (fields[name] or "").strip()
        if optional and not text:
            return None
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high or number == math.inf:
            what = "a whole number" if kind is int else "a number"
            limit = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise TableError(f"{where}: {name} is {text!r}; give {what} {limit}")
        return number

    if None in fields:
        raise TableError(f"{where}: more fields than columns; remove {fields[None][0]!r} and what follows it")
    try:
        configuration = Configuration(
            value("spatial", int, 1, SIDE), value("frames", int, 1, SIDE), value("width", float, 0, 1)
        )
    except ConfigurationError as error:
        raise TableError(f"{where}: {error}") from None
    return Row(
        configuration,
        value("gflops", float, 0, GFLOPS),
        value("params", int, 0, COUNT),
        value("top1", float, 0, 100),
        value("mean_class", float, 0, 100, optional=True),
        value("top5", float, 0, 100, optional=True),
        value("clips", int, 1, COUNT, optional=True),
        source=fields.get("source") or "",
        printed=fields.get("printed") == "True",
        note=fields.get("note") or "",
        mean_ap=value("mean_ap", float, 0, 100, optional=True) if "mean_ap" in fields else None,
        int8=value(INT8, float, 0, 100, optional=True) if INT8 in fields else None,
        temperature=value("temperature", float, LOWEST, HIGHEST, optional=True) if "temperature" in fields else None,
        ece=value("ece", float, 0, 100, optional=True) if "ece" in fields else None,
        ece_after=value("ece_after", float, 0, 100, optional=True) if "ece_after" in fields else None,
        **{name: _word(fields.get(name) or "", name, where) for name in TEST_COLUMNS},
    )


def _word(text: str, name: str, where: str) -> str:
    """Letters and digits, which can be printed."""
    if not re.fullmatch(r"[0-9a-z]{0,20}", text):
        raise TableError(f"{where}: {name} is {text[:20]!r}; give what a3d table wrote, or nothing")
    return text
