"""The trade-off between cost and accuracy, drawn (Fig. 6)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, pairwise
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from a3d.budgets.budget import SHARE, amount
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.figures.look import BLUE, FAINT, FULL, GREEN, INK, SKY, SUB, VERMILION, look

if TYPE_CHECKING:
    from a3d.budgets.profile import Profile

# What a step down the trade-off list gives up, in the colours of Fig. 6 and, as these are not for every eye, in dashes.
STEPS = {
    "spatial": ("gives up pixels (γs)", VERMILION, "solid"),
    "frames": ("gives up frames (γt)", GREEN, "dash"),
    "width": ("gives up width (γw)", BLUE, "dot"),
    "several": ("changes several", INK, "solid"),
}
CURVES = ((BLUE, "circle"), (VERMILION, "diamond"), (GREEN, "square"), (SUB, "cross"), (INK, "x"))  # networks
SYMBOLS = {"spatial": "γs", "frames": "γt", "width": "γw"}
AXES = {
    "gflops": "GFLOPs (multiply-adds of one clip)",
    "milliseconds": "milliseconds for one clip on this machine",
    "share": "% of the full network's GFLOPs",
    "params": "parameters",
    "megabytes": "MB of float32 weights",
}


def tradeoff_figure(
    table: Table,
    chosen: Row | Configuration | None = None,
    budget: float | None = None,
    published: Mapping[str, Table] | None = None,
    full: Row | Configuration | None = None,
    unit: str = "gflops",
    profile: Profile | None = None,
) -> go.Figure:
    """Accuracy over cost (Fig. 6): all tested configurations, the trade-off list, the chosen one, the budget.

    chosen, full: rows to mark, with the 95% interval where it is known on how many clips they were tested.
    budget: in `unit`, a key of `AXES`: a budget unit, or "share" (percent of the table's full network, by which curves
    of different networks compare). published: names and tables of other curves, drawn on the same axes unless these
    are milliseconds. profile: times of this device, needed for milliseconds; what it has not measured is left out.
    Every point of `table` has the key of its configuration as `customdata`, by which a click is read.
    """
    cost, trade_off = table.costs(unit, profile), table.trade_off(unit, profile)
    rows = [row for row in table.rows if unit != "milliseconds" or row.configuration in profile]
    others = {} if unit == "milliseconds" else dict(published or {})
    figure = go.Figure()
    figure.add_scatter(**_points(rows, cost), name="tested", marker={"size": 6, "color": FAINT})
    for name, curve in others.items():
        figure.add_trace(_published_curve(name, curve, unit))
    for kind, segments in _segments(trade_off).items():
        figure.add_trace(_segment_trace(kind, segments, cost))
    figure.add_scatter(**_points(trade_off, cost), name="trade-off list", marker={"size": 8, "color": INK})
    _label_steps(figure, trade_off, cost)
    for row, name, symbol, colour in ((full, "full network", "square", FULL), (chosen, "chosen", "diamond", SUB)):
        row = table.row(row) if isinstance(row, Configuration) else row
        if row is not None and (unit != "milliseconds" or row.configuration in profile):
            figure.add_trace(_mark(row, name, symbol, colour, cost))
    if chosen is not None and figure.data[-1].name == "chosen":
        # Named on the spot: there is room above a rising curve, but not to the left of its start.
        mark, cheapest = figure.data[-1], cost(trade_off[0])
        mark.mode, mark.textposition = "markers+text", "top center" if mark.x[0] <= cheapest else "top left"
    costs = [cost(row) for row in rows] + [curve.costs(unit)(row) for curve in others.values() for row in curve.rows]
    _axes(figure, unit, table.metric, costs, budget)
    return figure


def curves_figure(tables: Mapping[str, Table], published: Mapping[str, Table] | None = None) -> go.Figure:
    """The trade-off lists of several networks over GFLOPs; over shares of the full network's with `published` ones.

    A network that was tested at a single configuration is a point.
    """
    unit, figure, costs = "share" if published else "gflops", go.Figure(), []
    for (name, table), (colour, symbol) in zip(tables.items(), cycle(CURVES)):
        cost, rows = table.costs(unit), table.trade_off()
        line, marker = {"color": colour, "width": 2}, {"color": colour, "symbol": symbol, "size": 8}
        figure.add_scatter(**_points(rows, cost) | {"mode": "lines+markers"}, name=name, line=line, marker=marker)
        costs += map(cost, rows)
    for name, curve in (published or {}).items():
        figure.add_trace(_published_curve(name, curve, unit))
        costs += map(curve.costs(unit), curve.trade_off())
    _axes(figure, unit, next(iter(tables.values())).metric, costs, None)
    return figure


def _axes(figure: go.Figure, unit: str, metric: str, costs: Sequence[float], budget: float | None) -> None:
    low, high = _log_range([*costs, *([budget] if budget else [])])
    if budget:
        _draw_budget(figure, budget, unit, low, high)
    ticks = [m * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    look(figure, 460)
    figure.update_xaxes(
        type="log",
        range=(low, high),
        tickvals=ticks,
        ticktext=[_tick(tick, unit) for tick in ticks],
        title_text=AXES[unit],
    )
    figure.update_yaxes(title_text="mAP, %" if metric == "mAP" else "top-1 accuracy, %")


def _points(rows: Sequence[Row], cost: Callable[[Row], float]) -> dict:
    return {
        "x": [cost(row) for row in rows],
        "y": [row.accuracy for row in rows],
        "customdata": [row.configuration.key for row in rows],
        "hovertext": [_describe(row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "mode": "markers",
    }


def _describe(row: Row) -> str:
    lines = [
        f"<b>{row.configuration}</b>",
        f"{row.accuracy:.1f}% {'top-1' if row.mean_ap is None else 'mAP'}",
        f"{row.gflops:.3g} GFLOPs",
    ]
    if row.params:
        lines.append(f"{row.params / 1e6:.3g} M parameters")
    return "<br>".join([*lines, *(note for note in (row.source, row.note) if note)])


def _segments(rows: Sequence[Row]) -> dict[str, list[tuple[Row, Row]]]:
    """Steps of the trade-off list by the dimension that each gives up; a step that changes more than one is several."""
    kinds: dict[str, list[tuple[Row, Row]]] = {kind: [] for kind in STEPS}
    for cheap, costly in pairwise(rows):
        changed = cheap.configuration.differences(costly.configuration)
        kinds[changed[0] if len(changed) == 1 else "several"].append((cheap, costly))
    return {kind: segments for kind, segments in kinds.items() if segments}


def _segment_trace(kind: str, segments: Sequence[tuple[Row, Row]], cost: Callable[[Row], float]) -> go.Scatter:
    name, colour, dash = STEPS[kind]
    return go.Scatter(
        x=[value for a, b in segments for value in (cost(a), cost(b), None)],
        y=[value for a, b in segments for value in (a.accuracy, b.accuracy, None)],
        mode="lines",
        name=name,
        line={"color": colour, "width": 1.5 if kind == "several" else 3, "dash": dash},
        hoverinfo="skip",
    )


def _label_steps(figure: go.Figure, rows: Sequence[Row], cost: Callable[[Row], float]) -> None:
    """The symbols of what a step changes, below its middle: in print, colours and dashes alone are little."""
    pairs = list(pairwise(rows))
    if not 0 < len(pairs) <= 12:  # a long list has no room for them
        return
    figure.add_scatter(
        x=[math.sqrt(cost(a) * cost(b)) for a, b in pairs],
        y=[(a.accuracy + b.accuracy) / 2 for a, b in pairs],
        text=[" ".join(map(SYMBOLS.get, a.configuration.differences(b.configuration))) for a, b in pairs],
        mode="text",
        textposition="bottom right",
        textfont={"size": 11, "color": INK},
        name="what a step changes",
        hoverinfo="skip",
        showlegend=False,
    )


def _published_curve(name: str, table: Table, unit: str) -> go.Scatter:
    return go.Scatter(
        **(_points(table.trade_off(), table.costs(unit)) | {"customdata": None, "mode": "lines+markers"}),
        name=name,
        line={"color": SKY, "width": 1.5, "dash": "dot"},
        marker={"symbol": "circle-open", "size": 7},
    )


def _mark(row: Row, name: str, symbol: str, colour: str, cost: Callable[[Row], float]) -> go.Scatter:
    return go.Scatter(
        **_points([row], cost),
        name=name,
        text=[f"<b>{row.configuration}</b>"],
        marker={"symbol": symbol, "size": 14, "color": colour, "line": {"width": 2, "color": "white"}},
        error_y=_interval(row, colour),
    )


def _interval(row: Row, colour: str) -> dict | None:
    if row.interval is None:
        return None
    low, high = row.interval
    reach = {"array": [high - row.top1], "arrayminus": [row.top1 - low]}
    return {"type": "data", "symmetric": False, **reach, "color": colour, "thickness": 1, "width": 4}


def _draw_budget(figure: go.Figure, budget: float, unit: str, low: float, high: float) -> None:
    """A line at the budget, and a shade over what is too expensive; low, high: decimal logarithms of the axis."""
    whole = {"y0": 0, "y1": 1, "yref": "paper"}
    figure.add_shape(type="rect", x0=budget, x1=10**high, **whole, fillcolor="rgba(128,128,128,0.13)", line_width=0)
    side = "left" if math.log10(budget) < 0.8 * high + 0.2 * low else "right"  # of the text that touches the line
    text = f"budget {amount(budget, unit)}"
    label = {"text": text, "textposition": "start", "textangle": 0, "xanchor": side, "padding": 6}
    line = {"color": INK, "width": 1.5, "dash": "dash"}
    figure.add_shape(type="line", x0=budget, x1=budget, **whole, line=line, label=label)


def _tick(value: float, unit: str) -> str:
    if unit == "params":
        return f"{value / 1e6:g} M"
    return f"{value:g}%" if unit == SHARE else f"{value:g}"


def _log_range(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    room = 0.06 * (high - low) + 0.04
    return low - room, high + room
