"""What to test for a finer table: configurations between the tested ones, where the curve is coarsest (Sec. 3.3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from a3d.budgets.table import Table
from a3d.configuration import DIMENSIONS, ComputationalRange, Configuration

STEP = 0.05  # of the width
MIDDLE = (0.25, 0.75)  # of a gap: what lies there leaves two gaps that are both smaller


@dataclass(frozen=True)
class Point:
    """A point is a configuration on the curve of accuracy over GFLOPs, tested or expected there."""

    configuration: Configuration
    gflops: float
    accuracy: float


@dataclass(frozen=True)
class Gap:
    """A gap lies between two neighbours on the curve."""

    low: Point
    high: Point

    @property
    def width(self) -> float:
        """Return the width in log-GFLOPs."""
        return math.log(self.high.gflops / self.low.gflops)

    @property
    def rise(self) -> float:
        """Return the rise of the accuracy, percent."""
        return self.high.accuracy - self.low.accuracy

    def place(self, gflops: float) -> float:
        """Where a cost lies in the gap, from 0 to 1 in log-GFLOPs."""
        return math.log(gflops / self.low.gflops) / self.width

    def outside(self, configuration: Configuration) -> float:
        """How far a configuration is from lying between the two in every dimension, in logarithms."""
        found = 0.0
        for name in DIMENSIONS:
            ends = sorted(getattr(point.configuration, name) for point in (self.low, self.high))
            value = getattr(configuration, name)
            found += abs(math.log(value / min(max(value, ends[0]), ends[1])))
        return found


def between(span: ComputationalRange) -> list[Configuration]:
    """Return what a finer table may test: the sizes of a range and the even ones midway between them, every number of
    frames and every width in steps of 0.05 from the range's lowest to its highest."""
    middles = {round((low + high) / 4) * 2 for low, high in pairwise(span.spatials)}
    counts = range(span.frame_counts[0], span.frame_counts[-1] + 1)
    steps = range(math.ceil(span.widths[0] / STEP - 1e-9), round(1 / STEP) + 1)
    widths = {*span.widths, *(round(step * STEP, 2) for step in steps)}
    return [
        Configuration(spatial, frames, width)
        for spatial in sorted({*span.spatials, *middles})
        for frames in counts
        for width in sorted(widths)
    ]


def propose(
    table: Table, candidates: Iterable[Configuration], gflops: Callable[[Configuration], float], count: int
) -> list[Configuration]:
    """Return up to `count` untested candidates, each between two neighbours of the trade-off list, coarsest gap first.

    A gap is as coarse as its share of the curve's log-GFLOPs or of its rise in accuracy, whichever is larger. What is
    proposed divides its gap, as if it lay on the line between the two. gflops: what a candidate costs. The first of
    many proposals are those that fewer would be.
    """
    points = [Point(row.configuration, row.gflops, row.accuracy) for row in table.trade_off()]
    tested, gaps, found = {row.configuration for row in table.rows}, list(map(Gap, points, points[1:])), []
    whole = Gap(points[0], points[-1])
    costs = {c: gflops(c) for c in candidates if c not in tested} if gaps and count > 0 else {}
    while gaps and len(found) < count:
        gap = max(gaps, key=lambda gap: max(gap.width / whole.width, gap.rise / whole.rise))
        gaps.remove(gap)
        chosen = _inside(gap, costs)
        if chosen is not None:
            found.append(chosen)
            cost = costs.pop(chosen)
            middle = Point(chosen, cost, gap.low.accuracy + gap.rise * gap.place(cost))
            gaps += [Gap(gap.low, middle), Gap(middle, gap.high)]
    return found


def _inside(gap: Gap, costs: Mapping[Configuration, float]) -> Configuration | None:
    """The candidate in the gap that is most alike to both ends, of those that divide it well if there are any."""
    places = {c: gap.place(cost) for c, cost in costs.items() if gap.low.gflops < cost < gap.high.gflops}
    central = [c for c, place in places.items() if MIDDLE[0] <= place <= MIDDLE[1]]
    if central:
        return min(central, key=lambda c: (gap.outside(c), abs(places[c] - 0.5), c))
    return min(places, key=lambda c: (abs(places[c] - 0.5), c), default=None)
