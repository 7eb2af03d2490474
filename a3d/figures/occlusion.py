"""What is left of a class when the hottest places of a clip are hidden."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from a3d.figures.look import FULL, SUB, look
from a3d.maps.occlusion import Occlusion

WAYS = ("nothing hidden", "random places hidden", "hottest places hidden")


def occlusion_figure(checks: Sequence[Occlusion], names: Sequence[str]) -> go.Figure:
    """Return bars of the probability of a class for two networks: as it is, without random and without hot places."""
    figure = go.Figure()
    for check, name, colour in zip(checks, names, (FULL, SUB), strict=True):
        figure.add_bar(
            y=WAYS,
            x=[check.before, check.chance, check.hottest],
            orientation="h",
            name=name,
            marker_color=colour,
            texttemplate="%{x:.0%}",
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:.1%}}<extra>{name}</extra>",
        )
    look(figure, 240, barmode="group", bargap=0.3)
    figure.update_xaxes(range=(0, 1.1), tickvals=(0, 0.5, 1), tickformat=".0%", title_text="probability")
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return figure
