"""One dial, the budget: the network that it buys, and what that network sees."""

import streamlit as st
import words
from answers import comparison, figures
from clips import choose_clip
from controls import choose_source, show_choice, tested
from dial import Choice
from panel import BARE, dial
from sources import Source
from trade import curve, drawing

from a3d.budgets.table import Table


def choice_in_words(choice: Choice, table: Table) -> None:
    row = choice.row
    st.markdown(words.answer(row, table, choice.unit, choice.limit, choice.picked))
    if row.note:
        st.caption(row.note)
    kept = f"Kept of the full network: {words.dimensions(row)}"
    st.plotly_chart(drawing(row.configuration, table.full.configuration), key="kept", config=BARE, alt=kept)
    show_choice(row, table)


def on_a_clip(source: Source, table: Table, choice: Choice) -> None:
    """The chosen network beside the full one. A bad clip costs a line, not the page."""
    st.header("What the two networks see", divider="gray", help=words.MAPS)
    shown = choose_clip(source)
    if shown is None:
        return
    try:
        both = comparison(source, shown, (table.full.configuration, choice.row.configuration), None)
    except ValueError as error:
        st.error(str(error), icon=":material/movie:")
        return
    drawn = figures(source, shown, both)
    with st.container(key="verdict"):
        st.markdown(words.verdict(both))
    with st.container(key="film"):
        alt = f"Frames with the evidence of both networks laid over. {words.seen(both)}"
        st.plotly_chart(drawn["Where they look"], key="strip", config=BARE, alt=alt)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        alt = f"Probabilities; {words.plain(words.verdict(both))}"
        st.plotly_chart(drawn["Answers"], key="answers", config=BARE, alt=alt)
    with right:
        st.markdown(words.agreement(both.agreement, both.names))
        st.page_link("views/compare.py", label="Compare in time, and as video", icon=":material/compare:")


source = choose_source("One network, any budget")
st.markdown(words.WELCOME)
table = tested(source)
choice = dial(source, table)
left, right = st.columns([8, 5], gap="medium")
with left:
    curve(source, table, choice)
with right:
    choice_in_words(choice, table)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on a clip.")
else:
    on_a_clip(source, table, choice)
