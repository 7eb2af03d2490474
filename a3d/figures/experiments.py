"""Experiments drawn: the claims of the paper with our intervals, and accuracy over cost of several networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import plotly.graph_objects as go

from a3d.figures.look import BLUE, FAINT, GREEN, INK, SKY, SUB, VERMILION, look
from a3d.paper.claims import Finding
from a3d.paper.experiments import OWN, Outcome

CURVES = ((BLUE, "circle"), (SUB, "diamond"), (GREEN, "square"), (VERMILION, "cross"), (SKY, "x"), (INK, "star"))
ROW = 30  # pixels of a claim


def claims_figure(findings: Sequence[Finding]) -> go.Figure:
    """A line a claim: by how many points the first network beats the second here, with its 95% interval, and in print.

    Right of 0 the claim holds here; where the line crosses 0, these clips cannot tell.
    """
    names = [f"{finding.claim.place}: {finding.claim.text}" for finding in findings]
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": FAINT, "width": 1.5})
    figure.add_scatter(
        x=[finding.difference for finding in findings],
        y=names,
        error_x={
            "type": "data",
            "array": [f.high - f.difference for f in findings],
            "color": BLUE,
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={"color": BLUE, "size": 9},
        name="here, with the 95% interval",
        customdata=[[_each(f.first), _each(f.second), *f.configurations] for f in findings],
        hovertemplate=(
            "%{y}<br>%{x:+.1f} points<br>%{customdata[2]}: %{customdata[0]}<br>%{customdata[3]}: %{customdata[1]}"
            "<extra></extra>"
        ),
    )
    printed = [finding for finding in findings if finding.claim.published is not None]
    figure.add_scatter(
        x=[finding.claim.published for finding in printed],
        y=[f"{finding.claim.place}: {finding.claim.text}" for finding in printed],
        mode="markers",
        marker={"color": SUB, "size": 10, "symbol": "diamond-open", "line": {"width": 2}},
        name="the paper, on Kinetics-400",
        hovertemplate="%{y}<br>%{x:+.1f} points in the paper<extra></extra>",
    )
    look(figure, 120 + ROW * len(findings))
    figure.update_layout(margin_l=360)
    figure.update_xaxes(title_text="difference of top-1, points", zeroline=False)
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=names)
    return figure


def budgets_figure(outcomes: Sequence[Outcome], names: Mapping[str, str]) -> go.Figure:
    """Top-1 over GFLOPs of experiments, as named in `names`: the mean over seeds, a bar from the worst to the best."""
    figure = go.Figure()
    for (experiment, name), (colour, symbol) in zip(names.items(), CURVES, strict=False):
        points: dict[tuple[float, str], list[float]] = {}
        for found in outcomes:
            if found.experiment == experiment and found.statistics == OWN:
                points.setdefault((found.gflops, found.configuration), []).append(found.top1)
        places = sorted(points)
        means = [fmean(points[place]) for place in places]
        figure.add_scatter(
            x=[gflops for gflops, _ in places],
            y=means,
            error_y={
                "type": "data",
                "array": [max(points[place]) - mean for place, mean in zip(places, means, strict=True)],
                "arrayminus": [mean - min(points[place]) for place, mean in zip(places, means, strict=True)],
                "thickness": 1,
                "width": 3,
            },
            mode="markers",
            marker={"color": colour, "size": 8, "symbol": symbol},
            name=name,
            text=[configuration for _, configuration in places],
            hovertemplate="%{text}<br>%{x:.3g} GFLOPs, top-1 %{y:.1f}%<extra>" + name + "</extra>",
        )
    look(figure, 440)
    figure.update_xaxes(type="log", dtick="D2", title_text="GFLOPs (multiply-adds of one clip)")
    figure.update_yaxes(rangemode="tozero", title_text="top-1, %")
    return figure


def _each(top1: Sequence[float]) -> str:
    return " and ".join(f"{value:.1f}" for value in top1)
