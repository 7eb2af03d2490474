"""Plotly figures in one look: what two networks see of a clip, and, from their own files, all the others."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.colors import hex_to_rgb, label_rgb

from a3d.adaptive.resampling import temporal_indices
from a3d.configuration import Configuration
from a3d.figures.live import live_figure
from a3d.figures.look import BLUE, FAINT, FULL, SUB, look
from a3d.figures.occlusion import occlusion_figure
from a3d.figures.progress import accuracy_figure, sampled_figure, training_figure
from a3d.figures.tradeoff import STEPS, tradeoff_figure
from a3d.maps.maps import Comparison, Explanation
from a3d.maps.overlay import blend, overlays

__all__ = [
    "FULL",
    "NOT_SEEN",
    "STEPS",
    "SUB",
    "accuracy_figure",
    "cuboid_figure",
    "film_strip",
    "live_figure",
    "occlusion_figure",
    "probabilities_figure",
    "sampled_figure",
    "shares_figure",
    "tradeoff_figure",
    "training_figure",
]

CELL = 192  # pixels of a picture in the film strip: sharp at 130 on a dense screen
HEADER = 32  # pixels of a row's title
NOT_SEEN = (
    "data:image/svg+xml;base64,"
    + b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200" viewBox="0 0 100 100" '
        b'preserveAspectRatio="xMidYMin"><g fill="none" stroke="#8a8a8a">'
        b'<rect x="1.5" y="1.5" width="97" height="97" stroke-dasharray="5 4"/></g><g fill="#7a7a7a" font-size="17" '
        b'font-family="system-ui, sans-serif" text-anchor="middle"><text x="50" y="47">not</text>'
        b'<text x="50" y="67">seen</text></g></svg>'
    ).decode()
)


def film_strip(comparison: Comparison) -> go.Figure:
    """Every frame under its evidence, a row for each network and pathway, on one colour scale and one time axis.

    Columns are the frames of the full clip; where a network did not see one, its row has an empty cell that says so.
    The frame with the largest share of the evidence is framed. Made for a width of 1100 pixels; narrower is legible.
    """
    rows = [
        (explanation, pathway, _row_title(who, explanation, pathway), colour)
        for who, explanation, colour in _both(comparison)
        for pathway in range(len(explanation.evidence))
    ]
    count = len(comparison.full.all_times)
    cell = min(200, 1040 // count)
    height = len(rows) * (cell + HEADER)
    figure = go.Figure()
    for i, (explanation, pathway, title, colour) in enumerate(rows):
        top = height - i * (cell + HEADER)  # the vertical axis counts pixels, so that titles keep their room
        title = f'<span style="color:{colour}">■</span> {title}'
        y = top - HEADER + 2
        figure.add_annotation(x=0, y=y, xref="paper", text=title, showarrow=False, xanchor="left", yanchor="bottom")
        for frame, picture in enumerate(pictures(explanation, comparison.scale, colour, pathway)):
            figure.add_layout_image(
                source=picture,
                x=frame + 0.5,
                y=top - HEADER,
                sizex=0.96,
                sizey=cell,
                xref="x",
                yref="y",
                sizing="contain",
                xanchor="center",
                yanchor="top",
            )
        figure.add_trace(_hover(explanation, pathway, top - HEADER - cell / 2))
    if comparison.scale > 0:
        figure.add_trace(_colour_bar(comparison.scale, question(comparison.full)))
    look(figure, height + 100, showlegend=False)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 0, "b": 100})
    figure.update_xaxes(range=(0, count), tickvals=np.arange(count) + 0.5, showgrid=False, showline=False)
    figure.update_xaxes(ticktext=[f"{time} s" for time in _seconds(comparison.full.all_times)], fixedrange=True)
    figure.update_yaxes(range=(0, height), visible=False, fixedrange=True)
    return figure


def shares_figure(comparison: Comparison, pathway: int = 0) -> go.Figure:
    """How the positive evidence of both networks is spread over time (Fig. 1), seconds of the source video.

    A bar a frame and network; a frame that a network did not see has none (None in the data) but a cross. Frames that
    fall on the same moment, at the end of a clip that is too short, are one bar.
    """
    figure = go.Figure()
    times, moment = np.unique(comparison.full.all_times, return_inverse=True)
    room = float(np.diff(times).min()) if len(times) > 1 else 0.2
    for (who, explanation, colour), side in zip(_both(comparison), (-1, 1), strict=True):
        shares = _by_moment(explanation, pathway, moment, len(times))
        name = f"{who}, {explanation.configuration}"
        figure.add_bar(
            x=times,
            y=[None if np.isnan(share) else float(share) for share in shares],
            offset=(side - 1) * 0.2 * room,
            width=0.4 * room,
            name=name,
            marker_color=colour,
            hovertemplate=f"{name}<br>%{{x:.2f}} s: %{{y:.0%}} of the positive evidence<extra></extra>",
        )
        unseen = times[np.isnan(shares)]
        if len(unseen):
            figure.add_scatter(
                x=unseen + side * 0.2 * room,
                y=np.zeros(len(unseen)),
                customdata=unseen,
                mode="markers",
                marker={"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": colour}},
                name=f"not seen by the {who}",
                cliponaxis=False,
                hovertemplate=f"%{{customdata:.2f}} s: not seen by the {who}<extra></extra>",
            )
    look(figure, 300, bargap=0.1)
    figure.update_xaxes(title_text="seconds", tickvals=times, ticktext=_seconds(times), showgrid=False)
    figure.update_xaxes(range=(times[0] - 0.6 * room, times[-1] + 0.6 * room))
    figure.update_yaxes(title_text="share of evidence", tickformat=".0%", rangemode="tozero")
    return figure


def probabilities_figure(
    full: Explanation | Sequence[tuple[str, float]],
    sub: Explanation | Sequence[tuple[str, float]],
    top: int = 5,
    names: tuple[str, str] = ("full network", "sub-network"),
) -> go.Figure:
    """Paired bars of the classes that are among the `top` of either network, by the full network's probability.

    full, sub: explanations, or classes and probabilities, most probable first. names: of the two networks.
    """
    full, sub = (x.predictions if isinstance(x, Explanation) else list(x) for x in (full, sub))
    first = [name for name, _ in full[:top]]
    classes = first + [name for name, _ in sub[:top] if name not in first]
    figure = go.Figure()
    for who, predictions, colour in ((names[1], dict(sub), SUB), (names[0], dict(full), FULL)):
        figure.add_bar(
            y=classes,
            x=[predictions.get(name) for name in classes],
            orientation="h",
            name=who,
            marker_color=colour,
            texttemplate="%{x:.0%}",
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:.1%}}<extra>{who}</extra>",
        )
    look(figure, 110 + 38 * len(classes), barmode="group", bargap=0.3, legend_traceorder="reversed")
    figure.update_xaxes(range=(0, 1.1), tickvals=(0, 0.25, 0.5, 0.75, 1), tickformat=".0%", title_text="probability")
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    # Within a pair, bars are drawn from the bottom up; reversed with the axis, the full network comes first.
    figure.data = figure.data[::-1]
    figure.update_layout(legend_traceorder="normal")
    return figure


def cuboid_figure(configuration: Configuration, full: Configuration) -> go.Figure:
    """What a configuration keeps of the full clip's pixels and frames, and of the network's channels, drawn to scale.

    Outlines are the frames of the full network, filled squares those that the configuration sees, at their size.
    """
    figure = go.Figure()
    seen = temporal_indices(full.frames, configuration.frames)
    side, step = configuration.spatial / full.spatial, 1.2 / full.frames
    for frame in reversed(range(full.frames)):  # from the back
        corner = np.array([frame * step, frame * step / 2])
        figure.add_trace(_square(corner, 1.0, 1.0, "rgba(0,0,0,0)", FAINT))
        if frame in seen:
            figure.add_trace(_square(corner + (1 - side) / 2, side, side, SUB, "white"))
    figure.add_trace(_square(np.array([2.6, 0.0]), 0.35, 1.6, "rgba(0,0,0,0)", FAINT))
    figure.add_trace(_square(np.array([2.6, 0.0]), 0.35, 1.6 * configuration.width, BLUE, BLUE))
    clip = f"{configuration.spatial}² pixels, {configuration.frames} of {full.frames} frames"
    for x, text in ((1.05, clip), (2.775, f"{configuration.width:.0%} of the channels")):
        figure.add_annotation(x=x, y=-0.08, text=text, showarrow=False, yanchor="top")
    look(figure, 240, showlegend=False)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(visible=False, range=(-0.1, 3.5), fixedrange=True)
    figure.update_yaxes(visible=False, range=(-0.35, 1.7), scaleanchor="x", fixedrange=True)
    return figure


def pictures(explanation: Explanation, scale: float, colour: str, pathway: int = 0) -> list[str]:
    """Return a picture for each frame of the full clip, as an address that holds the picture itself.

    scale: the evidence at which colours end. colour: of the border of the frame with the largest share of it.
    """
    shares = explanation.evidence[pathway].shares_by_frame(len(explanation.frames))
    found = overlays(explanation, scale, CELL, pathway)
    if np.nansum(shares) > 0:
        _frame(found[np.nanargmax(shares)], hex_to_rgb(colour))
    return [NOT_SEEN if np.isnan(share) else _embedded(picture) for share, picture in zip(shares, found, strict=True)]


def moments(explanation: Explanation, pathway: int = 0) -> list[str]:
    """Return what there is to say of each frame of the full clip: when it is, and how much evidence is in it."""
    evidence, count = explanation.evidence[pathway], len(explanation.frames)
    shares, maps = evidence.shares_by_frame(count), evidence.by_frame(count)
    return [
        f"{explanation.all_times[i]:.2f} s: "
        + ("not seen" if np.isnan(shares[i]) else f"{shares[i]:.0%} of the evidence, at most {maps[i].max():.2g}")
        for i in range(count)
    ]


def question(explanation: Explanation) -> str:
    """Return what the two ends of the colour scale mean."""
    if explanation.other is None:
        return "evidence against and for the class, logits"
    return f"evidence for {explanation.other} and for {explanation.name}, logits"


def scale_colours(levels: np.ndarray) -> list[list[int]]:
    """Return the scale as it looks over a grey picture, red, green and blue. levels: -1..1, shares of the scale."""
    grey = np.full((len(levels), 1, 1, 3), 128, np.uint8)
    return blend(grey, levels[:, None, None], 1.0)[:, 0, 0].tolist()


def _square(corner: np.ndarray, width: float, height: float, fill: str, line: str) -> go.Scatter:
    x, y = corner
    return go.Scatter(
        x=[x, x + width, x + width, x, x],
        y=[y, y, y + height, y + height, y],
        mode="lines",
        fill="toself",
        fillcolor=fill,
        line={"color": line, "width": 1},
        hoverinfo="skip",
    )


def _both(comparison: Comparison) -> tuple[tuple[str, Explanation, str], tuple[str, Explanation, str]]:
    first, second = comparison.names
    return (first, comparison.full, FULL), (second, comparison.sub, SUB)


def _by_moment(explanation: Explanation, pathway: int, moment: np.ndarray, moments: int) -> np.ndarray:
    """Shares (moments,): frames at the same moment are summed; NaN where none of them was seen."""
    shares = explanation.evidence[pathway].shares_by_frame(len(moment))
    seen = ~np.isnan(shares)
    sums = np.bincount(moment[seen], shares[seen], moments)
    return np.where(np.bincount(moment[seen], minlength=moments) > 0, sums, np.nan)


def _seconds(times: np.ndarray) -> list[str]:
    return [f"{time:.2f}" for time in times]


def _row_title(who: str, explanation: Explanation, pathway: int) -> str:
    name = explanation.evidence[pathway].pathway.capitalize()
    which = f", {name} pathway" if len(explanation.evidence) > 1 else ""
    return f"<b>{who}</b> {explanation.configuration}{which}"


def _frame(picture: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Draws a border into (S, S, 3)."""
    width = max(2, len(picture) // 32)
    for side in (picture[:width], picture[-width:], picture[:, :width], picture[:, -width:]):
        side[:] = colour


def _embedded(picture: np.ndarray) -> str:
    with BytesIO() as file:
        Image.fromarray(picture).save(file, "JPEG", quality=90)
        return "data:image/jpeg;base64," + b64encode(file.getvalue()).decode()


def _hover(explanation: Explanation, pathway: int, y: float) -> go.Scatter:
    """Invisible points in the middle of the cells, which tell the numbers."""
    texts = moments(explanation, pathway)
    return go.Scatter(
        x=np.arange(len(texts)) + 0.5,
        y=[y] * len(texts),
        mode="markers",
        marker={"opacity": 0, "size": 40},
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )


def _colour_bar(scale: float, title: str) -> go.Scatter:
    """The scale as it looks over a grey picture."""
    levels = np.linspace(-1, 1, 65)
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={
            "color": [0],
            "cmin": -scale,
            "cmax": scale,
            "colorscale": [
                ((level + 1) / 2, label_rgb(colour))
                for level, colour in zip(levels, scale_colours(levels), strict=True)
            ],
            "showscale": True,
            "colorbar": {
                "orientation": "h",
                "thickness": 10,
                "len": 260,
                "lenmode": "pixels",
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "ypad": 34,
                "yanchor": "top",
                "outlinewidth": 0,
                "title": {"text": title, "side": "bottom", "font_size": 13},
            },
        },
        hoverinfo="skip",
    )
