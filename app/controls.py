"""What a visitor sets beside the dial and the clip. Every choice is in the address, so that a view can be shared."""

from __future__ import annotations

import address
import numpy as np
import streamlit as st
import words
from dial import buyable
from sources import Source, sources, table_of

from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.errors import A3DError

AUTOMATIC = "The first network's answer"
NOTHING = "No other class"
METHODS = {"Exact": "cam", "Grad-CAM": "gradcam"}
METRICS = {"top-1": "Top-1 accuracy", "mAP": "Mean average precision"}
FULL, CHOICE = "Full network", "The dial's choice"
TWO, SEVERAL = "Two in detail", "Two to six in rows"
MOST = 6  # rows
AT_FIRST = 5  # of them, spread over the trade-off list


def choose_view() -> bool:
    """Whether several networks are laid below each other, not two side by side."""
    address.check("view", (TWO, SEVERAL), f"views are {TWO} and {SEVERAL}")
    chosen = st.segmented_control("View", [TWO, SEVERAL], default=TWO, required=True, key="view", bind="query-params")
    return chosen == SEVERAL


def choose_source(title: str, left=None, right=None) -> Source:
    """The head of a page: its title, and the network it is about. left, right: where, if not in a row of their own."""
    by_title = {source.title: source for source in sources()}
    address.check("network", by_title, "the field Network lists those that are here")
    if left is None:
        left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.title(title)
    chosen = right.selectbox(
        "Network",
        list(by_title),
        key="network",
        bind="query-params",
        on_change=address.forget,
        help="A trained checkpoint, or a table as the paper prints it (numbers alone, nothing to run).",
    )
    return by_title[chosen]


def tested(source: Source) -> Table:
    """The table of a network; the page ends with a plain word where there is none."""
    try:
        table = table_of(source)
    except (A3DError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if table is None:
        st.info(words.UNTESTED)
        st.stop()
    return table


def choose_question(labels: tuple[str, ...]) -> tuple[str | None, str | None, str]:
    """What the maps are to answer: for which class, against which other one, and by which method."""
    with st.container(key="question"):
        for_, against, how = st.columns([3, 3, 2])
    with for_:
        label = choose_class(labels)
    with against:
        other = choose_against(labels)
    with how:
        return label, other, choose_method()


def choose_class(labels: tuple[str, ...]) -> str | None:
    """The class to explain; None is whatever the first network answers."""
    help_ = "The maps show what speaks for this class, whether or not it is the answer."
    return _choose_label("Class to explain", "class", AUTOMATIC, labels, help_)


def choose_against(labels: tuple[str, ...]) -> str | None:
    """The class to tell it from; None for none."""
    help_ = (
        "The maps then show what speaks for the one class rather than this one: their mean plus a bias is by how much "
        "its score is above the other's."
    )
    return _choose_label("And not", "against", NOTHING, labels, help_)


def _choose_label(title: str, key: str, none: str, labels: tuple[str, ...], help_: str) -> str | None:
    """A class, or `none` of them. The address has it in words; the class's own name is understood too."""
    names = {words.class_name(label): label for label in labels}
    if key not in st.session_state and (asked := st.query_params.get(key)) in labels:
        st.session_state[key] = asked
        del st.query_params[key]
    address.check(key, [none, *names], "this network does not know it")
    chosen = st.selectbox(
        title,
        [none, *labels],
        format_func=lambda label: label if label == none else words.class_name(label),
        key=key,
        bind="query-params",
        help=help_,
    )
    return None if chosen == none else chosen


def choose_method() -> str:
    address.check("method", METHODS, f"methods are {', '.join(METHODS)}")
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


def choose_pair(table: Table, chosen: Row, left, right) -> tuple[Configuration, Configuration]:
    """Two configurations to lay side by side: at first the full network and what the dial chose. left, right: where."""
    tested = {str(row.configuration): row for row in sorted(table.rows, key=lambda row: -row.gflops)}
    rows = {FULL: table.full, CHOICE: chosen, **tested}
    for name in ("first", "second"):
        address.check_configuration(name, rows)
    first = left.selectbox("First network", list(rows), key="first", bind="query-params")
    second = right.selectbox("Second network", list(rows), 1, key="second", bind="query-params")
    return rows[first].configuration, rows[second].configuration


def choose_several(table: Table) -> list[Row]:
    """The configurations to lay below each other, dearest first: at first a spread over the trade-off list.

    As with the clip, the address is written here: what another page had bound, Streamlit forgets on the way back.
    """
    rows = {row.configuration.key: row for row in sorted(table.rows, key=lambda row: -row.gflops)}
    spread = _spread(table)
    picked = st.session_state.get("picked")
    if picked is None:
        picked = address.configurations("configurations", rows) or spread
    known = [key for key in picked if key in rows][:MOST]
    st.session_state["configurations"] = known if known or not picked else spread
    chosen = st.multiselect(
        f"Configurations (2 to {MOST})",
        list(rows),
        format_func=lambda key: str(rows[key].configuration),
        key="configurations",
        max_selections=MOST,
        on_change=_picked,
        help="Any tested ones: side² × frames, share of the channels. They are shown dearest first.",
    )
    if chosen != spread:
        st.query_params["configurations"] = ",".join(chosen)
    elif "configurations" in st.query_params:
        del st.query_params["configurations"]
    return sorted((rows[key] for key in chosen), key=lambda row: -row.gflops)


def _spread(table: Table) -> list[str]:
    """Some of the trade-off list, from the full network to the cheapest."""
    stops = buyable(table, "gflops", None)[::-1]
    places = np.linspace(0, len(stops) - 1, min(AT_FIRST, len(stops))).round().astype(int)
    return [stops[place].configuration.key for place in places.tolist()]


def _picked() -> None:
    address.forget()
    st.session_state["picked"] = st.session_state["configurations"]


def show_choice(row: Row, table: Table) -> None:
    """The choice in four numbers."""
    full = table.full
    values = {
        "Configuration": (str(row.configuration), f"full: {full.configuration}"),
        "GFLOPs": (words.digits(row.gflops), f"{words.share(row.gflops, full.gflops)} of full"),
        "Parameters": (words.params(row.params), f"{words.share(row.params, full.params)} of full"),
        METRICS[table.metric]: (f"{row.accuracy:.1f}%", f"{row.accuracy - full.accuracy:+.1f} vs. full"),
    }
    with st.container(key="numbers"):
        columns = [*st.columns(2), *st.columns(2)]
    for column, (label, (value, beside)) in zip(columns, values.items(), strict=True):
        column.metric(label, value, beside, delta_color="off", delta_arrow="off", border=True)
