"""What a budget is counted in: GFLOPs, milliseconds on this device, parameters or megabytes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from typing import TypedDict

from a3d.errors import A3DError

UNITS = {"gflops": "GFLOPs", "milliseconds": "ms", "params": "parameters", "megabytes": "MB"}
SHARE = "share"  # percent of the full network's GFLOPs: no budget by itself, as it needs a table to be told


class BudgetError(A3DError, ValueError):
    """A budget that is none, or that buys no tested configuration; the message names the value and the remedy."""


class Limits(TypedDict, total=False):
    """A budget as keywords, of which one is given; None is as good as left out.

    gflops: multiply-adds of one clip, 1e9. milliseconds: median time of one clip on this device, as `a3d profile`
    measured it. params: parameters, in ones. megabytes: of float32 weights, 1e6 bytes.
    """

    gflops: float | None
    milliseconds: float | None
    params: float | None
    megabytes: float | None


@dataclass(frozen=True)
class Budget:
    """At most `limit` of a unit, a key of `UNITS`."""

    unit: str
    limit: float

    def __post_init__(self) -> None:
        check_unit(self.unit)
        if not self.limit >= 0:  # NaN too
            raise BudgetError(f"a budget of {self}: give a positive number")

    def __str__(self) -> str:
        return f"{self.limit:.12g} {UNITS[self.unit]}"

    @classmethod
    def of(cls, **limits: float | None) -> Budget | None:
        """The one that is given among `Limits`, None if there is none. Raises BudgetError for two."""
        given = [cls(unit, limit) for unit, limit in limits.items() if limit is not None]
        if len(given) > 1:
            raise BudgetError(f"{given[0]} and {given[1]}: give one budget")
        return given[0] if given else None


def check_unit(unit: str) -> None:
    if unit not in UNITS:
        raise BudgetError(f"budgets in {unit!r}: choose one of {', '.join(UNITS)}")


def digits(value: float) -> str:
    """Return three of them: 54.5, 0.213."""
    return f"{value:#.3g}".rstrip(".")


def amount(value: float, unit: str) -> str:
    """Return how much of a unit, or of `SHARE`, as people are told: `0.213 GFLOPs`, `2.40 M parameters`."""
    if unit == SHARE:
        return f"{digits(value)}% of the full network"
    if unit == "params":
        value, unit_name = (value / 1e6, "M parameters") if value >= 1e6 else (value / 1e3, "k parameters")
        return f"{digits(value)} {unit_name}"
    return f"{digits(value)} {UNITS[unit]}"


def enough(cost: float) -> str:
    """Two digits, rounded up: a budget of what is printed is enough."""
    return f"{Context(prec=2, rounding=ROUND_CEILING).create_decimal(repr(cost)).normalize():f}"
