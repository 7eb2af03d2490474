"""The dial: a budget in one of four units, or a configuration picked by hand; either way one row of the table.

Every choice is in the address of the page, so that a view can be shared.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
import words

from a3d.budgets.profile import Profile
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration

UNITS = {"GFLOPs": "gflops", "Milliseconds": "milliseconds", "Share": "share", "Parameters": "params"}
KEYS = {"gflops": "budget", "milliseconds": "budget_ms", "share": "budget_share", "params": "budget_params"}
BEST = "Best within the budget"


@dataclass(frozen=True)
class Choice:
    """unit: one of `UNITS`' values. limit: in that unit. row: what it buys, or what was picked instead."""

    row: Row
    unit: str
    limit: float
    picked: bool


def choose_unit() -> str:
    chosen = st.segmented_control(
        "Budget in",
        list(UNITS),
        default="GFLOPs",
        required=True,
        key="unit",
        bind="query-params",
        on_change=_carry_over,
        help="GFLOPs: billions of multiply-adds for one clip. Milliseconds: for one clip on the machine that serves "
        "this page. Share: of the full network's GFLOPs. Parameters: numbers that the network holds.",
    )
    return UNITS[chosen]


def choose_budget(table: Table, unit: str, profile: Profile | None) -> float:
    """The dial itself: even on a logarithmic scale, as the curve is."""
    budgets = stops(table, unit, profile)
    costs = words.costs(table, unit, profile)
    quarter = min(budgets, key=lambda text: abs(budgets[text] - costs(table.full) / 4))
    chosen = st.select_slider(
        f"Compute budget for one clip, {words.UNIT_NAMES[unit]}",
        list(budgets),
        quarter,
        key=KEYS[unit],
        bind="query-params",
        on_change=_best_again,
        help="Drag, or use the arrow keys: the best tested configuration within the budget answers.",
    )
    return budgets[chosen]


def choose_configuration(table: Table, unit: str, limit: float, profile: Profile | None) -> Choice:
    """What the budget buys, unless a configuration was picked from the list or on the curve."""
    best = within(table, unit, limit, profile)
    rows = {str(row.configuration): row for row in sorted(table.rows, key=lambda row: -row.gflops)}
    picked = st.selectbox(
        "Configuration",
        [BEST, *rows],
        key="pick",
        bind="query-params",
        help="Any tested configuration, also one that the budget would not choose. A click on a point of the curve "
        "picks it as well; the dial goes back to the best.",
    )
    row = rows.get(picked, best)
    # For the callbacks, which run before the page knows its table again.
    st.session_state["chosen"] = row.configuration.key
    return Choice(row, unit, limit, picked in rows)


def pick(key: str) -> None:
    """A click on the curve: the configuration of that point, `224x4@0.9`, is the choice."""
    st.session_state["pick"] = str(Configuration.parse(key))


def within(table: Table, unit: str, limit: float, profile: Profile | None) -> Row:
    if unit == "share":
        return table.choose(gflops=table.full.gflops * (limit / 100))
    return table.choose(**{unit: limit}, profile=profile)


def stops(table: Table, unit: str = "gflops", profile: Profile | None = None, count: int = 33) -> dict[str, float]:
    """Budgets by what the dial shows, ascending.

    From the cheapest configuration to the full network in even ratios, and one for each row of the trade-off list, so
    that every answer can be reached. Three digits, rounded up: what is shown is enough for what it buys.
    """
    cost = words.costs(table, unit, profile)
    costs = [cost(row) for row in (*table.trade_off(unit, profile), table.full)]
    low, high = min(costs), max(costs)
    between = [low * (high / low) ** (i / (count - 1)) for i in range(1, count - 1)]
    budgets = sorted({words.rounded_up(value) for value in (*costs, *between)})
    return {words.budget(value, unit, cost(table.full)): value for value in budgets}


def _best_again() -> None:
    st.session_state["pick"] = BEST


def _carry_over() -> None:
    """In another unit the dial starts at what the choice costs there; it is set when its stops are known."""
    st.session_state["carry"] = st.session_state.get("chosen")


def settle(table: Table, unit: str, profile: Profile | None) -> None:
    """Sets the dial of a unit just changed to; before the dial is drawn, as its value cannot be changed later."""
    key = st.session_state.pop("carry", None)
    rows = {row.configuration.key: row for row in table.rows}
    if key not in rows or (unit == "milliseconds" and rows[key].configuration not in profile):
        return
    cost = words.costs(table, unit, profile)(rows[key])
    enough = [text for text, value in stops(table, unit, profile).items() if value >= cost]
    if enough:
        st.session_state[KEYS[unit]] = enough[0]
