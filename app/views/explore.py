"""One dial, the budget: the network that it buys, and what that network sees."""

import streamlit as st
import words
from answers import comparison, explanation, overlay
from clips import VideoFile
from controls import choose_budget, choose_class, choose_clip, choose_method, choose_source, show_choice
from sources import Source, table_of

from a3d.explain import Comparison
from a3d.explain.figures import cuboid_figure, film_strip, probabilities_figure, shares_figure, tradeoff_figure
from a3d.inference.published import published
from a3d.inference.table import Row, Table

PAPER = {"the paper, Slow 8×8 on Kinetics-400": "slow_8x8_0016"}  # the curve that can be laid beside one's own
BARE = {"displayModeBar": False}


def budget(source: Source, table: Table) -> Row:
    """The dial, its answer in words, numbers and a drawing, and the curve."""
    with st.container(border=True, key="dial"):
        gflops = choose_budget(table)
    row, full = table.choose(gflops=gflops), table.full.configuration
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        st.markdown(words.answer(row, table, gflops))
        if row.note:
            st.caption(row.note)
        show_choice(row, table)
    kept = f"Kept of the full network: {words.dimensions(row)}"
    right.plotly_chart(cuboid_figure(row.configuration, full), key="kept", config=BARE, alt=kept)
    curve(source, table, row, gflops)
    return row


def curve(source: Source, table: Table, row: Row, gflops: float) -> None:
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.subheader("What a budget buys", help=words.CURVE)
    beside = not source.published and right.toggle("The paper's curve", key="paper", bind="query-params")
    others = {name: published(key) for name, key in PAPER.items()} if beside else {}
    st.plotly_chart(
        tradeoff_figure(table, row, gflops, others, table.full),
        key="curve",
        config=BARE,
        alt=f"Top-1 accuracy against GFLOPs of {len(table)} configurations; chosen: {row.configuration}",
    )


def clip(source: Source, table: Table, row: Row) -> None:
    """The chosen network beside the full one, on one clip. A bad clip costs a line, not the page."""
    st.header("What the two networks see", divider="gray", help=words.MAPS)
    video = choose_clip()
    try:
        full = explanation(source, video, table.full.configuration)
        left, right = st.columns(2, vertical_alignment="bottom")
        with left:
            label = choose_class(full.labels)
        with right:
            method = choose_method()
        both = comparison(source, video, row.configuration, label, method)
    except ValueError as error:
        st.error(str(error), icon=":material/movie:")
        return
    side_by_side(both)
    play(source, video, both)


def side_by_side(both: Comparison) -> None:
    st.markdown(words.verdict(both))
    left, right = st.columns(2)
    with left:
        st.subheader("Answers", help=words.ANSWERS)
        figure = probabilities_figure(both.full, both.sub)
        st.plotly_chart(figure, key="answers", config=BARE, alt=f"Probabilities; {words.plain(words.verdict(both))}")
    with right:
        st.subheader("When it looks", help=words.SHARES)
        st.plotly_chart(shares_figure(both), key="shares", config=BARE, alt="Share of the evidence in each frame")
    st.subheader("Where it looks", help=words.STRIP)
    with st.container(key="film"):
        figure = film_strip(both)
        st.plotly_chart(figure, key="strip", config=BARE, alt="Frames with the evidence of both networks laid over")
    st.markdown(words.agreement(both.agreement))


def play(source: Source, video: VideoFile, both: Comparison) -> None:
    data = overlay(source, video, both)
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.video(data, loop=True, muted=True, alt="The frames with both maps laid over: full network, sub-network")
    right.markdown(words.PLAYER)
    right.download_button(
        "Download this video", data, "overlay.mp4", "video/mp4", icon=":material/download:", on_click="ignore"
    )


source = choose_source("One network, any budget")
st.markdown(words.WELCOME)
try:
    table = table_of(source)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
if table is None:
    st.info(words.UNTESTED)
    st.stop()
row = budget(source, table)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on a clip.")
else:
    clip(source, table, row)
