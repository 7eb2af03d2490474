"""How a training run goes, drawn from its `metrics.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from a3d.configuration import Configuration
from a3d.figures.look import FULL, GREEN, SUB, look
from a3d.figures.tradeoff import CURVES

if TYPE_CHECKING:
    from pandas import DataFrame, Series

POINTS = 60  # of a line over steps
RECENT = 5  # epochs that `sampled_figure` looks back


def training_figure(metrics: DataFrame, by: str = "epoch") -> go.Figure:
    """Loss of the full network and of the sub-networks over a run: `metrics.csv` of a training run as it is.

    The full network's is the cross-entropy, the sub-networks' the divergence from the full one. by: "epoch", or "step"
    for a run that has few epochs yet: means of some steps each.
    """
    figure = go.Figure()
    is_full = _widths(metrics) == 1.0
    for name, part, colour in (("full network", is_full, FULL), ("sub-networks", ~is_full, SUB)):
        _add_line(figure, _means(metrics, part, "loss", by), name, colour)
    look(figure, 320)
    figure.update_xaxes(title_text=by, rangemode="nonnegative")
    figure.update_yaxes(title_text="loss", rangemode="tozero")
    return figure


def accuracy_figure(metrics: DataFrame, by: str = "epoch") -> go.Figure:
    """Draw top-1 over the augmented training clips: the full network, random widths, and the smallest width.

    by: as in `training_figure`.
    """
    figure = go.Figure()
    widths = _widths(metrics)
    is_full = widths == 1.0
    is_smallest = (widths == widths.min()) & ~is_full
    kinds = (("full network", is_full, FULL), ("random width", ~is_full & ~is_smallest, GREEN))
    for name, part, colour in (*kinds, ("smallest width", is_smallest, SUB)):
        if part.any():
            _add_line(figure, _means(metrics, part, "top1", by), name, colour)
    look(figure, 320)
    figure.update_xaxes(title_text=by, rangemode="nonnegative")
    figure.update_yaxes(title_text="top-1 on training clips, %", rangemode="tozero")
    return figure


def sampled_figure(metrics: DataFrame) -> go.Figure:
    """Mean top-1 of the sub-networks sampled in the last five epochs, by the size and the frames that they got."""
    recent = metrics[metrics["epoch"] > metrics["epoch"].max() - RECENT]
    recent = recent[_widths(recent) < 1.0]
    sizes = [Configuration.parse(key) for key in recent["configuration"]]
    grid = recent.assign(spatial=[s.spatial for s in sizes], frames=[s.frames for s in sizes]).pivot_table(
        values="top1", index="spatial", columns="frames", aggfunc=["mean", "count"]
    )
    figure = go.Figure()
    if len(grid):
        mean, count = grid["mean"], grid["count"].fillna(0).astype(int)
        figure.add_heatmap(
            x=[f"{frames} frame{'' if frames == 1 else 's'}" for frames in mean.columns],
            y=[f"{spatial}²" for spatial in mean.index],
            z=mean.to_numpy(),
            customdata=count.to_numpy(),
            colorscale="Cividis",
            texttemplate="%{z:.0f}%",
            hovertemplate="%{y}, %{x}: %{z:.1f}% over %{customdata} steps<extra></extra>",
            colorbar={"title": {"text": "top-1, %"}, "thickness": 10, "outlinewidth": 0},
            xgap=2,
            ygap=2,
        )
    look(figure, 320)
    figure.update_xaxes(showgrid=False, type="category")
    figure.update_yaxes(showgrid=False, type="category")
    return figure


def runs_figure(metrics: Mapping[str, DataFrame]) -> go.Figure:
    """Top-1 of the largest network of several runs on their augmented training clips, by epoch."""
    figure = go.Figure()
    for (name, frame), (colour, _) in zip(metrics.items(), cycle(CURVES)):
        is_full = _widths(frame) == 1.0
        _add_line(figure, frame[is_full].groupby("epoch")["top1"].mean(), name, colour)
    look(figure, 320)
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="top-1 on training clips, %", rangemode="tozero")
    return figure


def _widths(metrics: DataFrame) -> Series:
    """The full network of a step is the one of all channels: a range that grows changes its size and frames."""
    return metrics["configuration"].map(lambda key: Configuration.parse(key).width)


def _means(metrics: DataFrame, part: Series, value: str, by: str) -> Series:
    """Over epochs, or over as many steps as make at most sixty points."""
    span = max(1, (int(metrics["step"].max()) + 1) // POINTS) if by == "step" else 1
    chosen = metrics[part]
    means = chosen.groupby(chosen[by] // span)[value].mean()
    means.index = means.index * span
    return means


def _add_line(figure: go.Figure, values: Series, name: str, colour: str) -> None:
    figure.add_scatter(x=values.index, y=values, name=name, mode="lines+markers", line={"color": colour, "width": 2})
