"""The dial as Compare shows it: unit, budget, configuration."""

from __future__ import annotations

import streamlit as st
from dial import Choice, choice_of, choose_budget, choose_configuration, choose_unit
from sources import Source
from times import follow

from a3d.budgets.profile import Profile
from a3d.budgets.table import Table

BARE = {"displayModeBar": False}


def dial(source: Source, table: Table) -> Choice:
    with st.container(key="units"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        unit, profile = choose_counting(source)
    choice = choice_of(table, unit, profile)
    with st.container(border=True, key="dial"):
        choose_budget(table, choice, profile)
    with right:
        choose_configuration(table, choice)
    return choice


def choose_counting(source: Source) -> tuple[str, Profile | None]:
    """The unit of the dial, and the times that it needs, which are measured where nobody has."""
    unit = choose_unit()
    if unit != "milliseconds":
        return unit, None
    if source.published:
        st.info("The paper prints no times, and there is no network here to measure. The dial counts GFLOPs.")
        return "gflops", None
    profile = follow(source)
    return ("gflops", None) if profile is None else (unit, profile)
