"""One dial, the budget: the network that it buys, and what that network sees."""

import streamlit as st
import words
from answers import animation
from clips import Shown, choose_clip
from controls import choose_source, show_choice, tested
from dial import Choice, buyable, choice_of, choose_configuration
from panel import BARE, choose_counting
from screen import clip_data, dial_data, stage
from sources import Source, network_of
from sweeps import Sweep, go_on, sweep_of
from trade import drawing, trade_off_list

from a3d.budgets.table import Table


def head() -> tuple[Source, Table, Shown | None]:
    """Title, network and clip in one row."""
    with st.container(key="head"):
        title, network, clip, own = st.columns([5, 3, 3, 2.2], vertical_alignment="bottom")
    source = choose_source(words.TITLE, title, network)
    title.caption(words.WELCOME)
    table = tested(source)
    if source.published:
        return source, table, None
    count = st.session_state.get("uploads", 0)  # a new key closes it
    popover = own.popover("Your own video", icon=":material/upload:", width="stretch", key=f"own_{count}")
    return source, table, choose_clip(source, clip, popover)


def swept(source: Source, shown: Shown, table: Table, choice: Choice) -> Sweep | None:
    """What is known of the clip, at least of the choice. A bad clip costs a line, not the page."""
    try:
        return sweep_of(source, shown, table.full.configuration, choice.row.configuration)
    except ValueError as error:
        st.error(str(error), icon=":material/movie:")
        return None


@st.fragment(run_every=0.3)
def watch(source: Source, found: Sweep) -> None:
    """How far the background is; the page is drawn again when all is there."""
    if not found.running.locked():
        st.rerun()
    text = f"Looking at the clip with every configuration of the dial: {found.done} of {found.total}"
    st.progress(found.done / found.total, text)


def offer_animation(source: Source, shown: Shown, table: Table, choice: Choice) -> None:
    """Both networks on the clip as a GIF, made when it is asked for."""
    full, sub = table.full.configuration, choice.row.configuration
    st.download_button(
        "Save as GIF",
        lambda: animation(source, shown, full, sub),
        f"{words.file_name(shown.name)}-{sub.key}.gif",
        "image/gif",
        on_click="ignore",
        icon=":material/gif_box:",
        width="stretch",
        help=words.ANIMATION,
    )


def choice_in_words(choice: Choice, table: Table) -> None:
    row = choice.row
    st.markdown(words.answer(row, table, choice.unit, choice.limit, choice.picked))
    if row.note:
        st.caption(row.note)
    show_choice(row, table)


source, table, shown = head()
stage_place, below = st.container(key="stage_place"), st.container()
with below:
    units, configuration, take = st.columns([6, 4, 2], vertical_alignment="bottom")
with units:
    unit, profile = choose_counting(source)
choice = choice_of(table, unit, profile)
with configuration:
    choose_configuration(table, choice)

data, found = dial_data(source, table, choice, profile), None
if shown is not None:
    found = swept(source, shown, table, choice)
if found is not None:
    data["clip"] = clip_data(source, shown, found, table.full.configuration, network_of(source))
    data["about"] += shown.key
    with take:
        offer_animation(source, shown, table, choice)
with stage_place:
    stage(data)
    if found is not None and go_on(source, found, shown, [row.configuration for row in buyable(table, unit, profile)]):
        watch(source, found)

with below:
    if source.published:
        st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on a clip.")
    left, right = st.columns([8, 5], gap="medium", vertical_alignment="center")
    with left:
        choice_in_words(choice, table)
    with right:
        kept = f"Kept of the full network: {words.dimensions(choice.row)}"
        figure = drawing(choice.row.configuration, table.full.configuration)
        st.plotly_chart(figure, key="kept", config=BARE, alt=kept)
    trade_off_list(table, choice, profile)
    if not source.published:
        st.page_link(
            "views/compare.py",
            label="Compare any two, in time and as video, or up to six in rows",
            icon=":material/compare:",
        )
        with st.expander("The same in Python and on the command line", icon=":material/code:"):
            st.code(words.in_python(source.folder, choice.row.configuration), language="python")
            st.code(words.as_commands(source.folder, choice.row.configuration), language="bash")
