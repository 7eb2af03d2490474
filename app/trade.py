"""What a choice is, drawn: the trade-off list, and what is kept of the clip and the network."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
import words
from controls import METRICS
from dial import Choice, buyable

from a3d.budgets.profile import Profile
from a3d.budgets.table import Table
from a3d.configuration import Configuration
from a3d.figures import cuboid_figure


@st.cache_resource(max_entries=256, show_spinner=False)
def drawing(configuration: Configuration, full: Configuration) -> go.Figure:
    """What is kept of the full clip and network."""
    return cuboid_figure(configuration, full)


def trade_off_list(table: Table, choice: Choice, profile: Profile | None) -> None:
    """The stops of the dial, dearest first, with what each step down gives up."""
    rows, cost = buyable(table, choice.unit, profile), words.costs(table, choice.unit, profile)
    down = words.steps_down(rows)
    with st.expander(f"The trade-off list: {len(rows)} of {len(table)} configurations"):
        st.dataframe(
            [
                {
                    "Configuration": str(row.configuration),
                    "Budget": words.amount(cost(row), choice.unit),
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
