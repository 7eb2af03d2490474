"""What a visitor sets. Every choice is in the address of the page, so that a view can be shared."""

from __future__ import annotations

import streamlit as st
import words
from clips import SAMPLES, SUFFIXES, VideoFile, sample
from sources import Source, sources

from a3d.inference.table import Row, Table

AUTOMATIC = "The full network's answer"
METHODS = {"Exact": "cam", "Grad-CAM": "gradcam"}
UPLOAD_MEGABYTES = 200


def choose_source(title: str) -> Source:
    """The head of every page: its title, and the network it is about."""
    by_title = {source.title: source for source in sources()}
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.title(title)
    chosen = right.selectbox(
        "Network",
        list(by_title),
        key="network",
        bind="query-params",
        help="A trained checkpoint, or a table as the paper prints it (numbers alone, nothing to run).",
    )
    return by_title[chosen]


def choose_budget(table: Table) -> float:
    """The dial, GFLOPs: even on a logarithmic scale, as the curve below it is."""
    budgets, full = stops(table), table.full.gflops
    quarter = min(budgets, key=lambda text: abs(budgets[text] - full / 4))
    chosen = st.select_slider(
        "Compute budget for one clip",
        list(budgets),
        quarter,
        key="budget",
        bind="query-params",
        help="GFLOPs are billions of multiply-adds that the network does for one clip. "
        "Drag, or use the arrow keys: the best tested configuration within the budget answers.",
    )
    return budgets[chosen]


def stops(table: Table, count: int = 33) -> dict[str, float]:
    """Budgets in GFLOPs by what the dial shows, ascending.

    From the cheapest configuration to the full network in even ratios, and one for each row of the trade-off list, so
    that every answer can be reached. Three digits, rounded up: what is shown is enough for what it buys.
    """
    full = table.full.gflops
    costs = [*(row.gflops for row in table.trade_off()), full]
    low, high = min(costs), max(costs)
    between = [low * (high / low) ** (i / (count - 1)) for i in range(1, count - 1)]
    budgets = sorted({words.rounded_up(value) for value in (*costs, *between)})
    return {f"{words.gflops(value)} ({words.share(value, full)})": value for value in budgets}


def choose_clip() -> VideoFile:
    """An upload, if there is one, or else a sample."""
    left, right = st.columns(2)
    title = left.selectbox(
        "Sample clip",
        list(SAMPLES),
        key="sample",
        bind="query-params",
        help="Rendered figures that no network was trained on; most are chosen so that exercise12 knows them.",
    )
    upload = right.file_uploader(
        "… or your own video",
        SUFFIXES,
        max_upload_size=UPLOAD_MEGABYTES,
        help="The middle of the video is looked at. The file is decoded once and not kept.",
    )
    return sample(title) if upload is None else VideoFile(upload.name, upload.getvalue())


def choose_class(labels: tuple[str, ...]) -> str | None:
    """The class to explain; None is whatever the full network answers."""
    chosen = st.selectbox(
        "Class to explain",
        [AUTOMATIC, *labels],
        key="class",
        bind="query-params",
        help="The maps show what speaks for this class, whether or not it is the answer.",
    )
    return None if chosen == AUTOMATIC else chosen


def choose_method() -> str:
    chosen = st.segmented_control(
        "Method",
        list(METHODS),
        default="Exact",
        required=True,
        key="method",
        bind="query-params",
        help="Exact: the class activation map, whose mean plus a bias is the network's score. "
        "Grad-CAM: weighs the channels by their gradients.",
    )
    return METHODS[chosen]


def show_choice(row: Row, table: Table) -> None:
    """The choice in four numbers."""
    full = table.full
    values = {
        "Configuration": (str(row.configuration), f"full: {full.configuration}"),
        "GFLOPs": (words.digits(row.gflops), f"{words.share(row.gflops, full.gflops)} of full"),
        "Parameters": (words.params(row.params), f"{words.share(row.params, full.params)} of full"),
        "Top-1 accuracy": (f"{row.top1:.1f}%", f"{row.top1 - full.top1:+.1f} vs. full"),
    }
    with st.container(key="numbers"):
        columns = [*st.columns(2), *st.columns(2)]
    for column, (label, (value, beside)) in zip(columns, values.items(), strict=True):
        column.metric(label, value, beside, delta_color="off", delta_arrow="off", border=True)
