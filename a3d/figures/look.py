"""What all figures share: colours that the colour-blind tell apart, transparent ground for light and dark pages."""

from __future__ import annotations

import plotly.graph_objects as go

# Okabe & Ito's palette, with greys that show on white and on black.
BLUE, VERMILION, GREEN, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9"
INK, FAINT, GRID = "#7a7a7a", "rgba(128,128,128,0.55)", "rgba(128,128,128,0.22)"
FULL, SUB = BLUE, ORANGE


def look(figure: go.Figure, height: int, **layout) -> None:
    """The look that all figures share."""
    figure.update_layout(
        template="none",
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 13, "color": INK},
        margin={"l": 62, "r": 16, "t": 16, "b": 48},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        hovermode="closest",
        **layout,
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, linecolor=FAINT, ticks="outside", tickcolor=FAINT)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, linecolor=FAINT)
    figure.update_xaxes(title={"font_size": 13, "standoff": 8})
    figure.update_yaxes(title={"font_size": 13, "standoff": 8})
