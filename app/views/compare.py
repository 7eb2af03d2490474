"""Two configurations on one clip: what they answer, where and when they look, and how far they agree; or up to six."""

import streamlit as st
import words
from answers import comparison, explanation, figures, multiples, occlusion, overlay
from clips import Shown, choose_clip
from controls import choose_pair, choose_question, choose_several, choose_source, choose_view, tested
from panel import BARE, choose_counting, dial
from sources import Source, network_of

from a3d.budgets.table import Table
from a3d.figures import occlusion_figure
from a3d.maps import Comparison
from a3d.maps.saving import maps_npz, page


def choose_here(source: Source, place) -> Shown | None:
    """The clip, and where to give one's own. place: the columns for both."""
    count = st.session_state.get("uploads", 0)  # a new key closes it
    popover = place[1].popover("Your own video", icon=":material/upload:", width="stretch", key=f"own_{count}")
    return choose_clip(source, place[0], popover)


def compared(source: Source, table: Table, shown: Shown) -> Comparison | None:
    """What is set at the head of the page. A bad clip costs a line, not the page."""
    choice = dial(source, table)
    with st.container(key="pair"):
        left, right = st.columns(2)
    pair = choose_pair(table, choice.row, left, right)
    try:
        label, other, method = choose_question(explanation(source, shown, pair[0]).labels)
        return comparison(source, shown, pair, label, method, other)
    except ValueError as error:
        st.error(str(error), icon=":material/movie:")
        return None


def in_rows(source: Source, table: Table, shown: Shown) -> None:
    """Two to six networks below each other."""
    left, right = st.columns([9, 5], vertical_alignment="bottom")
    with right:
        unit, profile = choose_counting(source)
    with left:
        rows = choose_several(table)
    label, other, method = choose_question(network_of(source).labels)
    if len(rows) < 2:
        st.info(words.SEVERAL)
        return
    try:
        with st.spinner("Looking at the clip …"):
            first = explanation(source, shown, rows[0].configuration, label, method, other)
            others = [explanation(source, shown, row.configuration, first.name, method, other) for row in rows[1:]]
    except ValueError as error:
        st.error(str(error), icon=":material/movie:")
        return
    told = [first, *others]
    captions = [words.caption(*pair, table, unit, profile) for pair in zip(rows, told, strict=True)]
    st.header(f"Where they look for {words.question(first)}", help=words.ROWS)
    st.html(multiples(source, shown, told, tuple(captions)))


def answers(both: Comparison, drawn: dict) -> None:
    with st.container(key="verdict"):
        st.markdown(words.verdict(both))
    left, right = st.columns(2)
    with left:
        st.header("What they answer", help=words.ANSWERS)
        alt = f"Probabilities; {words.plain(words.verdict(both))}"
        st.plotly_chart(drawn["Answers"], key="answers", config=BARE, alt=alt)
    with right:
        st.header("When they look", help=words.SHARES)
        alt = f"Share of the evidence in each frame. {words.seen(both)}"
        st.plotly_chart(drawn["When they look"], key="shares", config=BARE, alt=alt)


def places(both: Comparison, drawn: dict) -> None:
    st.header(f"Where they look for {words.question(both.full)}", help=words.STRIP)
    if both.full.other:
        st.markdown(words.difference(both))
    with st.container(key="film"):
        alt = f"Frames with the evidence of both networks laid over. {words.seen(both)}"
        st.plotly_chart(drawn["Where they look"], key="strip", config=BARE, alt=alt)


def agreement(both: Comparison) -> None:
    found = both.agreement
    st.header("How far they agree", help=words.AGREEMENT)
    st.markdown(words.evidence_of(both))
    is_fine = words.cells(both) >= words.CELLS
    with st.container(key="agreement"):
        columns = st.columns(3)
    if is_fine:
        columns[0].metric("Overlap of the strongest fifth", f"{found.overlap:.0%}", "20% by chance", **QUIET)
        columns[1].metric("Correlation of the maps", f"{found.correlation:.2f}", "1 if alike", **QUIET)
    shift = f"{found.shift_seconds:+.2f} s" if found.shift_frames else "none"
    count = f"{found.shift_frames:+d} frame{'' if abs(found.shift_frames) == 1 else 's'}"
    columns[2 if is_fine else 0].metric(
        "Shift of the key frame", shift, count if found.shift_frames else "the same frame", **QUIET
    )


@st.fragment
def proof(source: Source, shown: Shown, both: Comparison) -> None:
    """The check of both maps, once it is asked for."""
    st.header("Does it need these places?", help=words.OCCLUSION)
    asked = (shown.key, both.full.configuration, both.sub.configuration, both.full.name, both.full.other)
    asked += (both.full.method, source)
    if st.button("Hide the hottest places", icon=":material/visibility_off:"):
        st.session_state["hidden"] = asked
    if st.session_state.get("hidden") != asked:
        return
    with st.spinner("Hiding …"):
        checks = [occlusion(source, shown, told) for told in (both.full, both.sub)]
    label = words.class_name(both.full.name)
    for who, check in zip(both.names, checks, strict=True):
        st.markdown(words.occlusion(who, label, check))
    st.plotly_chart(occlusion_figure(checks, both.names), key="occlusion", config=BARE, alt=words.OCCLUSION)


def film(source: Source, shown: Shown, both: Comparison, drawn: dict) -> None:
    st.header("As a video")
    data = overlay(source, shown, both)
    left, right = st.columns([3, 2], vertical_alignment="center")
    (one, other), (first, second) = both.names, (both.full.configuration, both.sub.configuration)
    alt = f"The frames with both maps laid over: {one} on the left, {other} on the right"
    left.video(data, loop=True, muted=True, alt=alt)
    with right:
        st.markdown(
            f":blue[■] **{one}** {first} on the left, :orange[■] **{other}** {second} on the right, at the "
            "pace of the clip. A frame that a network skips is grey."
        )
        downloads(shown, both, drawn, data)


def downloads(shown: Shown, both: Comparison, drawn: dict, video: bytes) -> None:
    title = f"{shown.name}: {both.full.configuration} and {both.sub.configuration}, {both.full.name}"
    options = {"icon": ":material/download:", "on_click": "ignore"}
    st.download_button("Video", video, "overlay.mp4", "video/mp4", **options)
    st.download_button("Maps (.npz)", lambda: maps_npz(both), "maps.npz", "application/zip", **options)
    st.download_button("Figures (.html)", lambda: page(title, drawn), "figures.html", "text/html", **options)


QUIET = {"delta_color": "off", "delta_arrow": "off", "border": True}

head, view = st.container(), st.columns([3, 4, 2.5], vertical_alignment="bottom")
with view[0]:
    is_several = choose_view()
with head:
    source = choose_source("Several networks, one clip" if is_several else "Two networks, one clip")
table = tested(source)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on a clip.")
    st.stop()
shown = choose_here(source, view[1:])
if shown is not None and is_several:
    in_rows(source, table, shown)
elif shown is not None and (both := compared(source, table, shown)):
    drawn = figures(source, shown, both)
    answers(both, drawn)
    places(both, drawn)
    agreement(both)
    proof(source, shown, both)
    film(source, shown, both, drawn)
