"""The dial as Explore and Compare show it: unit, budget, choice."""

from __future__ import annotations

import streamlit as st
from dial import Choice, choose_budget, choose_configuration, choose_unit, settle
from sources import Source
from times import offer, profile_of

from a3d.budgets.table import Table

BARE = {"displayModeBar": False}


def dial(source: Source, table: Table) -> Choice:
    """Stays in sight while the page scrolls. Milliseconds that nobody has measured are offered to be measured."""
    with st.container(key="units"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        unit = choose_unit()
    profile = profile_of(source) if unit == "milliseconds" else None
    if unit == "milliseconds" and profile is None:
        unit = "gflops"
        if source.published:
            st.info("The paper prints no times, and there is no network here to measure. The dial counts GFLOPs.")
        else:
            offer(source)
    settle(table, unit, profile)
    with st.container(border=True, key="dial"):
        limit = choose_budget(table, unit, profile)
    with right:
        return choose_configuration(table, unit, limit, profile)
