"""What a choice is, drawn: the curve, on which a click chooses, the list of steps, and what is kept of the clip."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
import words
from controls import METRICS
from dial import Choice, pick
from panel import BARE
from sources import Source
from times import profile_of

from a3d.budgets.published import published
from a3d.budgets.table import Table
from a3d.configuration import Configuration
from a3d.figures import cuboid_figure, tradeoff_figure

PAPER = {"the paper, Slow 8×8 on Kinetics-400": "slow_8x8_0016"}  # the curve that can be laid beside one's own


def curve(source: Source, table: Table, choice: Choice) -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.subheader("What a budget buys", help=words.CURVE)
    beside = not source.published and right.toggle("The paper's curve", key="paper", bind="query-params")
    figure = _figure(source, choice, bool(beside), table)
    st.plotly_chart(
        figure,
        key="curve",
        config=BARE,
        on_select=_clicked,
        selection_mode="points",
        alt=f"{METRICS[table.metric]} against cost of {len(table)} configurations; chosen: {choice.row.configuration}. "
        "The list below and the field Configuration hold the same.",
    )
    _listed(table, choice)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(source: Source, choice: Choice, beside: bool, _table: Table) -> go.Figure:
    others = {name: published(key) for name, key in PAPER.items()} if beside else {}
    profile = profile_of(source) if choice.unit == "milliseconds" else None
    return tradeoff_figure(_table, choice.row, choice.limit, others, _table.full, choice.unit, profile)


@st.cache_resource(max_entries=256, show_spinner=False)
def drawing(configuration: Configuration, full: Configuration) -> go.Figure:
    """What is kept of the full clip and network."""
    return cuboid_figure(configuration, full)


def _clicked() -> None:
    """The first point under the click that is one of the network's own."""
    keys = [point.get("customdata") for point in st.session_state["curve"].selection.points]
    keys = [key[0] if isinstance(key, list) else key for key in keys if key]
    if keys:
        pick(keys[0])


def _listed(table: Table, choice: Choice) -> None:
    profile = None
    unit = "gflops" if choice.unit in ("share", "milliseconds") else choice.unit
    rows = table.trade_off(unit, profile)
    down = words.steps_down(rows)
    with st.expander(f"The trade-off list: {len(rows)} of {len(table)} configurations"):
        st.dataframe(
            [
                {
                    "Configuration": str(row.configuration),
                    "GFLOPs": words.digits(row.gflops),
                    "Parameters": words.params(row.params),
                    METRICS[table.metric]: f"{row.accuracy:.1f}%",
                    "Gives up": down.get(row, "—"),
                }
                for row in reversed(rows)
            ],
            hide_index=True,
            alt="The trade-off list, dearest first, with what each step down gives up",
        )
