"""Several figures under one slider that needs no running kernel: it works in a saved page as it does live."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from a3d.errors import InputError
from a3d.figures.look import INK

ROOM = 90  # pixels below the figure for the slider and the mark that it stands at


def under_slider(figures: Mapping[str, go.Figure], start: int = 0) -> go.Figure:
    """One figure that shows any of `figures`, whose names are the marks of the slider, drawn above it when chosen.

    start: position of the figure shown first; it gives the layout, the tallest the height. What may differ from figure
    to figure are traces, shapes, annotations, pictures and the axes' ranges and ticks.
    Raises ValueError without figures or for a start that none of them has.
    """
    if not 0 <= start < len(figures):
        raise InputError(f"start {start} of {len(figures)} figures: give a position from 0 to {len(figures) - 1}")
    shown = list(figures.values())
    result = go.Figure(layout=shown[start].layout)
    for position, figure in enumerate(shown):
        result.add_traces([go.Figure(trace).data[0].update(visible=position == start) for trace in figure.data])
    below = shown[start].layout.margin.b or 0
    result.update_layout(
        height=max(figure.layout.height or 450 for figure in shown) + ROOM,
        margin_b=below + ROOM,
        sliders=[_slider(figures, start, below)],
    )
    return result


def _slider(figures: Mapping[str, go.Figure], start: int, below: int) -> dict:
    counts = [len(figure.data) for figure in figures.values()]
    steps = []
    for position, (name, figure) in enumerate(figures.items()):
        visible = [i == position for i, count in enumerate(counts) for _ in range(count)]
        steps.append({"label": name, "method": "update", "args": [{"visible": visible}, _differences(figure)]})
    return {
        "active": start,
        "steps": steps,
        "currentvalue": {"font": {"size": 15, "color": INK}, "xanchor": "left"},
        "font": {"color": "rgba(0,0,0,0)", "size": 1},  # of the marks, too long to stand side by side
        "ticklen": 4,
        "pad": {"t": below, "b": 8},
    }


def _differences(figure: go.Figure) -> dict:
    """What a step changes besides the traces that are seen; a part that a figure lacks is cleared."""
    layout = figure.layout.to_plotly_json()
    changes = {part: layout.get(part, []) for part in ("shapes", "annotations", "images")}
    for axis in ("xaxis", "yaxis"):
        settings = layout.get(axis, {})
        changes |= {f"{axis}.{key}": settings[key] for key in ("range", "tickvals", "ticktext") if key in settings}
    return changes
