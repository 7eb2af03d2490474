"""The dial: it rests on the configurations that a budget can buy, and its last stop is the full network.

All of a visitor's choice is one configuration, kept under "configuration" and in the address; the unit says in what
its cost is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import address
import streamlit as st
import words

from a3d.budgets.budget import BudgetError
from a3d.budgets.profile import Profile
from a3d.budgets.table import Row, Table, TableError
from a3d.configuration import Configuration, ConfigurationError

UNITS = {"GFLOPs": "gflops", "Milliseconds": "milliseconds", "Share": "share", "Parameters": "params"}
AT_FIRST = 0.25  # of the full network's cost


@dataclass(frozen=True)
class Choice:
    """unit: one of `UNITS`' values. limit: what the row costs in it. picked: no budget in it would buy the row."""

    row: Row
    unit: str
    limit: float
    picked: bool


def choose_unit() -> str:
    address.check("unit", UNITS, f"units are {', '.join(UNITS)}")
    chosen = st.segmented_control(
        "Budget in",
        list(UNITS),
        default="GFLOPs",
        required=True,
        key="unit",
        bind="query-params",
        help="GFLOPs: billions of multiply-adds for one clip. Milliseconds: for one clip on the machine that serves "
        "this page. Share: of the full network's GFLOPs. Parameters: numbers that the network holds.",
    )
    return UNITS[chosen]


def buyable(table: Table, unit: str, profile: Profile | None) -> list[Row]:
    """What the dial stops at, cheapest first: the trade-off list, and the full network at 100%."""
    cost = words.costs(table, unit, profile)
    rows = table.trade_off(unit, profile)
    return sorted({*rows, table.full}, key=lambda row: (cost(row), row == table.full))


def within(table: Table, unit: str, limit: float, profile: Profile | None) -> Row:
    """What a budget buys: the best row that it pays for, and the full network where it pays for that."""
    cost = words.costs(table, unit, profile)
    if limit >= cost(table.full):
        return table.full
    if unit == "share":
        return table.choose(gflops=table.full.gflops * (limit / 100))
    return table.choose(**{unit: limit}, profile=profile)


def choice_of(table: Table, unit: str, profile: Profile | None) -> Choice:
    """The visitor's choice; at first, what a quarter of the full network buys."""
    _arrive(table, unit, profile)
    rows = {row.configuration.key: row for row in table.rows}
    row = rows.get(st.session_state.get("configuration")) or _first(table)
    return Choice(row, unit, words.costs(table, unit, profile)(row), row not in buyable(table, unit, profile))


def choose_budget(table: Table, choice: Choice, profile: Profile | None) -> None:
    """The dial as a slider, for pages without a stage."""
    stops = stops_of(table, choice.unit, profile)
    key = f"budget_{choice.unit}"
    st.session_state[key] = min(stops, key=lambda text: abs(stops[text].gflops - choice.row.gflops))
    st.select_slider(
        f"Compute budget for one clip, {words.UNIT_NAMES[choice.unit]}",
        list(stops),
        key=key,
        on_change=lambda: choose(stops[st.session_state[key]].configuration.key),
        help="Drag, or use the arrow keys: each stop is a configuration that nothing tested beats at its cost.",
    )


def stops_of(table: Table, unit: str, profile: Profile | None) -> dict[str, Row]:
    """What the slider says at each stop, and what it buys there."""
    cost = words.costs(table, unit, profile)
    stops: dict[str, Row] = {}
    for row in buyable(table, unit, profile):
        text = words.budget(cost(row), unit, cost(table.full))
        stops[f"{text}, {row.configuration}" if text in stops else text] = row
    return stops


def choose_configuration(table: Table, choice: Choice) -> None:
    """Any tested configuration, also one that no budget would choose."""
    rows = {str(row.configuration): row for row in sorted(table.rows, key=lambda row: -row.gflops)}
    st.session_state["pick"] = str(choice.row.configuration)
    st.selectbox(
        "Configuration",
        list(rows),
        key="pick",
        on_change=lambda: choose(rows[st.session_state["pick"]].configuration.key),
        help="Any tested configuration, also one that the dial would not choose: side² × frames, share of the "
        "channels. A click on a point of the curve picks it as well.",
    )


def choose(key: str) -> None:
    """Make the configuration `80x4@0.8` the choice, here and in the address."""
    address.forget()
    st.session_state["configuration"] = st.query_params["configuration"] = key


def _first(table: Table) -> Row:
    return within(table, "share", max(100 * AT_FIRST, 100 * table.trade_off()[0].gflops / table.full.gflops), None)


def _arrive(table: Table, unit: str, profile: Profile | None) -> None:
    """What an address asks for, as a configuration or as a budget in its unit, once."""
    asked = {name: st.query_params[name] for name in ("configuration", "budget") if name in st.query_params}
    if not asked or asked.get("configuration") == st.session_state.get("configuration", ""):
        return
    name, value = next(iter(asked.items()))
    try:
        if name == "configuration":
            row = table.row(Configuration.parse(value))
        else:
            row = within(table, unit, float(value), profile)
        st.session_state["configuration"] = row.configuration.key
    except (BudgetError, ConfigurationError, TableError, ValueError) as error:
        address.refuse(name, _remedy(error, name))
    for name in asked:
        del st.query_params[name]
    if st.session_state.get("configuration"):
        st.query_params["configuration"] = st.session_state["configuration"]


def _remedy(error: Exception, name: str) -> str:
    return str(error) if isinstance(error, BudgetError | TableError) else f"give a {name} as in {EXAMPLES[name]}"


EXAMPLES = {"configuration": "80x4@0.8", "budget": "0.2, in the unit of the dial"}
