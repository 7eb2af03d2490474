"""How a stream was watched, drawn from its trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from a3d.configuration import Configuration
from a3d.deploy.live.trace import Step, Summary
from a3d.figures.look import BLUE, FAINT, INK, SUB, VERMILION, look

ROW = 170  # pixels of a panel
SHADE = "rgba(128,128,128,0.13)"


def live_figure(runs: Mapping[str, Sequence[Step]], load: Sequence[tuple[float, float]] = ()) -> go.Figure:
    """Latency of every window against its deadline, a panel a run; below, what the first run chose.

    runs: names and steps, from `watch`, `simulate` or `read_trace`, at least one window in all. load: seconds from and
    to which the machine was slowed down, shaded.
    """
    runs = {name: list(steps) for name, steps in runs.items()}
    rows = len(runs) + 1
    figure = make_subplots(rows, 1, shared_xaxes=True, vertical_spacing=0.25 / rows)
    highest = 1.15 * max(max(s.deadline, s.latency or 0) for steps in runs.values() for s in steps)
    for row, (name, steps) in enumerate(runs.items(), 1):
        _latencies(figure, row, steps, highest)
        limits = {step.deadline for step in steps}
        limit = f"{limits.pop():.0f} ms" if len(limits) == 1 else "the deadline of the moment"
        text = f"<b>{name}</b>: {100 * Summary.of(steps).within:.1f}% within {limit}"
        _title(figure, row, text)
        figure.update_yaxes(title_text="ms", range=(0, highest), row=row, col=1)
    for trace in {trace.name: trace for trace in reversed(figure.data) if len(trace.x)}.values():
        trace.showlegend = True  # once, where it first occurs
    _choices(figure, rows, next(iter(runs.values())))
    _title(figure, rows, "<b>configuration</b>" if len(runs) == 1 else f"<b>{next(iter(runs))}</b>: configuration")
    for start, end in load:
        figure.add_vrect(start, end, fillcolor=SHADE, line_width=0, layer="below", row="all", col=1)
    look(figure, ROW * rows + 90)
    figure.update_layout(margin={"t": 34, "l": 110}, legend={"y": 1 + 26 / (ROW * rows)})
    figure.update_xaxes(title_text="seconds of the stream", row=rows, col=1)
    return figure


def _latencies(figure: go.Figure, row: int, steps: Sequence[Step], highest: float) -> None:
    """Points in time, late ones, dropped ones at the upper edge, and the deadline."""
    kinds = (
        ("in time", [s for s in steps if s.met], {"color": BLUE, "size": 4}),
        ("late", [s for s in steps if s.configuration and not s.met], {"color": VERMILION, "size": 6, "symbol": "x"}),
        ("dropped", [s for s in steps if not s.configuration], {"color": INK, "size": 7, "symbol": "triangle-up-open"}),
    )
    for name, part, marker in kinds:
        figure.add_scatter(
            x=[step.time for step in part],
            y=[0.95 * highest if step.latency is None else step.latency for step in part],
            mode="markers",
            name=name,
            marker=marker,
            legendgroup=name,
            showlegend=False,
            hovertext=[_describe(step) for step in part],
            hovertemplate="%{hovertext}<extra></extra>",
            row=row,
            col=1,
        )
    _deadline(figure, row, steps)


def _deadline(figure: go.Figure, row: int, steps: Sequence[Step]) -> None:
    """A dashed line, across the panel or, where it was changed, as it was."""
    line = {"color": INK, "width": 1.5, "dash": "dash"}
    if len({step.deadline for step in steps}) == 1:
        figure.add_hline(steps[0].deadline, line=line, row=row, col=1)
        return
    starts = [steps[0], *(b for a, b in pairwise(steps) if a.deadline != b.deadline)]
    for start, end in pairwise([*starts, steps[-1]]):
        y = start.deadline
        figure.add_shape(type="line", x0=start.time, x1=end.time, y0=y, y1=y, line=line, row=row, col=1)


def _choices(figure: go.Figure, row: int, steps: Sequence[Step]) -> None:
    """A line that steps from configuration to configuration, the fastest at the bottom."""
    answered = [step for step in steps if step.configuration]
    times: dict[Configuration, float] = {s.configuration: s.predicted / s.slowdown for s in answered}
    figure.add_scatter(
        x=[step.time for step in answered],
        y=[str(step.configuration) for step in answered],
        mode="lines+markers",
        line={"color": FAINT, "width": 1.5, "shape": "hv"},
        marker={"color": SUB, "size": 4},
        showlegend=False,
        hovertext=[_describe(step) for step in answered],
        hovertemplate="%{hovertext}<extra></extra>",
        row=row,
        col=1,
    )
    order = [str(configuration) for configuration in sorted(times, key=times.get)]
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=order, row=row, col=1)


def _describe(step: Step) -> str:
    if step.configuration is None:
        return f"window {step.window}: {step.why}"
    return (
        f"<b>{step.configuration}</b>, window {step.window}<br>{step.latency:.1f} ms, answer {step.measured:.1f}, "
        f"predicted at most {step.predicted:.1f}<br>slowdown {step.slowdown:.2f}<br>{step.why}"
    )


def _title(figure: go.Figure, row: int, text: str) -> None:
    axes = "" if row == 1 else row
    figure.add_annotation(
        x=0, y=1, xref=f"x{axes} domain", yref=f"y{axes} domain", text=text, showarrow=False, xanchor="left"
    )
    figure.layout.annotations[-1].yanchor = "bottom"
